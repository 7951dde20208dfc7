#include "lib/ops/dropout_training.h"

#include "lib/ops/common.h"

namespace limbeck {

uint64_t derived_seed(uint64_t seed, uint64_t index) {
  uint64_t z = seed + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

Tensor dropout_mask(DataType type, const Dims& dims, double ratio, uint64_t seed,
                    const std::string& place) {
  if (!(ratio >= 0 && ratio < 1))
    fail_model(place, "ratio must be at least 0 and below 1", std::to_string(ratio));
  constexpr double kUnit = 0x1p-53;
  // Hashed first: seeds that differ by a multiple of the step would give shifted copies.
  const uint64_t stream = derived_seed(seed, 0);
  Tensor mask = Tensor::allocate(type, dims);
  dispatch<float, double>(type, place, [&]<typename T>() {
    const auto kept = static_cast<T>(1.0 / (1.0 - ratio));
    auto target = mask.mutable_as<T>();
    for (size_t i = 0; i < target.size(); ++i)
      target[i] = static_cast<double>(derived_seed(stream, i) >> 11) * kUnit < ratio ? T{0} : kept;
  });
  return mask;
}

Tensor dropout_apply(const Tensor& x, const Tensor& mask, const std::string& place) {
  Tensor y = Tensor::allocate(x.type(), x.dims());
  dispatch<float, double>(x.type(), place, [&]<typename T>() {
    const auto from = x.as<T>();
    const auto factor = typed<T>(mask, place);
    check_model(factor.size() == from.size(), place, "the mask must have one item an element",
                mask.count());
    auto target = y.mutable_as<T>();
    for (size_t i = 0; i < target.size(); ++i) target[i] = from[i] * factor[i];
  });
  return y;
}

}  // namespace limbeck
