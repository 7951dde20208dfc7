// Numbers of tensors and how far two rows of them are apart. Internal to lib/evaluate.
#pragma once

#include <span>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// The elements of a tensor of any numeric type as floats; float tensors are not copied. The tensor
/// must outlive the object.
class FloatValues {
 public:
  explicit FloatValues(const Tensor& tensor);
  FloatValues(const FloatValues&) = delete;
  FloatValues& operator=(const FloatValues&) = delete;
  std::span<const float> values() const { return values_; }

 private:
  std::vector<float> converted_;
  std::span<const float> values_;
};

/// Float of any width.
bool holds_fractions(DataType type);

/// Sums over the elements, in double.
struct Distance {
  double signal = 0;        ///< r^2
  double model_square = 0;  ///< y^2
  double noise = 0;         ///< (r - y)^2
  double dot = 0;           ///< r y
  double max_abs = 0;       ///< largest |r - y|

  void add(const Distance& other);
  bool finite() const;
};

/// Both spans have the same length.
Distance distance(std::span<const float> reference, std::span<const float> model);

}  // namespace limbeck
