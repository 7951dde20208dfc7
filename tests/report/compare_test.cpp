#include "lib/report/compare.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <string>

#include "lib/base/error.h"
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
  CHECK_THAT(comparison.summary, ContainsSubstring("within noise (McNemar p = 0.062)"));
}

TEST_CASE("lost and won samples are weighed against each other", "[report]") {
  // Two only right in a, one only right in b: 2 * (1 + 3) / 2^3 = 1.
  const Comparison comparison =
      compare_reports(example_report("1111100110"), example_report("1111101000"), json());
  CHECK(comparison.p_value == Catch::Approx(1.0));
  CHECK(figure(comparison, "top1").verdict == "noise");
  CHECK_THAT(comparison.summary, ContainsSubstring("2 only right in a, 1 only right in b"));
}

TEST_CASE("a report compared with itself is the same throughout", "[report]") {
  const json report = example_report("1111111000");
  const Comparison comparison = compare_reports(report, report, json());
  for (const ComparedFigure& item : comparison.figures) CHECK(item.verdict == "same");
  CHECK(comparison.summary ==
        "Top-1 is the same on 10 common samples (0 only right in a, 0 only right in b).");
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
