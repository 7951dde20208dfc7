#include "lib/model/node_macs.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace limbeck {
namespace {

enum class Kind { kConv, kConvTranspose, kMatMul, kGemm, kPackedMatMul, kRecurrent };

struct CostRow {
  std::string_view domain;
  std::string_view name;
  Kind kind;
  size_t weight;      ///< input slot of the second factor
  bool integer_form;  ///< float, and quantization has an integer kernel for it
};

constexpr std::string_view kMicrosoft = "com.microsoft";
constexpr std::array<CostRow, 15> kRows = {{
    {"", "Conv", Kind::kConv, 1, true},
    {"", "ConvInteger", Kind::kConv, 1, false},
    {"", "ConvTranspose", Kind::kConvTranspose, 1, true},
    {"", "GRU", Kind::kRecurrent, 1, false},
    {"", "Gemm", Kind::kGemm, 1, true},
    {"", "LSTM", Kind::kRecurrent, 1, false},
    {"", "MatMul", Kind::kMatMul, 1, true},
    {"", "MatMulInteger", Kind::kMatMul, 1, false},
    {"", "QLinearConv", Kind::kConv, 3, false},
    {"", "QLinearMatMul", Kind::kMatMul, 3, false},
    {"", "RNN", Kind::kRecurrent, 1, false},
    {kMicrosoft, "FusedConv", Kind::kConv, 1, false},
    {kMicrosoft, "FusedGemm", Kind::kGemm, 1, false},
    {kMicrosoft, "FusedMatMul", Kind::kMatMul, 1, false},
    {kMicrosoft, "MatMulNBits", Kind::kPackedMatMul, 1, false},
}};

const CostRow* find_row(const Node& node) {
  const auto row = std::find_if(kRows.begin(), kRows.end(), [&node](const CostRow& candidate) {
    return candidate.domain == node.domain() && candidate.name == node.op_type();
  });
  return row == kRows.end() ? nullptr : &*row;
}

/// The weight itself where it reaches the node through a DequantizeLinear without declared shape.
const Value* stored_weight(const Value* value) {
  return is_dequantized(value) && !value->shape ? value->producer()->input(0) : value;
}

std::optional<int64_t> product(std::optional<int64_t> a, std::optional<int64_t> b) {
  if (!a || !b) return std::nullopt;
  return saturating_product(*a, *b);
}

/// positions * elements of one filter, where a weight holds `filters` (its first dimension) of
/// them.
std::optional<int64_t> filtered(std::optional<int64_t> positions, const Value* weight,
                                const SampleSizes& sizes) {
  const auto filters = sizes.dim(weight, 0);
  const auto elements = sizes.count(weight);
  if (!filters || !elements || *filters == 0) return std::nullopt;
  return product(positions, *elements / *filters);
}

std::optional<int64_t> recurrent_macs(const Node& node, const SampleSizes& sizes) {
  const auto steps = product(sizes.dim(node.input(0), 0), sizes.dim(node.input(0), 1));
  const auto inputs = sizes.count(node.input(1));
  const auto states = sizes.count(node.input(2));
  if (!inputs || !states) return std::nullopt;
  return product(steps, saturating_sum(*inputs, *states));
}

}  // namespace

bool is_dequantized(const Value* value) {
  return value != nullptr && value->producer() != nullptr &&
         value->producer()->op_type() == "DequantizeLinear";
}

bool has_macs(const Node& node) { return find_row(node) != nullptr; }

bool has_integer_form(const Node& node) {
  const CostRow* row = find_row(node);
  if (row == nullptr || !row->integer_form) return false;
  const Value* weight = node.input(row->weight);
  if (is_dequantized(weight)) return true;
  const Tensor* values = weight == nullptr ? nullptr : weight->constant();
  const Value* bias = node.input(2);
  if (values == nullptr || (bias != nullptr && bias->constant() == nullptr)) return false;
  const bool stacked = node.op_type() == "MatMul" && values->rank() != 2;
  return !stacked && values->type() == DataType::kFloat;
}

std::optional<int64_t> node_macs(const Node& node, const SampleSizes& sizes) {
  const CostRow* row = find_row(node);
  if (row == nullptr) return std::nullopt;
  const Value* weight = stored_weight(node.input(row->weight));
  const auto outputs = sizes.count(node.output(0));
  switch (row->kind) {
    case Kind::kConv: return filtered(outputs, weight, sizes);
    case Kind::kConvTranspose: return filtered(sizes.count(node.input(0)), weight, sizes);
    case Kind::kMatMul: return product(outputs, sizes.dim(node.input(0), -1));
    case Kind::kGemm:
      return product(outputs, sizes.dim(weight, node.int_attribute("transB", 0) != 0 ? 1 : 0));
    case Kind::kPackedMatMul:
      return product(outputs, std::max<int64_t>(node.int_attribute("K", 0), 0));
    case Kind::kRecurrent: return recurrent_macs(node, sizes);
  }
  return std::nullopt;
}

}  // namespace limbeck
