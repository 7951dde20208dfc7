#include "lib/model/sizes.h"

#include <limits>

namespace limbeck {

int64_t saturating_product(int64_t a, int64_t b) {
  if (b > 0 && a > std::numeric_limits<int64_t>::max() / b)
    return std::numeric_limits<int64_t>::max();
  return a * b;
}

int64_t saturating_sum(int64_t a, int64_t b) {
  return a > std::numeric_limits<int64_t>::max() - b ? std::numeric_limits<int64_t>::max() : a + b;
}

SampleSizes::SampleSizes(const Graph& graph) {
  for (const Value* input : graph.inputs()) {
    if (!input->shape || input->shape->empty()) continue;
    const Dim& first = input->shape->front();
    if (!first.known() && !first.symbol.empty()) batch_symbols_.insert(first.symbol);
  }
  if (graph.inputs().empty() || !graph.inputs()[0]->shape || graph.inputs()[0]->shape->size() < 2)
    return;
  const Dim& first = graph.inputs()[0]->shape->front();
  if (first.value > 0) batch_ = first.value;
}

std::optional<int64_t> SampleSizes::resolve(const Dim& dim, bool first) const {
  if (dim.known()) return dim.value;
  if (first || batch_symbols_.contains(dim.symbol)) return 1;
  return std::nullopt;
}

std::optional<int64_t> SampleSizes::count(const Value* value) const {
  if (value == nullptr || !value->shape) return std::nullopt;
  int64_t product = 1;
  for (size_t axis = 0; axis < value->shape->size(); ++axis) {
    const auto size = resolve((*value->shape)[axis], axis == 0);
    if (!size) return std::nullopt;
    product = saturating_product(product, *size);
  }
  return product;
}

std::optional<int64_t> SampleSizes::dim(const Value* value, int64_t axis) const {
  if (value == nullptr || !value->shape) return std::nullopt;
  const auto rank = static_cast<int64_t>(value->shape->size());
  const int64_t position = axis < 0 ? axis + rank : axis;
  if (position < 0 || position >= rank) return std::nullopt;
  return resolve((*value->shape)[static_cast<size_t>(position)], position == 0);
}

std::optional<int64_t> SampleSizes::bytes(const Value* value) const {
  const auto elements = count(value);
  const int bits = value == nullptr ? 0 : bits_per_element(value->type);
  if (!elements || bits == 0) return std::nullopt;
  const int64_t total = saturating_product(*elements, bits);
  return total / 8 + (total % 8 != 0 ? 1 : 0);
}

}  // namespace limbeck
