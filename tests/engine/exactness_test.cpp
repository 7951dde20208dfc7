// Integer kernels must not saturate between products: 255 * 127 + 255 * 127 = 64770 does not fit
// into the 16 bits in which vpmaddubsw adds two products.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/engine_compare.h"

namespace limbeck::test {
namespace {

/// Weights of +127, but -127 for every second output channel.
Tensor extreme_weights(const Dims& dims, size_t channel_axis) {
  Tensor codes = filled_codes(DataType::kInt8, dims, 127);
  int64_t inner = 1;
  for (size_t i = channel_axis + 1; i < dims.size(); ++i) inner *= dims[i];
  const auto values = codes.mutable_as<int8_t>();
  for (size_t i = 0; i < values.size(); ++i) {
    const auto channel = static_cast<int64_t>(i) / inner % dims[channel_axis];
    if (channel % 2 == 1) values[i] = -127;
  }
  return codes;
}

/// Codes of the input's extreme value; every seventh is in the middle, so that results differ.
Tensor extreme_codes(DataType type, const Dims& dims, int value) {
  Tensor codes = filled_codes(type, dims, value);
  std::byte* bytes = codes.mutable_raw();
  for (int64_t i = 0; i < codes.count(); i += 7) bytes[i] = std::byte{64};
  return codes;
}

void check_convolution(DataType type, int value, int64_t groups, const Dims& kernel, int zero) {
  CAPTURE(data_type_name(type), value, groups, zero);
  ModelBuilder builder(13);
  Dims input{2, 12};
  Dims weights{24, 12 / groups};
  float products = static_cast<float>(12 / groups);
  for (const int64_t extent : kernel) {
    input.push_back(9);
    weights.push_back(extent);
    products *= static_cast<float>(extent);
  }
  const std::string x = add_code_input(builder, "x", input, {1.0F, zero, type});
  const std::string w = add_weights(builder, "w", extreme_weights(weights, 0), {1.0F}, 0);
  builder.node("Conv", {x, w}, {"y"}).with("group", groups);
  // The largest sum is then 120 steps from the zero point.
  add_code_output(builder, "y", {255.0F * 127.0F * products / 120.0F, 128, DataType::kUint8});
  const double share = check_fused_codes(builder.build(), {extreme_codes(type, input, value)});
  CHECK(share == 1.0);
}

}  // namespace

TEST_CASE("convolutions of extreme codes and weights do not saturate", "[engine]") {
  for (const Dims& kernel : {Dims{3, 3}, Dims{1, 1}, Dims{5}}) {
    CAPTURE(dims_text(kernel));
    check_convolution(DataType::kUint8, 255, 1, kernel, 0);
    check_convolution(DataType::kUint8, 255, 1, kernel, 128);
    check_convolution(DataType::kUint8, 255, 3, kernel, 0);
    check_convolution(DataType::kInt8, -128, 1, kernel, 0);
    check_convolution(DataType::kInt8, 127, 1, kernel, -128);
  }
}

TEST_CASE("depthwise convolutions of extreme codes and weights do not saturate", "[engine]") {
  for (const int64_t channels : {8, 24, 27}) {
    CAPTURE(channels);
    ModelBuilder builder(13);
    const Dims input{2, channels, 9, 9};
    const std::string x = add_code_input(builder, "x", input, {1.0F, 0, DataType::kUint8});
    const std::string w =
        add_weights(builder, "w", extreme_weights({channels, 1, 5, 5}, 0), {1.0F}, 0);
    builder.node("Conv", {x, w}, {"y"})
        .with("group", channels)
        .with("pads", std::vector<int64_t>{2, 2, 2, 2});
    add_code_output(builder, "y", {255.0F * 127.0F * 25.0F / 120.0F, 128, DataType::kUint8});
    check_fused_codes(builder.build(), {extreme_codes(DataType::kUint8, input, 255)});
  }
}

TEST_CASE("matrix products of extreme codes and weights do not saturate", "[engine]") {
  for (const bool gemm : {false, true}) {
    for (const int64_t inner : {64, 37}) {
      CAPTURE(gemm, inner);
      ModelBuilder builder(13);
      const std::string x = add_code_input(builder, "x", {5, inner}, {1.0F, 0, DataType::kUint8});
      const Dims dims = gemm ? Dims{19, inner} : Dims{inner, 19};
      const std::string w =
          add_weights(builder, "w", extreme_weights(dims, gemm ? 0 : 1), {1.0F}, gemm ? 0 : 1);
      if (gemm) {
        builder.node("Gemm", {x, w}, {"y"}).with("transB", 1);
      } else {
        builder.node("MatMul", {x, w}, {"y"});
      }
      const float step = 255.0F * 127.0F * static_cast<float>(inner) / 120.0F;
      add_code_output(builder, "y", {step, 128, DataType::kUint8});
      check_fused_codes(builder.build(), {extreme_codes(DataType::kUint8, {5, inner}, 255)});
    }
  }
}

TEST_CASE("a hand-computed convolution of extreme codes is exact", "[engine]") {
  // Two channels of 255 times two weights of 127: 64770, which is 100 steps of 647.7. A kernel that
  // saturates at 32767 gives 51.
  ModelBuilder builder(13);
  const std::string x = add_code_input(builder, "x", {1, 2, 1, 2}, {1.0F, 0, DataType::kUint8});
  const std::string w =
      add_weights(builder, "w", filled_codes(DataType::kInt8, {1, 2, 1, 1}, 127), {1.0F}, 0);
  builder.node("Conv", {x, w}, {"y"});
  add_code_output(builder, "y", {647.7F, 0, DataType::kUint8});
  const Tensor codes = Tensor::from<uint8_t>({1, 2, 1, 2}, {255, 0, 255, 255});
  const auto result = run_engine(builder.build(), {codes}, true);
  CHECK(result[0].to_int64() == std::vector<int64_t>{100, 50});
}

}  // namespace limbeck::test
