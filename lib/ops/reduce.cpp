// Reductions over axes: sum, mean, extremes, product.
#include "lib/ops/reduce.h"

#include <cmath>
#include <limits>

#include "lib/ops/broadcast.h"
#include "lib/ops/numbers.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

/// Accumulators are double for floats and 64-bit integers otherwise.
template <typename T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

template <typename T, typename F>
void accumulate(const Tensor& x, const Dims& kept, std::vector<Accumulator<T>>& sums, F step) {
  const BroadcastPlan plan = plan_broadcast(x.dims(), kept, x.dims());
  const size_t outer = plan.dims.size() - 1;
  const int64_t n = plan.dims[outer];
  const bool moves = plan.b_strides[outer] != 0;
  const T* source = x.as<T>().data();
  Dims position(outer, 0);
  if (x.count() == 0) return;
  do {
    int64_t target = 0;
    for (size_t i = 0; i < outer; ++i) target += position[i] * plan.b_strides[i];
    Accumulator<T>* sum = sums.data() + target;
    if (moves) {
      for (int64_t i = 0; i < n; ++i) sum[i] = step(sum[i], static_cast<Accumulator<T>>(source[i]));
    } else {
      Accumulator<T> local = *sum;
      for (int64_t i = 0; i < n; ++i) local = step(local, static_cast<Accumulator<T>>(source[i]));
      *sum = local;
    }
    source += n;
  } while (next_position(position, plan.dims, outer));
}

template <typename T>
void run_reduce(KernelContext& context, const ReduceAttributes& attributes,
                const ReduceRule& rule) {
  const Tensor& x = context.input(0);
  std::vector<int64_t> axes = attributes.axes.value_or(std::vector<int64_t>{});
  if (const Tensor* input = context.optional_input(1))
    axes = integer_list(*input, attributes.place);
  const std::vector<bool> reduced = reduced_axes(axes, x.rank(), attributes);
  if (axes.empty() && attributes.empty_is_identity) return context.set_output(0, x);
  Dims kept = x.dims();
  Dims output;
  double count = 1;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (!reduced[i] || attributes.keep) output.push_back(reduced[i] ? 1 : kept[i]);
    if (reduced[i]) count *= static_cast<double>(kept[i]);
    if (reduced[i]) kept[i] = 1;
  }
  std::vector<Accumulator<T>> sums(at(element_count(kept, attributes.place)),
                                   saturating_cast<Accumulator<T>>(rule.start));
  if constexpr (std::is_floating_point_v<T>)
    accumulate<T>(x, kept, sums, rule.step);
  else if (rule.integer_step != nullptr)
    accumulate<T>(x, kept, sums, rule.integer_step);
  else
    fail_unsupported(attributes.place, "the reduction is for floating point",
                     data_type_name(x.type()));
  auto target = context.allocate(0, x.type(), output).template mutable_as<T>();
  for (size_t i = 0; i < target.size(); ++i) {
    const bool plain = rule.finish == nullptr;
    target[i] = plain ? static_cast<T>(sums[i])
                      : saturating_cast<T>(rule.finish(static_cast<double>(sums[i]), count));
  }
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

ReduceAttributes read_reduce(const Node& node) {
  ReduceAttributes attributes{std::nullopt, node.int_attribute("keepdims", 1) != 0,
                              node.int_attribute("noop_with_empty_axes", 0) != 0, node.place()};
  if (node.has_attribute("axes")) attributes.axes = node.ints_attribute("axes", {});
  return attributes;
}

std::vector<bool> reduced_axes(const std::vector<int64_t>& axes, size_t rank,
                               const ReduceAttributes& attributes) {
  const bool all = axes.empty() && !attributes.empty_is_identity;
  std::vector<bool> reduced(rank, all);
  for (const size_t axis : normal_axes(axes, rank, attributes.place)) reduced[axis] = true;
  return reduced;
}

std::unique_ptr<Kernel> reduction(const Node& node, const ReduceRule& rule) {
  check_arity(node, 1);
  return make_kernel([rule, attributes = read_reduce(node)](KernelContext& context) {
    dispatch<float, double, int32_t, int64_t, int8_t, uint8_t>(
        context.input(0).type(), attributes.place,
        [&]<typename T>() { run_reduce<T>(context, attributes, rule); });
  });
}

std::unique_ptr<Kernel> reduce_sum_kernel(const Node& node, int64_t) {
  return reduction(node, {0, wrapping_add<double>, wrapping_add<int64_t>, nullptr});
}

std::unique_ptr<Kernel> reduce_mean_kernel(const Node& node, int64_t) {
  return reduction(node, {0, wrapping_add<double>, wrapping_add<int64_t>,
                          [](double sum, double n) { return sum / n; }});
}

std::unique_ptr<Kernel> reduce_max_kernel(const Node& node, int64_t) {
  return reduction(node, {-kInfinity, larger<double>, larger<int64_t>, nullptr});
}

std::unique_ptr<Kernel> reduce_min_kernel(const Node& node, int64_t) {
  return reduction(node, {kInfinity, smaller<double>, smaller<int64_t>, nullptr});
}

std::unique_ptr<Kernel> reduce_prod_kernel(const Node& node, int64_t) {
  return reduction(node, {1, wrapping_multiply<double>, wrapping_multiply<int64_t>, nullptr});
}

void reduce_shape(const ShapeContext& context) {
  same_type_only(context);
  const Shape* input = context.shape(0);
  const ReduceAttributes attributes = read_reduce(context.node);
  if (input == nullptr || (is_dynamic(context, 1) && !attributes.axes)) return;
  const auto axes = list_parameter(context, 1, "axes").value_or(std::vector<int64_t>{});
  const std::vector<bool> reduced = reduced_axes(axes, input->size(), attributes);
  Shape output;
  for (size_t i = 0; i < input->size(); ++i) {
    if (!reduced[i])
      output.push_back((*input)[i]);
    else if (attributes.keep)
      output.push_back({1, ""});
  }
  context.set(0, DataType::kUndefined, std::move(output));
}

}  // namespace limbeck
