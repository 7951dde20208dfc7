// Observers: each turns the sketch of a tensor into a clipping range.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "calibration/sketch.h"

namespace limbeck {

enum class ObserverMethod { kMinMax, kMovingAverage, kPercentile, kEntropy, kMse };

/// A clipping range in units of the tensor; min <= max, both finite.
struct Range {
  float min = 0;
  float max = 0;
};

struct ObserverOptions {
  int bits = 8;                ///< width of the integers that the range will be cut into
  bool symmetric = false;      ///< the range will be widened to [-m, m]
  double percentile = 99.999;  ///< percent of the values inside the range (percentile observer)
};

/// One row of the table of observers.
struct ObserverRow {
  ObserverMethod method;
  std::string_view name;
  Range (*choose)(const Sketch& sketch, const ObserverOptions& options);
};
/// Every observer; walked by tests.
std::span<const ObserverRow> observer_table();

/// An empty sketch gives [0, 0].
Range choose_range(const Sketch& sketch, ObserverMethod method, const ObserverOptions& options);
std::string observer_name(ObserverMethod method);
/// Raises kUsage listing the known names.
ObserverMethod observer_from_name(const std::string& name);

// The observers, one a file.

/// Smallest and largest value seen.
Range observe_minmax(const Sketch& sketch, const ObserverOptions& options);
/// Exponential moving average of each sample's extremes, in data order.
Range observe_moving_average(const Sketch& sketch, const ObserverOptions& options);
/// Cuts (100 - percentile) / 2 percent of the values off each end.
Range observe_percentile(const Sketch& sketch, const ObserverOptions& options);
/// The threshold with the least Kullback-Leibler divergence between the clipped and the quantized
/// distribution of magnitudes (S. Migacz, 8-bit Inference with TensorRT, GTC 2017). Where all
/// values have one sign, all codes are levels. A bin counts for as much as the larger of its filled
/// neighbours at most: values that repeat exactly have a code of their own under any threshold.
Range observe_entropy(const Sketch& sketch, const ObserverOptions& options);
/// The range with the least expected squared error of rounding and clipping (R. Banner et al., Post
/// training 4-bit quantization of convolutional networks, NeurIPS 2019, on the observed
/// distribution instead of a fitted one).
Range observe_mse(const Sketch& sketch, const ObserverOptions& options);

}  // namespace limbeck
