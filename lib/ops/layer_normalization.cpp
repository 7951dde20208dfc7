// LayerNormalization (opset 17): each row, from `axis` to the end, has mean 0 and variance 1 before
// scale and bias.
#include <cmath>

#include "lib/ops/broadcast.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

struct LayerNorm {
  int64_t axis = -1;
  double epsilon = 1e-5;
  std::string place;
};

struct Row {
  double mean = 0;
  double inverse_deviation = 0;
};

template <typename T>
Row row_statistics(const T* x, int64_t length, double epsilon) {
  double sum = 0;
  for (int64_t i = 0; i < length; ++i) sum += static_cast<double>(x[i]);
  const double mean = sum / static_cast<double>(length);
  double squares = 0;
  for (int64_t i = 0; i < length; ++i) {
    const double distance = static_cast<double>(x[i]) - mean;
    squares += distance * distance;
  }
  return {mean, 1.0 / std::sqrt(squares / static_cast<double>(length) + epsilon)};
}

/// The parameter spread over one row; null where the model leaves it out.
template <typename T>
std::optional<std::vector<T>> spread(const Tensor* parameter, const Dims& row,
                                     const std::string& place) {
  if (parameter == nullptr) return std::nullopt;
  typed<T>(*parameter, place);
  if (broadcast_dims(parameter->dims(), row, place) != row)
    fail_model(place, "scale and bias must broadcast to " + dims_text(row),
               dims_text(parameter->dims()));
  const Tensor zero = Tensor::zeros(parameter->type(), row);
  Tensor full = Tensor::allocate(parameter->type(), row);
  apply_broadcast<T, T>(*parameter, zero, full, full.mutable_as<T>().data(),
                        [](T x, T) { return x; });
  const auto items = full.as<T>();
  return std::vector<T>(items.begin(), items.end());
}

template <typename T>
void run_layer_norm(KernelContext& context, const LayerNorm& op) {
  const Tensor& x = context.input(0);
  const size_t axis = normal_axis(op.axis, x.rank(), op.place);
  const Dims row(x.dims().begin() + static_cast<std::ptrdiff_t>(axis), x.dims().end());
  const int64_t length = product(row, 0, row.size());
  const auto scale = spread<T>(&context.input(1), row, op.place);
  const auto bias = spread<T>(context.optional_input(2), row, op.place);
  Dims outer = x.dims();
  std::fill(outer.begin() + static_cast<std::ptrdiff_t>(axis), outer.end(), 1);
  std::vector<T> means;
  std::vector<T> deviations;
  const T* source = x.as<T>().data();
  T* target = context.allocate(0, x.type(), x.dims()).template mutable_as<T>().data();
  for (int64_t r = 0; r < product(x.dims(), 0, axis); ++r, source += length, target += length) {
    const Row statistics = row_statistics(source, length, op.epsilon);
    for (int64_t i = 0; i < length; ++i) {
      const double item = (static_cast<double>(source[i]) - statistics.mean) *
                          statistics.inverse_deviation * static_cast<double>((*scale)[at(i)]);
      target[i] = static_cast<T>(item + (bias ? static_cast<double>((*bias)[at(i)]) : 0.0));
    }
    means.push_back(static_cast<T>(statistics.mean));
    deviations.push_back(static_cast<T>(statistics.inverse_deviation));
  }
  if (context.output_count() > 1) context.set_output(1, Tensor::from<T>(outer, means));
  if (context.output_count() > 2) context.set_output(2, Tensor::from<T>(outer, deviations));
}

}  // namespace

void layer_normalization_shape(const ShapeContext& context) {
  same_shape(context);
  const Value* input = context.input(0);
  if (input == nullptr) return;
  context.set_type(1, input->type);
  context.set_type(2, input->type);
  if (!input->shape) return;
  Shape outer = *input->shape;
  const size_t axis =
      normal_axis(context.node.int_attribute("axis", -1), outer.size(), context.node.place());
  std::fill(outer.begin() + static_cast<std::ptrdiff_t>(axis), outer.end(), Dim{1, ""});
  context.set(1, DataType::kUndefined, outer);
  context.set(2, DataType::kUndefined, outer);
}

std::unique_ptr<Kernel> layer_normalization_kernel(const Node& node, int64_t) {
  check_arity(node, 2);
  const LayerNorm op{node.int_attribute("axis", -1),
                     static_cast<double>(node.float_attribute("epsilon", 1e-5F)), node.place()};
  return make_kernel([op](KernelContext& context) {
    dispatch<float, double>(context.input(0).type(), op.place,
                            [&]<typename T>() { run_layer_norm<T>(context, op); });
  });
}

}  // namespace limbeck
