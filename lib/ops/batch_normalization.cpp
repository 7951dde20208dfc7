// BatchNormalization: stored statistics, or those of the batch (training_mode, opset 14).
#include <cmath>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct BatchNorm {
  float epsilon = 1e-5F;
  float momentum = 0.9F;
  bool training = false;
  std::string place;
};

template <typename T>
struct Statistics {
  std::vector<T> mean;
  std::vector<T> variance;
};

/// Items of a parameter, one a channel.
template <typename T>
std::vector<T> read_parameter(const KernelContext& context, size_t index, const BatchNorm& op) {
  const auto items = typed<T>(context.input(index), op.place);
  const auto count = static_cast<int64_t>(items.size());
  check_model(count == context.input(0).dim(1), op.place,
              "each parameter must have one item a channel", count);
  return {items.begin(), items.end()};
}

/// Calls f(channel, first element of a plane) for every plane.
template <typename F>
void for_each_plane(const Tensor& x, int64_t inner, F f) {
  for (int64_t i = 0; i < x.dim(0) * x.dim(1); ++i) f(at(i % x.dim(1)), i * inner);
}

/// Mean and population variance of each channel, summed in double.
template <typename T>
Statistics<T> batch_statistics(const Tensor& x, int64_t inner) {
  std::vector<double> sums(at(x.dim(1)), 0);
  std::vector<double> squares(sums.size(), 0);
  const auto values = x.as<T>();
  const auto count = static_cast<double>(x.dim(0) * inner);
  for_each_plane(x, inner, [&](size_t c, int64_t first) {
    for (int64_t i = 0; i < inner; ++i) sums[c] += static_cast<double>(values[at(first + i)]);
  });
  for (double& sum : sums) sum /= count;
  for_each_plane(x, inner, [&](size_t c, int64_t first) {
    for (int64_t i = 0; i < inner; ++i) {
      const double distance = static_cast<double>(values[at(first + i)]) - sums[c];
      squares[c] += distance * distance / count;
    }
  });
  return {{sums.begin(), sums.end()}, {squares.begin(), squares.end()}};
}

/// Output `index`: momentum * stored + (1 - momentum) * batch.
template <typename T>
void set_running(KernelContext& context, size_t index, const std::vector<T>& stored,
                 const std::vector<T>& batch, T momentum) {
  if (context.output_count() <= index) return;
  const Dims dims{static_cast<int64_t>(stored.size())};
  auto target = context.allocate(index, data_type_of<T>(), dims).template mutable_as<T>();
  for (size_t c = 0; c < stored.size(); ++c)
    target[c] = momentum * stored[c] + (T{1} - momentum) * batch[c];
}

template <typename T>
void run_batch_norm(KernelContext& context, const BatchNorm& op) {
  const Tensor& x = context.input(0);
  if (x.rank() < 2) fail_model(op.place, "the input must have rank 2 or more", dims_text(x.dims()));
  const auto scale = read_parameter<T>(context, 1, op);
  const auto bias = read_parameter<T>(context, 2, op);
  const Statistics<T> stored{read_parameter<T>(context, 3, op), read_parameter<T>(context, 4, op)};
  const int64_t inner = product(x.dims(), 2, x.rank());
  const Statistics<T> used = op.training ? batch_statistics<T>(x, inner) : stored;
  const T* source = x.as<T>().data();
  T* target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
  for_each_plane(x, inner, [&](size_t c, int64_t first) {
    const T factor = scale[c] / std::sqrt(used.variance[c] + static_cast<T>(op.epsilon));
    const T shift = bias[c] - used.mean[c] * factor;
    for (int64_t i = first; i < first + inner; ++i) target[i] = source[i] * factor + shift;
  });
  if (!op.training) return;
  set_running(context, 1, stored.mean, used.mean, static_cast<T>(op.momentum));
  set_running(context, 2, stored.variance, used.variance, static_cast<T>(op.momentum));
}

}  // namespace

void batch_normalization_shape(const ShapeContext& context) {
  same_shape(context);
  if (context.node.int_attribute("training_mode", 0) == 0) return;
  for (const size_t i : {size_t{1}, size_t{2}}) {
    if (const Value* stored = context.input(i + 2)) context.set_type(i, stored->type);
    if (const Shape* shape = context.shape(i + 2)) context.set(i, DataType::kUndefined, *shape);
  }
}

std::unique_ptr<Kernel> batch_normalization_kernel(const Node& node, int64_t) {
  check_arity(node, 5);
  if (node.int_attribute("spatial", 1) != 1)
    fail_unsupported(node.place(), "spatial must be 1", "0");
  const BatchNorm op{node.float_attribute("epsilon", 1e-5F), node.float_attribute("momentum", 0.9F),
                     node.int_attribute("training_mode", 0) != 0, node.place()};
  return make_kernel([op](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), op.place,
                            [&]<typename T>() { run_batch_norm<T>(context, op); });
  });
}

}  // namespace limbeck
