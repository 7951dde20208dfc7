// Gelu and Mish are newer than the installed test vectors.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include "tests/support/run_node.h"

namespace limbeck::test {
namespace {

void check_close(const Tensor& got, const std::vector<float>& wanted) {
  const std::vector<float> values = real(got);
  REQUIRE(values.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    CHECK_THAT(values[i], Catch::Matchers::WithinAbs(wanted[i], 1e-5F));
}

}  // namespace

TEST_CASE("Gelu weighs its input by the normal distribution", "[ops]") {
  // P(X <= 1) is 0.8413447, P(X <= 2) is 0.9772499.
  const auto y = run_node({.op = "Gelu", .opset = 20, .inputs = {floats({-1, 0, 1, 2})}});
  check_close(y[0], {-0.1586553F, 0, 0.8413447F, 1.9544998F});
}

TEST_CASE("Gelu with approximate=tanh follows the formula of the specification", "[ops]") {
  // 0.5 * (1 + tanh(0.7978846 * 1.044715)) is 0.8411920.
  const auto y = run_node(
      {.op = "Gelu",
       .opset = 20,
       .inputs = {floats({-1, 0, 1})},
       .attributes = [](NodeBuilder& node) { node.with("approximate", std::string("tanh")); }});
  check_close(y[0], {-0.1588080F, 0, 0.8411920F});
}

TEST_CASE("Mish is x times tanh of softplus, without overflow", "[ops]") {
  // tanh(log(1 + e)) is 0.8650984.
  const auto y = run_node({.op = "Mish", .opset = 18, .inputs = {floats({-200, 0, 1, 200})}});
  check_close(y[0], {0, 0, 0.8650984F, 200});
}

}  // namespace limbeck::test
