#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "calibration/calibration.h"
#include "lib/base/error.h"
#include "lib/ops/op.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Samples kept in memory.
class ListDataset : public Dataset {
 public:
  ListDataset(Dims sample_dims, std::vector<std::vector<float>> samples)
      : dims_(std::move(sample_dims)), samples_(std::move(samples)) {}
  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  const std::vector<std::string>& input_names() const override { return names_; }
  bool has_labels() const override { return false; }
  int64_t class_count() const override { return 0; }
  Batch read(std::span<const int64_t> indices) const override {
    std::vector<float> values;
    for (const int64_t index : indices) {
      const auto& sample = samples_[static_cast<size_t>(index)];
      values.insert(values.end(), sample.begin(), sample.end());
    }
    Dims dims = dims_;
    dims.insert(dims.begin(), static_cast<int64_t>(indices.size()));
    Tensor tensor = Tensor::from<float>(dims, values);
    return {{indices.begin(), indices.end()}, {tensor}, {}};
  }
  std::string hash() const override { return "data"; }

 private:
  Dims dims_;
  std::vector<std::vector<float>> samples_;
  std::vector<std::string> names_ = {""};
};

std::vector<std::vector<float>> noise_samples(size_t count, const Dims& dims) {
  std::vector<std::vector<float>> samples;
  for (size_t i = 0; i < count; ++i) {
    const Tensor tensor = noise(dims, static_cast<unsigned>(i + 1));
    const auto values = tensor.as<float>();
    samples.emplace_back(values.begin(), values.end());
  }
  return samples;
}

/// y = Relu(x * 3e38), over rows of four values.
Model overflowing_model() {
  ModelBuilder b(13);
  b.input("x", {-1, 4}).weight("huge", floats({3e38F}));
  b.node("Mul", {"x", "huge"}, {"product"});
  b.node("Relu", {"product"}, {"y"});
  Model model = b.output("y").build();
  infer_shapes(model);
  return model;
}

CalibrationOptions quiet(int threads = 2, int64_t micro_batch = 0) {
  CalibrationOptions options;
  options.quiet = true;
  options.threads = threads;
  options.micro_batch = micro_batch;
  return options;
}

std::string complaint(const Model& model, const Dataset& data, const CalibrationOptions& options) {
  try {
    calibrate(model, data, "hash", options);
  } catch (const Error& error) {
    CHECK(error.category() == Category::kData);
    return error.what();
  }
  FAIL("no complaint");
  return "";
}

}  // namespace

TEST_CASE("calibrate sees every float activation and no constant", "[calibration]") {
  const ListDataset data({4}, {{0.0F, 0.5F, -0.25F, 1.0F}, {0.25F, 0.0F, 0.0F, 0.0F}});
  const CalibrationTable table = calibrate(overflowing_model(), data, "hash", quiet());
  REQUIRE(table.tensors.size() == 3);
  const Sketch& x = table.tensors.at("x");
  CHECK(x.count() == 8);
  CHECK(x.min() == -0.25F);
  CHECK(x.max() == 1.0F);
  CHECK(x.average_max() == 0.9925F);  // 1 + 0.01 * (0.25 - 1)
  CHECK(table.tensors.at("product").max() == 3e38F);
  CHECK(table.tensors.at("y").min() == 0.0F);
  CHECK(table.model_hash == "hash");
  CHECK(table.data_hash == "data");
  CHECK(table.samples == 2);
}

TEST_CASE("calibrate observes only the tensors it is asked for", "[calibration]") {
  const ListDataset data({4}, {{0.0F, 0.5F, -0.25F, 1.0F}});
  CalibrationOptions options = quiet();
  options.tensors = {"y"};
  const CalibrationTable table = calibrate(overflowing_model(), data, "hash", options);
  CHECK(table.tensors.size() == 1);
  CHECK(table.tensors.contains("y"));
  options.tensors = {"nothing"};
  CHECK_THROWS_AS(calibrate(overflowing_model(), data, "hash", options), Error);
}

TEST_CASE("the table does not depend on threads or the micro-batch", "[calibration]") {
  Model model = load_model(fixture("fashion_mnist_cnn.onnx"));
  infer_shapes(model);
  const ListDataset data({1, 28, 28}, noise_samples(21, {1, 28, 28}));
  CalibrationOptions options = quiet(1);
  options.samples = 19;
  options.seed = 3;
  const CalibrationTable once = calibrate(model, data, "hash", options);
  CHECK(once.samples == 19);
  CHECK(once.tensors.size() > 10);
  for (const int threads : {1, 2, 5}) {
    options.threads = threads;
    options.micro_batch = 0;
    CHECK((calibrate(model, data, "hash", options).tensors == once.tensors));
    for (const int64_t micro_batch : {1, 3, 8, 19}) {
      options.micro_batch = micro_batch;
      const auto tensors = calibrate(model, data, "hash", options).tensors;
      REQUIRE(tensors.size() == once.tensors.size());
      for (const auto& [name, sketch] : once.tensors) {
        INFO(name << ", " << threads << " threads, micro-batch " << micro_batch);
        const Sketch& other = tensors.at(name);
        // A matrix product's order of summation is the library's, by the number of its rows.
        if (name != "logits") CHECK((other == sketch));
        CHECK(other.count() == sketch.count());
        CHECK(std::fabs(other.max() - sketch.max()) <= 1e-5F * std::fabs(sketch.max()));
      }
    }
  }
}

TEST_CASE("every sample counts once for a tensor that all samples share", "[calibration]") {
  ModelBuilder b(13);
  b.input("x", {-1, 4}).weight("two", floats({2.0F, -2.0F}));
  b.node("Shape", {"x"}, {"shape"});
  b.node("Cast", {"shape"}, {"sizes"}).with("to", 1);
  b.node("Min", {"sizes", "two"}, {"shared"});
  b.node("ReduceSum", {"shared"}, {"sum"}).with("keepdims", 0);
  b.node("Add", {"x", "sum"}, {"y"});
  Model model = b.output("y").build();
  infer_shapes(model);
  const ListDataset data({4}, noise_samples(5, {4}));
  for (const int64_t micro_batch : {2, 4}) {
    const auto table = calibrate(model, data, "hash", quiet(2, micro_batch));
    CHECK(table.tensors.at("shared").count() == 10);
    CHECK(table.tensors.at("x").count() == 20);
  }
}

TEST_CASE("a model with a fixed batch size leaves out an incomplete batch", "[calibration]") {
  ModelBuilder b(13);
  b.input("x", {2, 4}).node("Relu", {"x"}, {"y"});
  Model model = b.output("y").build();
  infer_shapes(model);
  const ListDataset data({4}, noise_samples(5, {4}));
  const auto table = calibrate(model, data, "hash", quiet());
  CHECK(table.samples == 4);
  CHECK(table.tensors.at("x").count() == 16);
  const ListDataset one({4}, noise_samples(1, {4}));
  CHECK_THAT(complaint(model, one, quiet()), ContainsSubstring("2 samples at a time"));
}

TEST_CASE("calibrate stops at the first NaN of the data and names it", "[calibration]") {
  auto samples = noise_samples(12, {4});
  samples[5][2] = std::numeric_limits<float>::quiet_NaN();
  samples[9][0] = std::numeric_limits<float>::infinity();
  const ListDataset data({4}, samples);
  for (const auto& item : {"tensor 'x', sample 5", "must be finite", "NaN or infinity"}) {
    CHECK_THAT(complaint(overflowing_model(), data, quiet()), ContainsSubstring(item));
  }
}

TEST_CASE("calibrate names the first sample that overflows and its first tensor", "[calibration]") {
  auto samples = noise_samples(12, {4});
  samples[9][0] = std::numeric_limits<float>::quiet_NaN();  // in the input, but later
  samples[7][3] = 10.0F;                                    // 3e39 is no float
  const ListDataset data({4}, samples);
  for (const int threads : {1, 2, 5}) {
    for (const int64_t micro_batch : {1, 4, 12}) {
      INFO(threads << " threads, micro-batch " << micro_batch);
      CHECK_THAT(complaint(overflowing_model(), data, quiet(threads, micro_batch)),
                 ContainsSubstring("tensor 'product', sample 7"));
    }
  }
}
