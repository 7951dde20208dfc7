// Gradients of the reductions. Equal extremes share the gradient in equal parts.
#include <cmath>

#include "lib/ops/broadcast_gradient.h"
#include "lib/ops/gradient_rows.h"
#include "lib/ops/reduce.h"

namespace limbeck {
namespace {

constexpr uint64_t kAxes = GradientReads::slot(1);
constexpr uint64_t kData = GradientReads::slot(0);
constexpr uint64_t kResult = GradientReads::slot(0);

/// Dimensions of the result with reduced axes kept as 1.
struct Reduced {
  Dims kept;
  double count = 1;   ///< elements that one result came from
  bool noop = false;  ///< no axes, and the node says that it then does nothing
};

Reduced reduced_dims(const GradientContext& context, const ReduceAttributes& attributes) {
  std::vector<int64_t> axes = attributes.axes.value_or(std::vector<int64_t>{});
  if (context.has_input(1)) axes = integer_list(context.input(1), attributes.place);
  Reduced result{context.dims(0), 1, axes.empty() && attributes.empty_is_identity};
  const std::vector<bool> reduced = reduced_axes(axes, result.kept.size(), attributes);
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (!reduced[i]) continue;
    result.count *= static_cast<double>(result.kept[i]);
    result.kept[i] = 1;
  }
  return result;
}

/// dx = factor(x, y, count) * dy; x and y are 0 where the gradient does not read them.
template <typename F>
void run_reduce(GradientContext& context, const ReduceAttributes& attributes, GradientReads reads,
                F factor) {
  if (!context.wants(0)) return;
  const Reduced reduced = reduced_dims(context, attributes);
  if (reduced.noop) return context.set_gradient(0, context.dy());
  const Dims& dims = context.dims(0);
  const std::string& place = attributes.place;
  const Tensor dy = spread_to(context.dy().reshaped(reduced.kept), dims, place);
  const Tensor y =
      reads.output(0) ? spread_to(context.output(0).reshaped(reduced.kept), dims, place) : Tensor{};
  dispatch<float, double>(dy.type(), place, [&]<typename T>() {
    const auto from = dy.as<T>();
    const T* data = reads.input(0) ? typed<T>(context.input(0), place).data() : nullptr;
    const T* result = reads.output(0) ? typed<T>(y, place).data() : nullptr;
    auto dx = context.allocate(0).mutable_as<T>();
    for (size_t i = 0; i < dx.size(); ++i) {
      dx[i] = from[i] * factor(data != nullptr ? data[i] : T{0},
                               result != nullptr ? result[i] : T{0}, static_cast<T>(reduced.count));
    }
  });
}

template <typename F>
std::unique_ptr<Gradient> reduction_gradient(const Node& node, GradientReads reads, F factor) {
  check_arity(node, 1);
  reads.inputs |= kAxes;
  return make_gradient(reads,
                       [reads, factor, attributes = read_reduce(node)](GradientContext& context) {
                         run_reduce(context, attributes, reads, factor);
                       });
}

/// How many elements equal each extreme, spread to the data's dimensions.
template <typename T>
Tensor equal_counts(const Tensor& x, const Tensor& y, const Dims& kept, const std::string& place) {
  const auto data = x.as<T>();
  const auto extreme = y.as<T>();
  const Tensor counts = sum_broadcast<T>(
      kept, x.dims(), [&](size_t i) { return data[i] == extreme[i] ? T{1} : T{0}; });
  return spread_to(counts, x.dims(), place);
}

void run_extreme(GradientContext& context, const ReduceAttributes& attributes) {
  if (!context.wants(0)) return;
  const Dims kept = reduced_dims(context, attributes).kept;
  const Tensor& x = context.input(0);
  const Tensor dy = spread_to(context.dy().reshaped(kept), x.dims(), attributes.place);
  const Tensor y = spread_to(context.output(0).reshaped(kept), x.dims(), attributes.place);
  dispatch<float, double>(dy.type(), attributes.place, [&]<typename T>() {
    const Tensor counts = equal_counts<T>(x, y, kept, attributes.place);
    const auto data = typed<T>(x, attributes.place);
    auto dx = context.allocate(0).mutable_as<T>();
    for (size_t i = 0; i < dx.size(); ++i)
      dx[i] = data[i] == y.as<T>()[i] ? dy.as<T>()[i] / counts.as<T>()[i] : T{0};
  });
}

std::unique_ptr<Gradient> extreme_gradient(const Node& node) {
  check_arity(node, 1);
  return make_gradient({.inputs = kData | kAxes, .outputs = kResult},
                       [attributes = read_reduce(node)](GradientContext& context) {
                         run_extreme(context, attributes);
                       });
}

}  // namespace

std::unique_ptr<Gradient> reduce_sum_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {}, []<typename T>(T, T, T) { return T{1}; });
}

std::unique_ptr<Gradient> reduce_mean_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {}, []<typename T>(T, T, T count) { return T{1} / count; });
}

std::unique_ptr<Gradient> reduce_l1_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {.inputs = kData}, []<typename T>(T x, T, T) {
    return static_cast<T>((T{0} < x) - (x < T{0}));
  });
}

std::unique_ptr<Gradient> reduce_l2_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {.inputs = kData, .outputs = kResult},
                            []<typename T>(T x, T y, T) { return y == T{0} ? T{0} : x / y; });
}

std::unique_ptr<Gradient> reduce_sum_square_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {.inputs = kData}, []<typename T>(T x, T, T) { return x + x; });
}

std::unique_ptr<Gradient> reduce_log_sum_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {.outputs = kResult},
                            []<typename T>(T, T y, T) { return std::exp(-y); });
}

std::unique_ptr<Gradient> reduce_log_sum_exp_gradient(const Node& node, int64_t) {
  return reduction_gradient(node, {.inputs = kData, .outputs = kResult},
                            []<typename T>(T x, T y, T) { return std::exp(x - y); });
}

std::unique_ptr<Gradient> reduce_max_gradient(const Node& node, int64_t) {
  return extreme_gradient(node);
}

std::unique_ptr<Gradient> reduce_min_gradient(const Node& node, int64_t) {
  return extreme_gradient(node);
}

}  // namespace limbeck
