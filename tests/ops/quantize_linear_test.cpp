#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <limits>

#include "lib/base/error.h"
#include "lib/ops/nibbles.h"
#include "tests/support/run_node.h"

namespace limbeck::test {
namespace {

using Codes = std::vector<int64_t>;

template <typename T>
Tensor zero_points(Dims dims, std::vector<T> values) {
  return Tensor::from<T>(std::move(dims), values);
}

}  // namespace

TEST_CASE("QuantizeLinear adds the zero point after rounding and saturates in uint8", "[ops]") {
  const Tensor x = floats({0, 2, 3, 1000, -254, -1000});
  const auto y = run_node(
      {.op = "QuantizeLinear", .inputs = {x, Tensor::scalar(2.0F), Tensor::scalar<uint8_t>(128)}});
  CHECK(y[0].type() == DataType::kUint8);
  CHECK(whole(y[0]) == Codes{128, 129, 130, 255, 1, 0});
}

TEST_CASE("QuantizeLinear rounds halves to the even code and saturates in int8", "[ops]") {
  const Tensor x = floats({0.5F, 1.5F, 2.5F, -0.5F, -1.5F, -2.5F, 127.5F, -128.5F, 1e30F});
  const auto y = run_node(
      {.op = "QuantizeLinear", .inputs = {x, Tensor::scalar(1.0F), Tensor::scalar<int8_t>(0)}});
  CHECK(whole(y[0]) == Codes{0, 2, 2, 0, -2, -2, 127, -128, 127});
}

TEST_CASE("QuantizeLinear without zero point gives uint8 around zero", "[ops]") {
  const auto y =
      run_node({.op = "QuantizeLinear", .inputs = {floats({-1, 0, 3}), Tensor::scalar(0.5F)}});
  CHECK(y[0].type() == DataType::kUint8);
  CHECK(whole(y[0]) == Codes{0, 0, 6});
}

TEST_CASE("QuantizeLinear of an all-zero tensor gives the zero point everywhere", "[ops]") {
  const auto y = run_node(
      {.op = "QuantizeLinear",
       .inputs = {floats({0, -0.0F, 0}), Tensor::scalar(1.0F), Tensor::scalar<uint8_t>(7)}});
  CHECK(whole(y[0]) == Codes{7, 7, 7});
}

TEST_CASE("QuantizeLinear takes one scale and zero point a position of its axis", "[ops]") {
  const Tensor x = Tensor::from<float>({2, 3}, {1, 2, 3, 1, 2, 3});
  const auto rows = run_node({.op = "QuantizeLinear",
                              .inputs = {x, floats({1, 0.5F}), zero_points<int8_t>({2}, {0, 10})},
                              .attributes = [](NodeBuilder& node) { node.with("axis", 0); }});
  CHECK(whole(rows[0]) == Codes{1, 2, 3, 12, 14, 16});
  const auto columns =
      run_node({.op = "QuantizeLinear",
                .inputs = {x, floats({1, 2, 4}), zero_points<int8_t>({3}, {0, 0, 100})},
                .attributes = [](NodeBuilder& node) { node.with("axis", -1); }});
  CHECK(whole(columns[0]) == Codes{1, 1, 101, 1, 1, 101});
}

TEST_CASE("QuantizeLinear saturates in 16 bits", "[ops]") {
  const Tensor x = floats({-40000, -1, 0.5F, 40000});
  const auto y = run_node({.op = "QuantizeLinear",
                           .opset = 21,
                           .inputs = {x, Tensor::scalar(1.0F), Tensor::scalar<int16_t>(0)}});
  CHECK(y[0].type() == DataType::kInt16);
  CHECK(whole(y[0]) == Codes{-32768, -1, 0, 32767});
  const auto u = run_node({.op = "QuantizeLinear",
                           .opset = 21,
                           .inputs = {x, Tensor::scalar(1.0F), Tensor::scalar<uint16_t>(32768)}});
  CHECK(u[0].type() == DataType::kUint16);
  CHECK(whole(u[0]) == Codes{0, 32767, 32768, 65535});
}

TEST_CASE("QuantizeLinear packs an odd number of int4 codes, the first in the low nibble",
          "[ops]") {
  const auto y = run_node({.op = "QuantizeLinear",
                           .opset = 21,
                           .inputs = {floats({-9, -8, -1, 2.5F, 7.4F}), Tensor::scalar(1.0F),
                                      pack_nibbles(DataType::kInt4, {}, {0})}});
  CHECK(y[0].type() == DataType::kInt4);
  CHECK(whole(y[0]) == Codes{-8, -8, -1, 2, 7});
  REQUIRE(y[0].bytes() == 3);
  CHECK(y[0].raw()[0] == std::byte{0x88});
  CHECK(y[0].raw()[1] == std::byte{0x2F});
  CHECK(y[0].raw()[2] == std::byte{0x07});
}

TEST_CASE("QuantizeLinear in uint4 saturates at 0 and 15", "[ops]") {
  const auto y = run_node({.op = "QuantizeLinear",
                           .opset = 21,
                           .inputs = {floats({-20, -16, 0, 14, 20}), Tensor::scalar(2.0F),
                                      pack_nibbles(DataType::kUint4, {}, {8})}});
  CHECK(y[0].type() == DataType::kUint4);
  CHECK(whole(y[0]) == Codes{0, 0, 8, 15, 15});
}

TEST_CASE("QuantizeLinear takes one scale a block, the last block shorter", "[ops]") {
  const auto y = run_node(
      {.op = "QuantizeLinear",
       .opset = 21,
       .inputs = {Tensor::from<float>({1, 5}, {1, 2, 1, 2, 4}),
                  Tensor::from<float>({1, 3}, {1, 0.5F, 2}),
                  zero_points<int8_t>({1, 3}, {0, 1, 0})},
       .attributes = [](NodeBuilder& node) { node.with("axis", 1).with("block_size", 2); }});
  CHECK(whole(y[0]) == Codes{1, 2, 3, 5, 2});
}

TEST_CASE("QuantizeLinear without zero point obeys output_dtype", "[ops]") {
  const auto y = run_node({.op = "QuantizeLinear",
                           .opset = 21,
                           .inputs = {floats({-1, 1}), Tensor::scalar(0.5F)},
                           .attributes = [](NodeBuilder& node) {
                             node.with("output_dtype", static_cast<int64_t>(DataType::kInt8));
                           }});
  CHECK(y[0].type() == DataType::kInt8);
  CHECK(whole(y[0]) == Codes{-2, 2});
}

TEST_CASE("QuantizeLinear refuses a scale of zero, below zero or infinite", "[ops]") {
  for (const float scale : {0.0F, -1.0F, std::numeric_limits<float>::infinity()}) {
    const NodeCase bad{.op = "QuantizeLinear", .inputs = {floats({1}), Tensor::scalar(scale)}};
    CHECK_THROWS_WITH(run_node(bad),
                      Catch::Matchers::ContainsSubstring("a scale must be finite and above zero"));
  }
}

TEST_CASE("QuantizeLinear refuses scales that fit neither tensor nor axis", "[ops]") {
  const NodeCase bad{.op = "QuantizeLinear",
                     .inputs = {Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6}), floats({1, 1})}};
  CHECK_THROWS_WITH(run_node(bad),
                    Catch::Matchers::ContainsSubstring("the scale must be a scalar"));
}

}  // namespace limbeck::test
