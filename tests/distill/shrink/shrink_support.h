// What the tests of shrinking share: networks with channels that give nothing, and data in memory.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/distill/shrink/shrink.h"
#include "tests/support/model_builder.h"
#include "tests/support/reference_run.h"

namespace limbeck::test {

/// noise(), but zero at the given positions of an axis.
inline Tensor noise_without(const Dims& dims, unsigned seed, size_t axis,
                            const std::vector<int64_t>& silent) {
  Tensor tensor = Tensor::from<float>(dims, noise(dims, seed).to_float());
  const auto begin = dims.begin() + static_cast<std::ptrdiff_t>(axis);
  const int64_t inner = std::accumulate(begin + 1, dims.end(), int64_t{1}, std::multiplies<>());
  auto values = tensor.mutable_as<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t position = static_cast<int64_t>(i) / inner % *begin;
    if (std::find(silent.begin(), silent.end(), position) != silent.end()) values[i] = 0;
  }
  return tensor;
}

/// A filter bank `name.w` and a bias `name.b` whose filters in `silent` are zero.
inline void add_filters(ModelBuilder& builder, const std::string& name, const Dims& dims,
                        unsigned seed, const std::vector<int64_t>& silent) {
  builder.weight(name + ".w", noise_without(dims, seed, 0, silent));
  builder.weight(name + ".b", noise_without({dims[0]}, seed + 100, 0, silent));
}

inline NodeBuilder add_conv(ModelBuilder& builder, const std::string& x, const std::string& name,
                            const std::string& y) {
  return builder.node("Conv", {x, name + ".w", name + ".b"}, {y});
}

/// The student of this share of MACs by weights alone, which must give what the teacher gives.
inline ShrinkResult shrink_exactly(const ModelBuilder& builder, double macs,
                                   const NamedTensors& inputs) {
  const Model teacher = builder.build();
  ShrinkOptions options;
  options.macs = macs;
  ShrinkResult result = shrink(teacher, options);
  check_same_outputs(teacher, result.student, inputs);
  CHECK(static_cast<double>(result.macs_after) <= macs * static_cast<double>(result.macs_before));
  CHECK(result.bytes_after < result.bytes_before);
  return result;
}

inline Dims dims_of(const ShrinkResult& result, const std::string& weight) {
  const Value* value = result.student.graph.find(weight);
  REQUIRE(value != nullptr);
  REQUIRE(value->constant() != nullptr);
  return value->constant()->dims();
}

inline int64_t group_of_node(const ShrinkResult& result, const std::string& op_type) {
  for (const auto& node : result.student.graph.nodes()) {
    if (node->op_type() == op_type && node->int_attribute("group", 1) > 1)
      return node->int_attribute("group", 1);
  }
  return 1;
}

/// Samples of noise for one input.
class NoiseData final : public Dataset {
 public:
  NoiseData(Dims dims, int64_t size) : dims_(std::move(dims)), size_(size) {}
  int64_t size() const override { return size_; }
  const std::vector<std::string>& input_names() const override { return names_; }
  bool has_labels() const override { return false; }
  int64_t class_count() const override { return 0; }
  std::string hash() const override { return "noise"; }
  Batch read(std::span<const int64_t> indices) const override {
    Dims dims = dims_;
    dims.insert(dims.begin(), static_cast<int64_t>(indices.size()));
    std::vector<float> values;
    for (const int64_t index : indices) {
      const std::vector<float> sample = noise(dims_, static_cast<unsigned>(index + 1)).to_float();
      values.insert(values.end(), sample.begin(), sample.end());
    }
    return {{indices.begin(), indices.end()}, {Tensor::from<float>(dims, values)}, {}};
  }

 private:
  Dims dims_;
  int64_t size_;
  std::vector<std::string> names_ = {""};
};

}  // namespace limbeck::test
