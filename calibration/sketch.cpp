#include "calibration/sketch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace limbeck {
namespace {

constexpr size_t kBinCount = 2 * Sketch::kHalfBins;
constexpr auto kOffset = static_cast<int32_t>(Sketch::kHalfBins);
/// Values numbered at once: their numbers stay in the first-level cache.
constexpr size_t kChunk = 1024;

/// Smallest exponent at which [low, high] fits into the bins: low >= -half * w and high < half * w.
int exponent_for(float low, float high) {
  int exponent = Sketch::kSmallestExponent;
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

/// Calls use(numbers, length) on the bin numbers of `values`, chunk by chunk.
template <typename Use>
void for_numbers(std::span<const float> values, int exponent, const Use& use) {
  std::array<int32_t, kChunk> numbers;
  for (size_t start = 0; start < values.size(); start += kChunk) {
    const size_t length = std::min(kChunk, values.size() - start);
    number_bins(values.subspan(start, length), exponent, kOffset, numbers.data());
    use(numbers.data(), length);
  }
}

/// Four sets of counters, so that runs of equal values (zeros after Relu) do not wait for one
/// another in the processor's store buffer.
constexpr size_t kLanes = 4;
using Counters = std::array<std::array<uint32_t, kBinCount>, kLanes>;

void count_lanes(const int32_t* numbers, size_t length, Counters& counters) {
  size_t i = 0;
  for (; i + kLanes <= length; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane)
      ++counters[lane][static_cast<size_t>(numbers[i + lane])];
  }
  for (; i < length; ++i) ++counters[0][static_cast<size_t>(numbers[i])];
}

}  // namespace

double Sketch::bin_width() const { return std::ldexp(1.0, exponent_); }

void Sketch::widen(int exponent) {
  if (exponent <= exponent_) return;
  // Beyond 13 halvings every bin falls into the one below zero or the one above.
  const int shift = std::min(exponent - exponent_, 13);
  std::vector<uint64_t> joined(kBinCount, 0);
  for (int64_t i = 0; i < static_cast<int64_t>(kBinCount); ++i) {
    const int64_t target = ((i - kHalfBins) >> shift) + kHalfBins;
    joined[static_cast<size_t>(target)] += bins_[static_cast<size_t>(i)];
  }
  bins_ = std::move(joined);
  exponent_ = exponent;
}

void Sketch::reach(float low, float high, int exponent) {
  if (count_ == 0) {
    bins_.assign(kBinCount, 0);
    exponent_ = exponent;
    min_ = low;
    max_ = high;
  }
  widen(exponent);
  min_ = std::min(min_, low);
  max_ = std::max(max_, high);
}

void Sketch::follow(const Extremes& extremes) {
  const double low = extremes.low;
  const double high = extremes.high;
  average_min_ = averaging_ ? average_min_ + kAveraging * (low - average_min_) : low;
  average_max_ = averaging_ ? average_max_ + kAveraging * (high - average_max_) : high;
  averaging_ = true;
}

bool Sketch::add(std::span<const float> sample) {
  if (sample.empty()) return true;
  const Extremes extremes = find_extremes(sample);
  if (!extremes.finite) return false;
  record(sample, extremes);
  follow(extremes);
  return true;
}

void Sketch::record(std::span<const float> values, const Extremes& extremes) {
  if (values.empty()) return;
  reach(extremes.low, extremes.high, exponent_for(extremes.low, extremes.high));
  // Clearing and adding up the lanes costs as much as counting some ten thousand values.
  constexpr size_t kFew = 16384;
  if (values.size() < kFew) {
    count_few(values);
  } else {
    constexpr size_t kMost = size_t{1} << 30;  // a lane's counter cannot overflow
    for (size_t start = 0; start < values.size(); start += kMost)
      count_many(values.subspan(start, std::min(kMost, values.size() - start)), extremes);
  }
  count_ += static_cast<int64_t>(values.size());
}

void Sketch::count_few(std::span<const float> values) {
  for_numbers(values, exponent_, [this](const int32_t* numbers, size_t length) {
    for (size_t i = 0; i < length; ++i) ++bins_[static_cast<size_t>(numbers[i])];
  });
}

void Sketch::count_many(std::span<const float> values, const Extremes& extremes) {
  static thread_local Counters counters;
  const std::array<float, 2> ends = {extremes.low, extremes.high};
  std::array<int32_t, 2> numbers;
  number_bins(ends, exponent_, kOffset, numbers.data());
  const auto first = static_cast<size_t>(numbers[0]);
  const auto end = static_cast<size_t>(numbers[1]) + 1;
  for (auto& lane : counters) std::fill(lane.begin() + first, lane.begin() + end, 0U);
  for_numbers(values, exponent_,
              [](const int32_t* chunk, size_t length) { count_lanes(chunk, length, counters); });
  for (size_t i = first; i < end; ++i) {
    bins_[i] += uint64_t{counters[0][i]} + counters[1][i] + counters[2][i] + counters[3][i];
  }
}

void Sketch::merge(const Sketch& other) {
  if (other.count_ == 0) return;
  reach(other.min_, other.max_, other.exponent_);
  const auto add_bins = [this](const std::vector<uint64_t>& bins) {
    std::transform(bins.begin(), bins.end(), bins_.begin(), bins_.begin(), std::plus<>());
  };
  if (other.exponent_ == exponent_) {
    add_bins(other.bins_);
  } else {
    Sketch aligned = other;
    aligned.widen(exponent_);
    add_bins(aligned.bins_);
  }
  count_ += other.count_;
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
