// What the distillation report tells of a student that was made from its teacher.
#include <catch2/catch_test_macros.hpp>

#include "lib/base/schema.h"
#include "lib/report/distill_report.h"

namespace limbeck::test {
namespace {

using nlohmann::json;

ShrinkResult two_layers() {
  ShrinkResult result;
  result.layers.push_back({"a<b>", "Conv", 3, 3, 16, 12, 4800, 3600});
  result.layers.push_back({"gone", "Conv", 16, 0, 16, 0, 2304, 0});
  result.layers.push_back({"open", "Gemm", 16, 12, 10, 10, -1, -1});
  result.blocks.push_back({"add", 0.0123});
  result.macs_before = 7104;
  result.macs_after = 3600;
  result.bytes_before = 1000;
  result.bytes_after = 600;
  return result;
}

}  // namespace

TEST_CASE("the report tells the width of every layer before and after", "[report]") {
  const json shrink = json::parse(shrink_json(two_layers(), "macs=0.5").dump());
  CHECK(shrink.at("options") == "macs=0.5");
  CHECK(shrink.at("macs") == json({7104, 3600}));
  CHECK(shrink.at("layers")[0].at("outputs") == json({16, 12}));
  CHECK(shrink.at("layers")[0].at("macs") == json({4800, 3600}));
  CHECK_FALSE(shrink.at("layers")[2].contains("macs"));
  CHECK(shrink.at("blocks")[0].at("divergence") == 0.0123);
}

TEST_CASE("the page tells widths, removed layers, and escapes their names", "[report]") {
  json report;
  CHECK(html::widths_section(report).empty());
  report["shrink"] = json::parse(shrink_json(two_layers(), "macs=0.5").dump());
  const std::string section = html::widths_section(report);
  CHECK(section.find("a&lt;b&gt;") != std::string::npos);
  CHECK(section.find("16 → 12") != std::string::npos);
  CHECK(section.find("removed with its block") != std::string::npos);
  CHECK(section.find("divergence 0.0123") != std::string::npos);
}

}  // namespace limbeck::test
