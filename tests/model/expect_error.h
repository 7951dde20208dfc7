// The error that a call raises, as a value.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include "lib/base/error.h"

namespace limbeck::test {

/// Fails the test when nothing is raised.
template <typename Call>
ErrorInfo error_of(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.info();
  }
  FAIL("an error was expected");
  return {};
}

inline void check_error(const ErrorInfo& info, Category category, const std::string& place,
                        const std::string& rule, const std::string& received) {
  CHECK(category_name(info.category) == category_name(category));
  CHECK(info.place == place);
  CHECK(info.rule == rule);
  CHECK(info.received == received);
  CHECK_FALSE(info.next_step.empty());
}

}  // namespace limbeck::test
