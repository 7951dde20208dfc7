#include "calibration/sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace limbeck {
namespace {

constexpr int kSmallestExponent = -126;
constexpr size_t kBinCount = 2 * Sketch::kHalfBins;

struct Extremes {
  float low;
  float high;
  bool finite;
};

__attribute__((target_clones("avx512f", "avx2", "default"))) Extremes extremes_of(
    const float* values, size_t count) {
  float low = values[0];
  float high = values[0];
  uint32_t bad = 0;
  for (size_t i = 0; i < count; ++i) {
    const float value = values[i];
    low = value < low ? value : low;
    high = value > high ? value : high;
    bad |= std::fabs(value) <= 3.4028235e38F ? 0U : 1U;
  }
  return {low, high, bad == 0};
}

/// Bin numbers of values that all fit. The product is exact: the factor is a power of two.
__attribute__((target_clones("avx512f", "avx2", "default"))) void bin_numbers(const float* values,
                                                                              size_t count,
                                                                              float factor,
                                                                              int32_t* numbers) {
  for (size_t i = 0; i < count; ++i) {
    const float scaled = values[i] * factor;
    const auto whole = static_cast<int32_t>(scaled);
    numbers[i] = whole - (scaled < static_cast<float>(whole) ? 1 : 0) +
                 static_cast<int32_t>(Sketch::kHalfBins);
  }
}

/// Smallest exponent at which [low, high] fits into the bins: low >= -half * w and high < half * w.
int exponent_for(float low, float high) {
  int exponent = kSmallestExponent;
  const double magnitude =
      std::max(std::fabs(static_cast<double>(low)), std::fabs(static_cast<double>(high)));
  if (magnitude > 0) exponent = std::max(exponent, std::ilogb(magnitude / Sketch::kHalfBins) - 1);
  const auto fits = [&](int e) {
    const double reach = std::ldexp(static_cast<double>(Sketch::kHalfBins), e);
    return low >= -reach && high < reach;
  };
  while (!fits(exponent)) ++exponent;
  return exponent;
}

}  // namespace

double Sketch::bin_width() const { return std::ldexp(1.0, exponent_); }
float Sketch::average_min() const { return static_cast<float>(average_min_); }
float Sketch::average_max() const { return static_cast<float>(average_max_); }

void Sketch::widen(int exponent) {
  for (; exponent_ < exponent; ++exponent_) {
    std::vector<uint64_t> joined(kBinCount, 0);
    constexpr size_t kHalf = kHalfBins;
    for (size_t i = 0; i < kHalf; ++i) joined[kHalf / 2 + i] = bins_[2 * i] + bins_[2 * i + 1];
    bins_ = std::move(joined);
  }
}

void Sketch::follow(float low, float high) {
  if (!averaging_) {
    average_min_ = low;
    average_max_ = high;
    averaging_ = true;
    return;
  }
  average_min_ += kAveraging * (low - average_min_);
  average_max_ += kAveraging * (high - average_max_);
}

bool Sketch::add(std::span<const float> sample) {
  if (sample.empty()) return true;
  const Extremes extremes = extremes_of(sample.data(), sample.size());
  if (!extremes.finite) return false;
  const int exponent = exponent_for(extremes.low, extremes.high);
  if (count_ == 0) {
    bins_.assign(kBinCount, 0);
    exponent_ = exponent;
    min_ = extremes.low;
    max_ = extremes.high;
  }
  widen(exponent);
  min_ = std::min(min_, extremes.low);
  max_ = std::max(max_, extremes.high);
  count_values(sample);
  minima_.push_back(extremes.low);
  maxima_.push_back(extremes.high);
  follow(extremes.low, extremes.high);
  return true;
}

void Sketch::count_values(std::span<const float> sample) {
  constexpr size_t kChunk = 1024;
  // Two sets of counters, so that runs of equal values (zeros after Relu) do not wait for one
  // another.
  static thread_local std::array<std::vector<uint32_t>, 2> counters;
  for (auto& counter : counters) counter.assign(kBinCount, 0);
  std::array<int32_t, kChunk> numbers;
  const float factor = std::ldexp(1.0F, -exponent_);
  for (size_t start = 0; start < sample.size(); start += kChunk) {
    const size_t length = std::min(kChunk, sample.size() - start);
    bin_numbers(sample.data() + start, length, factor, numbers.data());
    for (size_t i = 0; i < length; ++i) ++counters[i & 1][static_cast<size_t>(numbers[i])];
  }
  for (size_t i = 0; i < kBinCount; ++i) bins_[i] += uint64_t{counters[0][i]} + counters[1][i];
  count_ += static_cast<int64_t>(sample.size());
}

void Sketch::append(const Sketch& later) {
  if (later.count_ == 0) return;
  if (count_ == 0) {
    bins_.assign(kBinCount, 0);
    exponent_ = later.exponent_;
    min_ = later.min_;
    max_ = later.max_;
  }
  widen(later.exponent_);
  Sketch aligned = later;
  aligned.widen(exponent_);
  for (size_t i = 0; i < kBinCount; ++i) bins_[i] += aligned.bins_[i];
  count_ += later.count_;
  min_ = std::min(min_, later.min_);
  max_ = std::max(max_, later.max_);
  for (size_t i = 0; i < later.minima_.size(); ++i) follow(later.minima_[i], later.maxima_[i]);
  minima_.clear();
  maxima_.clear();
}

Sketch Sketch::restore(int exponent, float min, float max, double average_min, double average_max,
                       std::vector<uint64_t> bins) {
  Sketch sketch;
  sketch.exponent_ = exponent;
  sketch.min_ = min;
  sketch.max_ = max;
  sketch.average_min_ = average_min;
  sketch.average_max_ = average_max;
  sketch.averaging_ = true;
  for (const uint64_t bin : bins) sketch.count_ += static_cast<int64_t>(bin);
  sketch.bins_ = std::move(bins);
  return sketch;
}

}  // namespace limbeck
