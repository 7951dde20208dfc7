#include "lib/distill/qat.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <numeric>
#include <set>

#include "lib/distill/quantized_student.h"
#include "lib/distill/train_log.h"
#include "lib/distill/trainer.h"
#include "lib/distill/training_data.h"
#include "lib/engine/engine.h"
#include "lib/evaluate/evaluate.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/quantize.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"
#include "tests/support/plan_support.h"
#include "tests/support/trainer_support.h"

namespace limbeck::test {
namespace {

const Dims kImages = {8, 3, 12, 12};

/// Convolutions with a residual sum, a pool and a Gemm whose factors are folded.
Model small_network() {
  ModelBuilder builder(21);
  builder.input("x", {-1, 3, 12, 12}).output("y");
  builder.weight("w0", noise({8, 3, 3, 3}, 1)).weight("b0", noise({8}, 2));
  builder.weight("w1", noise({8, 8, 3, 3}, 3)).weight("b1", noise({8}, 4));
  builder.weight("w2", noise({8, 8, 1, 1}, 5)).weight("fc", noise({8, 5}, 6));
  const std::vector<int64_t> pads{1, 1, 1, 1};
  builder.node("Conv", {"x", "w0", "b0"}, {"c0"}).with("pads", pads);
  builder.node("Relu", {"c0"}, {"r0"});
  builder.node("Conv", {"r0", "w1", "b1"}, {"c1"}).with("pads", pads);
  builder.node("Add", {"c1", "r0"}, {"s"});
  builder.node("Relu", {"s"}, {"r1"});
  builder.node("Conv", {"r1", "w2", "b1"}, {"c2"});
  builder.node("GlobalAveragePool", {"c2"}, {"g"});
  builder.node("Flatten", {"g"}, {"f"});
  builder.node("Gemm", {"f", "fc"}, {"y"}).with("alpha", 0.5F);
  return builder.build();
}

ChannelMeans means_of(const Model& model, const Tensor& x) {
  ChannelMeans means;
  for (const auto& [name, tensor] : reference_run(model, {{"x", x}})) {
    if (tensor.type() != DataType::kFloat || tensor.rank() < 2) continue;
    std::vector<double>& sums = means[name];
    sums.assign(static_cast<size_t>(tensor.dim(1)), 0.0);
    const int64_t inner = tensor.count() / (tensor.dim(0) * tensor.dim(1));
    for (int64_t i = 0; i < tensor.count(); ++i)
      sums[static_cast<size_t>(i / inner % tensor.dim(1))] +=
          static_cast<double>(tensor.as<float>()[static_cast<size_t>(i)]) /
          static_cast<double>(tensor.dim(0) * inner);
  }
  return means;
}

struct Prepared {
  Model model;
  Plan plan;
  ChannelMeans means;
  QatStudent student;
};

Prepared prepared(const std::string& format) {
  Prepared p;
  const Model source = small_network();
  PlanOptions options = qat_plan_options(format, "format");
  options.observer = ObserverMethod::kMinMax;
  p.model = prepare_model(source, options);
  const Tensor x = noise(kImages, 9);
  p.plan = plan_for(p.model, {{"x", x}}, options);
  p.means = means_of(p.model, x);
  p.student = prepare_qat(p.model, p.plan, p.means);
  return p;
}

/// The training graph with every trained constant moved a little, as training would.
Model moved(const QatStudent& student) {
  Model model = copy_model(student.graph.model);
  TrainOptions options;
  const auto steps = student.step_names();
  options.trainable.insert(options.trainable.end(), steps.begin(), steps.end());
  const auto tape = Tape::compile(model, options);
  unsigned seed = 50;
  for (const Parameter& parameter : tape->parameters()) {
    Tensor tensor = parameter.initial.clone();
    const Tensor shift = noise(tensor.dims(), seed++);
    auto values = tensor.mutable_as<float>();
    for (size_t i = 0; i < values.size(); ++i) values[i] += 0.02F * shift.as<float>()[i];
    model.graph.set_constant(model.graph.find(parameter.name), std::move(tensor));
  }
  return model;
}

/// All quantized activations of both graphs in the order in which `emitted` computes them.
std::vector<std::string> code_names(const QatStudent& student, const Model& emitted) {
  std::vector<std::string> names;
  for (const auto& node : emitted.graph.nodes()) {
    const std::string& name = node->output(0)->name();
    for (const auto& [activation, planned] : student.plan.activations)
      if (name == activation + "_quantized") names.push_back(name);
  }
  return names;
}

struct Difference {
  int64_t values = 0;
  int64_t apart = 0;
  /// In steps, of the first activations of each sample that differ. Behind a value that lies
  /// between two codes and was rounded to the other one, both sides are right and may be more steps
  /// apart.
  int64_t largest = 0;
};

Difference code_difference(const QatStudent& student, const Model& trained, const Model& emitted,
                           const Tensor& x) {
  TrainOptions train_options;
  train_options.taps = code_names(student, emitted);
  REQUIRE(train_options.taps.size() == student.plan.activations.size());
  const auto tape = Tape::compile(trained, train_options);
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape->parameters()) parameters.push_back(parameter.initial);
  const Pass pass = tape->forward(parameters, {&x, 1}, 1);
  EngineOptions options;
  options.taps = train_options.taps;
  const auto engine = Engine::compile(emitted, options);
  const std::vector<Tensor> outputs = engine->run({x});
  REQUIRE(outputs.size() == pass.outputs.size());
  Difference difference;
  std::set<size_t> apart_before;  // samples
  for (size_t i = 1; i < outputs.size(); ++i) {
    const auto wanted = pass.outputs[i].to_int64();
    const auto got = outputs[i].to_int64();
    REQUIRE(wanted.size() == got.size());
    const size_t sample = wanted.size() / static_cast<size_t>(x.dim(0));
    std::set<size_t> apart_here;
    for (size_t k = 0; k < wanted.size(); ++k) {
      const int64_t apart = std::abs(wanted[k] - got[k]);
      if (apart == 0) continue;
      ++difference.apart;
      apart_here.insert(k / sample);
      if (!apart_before.contains(k / sample))
        difference.largest = std::max(difference.largest, apart);
    }
    apart_before.merge(apart_here);
    difference.values += static_cast<int64_t>(wanted.size());
  }
  return difference;
}

}  // namespace

TEST_CASE("a quantized student starts as the post-training quantized model", "[distill][qat]") {
  for (const std::string_view format : qat_formats()) {
    INFO(format);
    const Prepared p = prepared(std::string(format));
    const Model start = finish_qat(p.student, p.student.graph.model).applied.model;
    const Model wanted = apply_plan(p.model, p.plan, p.means).model;
    REQUIRE(count_ops(start, "DequantizeLinear") == count_ops(wanted, "DequantizeLinear"));
    for (const Value* value : wanted.graph.values()) {
      const Tensor* constant = value->constant();
      const bool bias = value->name().starts_with("b");
      if (constant == nullptr || bias) continue;
      INFO(value->name());
      REQUIRE(start.graph.find(value->name()) != nullptr);
      CHECK(start.graph.find(value->name())->constant()->to_float() == constant->to_float());
    }
    // b1 is read by two nodes, which correct it differently.
    check_same_outputs(wanted, start, {{"x", noise(kImages, 10)}}, 0.008F);
  }
}

TEST_CASE("what is emitted computes what was trained", "[distill][qat]") {
  for (const std::string_view format : qat_formats()) {
    INFO(format);
    const Prepared p = prepared(std::string(format));
    const Model trained = moved(p.student);
    const QuantizedStudent result = finish_qat(p.student, trained);
    const Difference d =
        code_difference(p.student, trained, result.applied.model, noise({64, 3, 12, 12}, 11));
    INFO(d.apart << " of " << d.values << " codes differ, by at most " << d.largest);
    CHECK(d.largest <= 1);
    CHECK(1000 * d.apart <= d.values);
  }
}

TEST_CASE("the emitted graph has the patterns of post-training quantization", "[distill][qat]") {
  const Prepared p = prepared("w4a8");
  const Model emitted = finish_qat(p.student, moved(p.student)).applied.model;
  INFO(emitted.graph.dump());
  CHECK(constant(emitted, "w1_quantized").type() == DataType::kInt4);
  CHECK(count_ops(emitted, "Exp") == 0);
  CHECK(count_ops(emitted, "Clip") == 0);
  CHECK(count_ops(emitted, "Relu") == 0);
  for (const auto& node : emitted.graph.nodes()) {
    if (node->op_type() != "Conv" || node->input(2) == nullptr) continue;
    const Node* bias = node->input(2)->producer();
    REQUIRE(bias->op_type() == "DequantizeLinear");
    CHECK(bias->input(0)->constant()->type() == DataType::kInt32);
  }
  CHECK(Engine::compile(emitted)->integer_mac_share() == 1);
}

TEST_CASE("the plan of a trained student tells the ranges that it learned", "[distill][qat]") {
  const Prepared p = prepared("w4a4");
  const QuantizedStudent result = finish_qat(p.student, moved(p.student));
  for (const auto& [name, planned] : result.plan.activations) {
    INFO(name);
    CHECK(planned.observer == "learned");
    const std::string group = planned.group.empty() ? name : planned.group;
    const float scale = constant(result.applied.model, group + "_scale").to_float()[0];
    const auto zero = constant(result.applied.model, group + "_zero_point").to_int64()[0];
    const auto params =
        params_for_range(planned.low, planned.high, planned.type, planned.symmetric);
    CHECK(params.zero_point == zero);
    CHECK(std::fabs(params.scale - scale) <= 1e-6F * scale);
    CHECK(scale != constant(apply_plan(p.model, p.plan).model, group + "_scale").to_float()[0]);
  }
}

TEST_CASE("a format that does not exist, or a plan in another form, is a usage error",
          "[distill][qat][errors]") {
  const ErrorInfo unknown = error_of([] { qat_plan_options("w3a8", "student"); });
  check_error(unknown, Category::kUsage, "student", "the format of a quantized student must exist",
              "'w3a8'");
  CHECK(unknown.next_step == "use one of int8, w4a8, w4a4, w2a8");
  const Model model = small_network();
  Plan plan;
  plan.format = EmitFormat::kDynamic;
  check_error(error_of([&] { prepare_qat(model, plan); }), Category::kUsage, "plan",
              "a student trains in the form qdq", "another form");
}

TEST_CASE("few bits train in small batches, and a recipe may say otherwise", "[distill][qat]") {
  CHECK(quantized_recipe("int8").batch == 256);
  CHECK(quantized_recipe("w4a8").batch == 64);
  CHECK(read_recipe(nlohmann::json::parse("{}"), "", "", quantized_recipe("w4a4")).batch == 64);
  CHECK(read_recipe(nlohmann::json::parse(R"({"batch": 96})"), "", "", quantized_recipe("w4a4"))
            .batch == 96);
}

TEST_CASE("distilled from its FP32 self, a quantized student learns what rounding cost",
          "[distill][qat]") {
  const auto data = open_dataset(fixture("fashion_mnist_test.json"));
  const Model teacher = load_model(fixture("fashion_mnist_cnn.onnx"));
  const std::unique_ptr<Dataset> decoded = decode_dataset(*data, {.threads = 2});
  const QatStudent student =
      quantized_student(teacher, "", *decoded, {.format = "w2a8", .samples = 64, .threads = 2});
  TrainJob job = small_job(student.graph.model, &teacher, *decoded);
  job.training.resize(1600);
  job.recipe = quantized_recipe("w2a8");
  job.recipe.batch = 64;
  job.recipe.epochs = 1;
  job.step_sizes = student.step_names();
  const TemporaryFolder folder;
  job.log = folder / "log";
  const Model trained = train(job).student;
  const auto log = read_train_log(job.log);
  CHECK(log[log.size() - 2].at("loss").get<double>() < 0.5 * log.front().at("loss").get<double>());
  const auto accuracy = [&](const Model& graph) {
    EvaluateOptions options;
    options.quiet = true;
    options.indices.resize(1000);
    std::iota(options.indices.begin(), options.indices.end(), 5000);
    const Model model = finish_qat(student, graph).applied.model;
    return evaluate(model, nullptr, *decoded, options).metrics.top1.value();
  };
  CHECK(accuracy(trained) > accuracy(student.graph.model) + 2);
}

}  // namespace limbeck::test
