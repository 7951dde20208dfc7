#include "tools/bench_training.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lib/autodiff/optimizer.h"
#include "lib/autodiff/parameters.h"
#include "lib/autodiff/shards.h"
#include "lib/base/error.h"
#include "lib/base/process_memory.h"
#include "lib/distill/objective.h"
#include "lib/distill/quantized_student.h"
#include "lib/engine/stream.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

constexpr int64_t kShards = 8;
constexpr double kLearningRate = 1e-4;  // small, so that a fixed batch never overflows

struct Step {
  std::unique_ptr<const Tape> tape;
  Objective objective;
  Optimizer optimizer;
  std::vector<Tensor> values;
  OptimizerState state;
  std::vector<std::vector<Tensor>> shards;
  std::vector<std::vector<Label>> labels;
  int64_t batch;
  int threads;

  std::vector<Tensor> loss(size_t shard, const Pass& pass) const {
    ObjectiveInput input;
    input.student_logits = pass.outputs[0];
    input.labels = labels[shard];
    input.batch = batch;
    std::vector<Tensor> gradients(pass.outputs.size());
    input.weights.resize(objective.size());
    gradients[0] = objective.evaluate(input).student_logits;
    return gradients;
  }

  void run() {
    ShardedGradients gradients = run_shards(
        *tape, values, shards, 1,
        [this](size_t shard, const Pass& pass) { return loss(shard, pass); }, threads);
    optimizer.update(values, gradients.parameters, kLearningRate, state);
  }
};

int64_t classes_of(const Model& model) {
  const auto& outputs = model.graph.outputs();
  const auto* shape = outputs.empty() || !outputs[0]->shape ? nullptr : &*outputs[0]->shape;
  if (shape == nullptr || shape->size() != 2 || !shape->back().known()) {
    throw_error(Category::kUnsupported, "the first output",
                "--training times classifiers with outputs of shape [batch, classes]",
                shape == nullptr ? "no shape" : shape_text(*shape), "time inference instead");
  }
  return shape->back().value;
}

using MakeInputs = std::function<std::vector<Tensor>(int64_t samples)>;

/// The pattern as samples that ranges can be observed on.
class PatternDataset : public Dataset {
 public:
  PatternDataset(const Model& model, const MakeInputs& inputs) : inputs_(inputs) {
    for (const Value* input : model.graph.inputs()) names_.push_back(input->name());
  }
  int64_t size() const override { return 8; }
  const std::vector<std::string>& input_names() const override { return names_; }
  bool has_labels() const override { return false; }
  int64_t class_count() const override { return 0; }
  Batch read(std::span<const int64_t> indices) const override {
    const auto count = static_cast<int64_t>(indices.size());
    return {{indices.begin(), indices.end()}, inputs_(count), {}};
  }
  std::string hash() const override { return ""; }

 private:
  const MakeInputs& inputs_;
  std::vector<std::string> names_;
};

std::vector<std::string> names_of(const std::vector<Parameter>& parameters) {
  std::vector<std::string> names;
  names.reserve(parameters.size());
  for (const Parameter& parameter : parameters) names.push_back(parameter.name);
  return names;
}

}  // namespace

std::function<void()> training_step(Model& model, const TrainingStepOptions& step_options,
                                    const MakeInputs& inputs) {
  keep_freed_memory();
  infer_shapes(model);
  const int64_t classes = classes_of(model);
  if (const int64_t fixed = fixed_batch(model); fixed > 0) {
    throw_error(Category::kUnsupported, "the model's inputs",
                "--training cuts a batch into shards, so the first dimension must be open",
                "a batch of " + std::to_string(fixed), "export the model with a dynamic batch");
  }
  TrainOptions options;
  options.precision = step_options.precision;
  if (!step_options.format.empty()) {
    QatStudent student = quantized_student(model, "", PatternDataset(model, inputs),
                                           {.format = step_options.format});
    for (const std::string& name : student.step_names()) options.trainable.push_back(name);
    model = std::move(student.graph.model);
  }
  separate_parameters(model);
  auto tape = Tape::compile(model, options);
  std::vector<Tensor> values;
  for (const Parameter& parameter : tape->parameters()) values.push_back(parameter.initial.clone());
  Optimizer optimizer({}, names_of(tape->parameters()));
  OptimizerState state = optimizer.initial_state(values);
  auto step = std::make_shared<Step>(
      Step{std::move(tape),
           Objective::read(nlohmann::json::parse(R"([{"loss": "label_cross_entropy"}])"), ""),
           std::move(optimizer),
           std::move(values),
           std::move(state),
           {},
           {},
           step_options.batch,
           step_options.threads});
  const int64_t batch = step_options.batch;
  const int64_t count = std::min(batch, kShards);
  int64_t next = 0;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t samples = batch / count + (i < batch % count ? 1 : 0);
    step->shards.push_back(inputs(samples));
    auto& labels = step->labels.emplace_back();
    for (int64_t k = 0; k < samples; ++k) labels.push_back({.label = next++ % classes});
  }
  return [step] { step->run(); };
}

}  // namespace limbeck
