// Activations of 4 bits: no CPU kernel computes on their codes, so a pair that only rounds runs in
// float.
#include "lib/engine/fake_quantize_loops.h"
#include "lib/engine/match_integer.h"
#include "lib/engine/parallel.h"

namespace limbeck {
namespace {

/// Values a thread takes at least.
constexpr int64_t kGrain = 16384;

class Rounding final : public StepKernel {
 public:
  explicit Rounding(const FakeQuantizeParams& params) : params_(params) {}
  void run(StepContext& context) const override {
    const Activation& input = context.input(0);
    const float* source = input.tensor.as<float>().data();
    auto* target = reinterpret_cast<float*>(
        context.allocate(0, DataType::kFloat, input.tensor.dims(), input.layout));
    parallel_ranges(input.tensor.count(), kGrain, [&](int64_t first, int64_t last) {
      fake_quantize_values(source + first, target + first, last - first, params_);
    });
  }

 private:
  FakeQuantizeParams params_;
};

/// The one constant number of an input.
std::optional<Tensor> one_number(const Scope& scope, const Value* value) {
  const Tensor* tensor = value == nullptr ? nullptr : scope.constant(value);
  if (tensor == nullptr || tensor->count() != 1) return {};
  return *tensor;
}

std::optional<FakeQuantizeParams> rounding_params(const Scope& scope, const Node& node) {
  const auto scale = one_number(scope, node.input(1));
  const auto zero = one_number(scope, node.input(2));
  if (!scale || !zero || scale->type() != DataType::kFloat) return {};
  const bool is_unsigned = zero->type() == DataType::kUint4;
  if (!is_unsigned && zero->type() != DataType::kInt4) return {};
  FakeQuantizeParams params;
  params.scale = scale->as<float>()[0];
  params.zero = static_cast<float>(zero->to_int64()[0]);
  params.low = is_unsigned ? 0 : -8;
  params.high = is_unsigned ? 15 : 7;
  return params.scale > 0 ? std::optional(params) : std::nullopt;
}

bool same(const FakeQuantizeParams& a, const FakeQuantizeParams& b) {
  return a.scale == b.scale && a.zero == b.zero && a.low == b.low && a.high == b.high;
}

}  // namespace

std::optional<Selection> match_rounding(const Scope& scope, const Node& tail) {
  if (!tail.domain().empty() || tail.op_type() != "DequantizeLinear") return {};
  const Node* quantize = scope.producer(tail.input(0), "QuantizeLinear");
  if (quantize == nullptr || !scope.is_inner(tail.input(0))) return {};
  const Value* x = quantize->input(0);
  if (x == nullptr || x->type != DataType::kFloat || scope.constant(x) != nullptr) return {};
  const auto params = rounding_params(scope, tail);
  const auto first = rounding_params(scope, *quantize);
  if (!params || !first || !same(*params, *first)) return {};
  Selection selection;
  selection.inputs.emplace_back(x);
  selection.kernel = std::make_unique<Rounding>(*params);
  return selection;
}

}  // namespace limbeck
