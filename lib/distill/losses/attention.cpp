#include "lib/distill/losses/attention.h"

#include <cmath>

#include "lib/distill/losses/feature_maps.h"
#include "lib/distill/losses/rows.h"
#include "lib/distill/losses/taps.h"

namespace limbeck {
namespace {

constexpr const char* kName = "attention";

/// |value|^power without std::pow for the paper's own power.
double raised(double value, double power) {
  return power == 2 ? value * value : std::pow(std::abs(value), power);
}

double raised_slope(double value, double power) {
  if (power == 2) return 2 * value;
  return std::copysign(power * std::pow(std::abs(value), power - 1), value);
}

/// An attention map of length one, and its length before.
struct Attention {
  std::vector<double> map;
  double length = 0;
};

Attention attention_of(const FeatureMaps& maps, size_t sample, double power) {
  Attention result;
  result.map.resize(maps.positions());
  for (size_t c = 0; c < maps.channels; ++c) {
    const double* plane = maps.plane(sample, c);
    for (size_t p = 0; p < maps.positions(); ++p) result.map[p] += raised(plane[p], power);
  }
  result.length = std::sqrt(dot(result.map, result.map));
  for (double& value : result.map) value = result.length > 0 ? value / result.length : 0;
  return result;
}

/// Writes the gradient of one sample from that of its normalised map.
void backward(const Attention& attention, std::span<const double> outer, const FeatureMaps& maps,
              size_t sample, double power, FeatureMaps& gradient) {
  if (attention.length == 0) return;
  const double along = dot(outer, attention.map);
  for (size_t c = 0; c < maps.channels; ++c) {
    const double* plane = maps.plane(sample, c);
    double* to = gradient.plane(sample, c);
    for (size_t p = 0; p < maps.positions(); ++p) {
      const double inner = (outer[p] - along * attention.map[p]) / attention.length;
      to[p] = inner * raised_slope(plane[p], power);
    }
  }
}

}  // namespace

LossResult attention(const LossInput& input, const AttentionOptions& options) {
  const FeatureMaps student = read_maps(input.student, kName);
  const MapPair pair = pool_to_common(student, read_maps(input.teacher, kName), kName);
  check_batch(input, student.samples, kName);
  const size_t positions = pair.student.positions();
  const double scale = 1 / (static_cast<double>(input.batch) * static_cast<double>(positions));
  FeatureMaps gradient =
      zero_maps(student.samples, student.channels, pair.student.height, pair.student.width);
  LossResult result;
  for (size_t n = 0; n < student.samples; ++n) {
    const Attention own = attention_of(pair.student, n, options.power);
    const Attention wanted = attention_of(pair.teacher, n, options.power);
    std::vector<double> outer(positions);
    double squares = 0;
    for (size_t p = 0; p < positions; ++p) {
      const double difference = own.map[p] - wanted.map[p];
      squares += difference * difference;
      outer[p] = 2 * scale * difference;
    }
    result.loss += scale * squares;
    backward(own, outer, pair.student, n, options.power, gradient);
  }
  result.student = write_values(input.student, unpool_gradient(gradient, student).values);
  return result;
}

LossTerm make_attention(OptionReader& reader) {
  AttentionOptions options;
  options.power = reader.number("power", options.power, {1, 8});
  LossTerm term;
  read_taps(reader, term);
  term.evaluate = [options](const LossInput& input) { return attention(input, options); };
  return term;
}

}  // namespace limbeck
