#include "lib/report/distill_report.h"

#include <catch2/catch_test_macros.hpp>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

using nlohmann::json;

/// Ten samples of which the first `correct` are right.
MeasuredModel measured(const std::string& name, int64_t correct) {
  MeasuredModel model;
  model.file = {name, "abcd", 1000};
  model.weight_bytes = 900;
  model.macs = 12345;
  model.evaluation.metrics.samples = 10;
  model.evaluation.metrics.top1 = static_cast<double>(10 * correct);
  model.evaluation.metrics.top1_interval = {1, 99};
  for (int64_t i = 0; i < 10; ++i) model.evaluation.records.push_back({i, i < correct, 0.5});
  return model;
}

TrainingRun training(double top1) {
  TrainingRun run;
  run.steps = 4;
  run.epochs = 2;
  for (int epoch = 1; epoch <= 2; ++epoch) {
    run.log.push_back({{"kind", "steps"},
                       {"epoch", epoch},
                       {"step", 2 * epoch},
                       {"loss", 3.0 / epoch},
                       {"losses", {1.5}},
                       {"gradient_norm", 1},
                       {"learning_rate", 0.1}});
    run.log.push_back({{"kind", "epoch"},
                       {"epoch", epoch},
                       {"step", 2 * epoch},
                       {"loss", 3.5 / epoch},
                       {"losses", {1.5}},
                       {"gradient_norm", 1},
                       {"validation", {{"samples", 5}, {"top1", top1 + epoch}}}});
  }
  return run;
}

DistillReportInputs example() {
  DistillReportInputs inputs;
  inputs.teacher = measured("t<b>.onnx", 9);
  inputs.before = measured("s.onnx", 1);
  inputs.after = measured("s.distilled.onnx", 8);
  inputs.after.evaluation.metrics.agreement = 80;
  inputs.training = training(50);
  inputs.recipe = {{"version", 1}, {"epochs", 2}};
  inputs.evaluation_source = "separate data set";
  return inputs;
}

}  // namespace

TEST_CASE("a distillation report follows its schema and compares sample by sample", "[report]") {
  DistillReportInputs inputs = example();
  inputs.baseline = measured("s.baseline.onnx", 7);
  inputs.baseline_training = training(40);
  const json report = json::parse(make_distill_report(inputs).dump());
  validate_json(report, "distill_report", "report");
  const json& paired = report.at("evaluation").at("paired");
  CHECK(paired.at("student").at("only_model_correct") == 7);
  CHECK(paired.at("teacher").at("only_reference_correct") == 1);
  CHECK(paired.at("baseline").at("only_model_correct") == 1);
  CHECK(report.at("headline").at("judgement") == "gain");
  CHECK(report.at("headline").at("verdict") ==
        "Top-1 is 80.00 % on 10 samples; that is 70.00 points above the student as it was given, "
        "McNemar p = 0.016; 10.00 points above the same student trained without a teacher (within "
        "noise), McNemar p = 1.00.");
  CHECK(report.at("training").at("curves").at("steps").at("step") == json({2, 4}));
  CHECK(report.at("training").at("curves").at("epochs").at("validation").at("top1") ==
        json({51, 52}));
}

TEST_CASE("a distillation report tells accuracy in and out of the domain", "[report]") {
  DistillReportInputs inputs = example();
  inputs.domain = {0, 2};
  inputs.labels = {0, 1, 2, 1, 0, 1, 2, 1, 0, 1};  // inside: samples 0, 2, 4, 6, 8
  const json report = json::parse(make_distill_report(inputs).dump());
  validate_json(report, "distill_report", "report");
  const json& domain = report.at("evaluation").at("domain");
  CHECK(domain.at("inside").at("samples") == 5);
  CHECK(domain.at("inside").at("model").at("top1") == 80);
  CHECK(domain.at("inside").at("teacher").at("top1") == 100);
  CHECK(domain.at("outside").at("teacher").at("top1") == 80);
  CHECK(domain.at("outside").at("model").at("top1") == 80);
  CHECK(report.at("headline")
            .at("verdict")
            .get<std::string>()
            .ends_with("; 80.00 % in the domain and 80.00 % outside."));
  CHECK(render_distill_html(report).find("in and out of the domain, classes 0, 2") !=
        std::string::npos);
}

TEST_CASE("a distillation report without labels and teacher says so", "[report]") {
  DistillReportInputs inputs = example();
  inputs.teacher.reset();
  inputs.training.log.clear();
  for (MeasuredModel* model : {&inputs.before, &inputs.after}) {
    model->evaluation = {};
    model->evaluation.metrics.samples = 10;
  }
  const json report = json::parse(make_distill_report(inputs).dump());
  validate_json(report, "distill_report", "report");
  CHECK(report.at("headline").at("judgement") == "unknown");
  CHECK(report.at("evaluation").at("paired").empty());
  CHECK(render_distill_html(report).find("<polyline") == std::string::npos);
}

TEST_CASE("the page of a distillation draws curves and escapes names", "[report]") {
  DistillReportInputs inputs = example();
  inputs.baseline = measured("s.baseline.onnx", 7);
  inputs.baseline_training = training(40);
  const TemporaryFolder folder;
  write_distill_report(make_distill_report(inputs), folder.path());
  const std::string page = read_file(folder / "report.html");
  CHECK(page.find("t&lt;b&gt;.") != std::string::npos);
  CHECK(page.find("<b>.onnx") == std::string::npos);
  // One loss curve, two of held-out accuracy.
  size_t curves = 0;
  for (size_t at = page.find("<polyline"); at != std::string::npos;
       at = page.find("<polyline", at + 1))
    ++curves;
  CHECK(curves == 3);
  CHECK(page.find("<script") == std::string::npos);
  CHECK(page.find("http://") == std::string::npos);
}

}  // namespace limbeck::test
