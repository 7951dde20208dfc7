#include "lib/report/compare.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "lib/base/error.h"
#include "lib/base/schema.h"
#include "tests/support/example_report.h"

using namespace limbeck;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using limbeck::test::example_report;
using nlohmann::json;

namespace {

const ComparedFigure& figure(const Comparison& comparison, const std::string& name) {
  for (const ComparedFigure& item : comparison.figures) {
    if (item.name == name) return item;
  }
  FAIL("no figure " << name);
  return comparison.figures.front();
}

/// b loses six of the ten samples that a has right, and wins none: p = 2 / 2^6.
Comparison real_loss() {
  return compare_reports(example_report("1111111111"), example_report("1111000000"), json());
}

}  // namespace

TEST_CASE("six samples lost and none won are a significant loss", "[report]") {
  const Comparison comparison = real_loss();
  CHECK(comparison.paired);
  CHECK(comparison.p_value == Catch::Approx(2.0 / 64).epsilon(1e-12));
  CHECK(figure(comparison, "top1").verdict == "worse");
  CHECK(figure(comparison, "top1").a == 100);
  CHECK(figure(comparison, "top1").b == 40);
}

TEST_CASE("five samples lost and none won are within noise", "[report]") {
  // 2 * (1/2)^5 = 0.0625
  const Comparison comparison =
      compare_reports(example_report("1111111111"), example_report("1111100000"), json());
  CHECK(comparison.p_value == Catch::Approx(2.0 / 32).epsilon(1e-12));
  CHECK(figure(comparison, "top1").verdict == "noise");
  CHECK_THAT(comparison.summary, ContainsSubstring("within noise (exact McNemar p = 0.062;"));
}

TEST_CASE("lost and won samples are weighed against each other", "[report]") {
  // Two only right in a, one only right in b: 2 * (1 + 3) / 2^3 = 1.
  const Comparison comparison =
      compare_reports(example_report("1111100110"), example_report("1111101000"), json());
  CHECK(comparison.p_value == Catch::Approx(1.0));
  CHECK(figure(comparison, "top1").verdict == "noise");
  CHECK_THAT(comparison.summary, ContainsSubstring("only right in a 2, only in b 1"));
}

TEST_CASE("a report compared with itself is the same throughout", "[report]") {
  const json report = example_report("1111111000");
  const Comparison comparison = compare_reports(report, report, json());
  for (const ComparedFigure& item : comparison.figures) CHECK(item.verdict == "same");
  // z^2 / (10 + z^2) = 0.2775
  CHECK(comparison.summary ==
        "Top-1 is the same on the 10 samples that both reports measured; only right in a 0, only "
        "in b 0; 95 % interval of the change -27.75 to +27.75.");
}

TEST_CASE("sizes are judged without statistics, and smaller is better", "[report]") {
  const json a = example_report("1111111111");
  json b = a;
  b["files"]["model"]["bytes"] = 9000;
  b["quantization"]["integer_mac_share"] = 0.5;
  const Comparison comparison = compare_reports(a, b, json());
  CHECK(figure(comparison, "model_bytes").verdict == "better");
  CHECK(figure(comparison, "integer_mac_share").verdict == "worse");
}

TEST_CASE("agreement is judged only where the intervals lie apart", "[report]") {
  const json a = example_report("1111111111");
  json b = a;
  b["evaluation"]["metrics"]["agreement"] = 85.0;
  CHECK(figure(compare_reports(a, b, json()), "agreement").verdict.empty());
  b["evaluation"]["metrics"]["agreement_interval"] = {10.0, 50.0};
  CHECK(figure(compare_reports(a, b, json()), "agreement").verdict == "worse");
}

TEST_CASE("user metrics are compared under the name user.NAME", "[report]") {
  json a = example_report("1111111111");
  json b = a;
  a["evaluation"]["metrics"]["user"] = {{"map", 0.5}, {"only_here", 1}};
  b["evaluation"]["metrics"]["user"] = {{"map", 0.25}};
  const Comparison comparison = compare_reports(a, b, json());
  CHECK(figure(comparison, "user.map").b == 0.25);
  CHECK(comparison.figures.back().name == "user.map");
}

TEST_CASE("names of user metrics cannot act on a terminal", "[report]") {
  json a = example_report("1111");
  a["evaluation"]["metrics"]["user"] = {{"m\x1B[2J\np", 0.5}};
  const Comparison comparison =
      compare_reports(a, a, {{"version", 1}, {"min", {{"user.m\x1B[2J\np", 0.1}}}});
  CHECK_THAT(comparison_text(comparison), ContainsSubstring("user.m?[2J?p  "));
  CHECK_THAT(comparison_text(comparison), ContainsSubstring("pass  user.m?[2J?p must be"));
  CHECK(comparison_markdown(comparison).find('\x1B') == std::string::npos);
}

TEST_CASE("reports of different evaluation data are not compared", "[report]") {
  const json a = example_report("1111111111");
  json b = a;
  b["evaluation"]["data_hash"] = std::string(64, 'e');
  CHECK_THROWS_MATCHES(
      compare_reports(a, b, json()), Error,
      MessageMatches(ContainsSubstring("both must come from the same evaluation data; got data "
                                       "hashes dddddddddddd and eeeeeeeeeeee")));
}

TEST_CASE("reports without a common sample are not compared", "[report]") {
  const json a = example_report("1111");
  json b = a;
  b["records"]["model"]["index"] = {4, 5, 6, 7};
  CHECK_THROWS_MATCHES(
      compare_reports(a, b, json()), Error,
      MessageMatches(ContainsSubstring("both must cover at least one common sample")));
}

TEST_CASE("records whose columns differ in length are refused", "[report]") {
  const json a = example_report("1111");
  json b = a;
  b["records"]["model"]["correct"] = "111";
  CHECK_THROWS_MATCHES(compare_reports(a, b, json()), Error,
                       MessageMatches(ContainsSubstring("must be equally long; got 4, 3 and 4")));
  b["records"]["model"]["correct"] = "11x1";
  CHECK_THROWS_AS(compare_reports(a, b, json()), Error);
}

TEST_CASE("without per-sample results significance is not judged", "[report]") {
  json a = example_report("1111");
  a["records"] = json::object();
  const Comparison comparison = compare_reports(a, example_report("1100"), json());
  CHECK_FALSE(comparison.paired);
  CHECK(comparison.summary == "No per-sample results in both reports: significance is not judged.");
  CHECK(figure(comparison, "loss").verdict.empty());
}

TEST_CASE("different references are pointed out", "[report]") {
  const json a = example_report("1111");
  json b = a;
  b["files"]["reference"]["sha256"] = std::string(64, 'f');
  CHECK_THAT(compare_reports(a, b, json()).summary,
             ContainsSubstring("The FP32 references differ"));
}

namespace {

/// a right on samples 0 to 9; b wrong on samples 5 to 9 and right on 10 to 14.
json samples_from_5_to_14() {
  json b = example_report("0000011111");
  b["records"]["model"]["index"] = {5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
  return b;
}

}  // namespace

TEST_CASE("reports of different samples are compared over those that both measured", "[report]") {
  const Comparison comparison =
      compare_reports(example_report("1111111111"), samples_from_5_to_14(), json());
  CHECK(comparison.samples_a == 10);
  CHECK(comparison.samples_b == 10);
  CHECK(comparison.shared_samples == 5);
  CHECK(figure(comparison, "top1").a == 100.0);
  CHECK(figure(comparison, "top1").b == 0.0);
  CHECK(figure(comparison, "top1").reported_b == 50.0);
  CHECK(figure(comparison, "top1").over == "shared samples");
  CHECK(figure(comparison, "loss").a == 0.25);
  CHECK(figure(comparison, "loss").b == 2.0);
  CHECK_THAT(comparison.summary,
             ContainsSubstring("Top-1 falls by 100.00 points on the 5 samples that both reports "
                               "measured (a measured 10, b 10): within noise"));
}

TEST_CASE("figures over different samples say so", "[report]") {
  const Comparison comparison =
      compare_reports(example_report("1111111111"), samples_from_5_to_14(), json());
  CHECK(figure(comparison, "agreement").over == "own samples");
  CHECK(figure(comparison, "sqnr_db").over == "own samples");
  CHECK(figure(comparison, "model_bytes").over.empty());
  CHECK_THAT(comparison.summary, ContainsSubstring("each over all samples of their report (10 and "
                                                   "10), so the samples are part of the change"));
  CHECK_THAT(comparison_text(comparison), ContainsSubstring("0.00  same, own samples\n"));
  CHECK_THAT(comparison_text(comparison), ContainsSubstring("-100.00  noise (exact McNemar test)"));
}

TEST_CASE("every judged figure names its test", "[report]") {
  const Comparison comparison = real_loss();
  CHECK(figure(comparison, "top1").test == "exact McNemar test");
  CHECK(figure(comparison, "loss").test == "paired bootstrap");
  CHECK(figure(comparison, "model_bytes").test.empty());
}

TEST_CASE("the interval in the summary agrees with the test", "[report]") {
  // Five lost and none won: noise, so the interval reaches zero.
  CHECK_THAT(
      compare_reports(example_report("1111111111"), example_report("1111100000"), json()).summary,
      ContainsSubstring(" to 0.00)"));
}

TEST_CASE("a comparison follows its schema", "[report]") {
  const json gate = {{"version", 1}, {"max_drop", {{"top1", 0.5}}}};
  const json a = example_report("1111111111");
  const json document = comparison_json(compare_reports(a, samples_from_5_to_14(), gate));
  validate_json(document, "comparison", "test");
  CHECK(document.at("samples") == json{{"a", 10}, {"b", 10}, {"shared", 5}});
  CHECK(document.at("figures")[0].at("test") == "exact McNemar test");
  json bare = a;
  bare["records"] = json::object();
  validate_json(comparison_json(compare_reports(bare, bare, json())), "comparison", "test");
}
