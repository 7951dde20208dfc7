#include "lib/distill/shrink/reinitialise.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "lib/autodiff/parameters.h"
#include "lib/base/philox.h"
#include "lib/distill/random_purpose.h"
#include "lib/distill/shrink/normalizations.h"

namespace limbeck {
namespace {

bool is(const Node& node, std::string_view op_type) {
  return node.domain().empty() && node.op_type() == op_type;
}

Tensor constant_like(const Tensor& tensor, float value) {
  return Tensor::from<float>(tensor.dims(),
                             std::vector<float>(static_cast<size_t>(tensor.count()), value));
}

/// Box and Muller's transform of two uniform draws for each element.
Tensor normal_like(const Tensor& tensor, double variance, uint64_t seed, uint32_t place) {
  std::vector<float> values(static_cast<size_t>(tensor.count()));
  for (size_t i = 0; i < values.size(); ++i) {
    RandomStream stream(seed, static_cast<uint32_t>(RandomPurpose::kReinitialise), place, i);
    const double radius = std::sqrt(-2 * variance * std::log(1 - stream.uniform()));
    values[i] = static_cast<float>(radius * std::cos(2 * std::numbers::pi * stream.uniform()));
  }
  return Tensor::from<float>(tensor.dims(), values);
}

/// Elements that one output sums up.
double fan_in(const Node& node, const Tensor& weight) {
  size_t making = 0;
  if (is(node, "MatMul")) making = weight.rank() - 1;
  if (is(node, "ConvTranspose")) making = 1;
  if (is(node, "Gemm")) making = node.int_attribute("transB", 0) != 0 ? 0 : 1;
  const int64_t outputs = std::max<int64_t>(weight.dim(making), 1);
  return static_cast<double>(std::max<int64_t>(weight.count() / outputs, 1));
}

bool is_weight(const Use& use, const Tensor& tensor) {
  const Node& node = *use.node;
  const bool multiplies =
      is(node, "Conv") || is(node, "ConvTranspose") || is(node, "Gemm") || is(node, "MatMul");
  return multiplies && use.index < 2 && tensor.rank() >= 2;
}

bool is_scale(const Use& use) {
  const Node& node = *use.node;
  if (is(node, "Mul") || is(node, "Div")) return true;
  return use.index == 1 && (is(node, "BatchNormalization") || is(node, "InstanceNormalization") ||
                            is(node, "LayerNormalization"));
}

Tensor start_value(const Value& value, uint64_t seed, uint32_t place) {
  const Tensor& tensor = *value.constant();
  for (const Use& use : value.uses()) {
    if (is_weight(use, tensor))
      return normal_like(tensor, 2 / fan_in(*use.node, tensor), seed, place);
    if (is(*use.node, "Gather"))
      return normal_like(tensor, 1 / static_cast<double>(tensor.dims().back()), seed, place);
    if (is(*use.node, "PRelu")) return constant_like(tensor, 0.25F);
    if (is_scale(use)) return constant_like(tensor, 1);
  }
  return constant_like(tensor, 0);
}

void reset_statistics(Graph& graph) {
  for (const auto& node : graph.nodes()) {
    if (!is(*node, "BatchNormalization")) continue;
    for (const size_t slot : {3U, 4U}) {
      Value* value = node->input(slot);
      if (value != nullptr && value->constant() != nullptr)
        graph.set_constant(value, constant_like(*value->constant(), slot == 4 ? 1 : 0));
    }
  }
}

}  // namespace

Model reinitialise(const Model& model, uint64_t seed) {
  Model result = copy_model(model);
  separate_parameters(result);
  insert_normalizations(result.graph);
  uint32_t place = 0;
  for (const Value* parameter : find_parameters(result, {"*"})) {
    Value* value = result.graph.find(parameter->name());
    if (value->type == DataType::kFloat)
      result.graph.set_constant(value, start_value(*value, seed, place));
    ++place;
  }
  reset_statistics(result.graph);
  return result;
}

}  // namespace limbeck
