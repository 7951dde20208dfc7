#include "lib/ops/resize_core.h"

#include <algorithm>
#include <cmath>

#include "lib/ops/copy.h"
#include "lib/ops/numbers.h"

namespace limbeck {
namespace {

template <typename Work>
using Plane = std::vector<Work>;

/// The tensor as [outer, axis, inner].
struct Split {
  int64_t outer = 1;
  int64_t inner = 1;
};

template <typename Work>
void blend_row(const ResizeTaps& taps, size_t i, const Work* from, int64_t inner, Work* to) {
  std::fill_n(to, inner, Work{0});
  for (size_t t = taps.starts[i]; t < taps.starts[i + 1]; ++t) {
    const auto weight = static_cast<Work>(taps.taps[t].weight);
    const Work* row = from + taps.taps[t].source * inner;
    for (int64_t j = 0; j < inner; ++j) to[j] += weight * row[j];
  }
}

template <typename Work>
Plane<Work> blend_axis(const Plane<Work>& x, const ResizeTaps& taps, const ResizeAxis& axis,
                       const Split& split, Work outside) {
  Plane<Work> y(at(split.outer * axis.output * split.inner));
  Work* to = y.data();
  for (int64_t o = 0; o < split.outer; ++o) {
    const Work* from = x.data() + o * axis.input * split.inner;
    for (size_t i = 0; i < at(axis.output); ++i, to += split.inner) {
      if (taps.starts[i] == taps.starts[i + 1])
        std::fill_n(to, split.inner, outside);
      else
        blend_row(taps, i, from, split.inner, to);
    }
  }
  return y;
}

template <typename T>
T narrow(double value) {
  if constexpr (std::is_floating_point_v<T>)
    return static_cast<T>(value);
  else
    return saturating_cast<T>(std::nearbyint(value));
}

template <typename T>
void blend(const Tensor& x, Tensor& y, const ResizeAttributes& attributes, const ResizeAxes& axes) {
  using Work = std::conditional_t<std::is_same_v<T, double>, double, float>;
  const auto items = x.as<T>();
  Plane<Work> plane(items.begin(), items.end());
  Dims dims = x.dims();
  for (size_t i = 0; i < axes.size(); ++i) {
    const ResizeTaps taps = resize_taps(attributes, axes[i]);
    if (taps.identity(axes[i].input)) continue;
    const Split split{product(dims, 0, i), product(dims, i + 1, dims.size())};
    plane = blend_axis(plane, taps, axes[i], split, static_cast<Work>(attributes.extrapolation));
    dims[i] = axes[i].output;
  }
  auto target = y.mutable_as<T>();
  for (size_t i = 0; i < target.size(); ++i) target[i] = narrow<T>(plane[i]);
}

void pick(const Tensor& x, Tensor& y, const ResizeAttributes& attributes, const ResizeAxes& axes,
          const std::string& place) {
  IndexTables tables;
  bool outside = false;
  for (const ResizeAxis& axis : axes) {
    tables.push_back(nearest_table(attributes, axis));
    outside = outside || std::count(tables.back().begin(), tables.back().end(), -1) > 0;
  }
  if (!outside) return index_copy(x, tables, nullptr, y, place);
  dispatch_numeric(x.type(), place, [&]<typename T>() {
    const T fill = narrow<T>(attributes.extrapolation);
    index_copy(x, tables, reinterpret_cast<const std::byte*>(&fill), y, place);
  });
}

}  // namespace

void run_resize(KernelContext& context, const ResizeAttributes& attributes, const ResizeAxes& axes,
                const std::string& place) {
  const Tensor& x = context.input(0);
  Dims dims;
  for (const ResizeAxis& axis : axes) dims.push_back(axis.output);
  element_count(dims, place);
  Tensor& y = context.allocate(0, x.type(), std::move(dims));
  if (y.count() == 0) return;
  if (attributes.mode == ResizeMode::kNearest) return pick(x, y, attributes, axes, place);
  dispatch<float, double, uint8_t, int8_t>(x.type(), place,
                                           [&]<typename T>() { blend<T>(x, y, attributes, axes); });
}

}  // namespace limbeck
