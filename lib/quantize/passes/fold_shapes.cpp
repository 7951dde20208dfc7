#include <algorithm>
#include <optional>
#include <utility>

#include "lib/quantize/passes/passes.h"
#include "lib/quantize/passes/rewrite.h"

namespace limbeck {
namespace {

using Ints = std::vector<int64_t>;

int64_t from_end(int64_t index, int64_t size) { return index < 0 ? index + size : index; }

/// The dimensions that a Shape node delivers, unknown ones included.
std::optional<Shape> delivered_dims(const Value* value) {
  if (value == nullptr || !is_op(value->producer(), "Shape")) return std::nullopt;
  const Node& node = *value->producer();
  if (node.input(0) == nullptr || !node.input(0)->shape) return std::nullopt;
  const Shape& shape = *node.input(0)->shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const int64_t start =
      std::clamp<int64_t>(from_end(node.int_attribute("start", 0), rank), 0, rank);
  const int64_t end =
      std::clamp<int64_t>(from_end(node.int_attribute("end", rank), rank), start, rank);
  return Shape(shape.begin() + start, shape.begin() + end);
}

std::optional<Ints> known(const Shape& dims) {
  Ints values;
  for (const Dim& dim : dims) {
    if (!dim.known()) return std::nullopt;
    values.push_back(dim.value);
  }
  return values;
}

Tensor vector_tensor(const Ints& values) {
  return Tensor::from<int64_t>({static_cast<int64_t>(values.size())}, values);
}

std::optional<Tensor> shape_result(const Node& node) {
  const auto dims = delivered_dims(node.output(0));
  const auto values = dims ? known(*dims) : std::nullopt;
  if (!values) return std::nullopt;
  return vector_tensor(*values);
}

std::optional<Tensor> size_result(const Node& node) {
  if (node.input(0) == nullptr || !node.input(0)->shape) return std::nullopt;
  const auto dims = known(*node.input(0)->shape);
  if (!dims) return std::nullopt;
  return Tensor::scalar(element_count(*dims, node.place()));
}

std::optional<Tensor> gather_result(const Node& node) {
  const auto dims = delivered_dims(node.input(0));
  const Value* indices = node.input(1);
  if (!dims || indices == nullptr || indices->constant() == nullptr) return std::nullopt;
  const auto size = static_cast<int64_t>(dims->size());
  Shape picked;
  for (const int64_t index : indices->constant()->to_int64()) {
    const int64_t position = from_end(index, size);
    if (position < 0 || position >= size) return std::nullopt;
    picked.push_back((*dims)[static_cast<size_t>(position)]);
  }
  const auto values = known(picked);
  if (!values) return std::nullopt;
  return Tensor::from<int64_t>(indices->constant()->dims(), *values);
}

/// An argument of Slice: an attribute before opset 10, an input since.
std::optional<Ints> slice_argument(const Node& node, size_t input, const char* attribute,
                                   int64_t opset, Ints fallback) {
  if (opset < 10) return node.ints_attribute(attribute, std::move(fallback));
  const Value* value = node.input(input);
  if (value == nullptr) return fallback;
  if (value->constant() == nullptr) return std::nullopt;
  return value->constant()->to_int64();
}

std::optional<Tensor> slice_result(const Node& node, int64_t opset) {
  const auto dims = delivered_dims(node.input(0));
  if (!dims) return std::nullopt;
  const auto starts = slice_argument(node, 1, "starts", opset, {});
  const auto ends = slice_argument(node, 2, "ends", opset, {});
  const auto axes = slice_argument(node, 3, "axes", opset, {0});
  const auto steps = slice_argument(node, 4, "steps", opset, {1});
  if (!starts || !ends || !axes || !steps || starts->size() != 1 || ends->size() != 1)
    return std::nullopt;
  if (*axes != Ints{0} || *steps != Ints{1}) return std::nullopt;
  const auto size = static_cast<int64_t>(dims->size());
  const int64_t start = std::clamp<int64_t>(from_end((*starts)[0], size), 0, size);
  const int64_t end = std::clamp<int64_t>(from_end((*ends)[0], size), start, size);
  const auto values = known(Shape(dims->begin() + start, dims->begin() + end));
  if (!values) return std::nullopt;
  return vector_tensor(*values);
}

std::optional<Tensor> result_of(const Node& node, int64_t opset) {
  if (is_op(&node, "Shape")) return shape_result(node);
  if (is_op(&node, "Size")) return size_result(node);
  if (is_op(&node, "Gather")) return gather_result(node);
  if (is_op(&node, "Slice")) return slice_result(node, opset);
  return std::nullopt;
}

}  // namespace

size_t fold_shapes(Graph& graph, int64_t opset) {
  size_t rewrites = 0;
  for (Node* node : snapshot(graph)) {
    Value* output = node->output(0);
    if (output == nullptr || output->is_graph_output() || output->captured_by_subgraph()) continue;
    auto result = result_of(*node, opset);
    if (!result) continue;
    Value* constant = graph.add_initializer(output->name(), std::move(*result));
    take_over(graph, output, constant);
    ++rewrites;
  }
  return rewrites;
}

}  // namespace limbeck
