#include "tests/support/trainer_support.h"

#include <numeric>

namespace limbeck::test {
namespace {

Model network(int64_t width, unsigned seed, bool trained) {
  ModelBuilder builder(13);
  builder.input("x", {-1, 4}).output("y");
  builder.weight("w1", noise({4, width}, seed)).weight("w2", noise({width, 3}, seed + 1));
  builder.weight("scale", positive_noise({width}, seed + 2));
  builder.weight("bias", noise({width}, seed + 3)).weight("b2", noise({3}, seed + 4));
  builder.weight("mean", Tensor::zeros(DataType::kFloat, {width}));
  builder.weight("variance", positive_noise({width}, seed + 5));
  builder.node("MatMul", {"x", "w1"}, {"h"});
  builder.node("BatchNormalization", {"h", "scale", "bias", "mean", "variance"}, {"n"});
  builder.node("Relu", {"n"}, {"r"});
  if (trained) {
    builder.node("Identity", {"r"}, {"d"});
  } else {
    builder.node("Dropout", {"r"}, {"d"});
  }
  builder.node("MatMul", {"d", "w2"}, {"m"});
  builder.node("Add", {"m", "b2"}, {"y"});
  return builder.build();
}

}  // namespace

Model linear_student() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 2}).output("y");
  builder.weight("w", Tensor::zeros(DataType::kFloat, {2, 2}));
  builder.weight("b", Tensor::zeros(DataType::kFloat, {2}));
  builder.node("Gemm", {"x", "w", "b"}, {"y"});
  return builder.build();
}

Model small_student() { return network(6, 1, false); }
Model small_teacher() { return network(16, 20, true); }

MemoryDataset separable_samples(int64_t count) {
  const Tensor values = noise({count, 4}, 99);
  std::vector<std::vector<float>> rows;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < count; ++i) {
    const float* row = values.as<float>().data() + i * 4;
    rows.emplace_back(row, row + 4);
    labels.push_back(row[0] > 0.2F ? 0 : row[1] > row[2] ? 1 : 2);
  }
  return MemoryDataset(rows, labels);
}

TrainJob small_job(const Model& student, const Model* teacher, const Dataset& data) {
  TrainJob job = {.student = student, .data = data};
  job.teacher = teacher;
  job.training.resize(static_cast<size_t>(data.size()));
  std::iota(job.training.begin(), job.training.end(), 0);
  job.recipe.optimizer = {};
  job.recipe.schedule = {.kind = "constant", .learning_rate = 0.1};
  job.recipe.epochs = 2;
  job.recipe.batch = 8;
  job.recipe.shards = 4;
  job.identity = {"recipe", teacher == nullptr ? "" : "teacher", "student", "data"};
  job.threads = 2;
  return job;
}

std::map<std::string, std::vector<float>> constants_of(const Model& model) {
  std::map<std::string, std::vector<float>> constants;
  for (const Value* value : model.graph.values()) {
    if (value->constant() != nullptr) constants[value->name()] = value->constant()->to_float();
  }
  return constants;
}

}  // namespace limbeck::test
