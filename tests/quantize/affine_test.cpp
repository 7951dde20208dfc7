#include "lib/quantize/affine.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "lib/base/error.h"

using namespace limbeck;

TEST_CASE("a range of 0 to 255 has step one and zero point zero in uint8", "[quantize]") {
  const AffineParams params = params_for_range(0, 255, DataType::kUint8, false);
  CHECK(params == AffineParams{1.0F, 0});
  CHECK(quantize_value(7.4F, params, {0, 255}) == 7);
  CHECK(quantize_value(300.0F, params, {0, 255}) == 255);
  CHECK(quantize_value(-3.0F, params, {0, 255}) == 0);
}

TEST_CASE("halves round to the even code", "[quantize]") {
  const AffineParams params{1.0F, 0};
  CHECK(quantize_value(0.5F, params, {-128, 127}) == 0);
  CHECK(quantize_value(1.5F, params, {-128, 127}) == 2);
  CHECK(quantize_value(2.5F, params, {-128, 127}) == 2);
  CHECK(quantize_value(-1.5F, params, {-128, 127}) == -2);
}

TEST_CASE("an asymmetric range represents zero exactly", "[quantize]") {
  const AffineParams params = params_for_range(-1.0F, 3.0F, DataType::kUint8, false);
  CHECK(params.zero_point == 64);
  CHECK(dequantize_value(quantize_value(0.0F, params, {0, 255}), params) == 0.0F);
}

TEST_CASE("a range that leaves zero out is widened to hold it", "[quantize]") {
  CHECK(params_for_range(2.0F, 5.1F, DataType::kUint8, false) ==
        params_for_range(0.0F, 5.1F, DataType::kUint8, false));
}

TEST_CASE("a constant zero tensor has scale one", "[quantize]") {
  CHECK(params_for_range(0, 0, DataType::kUint8, false) == AffineParams{1.0F, 0});
  CHECK(params_for_range(0, 0, DataType::kInt8, true) == AffineParams{1.0F, 0});
}

TEST_CASE("the symmetric zero point of an unsigned type is its middle code", "[quantize]") {
  CHECK(params_for_range(-127, 127, DataType::kUint8, true) == AffineParams{1.0F, 128});
}

TEST_CASE("a range that is not finite is a data error", "[quantize]") {
  CHECK_THROWS_AS(
      params_for_range(0, std::numeric_limits<float>::infinity(), DataType::kUint8, false), Error);
}

TEST_CASE("per-channel scale of an all-zero channel is one", "[quantize]") {
  const Tensor weights = Tensor::from<float>({2, 2}, {0, 0, 127, -63.5F});
  CHECK(channel_scales(weights, 0, 127, false) == std::vector<float>{1.0F, 1.0F});
  const auto codes = quantize_channels(weights, 0, {1.0F, 1.0F}, 127);
  CHECK(codes == std::vector<int8_t>{0, 0, 127, -64});
}

TEST_CASE("per-channel scales follow the axis", "[quantize]") {
  const Tensor weights = Tensor::from<float>({2, 2}, {127, 254, -12.7F, 25.4F});
  CHECK(channel_scales(weights, 1, 127, false) == std::vector<float>{1.0F, 2.0F});
}

TEST_CASE("a single outlier is clipped when that lowers the squared error", "[quantize]") {
  std::vector<float> values(64);
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i)) * 0.7F;
  values[0] = 1.4F;
  const Tensor weights = Tensor::from<float>({1, 64}, values);
  const float widest = channel_scales(weights, 0, 7, false)[0];
  const float best = channel_scales(weights, 0, 7, true)[0];
  const auto error = [&](float scale) {
    const auto codes = quantize_channels(weights, 0, {scale}, 7);
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i)
      sum += std::pow(values[i] - scale * static_cast<float>(codes[i]), 2);
    return sum;
  };
  CHECK(best < widest);
  CHECK(error(best) < error(widest));
}

TEST_CASE("int4 codes are packed low nibble first, also for an odd length", "[quantize]") {
  const std::vector<int8_t> codes = {1, -1, 7};
  const Tensor packed = pack_codes(DataType::kInt4, {3}, codes);
  REQUIRE(packed.bytes() == 2);
  CHECK(std::to_integer<int>(packed.raw()[0]) == 0xF1);
  CHECK(std::to_integer<int>(packed.raw()[1]) == 0x07);
  CHECK(packed.to_int64() == std::vector<int64_t>{1, -1, 7});
}

TEST_CASE(
    "every dequantized value lies within half a step of its source, and some beyond a quarter",
    "[quantize]") {
  const AffineParams params = params_for_range(-1.0F, 1.0F, DataType::kInt8, false);
  float worst = 0;
  for (int i = -999; i <= 999; ++i) {
    const float x = static_cast<float>(i) / 1000.0F;
    worst = std::max(
        worst, std::fabs(dequantize_value(quantize_value(x, params, {-128, 127}), params) - x));
  }
  CHECK(worst <= params.scale * 0.5001F);
  CHECK(worst >= params.scale * 0.25F);
}
