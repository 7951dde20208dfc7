#include "lib/evaluate/metrics_json.h"

#include <catch2/catch_test_macros.hpp>

#include "lib/base/schema.h"
#include "lib/evaluate/evaluation_json.h"

using namespace limbeck;

namespace {

Evaluation evaluation_with_bad_names() {
  Evaluation evaluation;
  evaluation.metrics.samples = 3;
  evaluation.metrics.scores = "s\xFF";
  evaluation.metrics.top1 = 100.0 / 3;
  evaluation.metrics.user["m\xFFp"] = 0.1 + 0.2;
  evaluation.layers = {{"t\xFF", "v\xFF", "Conv", 1.0 / 3, 1, 0}};
  return evaluation;
}

}  // namespace

TEST_CASE("figures of an evaluation carry nine digits and names are UTF-8", "[evaluate]") {
  const auto document = evaluation_json(evaluation_with_bad_names(), {"a\xFF.onnx", "", "hash"});
  validate_json(nlohmann::json(document), "evaluation", "test");
  CHECK(document.dump() ==
        R"({"version":1,"model":"a�.onnx","data_hash":"hash",)"
        R"("integer_mac_share":0.0,"metrics":{"samples":3,"scores":"s�",)"
        R"("top1":33.3333333,"user":{"m�p":0.3}},)"
        R"("layers":[{"tensor":"t�","value":"v�","op":"Conv","sqnr_db":0.333333333,)"
        R"("cosine":1.0,"max_abs":0.0}]})");
}

TEST_CASE("a change that rounds to nothing is a zero without sign", "[evaluate]") {
  PairedComparison paired;
  paired.samples = 1;
  paired.difference = -0.0;
  paired.interval = {-0.0, -0.0};
  const auto document = paired_json(paired);
  CHECK(document.at("top1_change").dump() == "0.0");
  CHECK(document.at("top1_change_interval").dump() == "[0.0,0.0]");
}

TEST_CASE("without records on both sides nothing is paired", "[evaluate]") {
  Evaluation evaluation;
  CHECK_FALSE(paired_with_reference(evaluation).has_value());
  evaluation.records = {{0, true, 0.5}};
  CHECK_FALSE(paired_with_reference(evaluation).has_value());
  evaluation.reference_records = {{0, false, 1.0000000001}};
  REQUIRE(paired_with_reference(evaluation).has_value());
  CHECK(paired_with_reference(evaluation)->only_b_correct == 1);
  CHECK(paired_with_reference(evaluation)->loss_difference == -0.5);
}
