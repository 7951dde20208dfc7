#include "lib/base/error.h"

#include <catch2/catch_test_macros.hpp>
#include <string>

using namespace limbeck;

TEST_CASE("an error tells category, place, rule, received value and next step", "[base]") {
  const Error error(
      {Category::kInvalidModel, "tensor 'w'", "a scale must be above zero", "-1", "export again"});
  CHECK(std::string(error.what()) ==
        "invalid model: tensor 'w': a scale must be above zero; got -1. Next: export again");
}

TEST_CASE("every category has its own exit code", "[base]") {
  CHECK(exit_code(Category::kInternal) == 1);
  CHECK(exit_code(Category::kUsage) == 2);
  CHECK(exit_code(Category::kInvalidModel) == 3);
  CHECK(exit_code(Category::kUnsupported) == 4);
  CHECK(exit_code(Category::kData) == 5);
  CHECK(exit_code(Category::kIo) == 6);
  CHECK(exit_code(Category::kGateFailed) == 7);
  CHECK(exit_code(Category::kVerificationFailed) == 8);
  CHECK(exit_code(Category::kInterrupted) == 130);
}

TEST_CASE("control characters of a hostile name do not reach the message", "[base]") {
  const Error error({Category::kInvalidModel, "node 'a\n\x1B[2Jb'", "a rule", "", ""});
  CHECK(std::string(error.what()) == "invalid model: node 'a??[2Jb': a rule");
}
