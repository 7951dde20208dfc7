#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "lib/base/error.h"
#include "lib/ops/gradient.h"
#include "tests/support/model_builder.h"

namespace limbeck::test {

TEST_CASE("a gradient that reads what it has not declared is an internal error",
          "[ops][gradient]") {
  const ForwardValue shape_only{DataType::kFloat, {2}, {}};
  const ForwardValue* const inputs[] = {&shape_only, nullptr};
  const Tensor dy = floats({1, 2});
  const Tensor* const cotangents[] = {&dy};
  const std::vector<uint8_t> wanted{1, 1};
  std::vector<Tensor> gradients(2);
  GradientContext context({inputs, inputs, cotangents, wanted, gradients});
  CHECK(context.dims(0) == Dims{2});
  CHECK_THROWS_WITH(context.input(0), Catch::Matchers::ContainsSubstring("must be declared"));
  CHECK_THROWS_WITH(context.input(1), Catch::Matchers::ContainsSubstring("no input 1"));
  CHECK_THROWS_WITH(context.output(2), Catch::Matchers::ContainsSubstring("no output 2"));
}

TEST_CASE("an input that the node leaves out is not wanted", "[ops][gradient]") {
  const ForwardValue value{DataType::kFloat, {2}, floats({1, 2})};
  const ForwardValue* const inputs[] = {&value, nullptr};
  const Tensor dy = Tensor::from<double>({2}, {1, 2});
  const Tensor* const cotangents[] = {&dy};
  const std::vector<uint8_t> wanted{0, 1};
  std::vector<Tensor> gradients(2);
  GradientContext context({inputs, inputs, cotangents, wanted, gradients});
  CHECK(!context.wants(0));
  CHECK(!context.wants(1));
  CHECK(!context.wants(7));
  CHECK(context.zeros(0).type() == DataType::kDouble);
}

TEST_CASE("slots from 63 on share the last bit of what a gradient reads", "[ops][gradient]") {
  const GradientReads reads{.inputs = GradientReads::slot(70)};
  CHECK(reads.input(63));
  CHECK(reads.input(200));
  CHECK(!reads.input(62));
  CHECK(!reads.output(63));
}

}  // namespace limbeck::test
