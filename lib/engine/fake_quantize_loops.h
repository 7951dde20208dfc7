// The inner loops of fake quantization, compiled for several instruction sets and chosen at run
// time (Highway). Shared by lib/engine and lib/autodiff.
#pragma once

#include <cstdint>

namespace limbeck {

/// code = clamp(round_half_even(x / scale) + zero, low, high), y = (code - zero) * scale. A NaN
/// gives the code `zero`.
struct FakeQuantizeParams {
  float scale = 1;
  float zero = 0;
  float low = 0;
  float high = 0;
};

/// The bits of QuantizeLinear -> Clip -> DequantizeLinear.
void fake_quantize_values(const float* x, float* y, int64_t count,
                          const FakeQuantizeParams& params);
/// One scale a column, which takes the place of params.scale.
void fake_quantize_rows(const float* x, float* y, int64_t rows, int64_t columns,
                        const float* scales, const FakeQuantizeParams& params);

/// dx (may be null): dy where the rounded code lies within [low, high], else 0. Returns the sum of
/// dy * (code - zero - (inside ? x / scale : 0)), the gradient of the scale.
double fake_quantize_gradient(const float* x, const float* dy, float* dx, int64_t count,
                              const FakeQuantizeParams& params);
/// Adds the gradients of the scales to `sums`, in the order of the rows.
void fake_quantize_gradient_rows(const float* x, const float* dy, float* dx, int64_t rows,
                                 int64_t columns, const float* scales, double* sums,
                                 const FakeQuantizeParams& params);

}  // namespace limbeck
