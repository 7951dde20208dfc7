#include "lib/ops/known_values.h"

#include <algorithm>
#include <array>
#include <limits>

#include "lib/ops/common.h"

namespace limbeck {
namespace {

constexpr int64_t kMaxElements = 1024;
constexpr int64_t kFirstPlaceholder = std::numeric_limits<int64_t>::min();
constexpr int64_t kLastPlaceholder = kFirstPlaceholder + (int64_t{1} << 32);

/// Operators that move integers without looking at them.
constexpr std::array<std::string_view, 8> kMovers = {"Concat", "Gather", "Identity", "Reshape",
                                                     "Slice",  "Split",  "Squeeze",  "Unsqueeze"};

bool has_placeholder(const Tensor& tensor) {
  if (tensor.type() != DataType::kInt64) return false;
  const auto items = tensor.as<int64_t>();
  return std::any_of(items.begin(), items.end(),
                     [](int64_t item) { return item < kLastPlaceholder; });
}

bool is_small(const Value* output) {
  if (output == nullptr) return true;
  const auto dims = output->shape ? known_dims(&*output->shape) : std::nullopt;
  return dims && element_count(*dims, output->name()) <= kMaxElements;
}

bool moves_placeholders(const Node& node, size_t input) {
  if (node.op_type() == "Concat") return true;
  return input == 0 && std::find(kMovers.begin(), kMovers.end(), node.op_type()) != kMovers.end();
}

}  // namespace

const Tensor* KnownValues::lookup(const Value* value) const {
  if (value == nullptr) return nullptr;
  if (value->constant() != nullptr) return value->constant();
  const auto found = values_.find(value);
  return found == values_.end() ? nullptr : &found->second;
}

const Tensor* KnownValues::constant(const Value* value) const {
  const Tensor* tensor = lookup(value);
  const bool computed = value != nullptr && value->constant() == nullptr;
  return tensor != nullptr && computed && has_placeholder(*tensor) ? nullptr : tensor;
}

std::optional<Shape> KnownValues::shape_values(const Value* value) const {
  const Tensor* tensor = lookup(value);
  if (tensor == nullptr || tensor->rank() > 1 || tensor->count() > kMaxElements)
    return std::nullopt;
  if (tensor->type() != DataType::kInt64) return std::nullopt;
  Shape shape;
  for (const int64_t item : tensor->as<int64_t>()) {
    const bool unknown = value->constant() == nullptr && item < kLastPlaceholder;
    shape.push_back(unknown ? unknown_.at(at(item - kFirstPlaceholder)) : Dim{item, ""});
  }
  return shape;
}

int64_t KnownValues::encode(const Dim& dim) {
  if (dim.known()) return dim.value;
  unknown_.push_back(dim);
  return kFirstPlaceholder + static_cast<int64_t>(unknown_.size()) - 1;
}

void KnownValues::evaluate_shape(const Node& node) {
  const Value* input = node.input(0);
  const Value* output = node.output(0);
  if (input == nullptr || output == nullptr || !input->shape) return;
  const Shape& shape = *input->shape;
  const auto rank = static_cast<int64_t>(shape.size());
  const auto clamp = [rank](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  std::vector<int64_t> items;
  const int64_t end = clamp(node.int_attribute("end", rank));
  for (int64_t i = clamp(node.int_attribute("start", 0)); i < end; ++i)
    items.push_back(encode(shape[at(i)]));
  values_[output] = Tensor::from<int64_t>({static_cast<int64_t>(items.size())}, items);
}

bool KnownValues::may_run(const Node& node) const {
  if (!std::all_of(node.outputs().begin(), node.outputs().end(), is_small)) return false;
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    if (node.input(i) == nullptr) continue;
    const Tensor* tensor = lookup(node.input(i));
    if (tensor == nullptr || tensor->count() > kMaxElements) return false;
    if (constant(node.input(i)) == nullptr && !moves_placeholders(node, i)) return false;
  }
  return true;
}

void KnownValues::evaluate(const Node& node, const OpRow& row, int64_t opset) {
  if (node.outputs().empty() ||
      (node.output(0) != nullptr && node.output(0)->constant() != nullptr))
    return;
  if (row.name == "Shape") return evaluate_shape(node);
  if (!may_run(node)) return;
  std::vector<const Tensor*> inputs;
  for (const Value* input : node.inputs()) inputs.push_back(lookup(input));
  std::vector<Tensor> outputs(node.outputs().size());
  try {
    KernelContext context(inputs, outputs);
    row.kernel(node, opset)->run(context);
  } catch (const Error& error) {
    if (error.category() != Category::kUnsupported) throw;
    return;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (node.output(i) != nullptr && !outputs[i].empty()) values_[node.output(i)] = outputs[i];
  }
}

}  // namespace limbeck
