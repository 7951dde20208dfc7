// Names in a model are written by whoever made the file.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/base/schema.h"
#include "lib/evaluate/npz_writer.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr const char* kScript = "<script>alert(1)</script>";
constexpr const char* kQuotes = "\"'><img src=x onerror=alert(2)>";
constexpr const char* kBroken = "line\nbreak\x1B[2J bad\xFF & </blink>";

/// A folder with a classifier whose tensors carry the names above, and 40 labelled samples.
class HostileModel {
 public:
  HostileModel() {
    ModelBuilder builder(13);
    builder.input("x", {-1, 6}).output("scores");
    builder.weight("w1", noise({6, 8}, 1)).weight("w2", noise({8, 6}, 2));
    builder.node("MatMul", {"x", "w1"}, {kScript});
    builder.node("Sigmoid", {kScript}, {kQuotes});
    builder.node("MatMul", {kQuotes, "w2"}, {kBroken});
    builder.node("LeakyRelu", {kBroken}, {"scores"});
    auto& graph = *builder.proto().mutable_graph();
    graph.mutable_node(0)->set_name(kScript);
    graph.mutable_node(2)->set_name(kBroken);
    write_file_atomically(folder_ / file_, builder.bytes());
    std::vector<int64_t> labels(40);
    for (size_t i = 0; i < labels.size(); ++i) labels[i] = static_cast<int64_t>(i % 6);
    write_file_atomically(folder_ / "data.npz",
                          npz_bytes({{"x", noise({40, 6}, 3)}, {"label", ints(labels)}}));
    write_file_atomically(
        folder_ / "data.json",
        R"({"version": 1, "kind": "npz", "path": "data.npz", "inputs": ["x"], "label": "label"})");
  }

  CommandResult run(const std::string& command, const std::string& options) const {
    return run_program(command + " '" + file_ + "' " + options, folder_.path());
  }
  std::string read(const std::string& name) const { return read_file(folder_ / name); }

 private:
  TemporaryFolder folder_;
  std::string file_ = "evil\x1B[31m<blink>.onnx";
};

}  // namespace

TEST_CASE("a report about hostile names holds none of their tags", "[cli][report]") {
  const HostileModel model;
  const CommandResult result =
      model.run("quantize",
                "--data data.json --samples 16 -o out --quiet --metric-command "
                "'cat >/dev/null; echo \"{\\\"<marquee>\\\": 1}\"'");
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const std::string page = model.read("out/report.html");
  for (const char* tag : {"<script", "<img", "<blink", "</blink", "<marquee", "\x1B"})
    CHECK(page.find(tag) == std::string::npos);
  CHECK_THAT(page, ContainsSubstring("&lt;script&gt;alert(1)&lt;/script&gt;"));
  CHECK_THAT(page, ContainsSubstring("&lt;marquee&gt;"));
  CHECK(valid_utf8(page) == page);
}

TEST_CASE("report.json and plan.json about hostile names parse", "[cli][report]") {
  const HostileModel model;
  REQUIRE(model.run("quantize", "--data data.json --samples 16 -o out --quiet").exit_code == 0);
  const auto report = parse_json(model.read("out/report.json"), "report.json");
  validate_json(report, "report", "report.json");
  REQUIRE(report.at("layers").size() >= 4);
  CHECK(report.at("layers")[1].at("tensor") == kScript);
  CHECK(report.at("layers")[2].at("tensor") == kQuotes);
  validate_json(parse_json(model.read("out/plan.json"), "plan.json"), "plan", "plan.json");
}

TEST_CASE("hostile names reach neither the terminal nor the lines of a result", "[cli][report]") {
  const HostileModel model;
  const auto check = [&model](const std::string& command, const std::string& options) {
    const CommandResult result = model.run(command, options);
    INFO(command << ": " << result.err);
    CHECK(result.exit_code == 0);
    CHECK((result.out + result.err).find('\x1B') == std::string::npos);
    CHECK_THAT(result.out, ContainsSubstring("evil?[31m<blink>"));
    CHECK(valid_utf8(result.out) == result.out);
  };
  check("quantize", "--data data.json --samples 16 -o out");
  check("inspect", "");
  const std::string self = " --reference 'evil\x1B[31m<blink>.onnx' --layers";
  check("evaluate", "--data data.json" + self);
}

TEST_CASE("JSON results about hostile names parse", "[cli][report]") {
  const HostileModel model;
  const std::string self = " --reference 'evil\x1B[31m<blink>.onnx' --layers";
  CHECK_NOTHROW(nlohmann::json::parse(model.run("inspect", "--json").out));
  CHECK_NOTHROW(nlohmann::json::parse(model.run("evaluate", "--data data.json --json" + self).out));
  CHECK_NOTHROW(nlohmann::json::parse(
      model.run("calibrate", "--data data.json --samples 16 -o c --json --quiet").out));
  CHECK_NOTHROW(nlohmann::json::parse(model.run("bench", "--json --seconds 0").out));
  CHECK_NOTHROW(nlohmann::json::parse(
      model.run("quantize", "--data data.json --samples 16 -o out --json").out));
}
