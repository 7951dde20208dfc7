// Gradients of MaxPool and AveragePool. Among equal maxima the first window element wins, as in the
// kernel.
#include <limits>

#include "lib/ops/gradient_rows.h"
#include "lib/ops/pooling.h"

namespace limbeck {
namespace {

/// Position of the largest element of each window of one plane; -1 for a window without elements.
template <typename T>
void find_maxima(const Windows& windows, const T* x, std::vector<T>& best,
                 std::vector<int64_t>& sources) {
  std::fill(best.begin(), best.end(), -std::numeric_limits<T>::infinity());
  std::fill(sources.begin(), sources.end(), -1);
  for (int64_t k = 0; k < kernel_size(windows); ++k) {
    for_each_run(windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
      for (int64_t i = 0; i < count; ++i) {
        const T item = x[source + i * step];
        if (!(item > best[at(target + i)])) continue;
        best[at(target + i)] = item;
        sources[at(target + i)] = source + i * step;
      }
    });
  }
}

template <typename T>
void run_max_pool(GradientContext& context, const Windows& windows, const std::string& place) {
  const T* x = typed<T>(context.input(0), place).data();
  const T* dy = context.dy().as<T>().data();
  T* dx = context.zeros(0).mutable_as<T>().data();
  const int64_t in = input_size(windows);
  const int64_t out = output_size(windows);
  std::vector<T> best(at(out));
  std::vector<int64_t> sources(at(out));
  for (int64_t plane = 0; plane < context.dims(0)[0] * context.dims(0)[1]; ++plane) {
    find_maxima(windows, x + plane * in, best, sources);
    for (int64_t i = 0; i < out; ++i) {
      if (sources[at(i)] >= 0) dx[plane * in + sources[at(i)]] += dy[plane * out + i];
    }
  }
}

template <typename T>
void run_average_pool(GradientContext& context, const Windows& windows, bool with_padding) {
  const T* dy = context.dy().as<T>().data();
  T* dx = context.zeros(0).mutable_as<T>().data();
  const std::vector<float> counts = window_counts(windows, with_padding);
  const int64_t in = input_size(windows);
  const int64_t out = output_size(windows);
  std::vector<T> share(at(out));
  for (int64_t plane = 0; plane < context.dims(0)[0] * context.dims(0)[1]; ++plane) {
    for (size_t i = 0; i < share.size(); ++i)
      share[i] = dy[plane * out + static_cast<int64_t>(i)] /
                 static_cast<T>(counts[i] > 0 ? counts[i] : 1.0F);
    T* image = dx + plane * in;
    for (int64_t k = 0; k < kernel_size(windows); ++k) {
      for_each_run(windows, k, [&](int64_t target, int64_t source, int64_t count, int64_t step) {
        for (int64_t i = 0; i < count; ++i) image[source + i * step] += share[at(target + i)];
      });
    }
  }
}

}  // namespace

std::unique_ptr<Gradient> max_pool_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  return make_gradient(
      {.inputs = GradientReads::slot(0)},
      [window = read_window(node), place = node.place()](GradientContext& context) {
        if (!context.wants(0)) return;
        const Windows windows = pool_windows(window, context.dims(0), place);
        dispatch<float, double>(context.dy().type(), place,
                                [&]<typename T>() { run_max_pool<T>(context, windows, place); });
      });
}

std::unique_ptr<Gradient> average_pool_gradient(const Node& node, int64_t) {
  check_arity(node, 1);
  const bool with_padding = node.int_attribute("count_include_pad", 0) != 0;
  return make_gradient({}, [window = read_window(node), with_padding,
                            place = node.place()](GradientContext& context) {
    if (!context.wants(0)) return;
    const Windows windows = pool_windows(window, context.dims(0), place);
    dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
      run_average_pool<T>(context, windows, with_padding);
    });
  });
}

}  // namespace limbeck
