// Pairs that round activations to 4 bits, as one step against the plain kernels.
#include <catch2/catch_test_macros.hpp>

#include "lib/quantize/affine.h"
#include "tests/support/engine_compare.h"

namespace limbeck::test {
namespace {

ModelBuilder rounded(DataType type, int8_t zero, bool convolves) {
  ModelBuilder builder(21);
  builder.input("x", {2, 8, 9, 7}).output("y");
  builder.weight("s", Tensor::scalar(0.125F))
      .weight("z", pack_codes(type, {}, std::vector<int8_t>{zero}));
  builder.weight("w", noise({4, 8, 3, 3}, 1)).weight("v", noise({3, 4, 1, 1}, 2));
  builder.weight("step", Tensor::scalar(0.7F));
  if (convolves)
    builder.node("Conv", {"x", "w"}, {"a"});
  else
    builder.node("Relu", {"x"}, {"a"});
  builder.node("QuantizeLinear", {"a", convolves ? "step" : "s", "z"}, {"q"});
  builder.node("DequantizeLinear", {"q", convolves ? "step" : "s", "z"}, {"d"});
  return builder;
}

}  // namespace

TEST_CASE("rounding to 4 bits between convolutions stays in float", "[engine]") {
  for (const DataType type : {DataType::kUint4, DataType::kInt4}) {
    ModelBuilder builder = rounded(type, 3, true);
    builder.node("Conv", {"d", "v"}, {"y"});
    check_fused(builder.build(), {noise({2, 8, 9, 7}, 4)});
  }
}

TEST_CASE("rounding to 4 bits saturates where the codes end", "[engine]") {
  // Steps of 1/8 with zero point 3: values from -3/8 to 12/8, unsigned.
  ModelBuilder builder(21);
  builder.input("x", {6}).output("y");
  builder.weight("s", Tensor::scalar(0.125F));
  builder.weight("z", pack_codes(DataType::kUint4, {}, std::vector<int8_t>{3}));
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  builder.node("DequantizeLinear", {"q", "s", "z"}, {"y"});
  const Tensor x = floats({-1, 0, 0.0625F, 0.1875F, 1.49F, 9});
  for (const bool fuse : {true, false}) {
    const auto outputs = run_engine(builder.build(), {x}, fuse);
    CHECK(outputs[0].to_float() == std::vector<float>{-0.375F, 0, 0, 0.25F, 1.5F, 1.5F});
  }
}

TEST_CASE("a tap on 4-bit codes keeps them", "[engine]") {
  ModelBuilder builder = rounded(DataType::kUint4, 0, false);
  builder.node("Conv", {"d", "w"}, {"y"});
  check_fused(builder.build(), {noise({2, 8, 9, 7}, 4)}, {"q", "d"});
}

}  // namespace limbeck::test
