// Elementwise functions that a heavy kernel applies to its result before it is stored.
#pragma once

#include <vector>

namespace limbeck {

enum class UnaryKind {
  kRelu,     ///< x for x > 0, else alpha * x (alpha 0: plain ReLU)
  kClip,     ///< min(max(x, alpha), beta)
  kSigmoid,  ///< 1 / (1 + exp(-x))
  kTanh,
  kSwish,      ///< x * sigmoid(alpha * x)
  kHardSwish,  ///< x * clip(x + 3, 0, 6) / 6
  kLinear,     ///< alpha * x + beta
  kElu,        ///< x for x > 0, else alpha * (exp(x) - 1)
  kExp,
  kSqrt,
  kAbs,
};

struct Unary {
  UnaryKind kind = UnaryKind::kRelu;
  float alpha = 0;
  float beta = 0;
};

/// Either a function of the value alone, or the addition of another tensor of the same shape (the
/// step's next input).
struct PostOp {
  bool is_add = false;
  Unary unary;
};

using PostOps = std::vector<PostOp>;

}  // namespace limbeck
