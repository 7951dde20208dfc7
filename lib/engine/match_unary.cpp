#include "lib/engine/match_unary.h"

#include <cmath>
#include <limits>
#include <utility>

namespace limbeck {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

UnaryMatch one(const Node& node, Unary function) { return {{function}, node.input(0), 1}; }

std::optional<UnaryMatch> match_clip(const Scope& scope, const Node& node) {
  Unary clip{UnaryKind::kClip, node.float_attribute("min", -kInfinity),
             node.float_attribute("max", kInfinity)};
  if (node.input(1) != nullptr) {
    const auto low = scalar_constant(scope, node, 1);
    if (!low) return std::nullopt;
    clip.alpha = *low;
  }
  if (node.input(2) != nullptr) {
    const auto high = scalar_constant(scope, node, 2);
    if (!high) return std::nullopt;
    clip.beta = *high;
  }
  if (std::isinf(clip.alpha)) clip.alpha = std::numeric_limits<float>::lowest();
  if (std::isinf(clip.beta)) clip.beta = std::numeric_limits<float>::max();
  if (clip.alpha == 0 && clip.beta == std::numeric_limits<float>::max())
    return one(node, {UnaryKind::kRelu, 0, 0});
  return one(node, clip);
}

/// Functions with one input and attributes only.
std::optional<UnaryMatch> match_plain(const Scope& scope, const Node& node) {
  const std::string& op = node.op_type();
  if (op == "Relu") return one(node, {UnaryKind::kRelu, 0, 0});
  if (op == "LeakyRelu")
    return one(node, {UnaryKind::kRelu, node.float_attribute("alpha", 0.01F), 0});
  if (op == "Clip") return match_clip(scope, node);
  if (op == "Sigmoid") return one(node, {UnaryKind::kSigmoid, 0, 0});
  if (op == "Tanh") return one(node, {UnaryKind::kTanh, 0, 0});
  if (op == "HardSwish") return one(node, {UnaryKind::kHardSwish, 0, 0});
  if (op == "Elu") return one(node, {UnaryKind::kElu, node.float_attribute("alpha", 1.0F), 0});
  if (op == "Exp") return one(node, {UnaryKind::kExp, 0, 0});
  if (op == "Sqrt") return one(node, {UnaryKind::kSqrt, 0, 0});
  if (op == "Abs") return one(node, {UnaryKind::kAbs, 0, 0});
  if (op == "Neg") return one(node, {UnaryKind::kLinear, -1, 0});
  if (op == "Identity") return UnaryMatch{{}, node.input(0), 1};
  if (op == "HardSigmoid") {
    const Unary line{UnaryKind::kLinear, node.float_attribute("alpha", 0.2F),
                     node.float_attribute("beta", 0.5F)};
    return UnaryMatch{{line, {UnaryKind::kClip, 0, 1}}, node.input(0), 1};
  }
  return std::nullopt;
}

/// x + c, x * c, max(x, c) and the like with a constant of one element.
std::optional<UnaryMatch> match_with_scalar(const Scope& scope, const Node& node) {
  if (node.inputs().size() != 2) return std::nullopt;
  const bool swapped = scalar_constant(scope, node, 0).has_value();
  const auto constant = scalar_constant(scope, node, swapped ? 0 : 1);
  if (!constant) return std::nullopt;
  const Value* input = node.input(swapped ? 1 : 0);
  const Tensor& tensor = *scope.constant(node.input(swapped ? 0 : 1));
  if (input == nullptr || !input->shape || input->shape->size() < tensor.rank())
    return std::nullopt;
  const std::string& op = node.op_type();
  Unary function{UnaryKind::kLinear, 1, 0};
  if (op == "Add") {
    function.beta = *constant;
  } else if (op == "Sub") {
    function = {UnaryKind::kLinear, swapped ? -1.0F : 1.0F, swapped ? *constant : -*constant};
  } else if (op == "Mul") {
    function.alpha = *constant;
  } else if (op == "Div" && !swapped && *constant != 0) {
    function.alpha = 1.0F / *constant;
  } else if (op == "Max") {
    function = {UnaryKind::kClip, *constant, std::numeric_limits<float>::max()};
  } else if (op == "Min") {
    function = {UnaryKind::kClip, std::numeric_limits<float>::lowest(), *constant};
  } else {
    return std::nullopt;
  }
  return UnaryMatch{{function}, input, 1};
}

bool close(float a, float b) { return std::fabs(a - b) <= 1e-6F * std::fabs(b); }

/// The functions from `from` to `value` when they form a chain of inner nodes; at most four nodes.
std::optional<std::vector<Unary>> chain_between(const Scope& scope, const Value* from,
                                                const Value* value) {
  std::vector<Unary> reversed;
  for (int depth = 0; depth < 4 && value != from; ++depth) {
    const Node* node = value == nullptr ? nullptr : value->producer();
    if (node == nullptr || !node->domain().empty() || !scope.is_inner(value)) return std::nullopt;
    auto match = match_plain(scope, *node);
    if (!match) match = match_with_scalar(scope, *node);
    if (!match) return std::nullopt;
    reversed.insert(reversed.end(), match->functions.rbegin(), match->functions.rend());
    value = match->input;
  }
  if (value != from) return std::nullopt;
  std::vector<Unary> functions;
  for (auto it = reversed.rbegin(); it != reversed.rend(); ++it) append_function(functions, *it);
  return functions;
}

/// x * f(x) for the f of Swish and HardSwish, whatever constant factor the exporter has moved
/// elsewhere.
std::optional<UnaryMatch> match_gate(const Scope& scope, const Node& node) {
  if (node.op_type() != "Mul" || node.inputs().size() != 2) return std::nullopt;
  for (const size_t side : {size_t{0}, size_t{1}}) {
    const Value* x = node.input(side);
    if (x == node.input(1 - side)) return std::nullopt;
    const auto gate = chain_between(scope, x, node.input(1 - side));
    if (!gate) continue;
    const auto& f = *gate;
    if (f.size() == 1 && f[0].kind == UnaryKind::kSigmoid)
      return UnaryMatch{{{UnaryKind::kSwish, 1, 0}}, x, 2};
    if (f.size() < 2 || f.size() > 3 || f[0].kind != UnaryKind::kLinear ||
        f[1].kind != UnaryKind::kClip)
      continue;
    // clip(a x + b, 0, top) with b / a = 3 and top / a = 6 is a times clip(x + 3, 0, 6).
    const float a = f[0].alpha;
    if (!(a > 0) || !close(f[0].beta, 3 * a) || f[1].alpha != 0 || !close(f[1].beta, 6 * a))
      continue;
    UnaryMatch match{{{UnaryKind::kHardSwish, 0, 0}}, x, 2};
    append_function(match.functions, {UnaryKind::kLinear, 6 * a, 0});
    if (f.size() == 3 && (f[2].kind != UnaryKind::kLinear || f[2].beta != 0)) continue;
    if (f.size() == 3) append_function(match.functions, f[2]);
    return match;
  }
  return std::nullopt;
}

}  // namespace

std::optional<float> scalar_constant(const Scope& scope, const Node& node, size_t index) {
  const Tensor* tensor = scope.constant(node.input(index));
  if (tensor == nullptr || tensor->count() != 1 || tensor->type() != DataType::kFloat)
    return std::nullopt;
  return tensor->as<float>()[0];
}

void append_function(std::vector<Unary>& functions, const Unary& function) {
  if (function.kind == UnaryKind::kLinear && !functions.empty() &&
      functions.back().kind == UnaryKind::kLinear) {
    const Unary first = functions.back();
    functions.pop_back();
    const Unary merged{UnaryKind::kLinear, first.alpha * function.alpha,
                       function.alpha * first.beta + function.beta};
    if (!close(merged.alpha, 1) || merged.beta != 0) functions.push_back(merged);
    return;
  }
  if (function.kind == UnaryKind::kLinear && close(function.alpha, 1) && function.beta == 0) return;
  functions.push_back(function);
}

std::optional<UnaryMatch> match_unary(const Scope& scope, const Node& node) {
  if (!node.domain().empty() || node.input(0) == nullptr) return std::nullopt;
  auto match = match_plain(scope, node);
  if (!match) match = match_with_scalar(scope, node);
  if (!match) match = match_gate(scope, node);
  if (!match || match->input == nullptr || match->input->type != DataType::kFloat)
    return std::nullopt;
  return match;
}

}  // namespace limbeck
