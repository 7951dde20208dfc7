#include "lib/engine/code_table.h"

#include <algorithm>
#include <cmath>

namespace limbeck {
namespace {

double apply(const Unary& unary, double x) {
  switch (unary.kind) {
    case UnaryKind::kRelu: return x > 0 ? x : unary.alpha * x;
    case UnaryKind::kClip:
      return std::min(std::max(x, static_cast<double>(unary.alpha)),
                      static_cast<double>(unary.beta));
    case UnaryKind::kSigmoid: return 1 / (1 + std::exp(-x));
    case UnaryKind::kTanh: return std::tanh(x);
    case UnaryKind::kSwish: return x / (1 + std::exp(-unary.alpha * x));
    case UnaryKind::kHardSwish: return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case UnaryKind::kLinear: return unary.alpha * x + unary.beta;
    case UnaryKind::kElu: return x > 0 ? x : unary.alpha * (std::exp(x) - 1);
    case UnaryKind::kExp: return std::exp(x);
    case UnaryKind::kSqrt: return std::sqrt(x);
    case UnaryKind::kAbs: return std::fabs(x);
  }
  return x;
}

}  // namespace

CodeMap code_table(const QuantParams& input, const QuantParams& output,
                   const std::vector<Unary>& functions) {
  std::array<float, 256> real{};
  for (int i = 0; i < 256; ++i) {
    const int32_t code = input.is_signed ? static_cast<int8_t>(i) : i;
    double x = static_cast<float>(code - input.zero) * input.scale;
    for (const Unary& unary : functions) x = apply(unary, x);
    real[static_cast<size_t>(i)] = static_cast<float>(x);
  }
  CodeMap table{};
  quantize_values(real.data(), table.data(), 256, output);
  return table;
}

}  // namespace limbeck
