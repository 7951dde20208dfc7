#include "lib/ops/common.h"

#include <algorithm>
#include <numeric>

namespace limbeck {

void fail_model(const std::string& place, const std::string& rule, const std::string& received) {
  throw_error(Category::kInvalidModel, place, rule, received,
              "export the model again, or correct the node");
}

void fail_unsupported(const std::string& place, const std::string& rule,
                      const std::string& received) {
  throw_error(Category::kUnsupported, place, rule, received,
              "rewrite or export the node otherwise; docs/operators.md lists what is known");
}

void check_arity(const Node& node, size_t inputs) {
  for (size_t i = 0; i < inputs; ++i) {
    if (node.input(i) != nullptr) continue;
    fail_model(node.place(), "inputs 0 to " + std::to_string(inputs - 1) + " must be present",
               "no input " + std::to_string(i));
  }
  if (node.outputs().empty()) fail_model(node.place(), "a node must have an output", "none");
}

size_t normal_axis(int64_t axis, size_t rank, const std::string& place) {
  const auto signed_rank = static_cast<int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    fail_model(place, "an axis must lie within rank " + std::to_string(rank),
               "axis " + std::to_string(axis));
  }
  return at(axis < 0 ? axis + signed_rank : axis);
}

std::vector<size_t> normal_axes(const std::vector<int64_t>& axes, size_t rank,
                                const std::string& place) {
  std::vector<size_t> result;
  result.reserve(axes.size());
  for (const int64_t axis : axes) result.push_back(normal_axis(axis, rank, place));
  std::sort(result.begin(), result.end());
  if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
    fail_model(place, "axes must be distinct", dims_text(axes));
  }
  return result;
}

Shape to_shape(const Dims& dims) {
  Shape shape;
  for (const int64_t dim : dims) shape.push_back({dim, ""});
  return shape;
}

std::optional<Dims> known_dims(const Shape* shape) {
  if (shape == nullptr) return std::nullopt;
  Dims dims;
  for (const Dim& dim : *shape) {
    if (!dim.known()) return std::nullopt;
    dims.push_back(dim.value);
  }
  return dims;
}

Dims row_strides(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

int64_t product(const Dims& dims, size_t first, size_t last) {
  int64_t result = 1;
  for (size_t i = first; i < last; ++i) result *= dims[i];
  return result;
}

std::vector<int64_t> integer_list(const Tensor& tensor, const std::string& place) {
  if (tensor.rank() > 1)
    fail_model(place, "a list of integers must have rank 1",
               "rank " + std::to_string(tensor.rank()));
  if (tensor.type() != DataType::kInt64 && tensor.type() != DataType::kInt32) {
    fail_model(place, "a list of integers must be int64 or int32", data_type_name(tensor.type()));
  }
  return tensor.to_int64();
}

std::optional<std::vector<int64_t>> list_parameter(const ShapeContext& context, size_t input,
                                                   const char* attribute) {
  if (context.node.has_attribute(attribute)) return context.node.ints_attribute(attribute, {});
  const Tensor* constant = context.constant(input);
  if (constant == nullptr) return std::nullopt;
  return integer_list(*constant, context.node.place());
}

bool is_dynamic(const ShapeContext& context, size_t input) {
  return context.input(input) != nullptr && context.constant(input) == nullptr;
}

void same_shape(const ShapeContext& context) {
  same_type_only(context);
  if (const Shape* shape = context.shape(0)) context.set(0, DataType::kUndefined, *shape);
}

void same_type_only(const ShapeContext& context) {
  if (const Value* input = context.input(0)) context.set_type(0, input->type);
}

}  // namespace limbeck
