#include "lib/engine/chain.h"

#include <algorithm>
#include <cmath>

#include "lib/engine/match_unary.h"

namespace limbeck {
namespace {

constexpr size_t kMaxLength = 8;

bool is_anchor(const Node& node) {
  const std::string& op = node.op_type();
  return node.domain().empty() &&
         (op == "Conv" || op == "ConvTranspose" || op == "Gemm" || op == "MatMul");
}

/// The value that reaches `value` through scale-and-shift nodes only, as far as an anchor.
const Node* anchor_behind(const Scope& scope, const Value* value) {
  for (size_t depth = 0; depth < kMaxLength; ++depth) {
    const Node* node = value == nullptr ? nullptr : value->producer();
    if (node == nullptr || !node->domain().empty()) return nullptr;
    if (is_anchor(*node)) return node;
    const bool constant_first = scope.constant(node->input(0)) != nullptr;
    value = node->input(constant_first ? 1 : 0);
  }
  return nullptr;
}

/// Values of a constant that varies at most along the channel axis of a tensor of rank `rank`.
std::vector<float> channel_values(const Tensor& tensor, int64_t channels, size_t rank,
                                  size_t axis) {
  if (tensor.type() != DataType::kFloat || tensor.rank() > rank) return {};
  const size_t missing = rank - tensor.rank();
  for (size_t i = 0; i < tensor.rank(); ++i) {
    const bool is_channel = i + missing == axis;
    if (tensor.dim(i) != 1 && !(is_channel && tensor.dim(i) == channels)) return {};
  }
  std::vector<float> values = tensor.to_float();
  if (values.size() == 1) values.resize(static_cast<size_t>(channels), values[0]);
  return values;
}

std::optional<ChannelAffine> batch_norm_affine(const Scope& scope, const Node& node,
                                               int64_t channels) {
  if (node.int_attribute("training_mode", 0) != 0) return std::nullopt;
  std::vector<std::vector<float>> parts;
  for (size_t i = 1; i <= 4; ++i) {
    const Tensor* tensor = scope.constant(node.input(i));
    if (tensor == nullptr || tensor->type() != DataType::kFloat || tensor->count() != channels)
      return std::nullopt;
    parts.push_back(tensor->to_float());
  }
  const double epsilon = node.float_attribute("epsilon", 1e-5F);
  ChannelAffine affine;
  for (size_t c = 0; c < parts[0].size(); ++c) {
    const double scale = parts[0][c] / std::sqrt(parts[3][c] + epsilon);
    affine.scale.push_back(static_cast<float>(scale));
    affine.shift.push_back(static_cast<float>(parts[1][c] - parts[2][c] * scale));
  }
  return affine;
}

std::optional<ChannelAffine> constant_affine(const Scope& scope, const Node& node, size_t data,
                                             size_t rank, size_t axis, int64_t channels) {
  const Tensor* tensor = scope.constant(node.input(1 - data));
  if (tensor == nullptr) return std::nullopt;
  const std::vector<float> values = channel_values(*tensor, channels, rank, axis);
  if (values.empty()) return std::nullopt;
  ChannelAffine affine{std::vector<float>(values.size(), 1.0F),
                       std::vector<float>(values.size(), 0.0F)};
  const std::string& op = node.op_type();
  for (size_t c = 0; c < values.size(); ++c) {
    if (op == "Add") affine.shift[c] = values[c];
    if (op == "Sub") affine.shift[c] = -values[c];
    if (op == "Mul") affine.scale[c] = values[c];
    if (op == "Div") affine.scale[c] = 1.0F / values[c];
  }
  return affine;
}

struct AffineMatch {
  ChannelAffine affine;
  const Value* input = nullptr;
};

/// `node` as a per-channel scale and shift of the anchor behind it.
std::optional<AffineMatch> match_affine(const Scope& scope, const Node& node) {
  const std::string& op = node.op_type();
  const bool arithmetic = op == "Add" || op == "Sub" || op == "Mul" || op == "Div";
  if ((!arithmetic && op != "BatchNormalization") || !node.domain().empty()) return std::nullopt;
  const bool swapped =
      arithmetic && scope.constant(node.input(0)) != nullptr && (op == "Add" || op == "Mul");
  const size_t data = swapped ? 1 : 0;
  const Value* input = node.input(data);
  const Node* anchor = anchor_behind(scope, input);
  if (anchor == nullptr || !input->shape || input->shape->empty()) return std::nullopt;
  const int64_t channels = anchor_channels(scope, *anchor);
  if (channels <= 0) return std::nullopt;
  const bool convolution = anchor->op_type().starts_with("Conv");
  const size_t rank = input->shape->size();
  if (!arithmetic && !convolution) return std::nullopt;
  const size_t axis = convolution ? 1 : rank - 1;
  auto affine = arithmetic ? constant_affine(scope, node, data, rank, axis, channels)
                           : batch_norm_affine(scope, node, channels);
  if (!affine) return std::nullopt;
  return AffineMatch{std::move(*affine), input};
}

/// The Add whose one side continues the chain: the side to follow and the residual.
struct AddMatch {
  const Value* input = nullptr;
  const Value* addend = nullptr;
};

std::optional<Chain> find_chain(const Scope& scope, const Value* value, bool allow_addition);

std::optional<AddMatch> match_add(const Scope& scope, const Node& node) {
  if (node.op_type() != "Add" || !node.domain().empty() ||
      !same_shape(node.input(0), node.input(1)))
    return std::nullopt;
  if (node.input(0) == node.input(1)) return std::nullopt;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const Value* input = node.input(side);
    const Value* addend = node.input(1 - side);
    if (input->type != DataType::kFloat || !scope.is_inner(input) ||
        scope.constant(addend) != nullptr)
      continue;
    const auto chain = find_chain(scope, input, false);
    if (!chain || !chain->anchor->op_type().starts_with("Conv")) continue;
    return AddMatch{input, addend};
  }
  return std::nullopt;
}

/// Moves one node up from `value`; what it does is put at the front of the chain. Null when the
/// chain breaks.
const Value* step_back(const Scope& scope, const Value* value, Chain& chain, bool allow_addition) {
  const Node& node = *value->producer();
  if (auto affine = match_affine(scope, node); affine && scope.is_inner(affine->input)) {
    chain.affines.insert(chain.affines.begin(), std::move(affine->affine));
    return affine->input;
  }
  if (!chain.affines.empty()) return nullptr;
  if (const auto unary = match_unary(scope, node)) {
    if (!scope.is_inner(unary->input, unary->uses)) return nullptr;
    std::vector<PostOp> ops;
    for (const Unary& function : unary->functions) ops.push_back({false, function});
    chain.post_ops.insert(chain.post_ops.begin(), ops.begin(), ops.end());
    return unary->input;
  }
  if (!allow_addition || !chain.addends.empty()) return nullptr;
  const auto add = match_add(scope, node);
  if (!add) return nullptr;
  chain.post_ops.insert(chain.post_ops.begin(), PostOp{true, {}});
  chain.addends.insert(chain.addends.begin(), add->addend);
  return add->input;
}

std::optional<Chain> find_chain(const Scope& scope, const Value* value, bool allow_addition) {
  Chain chain;
  for (size_t length = 0; length < kMaxLength; ++length) {
    const Node* node = value->producer();
    if (node == nullptr || scope.constant(value) != nullptr) return std::nullopt;
    if (is_anchor(*node)) {
      chain.anchor = node;
      return chain;
    }
    value = step_back(scope, value, chain, allow_addition);
    if (value == nullptr) return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace

int64_t anchor_channels(const Scope& scope, const Node& anchor) {
  const Tensor* weights = scope.constant(anchor.input(1));
  if (weights == nullptr || weights->rank() < 2) return -1;
  const std::string& op = anchor.op_type();
  if (op == "Conv") return weights->dim(0);
  if (op == "ConvTranspose") return weights->dim(1) * anchor.int_attribute("group", 1);
  if (op == "Gemm") return weights->dim(anchor.int_attribute("transB", 0) != 0 ? 0 : 1);
  return weights->rank() == 2 ? weights->dim(1) : -1;
}

bool same_shape(const Value* a, const Value* b) {
  if (a == nullptr || b == nullptr || !a->shape || !b->shape ||
      a->shape->size() != b->shape->size())
    return false;
  const auto same = [](const Dim& x, const Dim& y) {
    return x == y && (x.known() || !x.symbol.empty());
  };
  return std::equal(a->shape->begin(), a->shape->end(), b->shape->begin(), same);
}

std::optional<Chain> find_chain(const Scope& scope, const Value* value) {
  return find_chain(scope, value, true);
}

}  // namespace limbeck
