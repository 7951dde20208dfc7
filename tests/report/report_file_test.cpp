#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <filesystem>
#include <string>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/report/json_text.h"
#include "tests/support/example_report.h"
#include "tests/support/paths.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using limbeck::test::TemporaryFolder;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  write_file_atomically(path, text);
}

}  // namespace

TEST_CASE("a written report loads as it was made", "[report]") {
  const TemporaryFolder folder;
  const nlohmann::ordered_json report = make_report(test::example_inputs());
  write_report(report, folder.path());
  CHECK(load_report(folder / "report.json") == nlohmann::json::parse(report.dump()));
  const std::string page = read_file(folder / "report.html");
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
}

TEST_CASE("the same report is written as the same bytes", "[report]") {
  const TemporaryFolder first;
  const TemporaryFolder second;
  write_report(make_report(test::example_inputs()), first.path());
  write_report(make_report(test::example_inputs()), second.path());
  CHECK(read_file(first / "report.json") == read_file(second / "report.json"));
  CHECK(read_file(first / "report.html") == read_file(second / "report.html"));
}

TEST_CASE("a report that breaks the schema is not written", "[report]") {
  const TemporaryFolder folder;
  nlohmann::ordered_json report = make_report(test::example_inputs());
  report["headline"]["top1"] = 120.0;
  CHECK_THROWS_MATCHES(write_report(report, folder.path()), Error,
                       MessageMatches(ContainsSubstring("must follow the schema 'report'")));
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a report of version 1 from the fixtures loads", "[report]") {
  const nlohmann::json report = load_report(test::fixture("report_v1.json"));
  CHECK(report.at("headline").at("judgement") == "noise");
  CHECK_FALSE(render_html(report).empty());
}

TEST_CASE("a report that is no JSON is refused with the position", "[report]") {
  const TemporaryFolder folder;
  write(folder / "report.json", "{\"version\": 1,");
  CHECK_THROWS_MATCHES(load_report(folder / "report.json"), Error,
                       MessageMatches(ContainsSubstring("the file must be valid JSON")));
}

TEST_CASE("a report of a later version is refused by its version", "[report]") {
  const TemporaryFolder folder;
  nlohmann::ordered_json report = make_report(test::example_inputs());
  report["version"] = 2;
  write(folder / "report.json", json_text(report));
  CHECK_THROWS_MATCHES(
      load_report(folder / "report.json"), Error,
      MessageMatches(ContainsSubstring("the report must be of version 1; got version 2")));
}

TEST_CASE("a JSON file that is no report is refused", "[report]") {
  const TemporaryFolder folder;
  for (const std::string text : {"[]", "{}", "{\"version\": 1}", "3"}) {
    write(folder / "report.json", text);
    CHECK_THROWS_MATCHES(load_report(folder / "report.json"), Error,
                         MessageMatches(ContainsSubstring("must follow the schema 'report'")));
  }
}

TEST_CASE("a missing report is an input error", "[report]") {
  const TemporaryFolder folder;
  try {
    load_report(folder / "none.json");
    FAIL("loaded a report that is not there");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kIo);
  }
}
