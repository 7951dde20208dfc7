// QLinearConv, QLinearMatMul, ConvInteger, MatMulInteger and DynamicQuantizeLinear on numbers that
// can be redone by hand.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/run_node.h"

namespace limbeck::test {
namespace {

using Codes = std::vector<int64_t>;

Tensor bytes(const Dims& dims, const std::vector<uint8_t>& values) {
  return Tensor::from<uint8_t>(dims, values);
}

}  // namespace

TEST_CASE("QLinearConv scales each channel by its own step and adds the int32 bias", "[ops]") {
  // Channel 0: ((x - 1) * 1 + 2) * 1 * 0.5 / 0.5 + 3; channel 1: ((x - 1) * 2 - 1) * 1 * 1 / 0.5
  // + 3.
  const auto y = run_node(
      {.op = "QLinearConv",
       .inputs = {bytes({1, 1, 2, 2}, {1, 2, 3, 4}), Tensor::scalar(1.0F),
                  Tensor::scalar<uint8_t>(1), Tensor::from<int8_t>({2, 1, 1, 1}, {1, 2}),
                  floats({0.5F, 1}), Tensor::from<int8_t>({2}, {0, 0}), Tensor::scalar(0.5F),
                  Tensor::scalar<uint8_t>(3), Tensor::from<int32_t>({2}, {2, -1})}});
  CHECK(y[0].type() == DataType::kUint8);
  CHECK(y[0].dims() == Dims{1, 2, 2, 2});
  CHECK(whole(y[0]) == Codes{5, 6, 7, 8, 1, 5, 9, 13});
}

TEST_CASE("QLinearConv pads with the zero point and saturates", "[ops]") {
  // Only the centre counts: x - 5 is 2 and 250; times 1, plus 10.
  const auto y = run_node(
      {.op = "QLinearConv",
       .inputs = {bytes({2, 1, 1, 1}, {7, 255}), Tensor::scalar(1.0F), Tensor::scalar<uint8_t>(5),
                  Tensor::from<int8_t>({1, 1, 3, 3}, std::vector<int8_t>(9, 1)),
                  Tensor::scalar(1.0F), Tensor::scalar<int8_t>(0), Tensor::scalar(1.0F),
                  Tensor::scalar<uint8_t>(10)},
       .attributes = [](NodeBuilder& node) {
         node.with("pads", Dims{1, 1, 1, 1});
       }});
  CHECK(y[0].dims() == Dims{2, 1, 1, 1});
  CHECK(whole(y[0]) == Codes{12, 255});
}

TEST_CASE("QLinearConv rounds halves to the even code", "[ops]") {
  const auto y =
      run_node({.op = "QLinearConv",
                .inputs = {bytes({1, 1, 1, 4}, {1, 3, 5, 7}), Tensor::scalar(1.0F),
                           Tensor::scalar<uint8_t>(0), Tensor::from<int8_t>({1, 1, 1, 1}, {1}),
                           Tensor::scalar(1.0F), Tensor::scalar<int8_t>(0), Tensor::scalar(2.0F),
                           Tensor::scalar<uint8_t>(0)}});
  CHECK(whole(y[0]) == Codes{0, 2, 2, 4});
}

TEST_CASE("QLinearMatMul takes one scale for B or one a column", "[ops]") {
  // a is {1, 2}, b is {1, 2; 3, 4}: the products are 7 and 10, or 7 and 20.
  const Tensor a = bytes({1, 2}, {3, 5});
  const Tensor b = Tensor::from<int8_t>({2, 2}, {1, 2, 3, 4});
  const auto one = run_node(
      {.op = "QLinearMatMul",
       .inputs = {a, Tensor::scalar(0.5F), Tensor::scalar<uint8_t>(1), b, Tensor::scalar(1.0F),
                  Tensor::scalar<int8_t>(0), Tensor::scalar(0.5F), Tensor::scalar<uint8_t>(10)}});
  CHECK(whole(one[0]) == Codes{24, 30});
  const auto columns = run_node({.op = "QLinearMatMul",
                                 .inputs = {a, Tensor::scalar(0.5F), Tensor::scalar<uint8_t>(1), b,
                                            floats({1, 2}), Tensor::from<int8_t>({2}, {0, 0}),
                                            Tensor::scalar(0.5F), Tensor::scalar<uint8_t>(10)}});
  CHECK(whole(columns[0]) == Codes{24, 50});
}

TEST_CASE("ConvInteger sums centred codes in int32", "[ops]") {
  const auto y = run_node({.op = "ConvInteger",
                           .inputs = {bytes({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9}),
                                      bytes({1, 1, 2, 2}, {3, 3, 3, 3}), Tensor::scalar<uint8_t>(1),
                                      Tensor::scalar<uint8_t>(2)}});
  CHECK(y[0].type() == DataType::kInt32);
  CHECK(whole(y[0]) == Codes{8, 12, 20, 24});
}

TEST_CASE("MatMulInteger sums centred codes in int32", "[ops]") {
  const auto y = run_node({.op = "MatMulInteger",
                           .inputs = {bytes({2, 2}, {1, 2, 3, 4}), bytes({2, 1}, {5, 6}),
                                      Tensor::scalar<uint8_t>(1), Tensor::scalar<uint8_t>(5)}});
  CHECK(y[0].type() == DataType::kInt32);
  CHECK(whole(y[0]) == Codes{1, 3});
}

TEST_CASE("DynamicQuantizeLinear spreads 255 steps over the range with zero in it", "[ops]") {
  const NodeCase both_signs{
      .op = "DynamicQuantizeLinear", .inputs = {floats({-51, 0, 204})}, .outputs = 3};
  const auto y = run_node(both_signs);
  CHECK(whole(y[0]) == Codes{0, 51, 255});
  CHECK(real(y[1]) == std::vector<float>{1});
  CHECK(whole(y[2]) == Codes{51});
  const NodeCase positive{
      .op = "DynamicQuantizeLinear", .inputs = {floats({51, 510})}, .outputs = 3};
  const auto p = run_node(positive);
  CHECK(whole(p[0]) == Codes{26, 255});  // 25.5 steps: halves go to the even code
  CHECK(real(p[1]) == std::vector<float>{2});
  CHECK(whole(p[2]) == Codes{0});
}

TEST_CASE("DynamicQuantizeLinear of an all-zero tensor gives zero codes and a usable step",
          "[ops]") {
  const NodeCase zeros{.op = "DynamicQuantizeLinear", .inputs = {floats({0, 0})}, .outputs = 3};
  const auto y = run_node(zeros);
  CHECK(whole(y[0]) == Codes{0, 0});
  CHECK(real(y[1]) == std::vector<float>{1});
  CHECK(whole(y[2]) == Codes{0});
}

}  // namespace limbeck::test
