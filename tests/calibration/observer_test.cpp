// Every observer against an exact reference that keeps all values.
#include "calibration/observer.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/error.h"

using namespace limbeck;
using Catch::Matchers::WithinAbs;

namespace {

using Floats = std::vector<float>;
using Samples = std::vector<Floats>;

Samples draw(unsigned seed, const std::function<float(std::mt19937&)>& value) {
  std::mt19937 engine(seed);
  Samples samples(16, Floats(4096));
  for (Floats& sample : samples) {
    for (float& item : sample) item = value(engine);
  }
  return samples;
}

float gauss(std::mt19937& engine) { return std::normal_distribution<float>(0.3F, 1.0F)(engine); }

/// What activations look like, by name.
std::map<std::string, Samples> distributions() {
  std::map<std::string, Samples> all;
  all["gaussian"] = draw(1, gauss);
  all["after relu"] = draw(2, [](auto& engine) { return std::max(0.0F, gauss(engine)); });
  all["heavy tails"] =
      draw(3, [](auto& engine) { return std::student_t_distribution<float>(3.0F)(engine); });
  all["two modes"] = draw(4, [](auto& engine) {
    const float shift = std::bernoulli_distribution(0.2)(engine) ? 9.0F : -2.0F;
    return shift + 0.5F * gauss(engine);
  });
  all["negative"] = draw(
      5, [](auto& engine) { return -0.01F - std::exponential_distribution<float>(2.0F)(engine); });
  all["constant"] = Samples(3, Floats(100, 5.0F));
  all["one outlier"] = draw(6, gauss);
  all["one outlier"][7][123] = 60.0F;
  return all;
}

Sketch sketch_of(const Samples& samples) {
  Sketch sketch;
  for (const Floats& sample : samples) REQUIRE(sketch.add(sample));
  return sketch;
}

Floats sorted_values(const Samples& samples) {
  Floats all;
  for (const Floats& sample : samples) all.insert(all.end(), sample.begin(), sample.end());
  std::sort(all.begin(), all.end());
  return all;
}

void check_within_a_bin(const Range& range, const Range& exact, double width) {
  CHECK_THAT(range.min, WithinAbs(exact.min, width));
  CHECK_THAT(range.max, WithinAbs(exact.max, width));
}

Range exact_moving_average(const Samples& samples) {
  double low = 0;
  double high = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const auto [least, most] = std::minmax_element(samples[i].begin(), samples[i].end());
    low = i == 0 ? *least : 0.99 * low + 0.01 * *least;
    high = i == 0 ? *most : 0.99 * high + 0.01 * *most;
  }
  return {static_cast<float>(low), static_cast<float>(high)};
}

Range exact_percentile(const Floats& sorted, double percentile) {
  const double tail = static_cast<double>(sorted.size()) * (100.0 - percentile) / 200.0;
  const auto cut = static_cast<size_t>(tail);
  return {sorted[cut], sorted[sorted.size() - 1 - cut]};
}

/// Migacz's algorithm word by word on the magnitudes: for every number of kept bins, P with the
/// outliers in its last bin, Q merged into the levels and expanded over P's filled bins.
double migacz_divergence(const std::vector<double>& histogram, size_t kept, size_t levels) {
  std::vector<double> p(histogram.begin(), histogram.begin() + static_cast<std::ptrdiff_t>(kept));
  for (size_t i = kept; i < histogram.size(); ++i) p.back() += histogram[i];
  std::vector<double> q(kept, 0.0);
  for (size_t level = 0; level < levels; ++level) {
    const size_t start = level * kept / levels;
    const size_t end = (level + 1) * kept / levels;
    double mass = 0;
    double filled = 0;
    for (size_t i = start; i < end; ++i) {
      mass += histogram[i];
      filled += p[i] > 0 ? 1 : 0;
    }
    for (size_t i = start; i < end; ++i) q[i] = p[i] > 0 ? mass / filled : 0;
  }
  double p_sum = 0;
  double q_sum = 0;
  for (size_t i = 0; i < kept; ++i) {
    p_sum += p[i];
    q_sum += q[i];
  }
  if (q_sum <= 0) return INFINITY;
  double divergence = 0;
  for (size_t i = 0; i < kept; ++i) {
    if (p[i] <= 0) continue;
    const double spread = q[i] > 0 ? q[i] / q_sum : 1e-12;
    divergence += p[i] / p_sum * std::log(p[i] / p_sum / spread);
  }
  return divergence;
}

/// Every bin cut to the larger of the nearest filled bins on either side.
std::vector<double> without_spikes(const std::vector<double>& histogram) {
  std::vector<double> result = histogram;
  const auto size = static_cast<int>(histogram.size());
  const auto nearest = [&](int i, int step) {
    do i += step;
    while (i >= 0 && i < size && histogram[static_cast<size_t>(i)] == 0);
    return i >= 0 && i < size ? histogram[static_cast<size_t>(i)] : 0.0;
  };
  for (int i = 0; i < size; ++i) {
    const double neighbour = std::max(nearest(i, -1), nearest(i, 1));
    double& bin = result[static_cast<size_t>(i)];
    if (neighbour > 0) bin = std::min(bin, neighbour);
  }
  return result;
}

Range exact_entropy(const Floats& sorted, double width, size_t levels) {
  std::vector<double> histogram;
  for (const float value : sorted) {
    const auto bin = static_cast<size_t>(std::fabs(static_cast<double>(value)) / width);
    if (bin >= histogram.size()) histogram.resize(bin + 1);
    ++histogram[bin];
  }
  histogram = without_spikes(histogram);
  double least = INFINITY;
  size_t best = 0;
  for (size_t kept = levels; kept <= histogram.size(); ++kept) {
    const double divergence = migacz_divergence(histogram, kept, levels);
    if (divergence < least - 1e-12) {
      least = divergence;
      best = kept;
    }
  }
  const auto threshold = static_cast<float>(static_cast<double>(best) * width);
  return {std::max(sorted.front(), -threshold), std::min(sorted.back(), threshold)};
}

/// Expected squared error of [low, high]: a uniform error inside, the distance outside. Values that
/// a runtime stores as the code of zero cost nothing.
double clipping_error(const Floats& values, double low, double high, double codes, double zero) {
  const double step = (high - low) / codes;
  double error = 0;
  for (const float value : values) {
    if (value < low) error += (value - low) * (value - low);
    if (value >= high) error += (value - high) * (value - high);
    if (value >= low && value < high && !(value >= 0 && value < zero)) error += step * step / 12;
  }
  return error;
}

/// Squared error of really rounding to an asymmetric grid that holds zero.
double rounding_error(const Floats& values, const Range& range, int bits) {
  const double low = std::min(0.0F, range.min);
  const double high = std::max(0.0F, range.max);
  const double step = (high - low) / (std::ldexp(1.0, bits) - 1);
  const double zero = std::nearbyint(-low / step);
  double error = 0;
  for (const float value : values) {
    const double code =
        std::clamp(std::nearbyint(value / step) + zero, 0.0, std::ldexp(1.0, bits) - 1);
    const double difference = (code - zero) * step - value;
    error += difference * difference;
  }
  return error;
}

Range choose(const Sketch& sketch, ObserverMethod method, int bits = 8) {
  ObserverOptions options;
  options.bits = bits;
  return choose_range(sketch, method, options);
}

}  // namespace

TEST_CASE("minmax chooses the exact extremes", "[calibration]") {
  for (const auto& [name, samples] : distributions()) {
    INFO(name);
    const Floats values = sorted_values(samples);
    const Range range = choose(sketch_of(samples), ObserverMethod::kMinMax);
    CHECK(range.min == values.front());
    CHECK(range.max == values.back());
  }
}

TEST_CASE("moving-average follows the samples as exact arithmetic does", "[calibration]") {
  for (const auto& [name, samples] : distributions()) {
    INFO(name);
    const Sketch sketch = sketch_of(samples);
    check_within_a_bin(choose(sketch, ObserverMethod::kMovingAverage),
                       exact_moving_average(samples), 1e-3 * sketch.bin_width());
  }
}

TEST_CASE("percentile lies within a bin of the exact percentile", "[calibration]") {
  for (const auto& [name, samples] : distributions()) {
    for (const double percentile : {50.0, 90.0, 99.0, 99.9, 99.999, 100.0}) {
      INFO(name << " " << percentile);
      const Sketch sketch = sketch_of(samples);
      ObserverOptions options;
      options.percentile = percentile;
      check_within_a_bin(choose_range(sketch, ObserverMethod::kPercentile, options),
                         exact_percentile(sorted_values(samples), percentile), sketch.bin_width());
    }
  }
}

TEST_CASE("percentile 0 keeps the median", "[calibration]") {
  Sketch sketch;
  REQUIRE(sketch.add(Floats{1.0F, 2.0F, 3.0F, 4.0F, 5.0F}));
  ObserverOptions options;
  options.percentile = 0;
  const Range range = choose_range(sketch, ObserverMethod::kPercentile, options);
  check_within_a_bin(range, {3.0F, 3.0F}, sketch.bin_width());
  CHECK(range.min <= range.max);
}

TEST_CASE("percentile 60 of ten values cuts two at each end", "[calibration]") {
  Sketch sketch;
  REQUIRE(sketch.add(Floats{9, 1, 8, 2, 7, 3, 6, 4, 5, 0}));
  ObserverOptions options;
  options.percentile = 60;
  check_within_a_bin(choose_range(sketch, ObserverMethod::kPercentile, options), {2.0F, 7.0F},
                     sketch.bin_width());
}

TEST_CASE("entropy lies within a bin of Migacz's algorithm on all values", "[calibration]") {
  for (const auto& [name, samples] : distributions()) {
    for (const int bits : {8, 4}) {
      INFO(name << " " << bits << " bits");
      const Sketch sketch = sketch_of(samples);
      const bool one_sided = sketch.min() >= 0 || sketch.max() <= 0;
      const size_t levels = size_t{1} << (one_sided ? bits : bits - 1);
      check_within_a_bin(choose(sketch, ObserverMethod::kEntropy, bits),
                         exact_entropy(sorted_values(samples), sketch.bin_width(), levels),
                         sketch.bin_width());
    }
  }
}

TEST_CASE("entropy follows Migacz's algorithm on a long tail", "[calibration]") {
  // 8 levels at 3 bits, all of one sign. The top bin is number 2048, so the reference is quick.
  Floats values;
  for (int i = 0; i < 2048; ++i)
    values.insert(values.end(), static_cast<size_t>(2000.0 * std::exp(-i / 50.0)),
                  static_cast<float>(i));
  values.push_back(2048.0F);
  std::sort(values.begin(), values.end());
  Sketch sketch;
  REQUIRE(sketch.add(values));
  REQUIRE(sketch.bin_width() == 1.0);
  const Range exact = exact_entropy(values, 1.0, 8);
  CHECK(exact.max < 2048.0F);
  check_within_a_bin(choose(sketch, ObserverMethod::kEntropy, 3), exact, 1.0);
}

TEST_CASE("entropy does not clip values to make room for Relu's zeros", "[calibration]") {
  Samples samples = distributions()["after relu"];
  const Range with_zeros = choose(sketch_of(samples), ObserverMethod::kEntropy);
  CHECK(with_zeros.max > 2.5F);
  for (Floats& sample : samples) std::erase(sample, 0.0F);
  const Sketch sketch = sketch_of(samples);
  CHECK_THAT(with_zeros.max,
             WithinAbs(choose(sketch, ObserverMethod::kEntropy).max, sketch.bin_width()));
}

TEST_CASE("entropy keeps everything when there are as many bins as levels", "[calibration]") {
  // Values 0 and 2048 * 2^-11: all other bins are empty, and only the full range loses nothing.
  Sketch sketch;
  REQUIRE(sketch.add(Floats{0.0F, 0.0F, 0.0F, 1.0F}));
  const Range range = choose(sketch, ObserverMethod::kEntropy);
  CHECK(range.min == 0.0F);
  CHECK(range.max == 1.0F);
}

TEST_CASE("mse lies within a bin of the same optimum over all values", "[calibration]") {
  for (const auto& [name, samples] : distributions()) {
    for (const int bits : {8, 4, 2}) {
      INFO(name << " " << bits << " bits");
      const Sketch sketch = sketch_of(samples);
      ObserverOptions options;
      options.bits = bits;
      options.symmetric = true;
      const Floats values = sorted_values(samples);
      const double extreme = std::max(std::fabs(values.front()), std::fabs(values.back()));
      const double codes = std::ldexp(1.0, bits) - 1;
      double least = INFINITY;
      double best = 0;
      for (int i = 128; i >= 1; --i) {
        const double bound = extreme * i / 128;
        const double error = clipping_error(values, -bound, bound, codes, sketch.bin_width());
        if (error >= least) continue;
        least = error;
        best = bound;
      }
      check_within_a_bin(choose_range(sketch, ObserverMethod::kMse, options),
                         {static_cast<float>(-best), static_cast<float>(best)}, sketch.bin_width());
    }
  }
}

TEST_CASE("no clipping of either end rounds much better than mse's choice", "[calibration]") {
  for (const auto& [name, samples] : distributions()) {
    for (const int bits : {8, 4}) {
      INFO(name << " " << bits << " bits");
      const Floats values = sorted_values(samples);
      const Range chosen = choose(sketch_of(samples), ObserverMethod::kMse, bits);
      double least = INFINITY;
      for (int i = 1; i <= 8; ++i) {
        for (int j = 1; j <= 8; ++j) {
          const Range range = {std::min(0.0F, values.front()) * static_cast<float>(i) / 8,
                               std::max(0.0F, values.back()) * static_cast<float>(j) / 8};
          if (range.min < range.max) least = std::min(least, rounding_error(values, range, bits));
        }
      }
      CHECK(rounding_error(values, chosen, bits) <= 1.05 * least + 1e-9);
    }
  }
}

TEST_CASE("mse clips one outlier among a thousand ones at 2 bits", "[calibration]") {
  // [0, b] with b >= 1 costs 999 * b^2 / 108 + (4 - b)^2, 18 and more. At b = 1 the ones lie on the
  // end and only the four pays, 9. Below 1 they are clipped: 999 * 0.03^2 + 3.03^2 = 10 at 0.97.
  Floats values(999, 1.0F);
  values.push_back(4.0F);
  Sketch sketch;
  REQUIRE(sketch.add(values));
  const Range range = choose(sketch, ObserverMethod::kMse, 2);
  CHECK(range.min == 0.0F);
  CHECK(range.max == 1.0F);
}

TEST_CASE("mse clips nothing of sixteen-bit activations", "[calibration]") {
  const Samples samples = distributions()["one outlier"];
  const Range range = choose(sketch_of(samples), ObserverMethod::kMse, 16);
  CHECK(range.max == 60.0F);
}

TEST_CASE("every observer gives a finite range inside the extremes and zero", "[calibration]") {
  auto all = distributions();
  all["zeros"] = {Floats(10, 0.0F)};
  all["huge"] = {{3e38F, -3e38F, 1e38F}};
  all["subnormal"] = {{1e-45F, -3e-45F}};
  for (const auto& [name, samples] : all) {
    const Sketch sketch = sketch_of(samples);
    for (const ObserverRow& row : observer_table()) {
      for (const int bits : {2, 8, 16}) {
        INFO(name << " " << row.name << " " << bits);
        const Range range = choose(sketch, row.method, bits);
        CHECK(std::isfinite(range.min));
        CHECK(std::isfinite(range.max));
        CHECK(range.min <= range.max);
        CHECK(range.min >= std::min(0.0F, sketch.min()));
        CHECK(range.max <= std::max(0.0F, sketch.max()));
      }
    }
  }
}

TEST_CASE("an observer without values chooses zero", "[calibration]") {
  for (const ObserverRow& row : observer_table()) {
    const Range range = choose(Sketch(), row.method);
    CHECK(range.min == 0.0F);
    CHECK(range.max == 0.0F);
  }
}

TEST_CASE("every observer is found under its name, and no other", "[calibration]") {
  for (const ObserverRow& row : observer_table()) {
    CHECK(observer_from_name(std::string(row.name)) == row.method);
    CHECK(observer_name(row.method) == row.name);
  }
  try {
    observer_from_name("average");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kUsage);
    CHECK_THAT(error.what(), Catch::Matchers::ContainsSubstring(
                                 "minmax, moving-average, percentile, entropy, mse"));
  }
}
