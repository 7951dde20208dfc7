#include "lib/ops/pooling.h"

#include <limits>

#include "lib/ops/rows.h"

namespace limbeck {
namespace {

Dims pool_dims(const Dims& input, const Windows& windows) {
  Dims dims{input[0], input[1]};
  for (const WindowAxis& axis : windows) dims.push_back(axis.output);
  return dims;
}

/// Position within a plane counted with the first spatial axis fastest (storage_order 1).
int64_t column_major(const Windows& windows, int64_t offset) {
  Dims position(windows.size(), 0);
  for (size_t i = windows.size(); i-- > 0; offset /= windows[i].input)
    position[i] = offset % windows[i].input;
  int64_t result = 0;
  for (size_t i = windows.size(); i-- > 0;) result = result * windows[i].input + position[i];
  return result;
}

template <typename T>
void max_plane(const Windows& windows, const T* x, T* y, int64_t* indices) {
  const int64_t kernel = kernel_size(windows);
  for (int64_t k = 0; k < kernel; ++k) {
    for_each_run(windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
      for (int64_t i = 0; i < count; ++i) {
        const T item = x[source + i * step];
        if (!(item > y[target + i])) continue;
        y[target + i] = item;
        if (indices != nullptr) indices[target + i] = source + i * step;
      }
    });
  }
}

template <typename T>
void run_max_pool(KernelContext& context, const Windows& windows, bool columns) {
  const Tensor& x = context.input(0);
  const Dims dims = pool_dims(x.dims(), windows);
  auto y = context.allocate(0, x.type(), dims).template mutable_as<T>();
  using Limits = std::numeric_limits<T>;
  std::fill(y.begin(), y.end(),
            Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest());
  const bool indexed = context.output_count() > 1;
  std::vector<int64_t> indices(indexed ? y.size() : 0, 0);
  const int64_t in = input_size(windows);
  const int64_t out = output_size(windows);
  for (int64_t i = 0; i < dims[0] * dims[1]; ++i) {
    max_plane(windows, x.as<T>().data() + i * in, y.data() + i * out,
              indexed ? indices.data() + i * out : nullptr);
    for (int64_t j = i * out; indexed && j < (i + 1) * out; ++j) {
      indices[at(j)] = i * in + (columns ? column_major(windows, indices[at(j)]) : indices[at(j)]);
    }
  }
  if (indexed) context.set_output(1, Tensor::from<int64_t>(dims, indices));
}

template <typename T>
void run_average_pool(KernelContext& context, const Windows& windows, bool with_padding) {
  const Tensor& x = context.input(0);
  const Dims dims = pool_dims(x.dims(), windows);
  auto y = context.allocate(0, x.type(), dims).template mutable_as<T>();
  std::fill(y.begin(), y.end(), T{0});
  const std::vector<float> counts = window_counts(windows, with_padding);
  const int64_t in = input_size(windows);
  const int64_t out = output_size(windows);
  const int64_t kernel = kernel_size(windows);
  for (int64_t plane = 0; plane < dims[0] * dims[1]; ++plane) {
    const T* from = x.as<T>().data() + plane * in;
    T* to = y.data() + plane * out;
    for (int64_t k = 0; k < kernel; ++k) {
      for_each_run(windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
        for (int64_t i = 0; i < count; ++i) to[target + i] += from[source + i * step];
      });
    }
    for (int64_t i = 0; i < out; ++i)
      to[i] /= static_cast<T>(counts[at(i)] > 0 ? counts[at(i)] : 1.0F);
  }
}

}  // namespace

Windows pool_windows(WindowAttributes window, const Dims& dims, const std::string& place) {
  if (dims.size() < 3) fail_model(place, "the input must have rank 3 or more", dims_text(dims));
  complete_window(window, dims.size() - 2, place);
  return resolve_windows(window, dims, place);
}

std::vector<float> window_counts(const Windows& windows, bool with_padding) {
  std::vector<float> counts{1.0F};
  for (const WindowAxis& axis : windows) {
    std::vector<float> next;
    for (const float count : counts) {
      for (int64_t o = 0; o < axis.output; ++o) {
        int64_t inside = 0;
        for (int64_t k = 0; k < axis.kernel; ++k) {
          const int64_t source = o * axis.stride + k * axis.dilation - axis.pad_begin;
          if (with_padding ? source < axis.input + axis.pad_end
                           : source >= 0 && source < axis.input)
            ++inside;
        }
        next.push_back(count * static_cast<float>(inside));
      }
    }
    counts = std::move(next);
  }
  return counts;
}

void pool_shape(const ShapeContext& context) {
  same_type_only(context);
  context.set_type(1, DataType::kInt64);
  const Shape* input = context.shape(0);
  if (input == nullptr) return;
  const std::string place = context.node.place();
  if (input->size() < 3)
    fail_model(place, "the input must have rank 3 or more", shape_text(*input));
  WindowAttributes window = read_window(context.node);
  complete_window(window, input->size() - 2, place);
  Shape output{(*input)[0], (*input)[1]};
  append_window_dims(window, *input, output, place);
  context.set(0, DataType::kUndefined, output);
  context.set(1, DataType::kUndefined, std::move(output));
}

std::unique_ptr<Kernel> max_pool_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  const bool columns = node.int_attribute("storage_order", 0) != 0;
  return make_kernel(
      [window = read_window(node), columns, place = node.place()](KernelContext& context) {
        const Windows windows = pool_windows(window, context.input(0).dims(), place);
        dispatch<float, double, int8_t, uint8_t>(context.input(0).type(), place, [&]<typename T>() {
          run_max_pool<T>(context, windows, columns);
        });
      });
}

std::unique_ptr<Kernel> average_pool_kernel(const Node& node, int64_t) {
  check_arity(node, 1);
  const bool with_padding = node.int_attribute("count_include_pad", 0) != 0;
  return make_kernel(
      [window = read_window(node), with_padding, place = node.place()](KernelContext& context) {
        const Windows windows = pool_windows(window, context.input(0).dims(), place);
        dispatch<float, double>(context.input(0).type(), place, [&]<typename T>() {
          run_average_pool<T>(context, windows, with_padding);
        });
      });
}

}  // namespace limbeck
