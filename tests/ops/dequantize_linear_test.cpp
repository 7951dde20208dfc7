#include <catch2/catch_test_macros.hpp>

#include "lib/ops/nibbles.h"
#include "tests/support/run_node.h"

namespace limbeck::test {
namespace {

using Reals = std::vector<float>;

}  // namespace

TEST_CASE("DequantizeLinear takes the zero point off before it scales", "[ops]") {
  const auto y = run_node({.op = "DequantizeLinear",
                           .inputs = {Tensor::from<uint8_t>({3}, {0, 128, 255}),
                                      Tensor::scalar(2.0F), Tensor::scalar<uint8_t>(128)}});
  CHECK(y[0].type() == DataType::kFloat);
  CHECK(real(y[0]) == Reals{-256, 0, 254});
}

TEST_CASE("DequantizeLinear of int32 needs no zero point", "[ops]") {
  const auto y = run_node({.op = "DequantizeLinear",
                           .inputs = {Tensor::from<int32_t>({2}, {10, -3}), Tensor::scalar(0.5F)}});
  CHECK(real(y[0]) == Reals{5, -1.5F});
}

TEST_CASE("DequantizeLinear takes one scale and zero point a position of its axis", "[ops]") {
  const Tensor x = Tensor::from<int8_t>({2, 2}, {-128, 127, 0, 2});
  const auto rows = run_node({.op = "DequantizeLinear",
                              .inputs = {x, floats({1, 0.5F}), Tensor::from<int8_t>({2}, {0, 2})},
                              .attributes = [](NodeBuilder& node) { node.with("axis", 0); }});
  CHECK(real(rows[0]) == Reals{-128, 127, -1, 0});
  const auto columns = run_node({.op = "DequantizeLinear", .inputs = {x, floats({1, 2})}});
  CHECK(real(columns[0]) == Reals{-128, 254, 0, 4});
}

TEST_CASE("DequantizeLinear reads both 16-bit types", "[ops]") {
  const auto u = run_node({.op = "DequantizeLinear",
                           .opset = 21,
                           .inputs = {Tensor::from<uint16_t>({3}, {0, 32768, 65535}),
                                      Tensor::scalar(0.5F), Tensor::scalar<uint16_t>(32768)}});
  CHECK(real(u[0]) == Reals{-16384, 0, 16383.5F});
  const auto s =
      run_node({.op = "DequantizeLinear",
                .opset = 21,
                .inputs = {Tensor::from<int16_t>({2}, {-32768, 32767}), Tensor::scalar(2.0F)}});
  CHECK(real(s[0]) == Reals{-65536, 65534});
}

TEST_CASE("DequantizeLinear unpacks an odd number of 4-bit codes", "[ops]") {
  const auto s =
      run_node({.op = "DequantizeLinear",
                .opset = 21,
                .inputs = {pack_nibbles(DataType::kInt4, {5}, {-8, -1, 0, 3, 7}),
                           Tensor::scalar(0.25F), pack_nibbles(DataType::kInt4, {}, {-1})}});
  CHECK(real(s[0]) == Reals{-1.75F, 0, 0.25F, 1, 2});
  const auto u =
      run_node({.op = "DequantizeLinear",
                .opset = 21,
                .inputs = {pack_nibbles(DataType::kUint4, {3}, {0, 8, 15}), Tensor::scalar(2.0F),
                           pack_nibbles(DataType::kUint4, {}, {8})}});
  CHECK(real(u[0]) == Reals{-16, 0, 14});
}

TEST_CASE("DequantizeLinear takes one scale a block along either axis", "[ops]") {
  const Tensor x = pack_nibbles(DataType::kInt4, {2, 3}, {1, 2, 3, -1, -2, -3});
  const auto along_rows =
      run_node({.op = "DequantizeLinear",
                .opset = 21,
                .inputs = {x, Tensor::from<float>({2, 2}, {1, 10, 100, 1000})},
                .attributes = [](NodeBuilder& node) { node.with("block_size", 2); }});
  CHECK(real(along_rows[0]) == Reals{1, 2, 30, -100, -200, -3000});
  const auto along_columns = run_node(
      {.op = "DequantizeLinear",
       .opset = 21,
       .inputs = {x, Tensor::from<float>({1, 3}, {1, 10, 100})},
       .attributes = [](NodeBuilder& node) { node.with("axis", 0).with("block_size", 2); }});
  CHECK(real(along_columns[0]) == Reals{1, 20, 300, -1, -20, -300});
}

}  // namespace limbeck::test
