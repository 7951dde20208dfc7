#include "lib/quantize/mean_shift.h"

namespace limbeck {

std::vector<double> mean_shift(const Node& node, const std::vector<double>& means,
                               const Tensor& weights, const std::vector<int8_t>& codes,
                               int64_t axis, const std::vector<float>& scales) {
  std::vector<double> shift(scales.size(), 0.0);
  if (node.op_type() == "ConvTranspose") return shift;
  const bool conv = node.op_type() == "Conv";
  const int64_t groups = conv ? node.int_attribute("group", 1) : 1;
  const auto values = weights.as<float>();
  const int64_t inner = conv ? weights.count() / (weights.dim(0) * weights.dim(1)) : 1;
  const int64_t rows = weights.dim(0);
  const int64_t columns = weights.dim(1);
  for (int64_t i = 0; i < weights.count(); ++i) {
    const int64_t row = i / inner / columns;
    const int64_t column = i / inner % columns;
    const int64_t out = axis == 0 ? row : column;
    int64_t in = axis == 0 ? column : row;
    if (conv) in += row / (rows / groups) * columns;
    if (in >= static_cast<int64_t>(means.size())) return std::vector<double>(scales.size(), 0.0);
    const auto k = static_cast<size_t>(i);
    const auto o = static_cast<size_t>(out);
    shift[o] +=
        (static_cast<double>(codes[k]) * scales[o] - values[k]) * means[static_cast<size_t>(in)];
  }
  return shift;
}

}  // namespace limbeck
