#include "lib/report/format.h"

#include <catch2/catch_test_macros.hpp>

using namespace limbeck;

TEST_CASE("a number that rounds to zero carries no sign", "[report]") {
  CHECK(fixed(-0.004, 2) == "0.00");
  CHECK(fixed(-0.006, 2) == "-0.01");
  CHECK(with_sign(0.004, 2) == "0.00");
  CHECK(with_sign(0.006, 2) == "+0.01");
  CHECK(with_sign(-1.5, 1) == "-1.5");
}

TEST_CASE("thousands are grouped by commas", "[report]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(-123456) == "-123,456");
}

TEST_CASE("bytes are shown in decimal units with three digits", "[report]") {
  CHECK(readable_bytes(0) == "0 B");
  CHECK(readable_bytes(999) == "999 B");
  CHECK(readable_bytes(1000) == "1.00 kB");
  CHECK(readable_bytes(41234) == "41.2 kB");
  CHECK(readable_bytes(999600) == "1.00 MB");
  CHECK(readable_bytes(3412345678) == "3.41 GB");
}

TEST_CASE("small p values are shown as a bound", "[report]") {
  CHECK(readable_p(0.0004) == "below 0.001");
  CHECK(readable_p(0.03125) == "0.031");
  CHECK(readable_p(1) == "1.00");
}

TEST_CASE("a stored number has nine significant digits", "[report]") {
  CHECK(tidy(92.33000000000001) == 92.33);
  CHECK(tidy(1.0 / 3) == 0.333333333);
  CHECK(tidy(0) == 0);
}
