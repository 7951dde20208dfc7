#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/report/compare.h"
#include "tests/support/example_report.h"
#include "tests/support/paths.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using limbeck::test::example_report;
using nlohmann::json;

namespace {

/// b is 10 points below a (one sample of ten, within noise), its file has 12,000 bytes.
Comparison gated(const json& gate) {
  return compare_reports(example_report("1111111111"), example_report("1111111110"), gate);
}

void refuse_gate(const std::string& text, const std::string& message) {
  const test::TemporaryFolder folder;
  write_file_atomically(folder / "gate.json", text);
  CHECK_THROWS_MATCHES(load_gate(folder / "gate.json"), Error,
                       MessageMatches(ContainsSubstring(message)));
}

}  // namespace

TEST_CASE("a drop equal to the limit passes and a larger one fails", "[report]") {
  CHECK(gated({{"version", 1}, {"max_drop", {{"top1", 10}}}}).passed);
  const Comparison failed = gated({{"version", 1}, {"max_drop", {{"top1", 9.9}}}});
  CHECK_FALSE(failed.passed);
  REQUIRE(failed.gates.size() == 1);
  CHECK(failed.gates[0].rule == "top1 must not drop by more than 9.9 points");
  CHECK(failed.gates[0].value == Catch::Approx(10));
}

TEST_CASE("a rise is no drop, and a limit of zero admits no drop at all", "[report]") {
  const json gate = {{"version", 1}, {"max_drop", {{"top1", 0}}}};
  const json worse = example_report("1110");
  const json better = example_report("1111");
  CHECK(compare_reports(worse, better, gate).passed);
  CHECK(compare_reports(worse, worse, gate).passed);
  CHECK_FALSE(compare_reports(better, worse, gate).passed);
}

TEST_CASE("a gate may let pass a drop that is within noise", "[report]") {
  const Comparison passed =
      gated({{"version", 1}, {"max_drop", {{"top1", 0.5}}}, {"ignore_noise", true}});
  CHECK(passed.passed);
  CHECK(passed.gates[0].note == "over the limit, but within noise");
}

TEST_CASE("a significant drop fails although noise is ignored", "[report]") {
  const json gate = {{"version", 1}, {"max_drop", {{"top1", 0.5}}}, {"ignore_noise", true}};
  CHECK_FALSE(
      compare_reports(example_report("1111111111"), example_report("1111000000"), gate).passed);
}

TEST_CASE("lower and upper bounds look at the second report alone", "[report]") {
  CHECK(gated({{"version", 1}, {"min", {{"top1", 90}}}}).passed);
  CHECK_FALSE(gated({{"version", 1}, {"min", {{"top1", 90.1}}}}).passed);
  CHECK(gated({{"version", 1}, {"max", {{"model_bytes", 12000}}}}).passed);
  CHECK_FALSE(gated({{"version", 1}, {"max", {{"model_bytes", 11999}}}}).passed);
}

TEST_CASE("a drop is taken over shared samples, a bound over all of the second report",
          "[report]") {
  // Shared are samples 5 to 9: all right in a, none in b, which has half of its ten right.
  json b = example_report("0000011111");
  b["records"]["model"]["index"] = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  const json a = example_report("1111111111");
  const Comparison comparison = compare_reports(
      a, b, {{"version", 1}, {"max_drop", {{"top1", 99}}}, {"min", {{"top1", 50}}}});
  REQUIRE(comparison.gates.size() == 2);
  CHECK(comparison.gates[0].value == 100.0);
  CHECK_FALSE(comparison.gates[0].passed);
  CHECK(comparison.gates[1].value == 50.0);
  CHECK(comparison.gates[1].passed);
}

TEST_CASE("a rise of the loss is limited", "[report]") {
  // One loss of 0.25 becomes 2.0: 0.175 over ten samples.
  CHECK(gated({{"version", 1}, {"max_rise", {{"loss", 0.18}}}}).passed);
  CHECK_FALSE(gated({{"version", 1}, {"max_rise", {{"loss", 0.17}}}}).passed);
}

TEST_CASE("one violated rule of several fails the gate", "[report]") {
  const Comparison comparison = gated(
      {{"version", 1}, {"max_drop", {{"top1", 50}}}, {"min", {{"agreement", 99}, {"top1", 10}}}});
  CHECK_FALSE(comparison.passed);
  REQUIRE(comparison.gates.size() == 3);
  CHECK(comparison.gates[0].passed);
  CHECK(comparison.gates[1].rule == "agreement must be at least 99 %");
  CHECK_FALSE(comparison.gates[1].passed);
  CHECK(comparison.gates[2].passed);
}

TEST_CASE("rules may name user metrics", "[report]") {
  json a = example_report("1111");
  a["evaluation"]["metrics"]["user"]["map"] = 0.5;
  json b = a;
  b["evaluation"]["metrics"]["user"]["map"] = 0.25;
  CHECK(compare_reports(a, b, {{"version", 1}, {"max_drop", {{"user.map", 0.25}}}}).passed);
  CHECK_FALSE(compare_reports(a, b, {{"version", 1}, {"min", {{"user.map", 0.3}}}}).passed);
}

TEST_CASE("a rule about an unknown figure is refused with the known ones", "[report]") {
  CHECK_THROWS_MATCHES(
      gated({{"version", 1}, {"min", {{"top-1", 90}}}}), Error,
      MessageMatches(ContainsSubstring("gate rule min.top-1: the figure must be in both reports; "
                                       "got reports with top1, loss, agreement")));
}

TEST_CASE("gates that cannot mean anything are refused", "[report]") {
  refuse_gate("{\"version\": 1", "the file must be valid JSON");
  refuse_gate("{\"version\": 2, \"min\": {\"top1\": 1}}",
              "the gate must be of version 1; got version 2");
  refuse_gate("{\"version\": 1}", "must follow the schema 'gate'");
  refuse_gate("{\"version\": 1, \"min\": {}}", "must follow the schema 'gate'");
  refuse_gate("{\"version\": 1, \"minimum\": {\"top1\": 1}}", "must follow the schema 'gate'");
  refuse_gate("{\"version\": 1, \"min\": {\"top1\": \"90\"}}", "must follow the schema 'gate'");
  refuse_gate("{\"version\": 1, \"max_drop\": {\"top1\": -1}}", "must follow the schema 'gate'");
}
