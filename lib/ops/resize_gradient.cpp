// Gradients of Resize and Upsample: every output pixel hands its gradient back to the pixels it was
// read from, by their weights.
#include "lib/ops/gradient_rows.h"
#include "lib/ops/resize_core.h"

namespace limbeck {
namespace {

/// Nearest mode as taps of weight one.
ResizeTaps nearest_taps(const ResizeAttributes& attributes, const ResizeAxis& axis) {
  ResizeTaps result;
  for (const int64_t source : nearest_table(attributes, axis)) {
    if (source >= 0) result.taps.push_back({source, 1.0F});
    result.starts.push_back(result.taps.size());
  }
  return result;
}

/// The transpose of blending one axis: [outer, output, inner] to [outer, input, inner].
template <typename T>
std::vector<T> unblend(const std::vector<T>& y, const ResizeTaps& taps, const ResizeAxis& axis,
                       int64_t outer, int64_t inner) {
  std::vector<T> x(at(outer * axis.input * inner), T{0});
  const T* from = y.data();
  for (int64_t o = 0; o < outer; ++o) {
    T* image = x.data() + o * axis.input * inner;
    for (size_t i = 0; i < at(axis.output); ++i, from += inner) {
      for (size_t t = taps.starts[i]; t < taps.starts[i + 1]; ++t) {
        T* row = image + taps.taps[t].source * inner;
        for (int64_t j = 0; j < inner; ++j) row[j] += static_cast<T>(taps.taps[t].weight) * from[j];
      }
    }
  }
  return x;
}

template <typename T>
Tensor resize_back(const Tensor& dy, const ResizeAttributes& attributes, const ResizeAxes& axes) {
  const auto items = dy.as<T>();
  std::vector<T> plane(items.begin(), items.end());
  Dims dims = dy.dims();
  for (size_t i = axes.size(); i-- > 0;) {
    const bool nearest = attributes.mode == ResizeMode::kNearest;
    const ResizeTaps taps =
        nearest ? nearest_taps(attributes, axes[i]) : resize_taps(attributes, axes[i]);
    if (taps.identity(axes[i].input)) continue;
    plane = unblend(plane, taps, axes[i], product(dims, 0, i), product(dims, i + 1, dims.size()));
    dims[i] = axes[i].input;
  }
  return Tensor::from<T>(dims, plane);
}

std::unique_ptr<Gradient> make_resize_gradient(const Node& node, int64_t opset) {
  return make_gradient(
      {.inputs = ~GradientReads::slot(0)},
      [attributes = read_resize_attributes(node, opset), slots = read_resize_slots(node, opset),
       place = node.place()](GradientContext& context) {
        if (!context.wants(0)) return;
        const ResizeRequest request = read_resize_request(
            slots, [&](size_t i) { return context.has_input(i) ? &context.input(i) : nullptr; },
            place);
        const ResizeAxes axes = resolve_resize(attributes, request, context.dims(0), place);
        dispatch<float, double>(context.dy().type(), place, [&]<typename T>() {
          context.set_gradient(0, resize_back<T>(context.dy(), attributes, axes));
        });
      });
}

}  // namespace

std::unique_ptr<Gradient> resize_gradient(const Node& node, int64_t opset) {
  return make_resize_gradient(node, opset);
}

std::unique_ptr<Gradient> upsample_gradient(const Node& node, int64_t opset) {
  return make_resize_gradient(node, opset);
}

}  // namespace limbeck
