#include "lib/base/format.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

using namespace limbeck;

TEST_CASE("a number that rounds to zero carries no sign", "[base]") {
  CHECK(fixed(-0.004, 2) == "0.00");
  CHECK(fixed(-0.006, 2) == "-0.01");
  CHECK(with_sign(0.004, 2) == "0.00");
  CHECK(with_sign(0.006, 2) == "+0.01");
  CHECK(with_sign(-1.5, 1) == "-1.5");
}

TEST_CASE("thousands are grouped by commas", "[base]") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1000) == "1,000");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(grouped(-123456) == "-123,456");
}

TEST_CASE("bytes are shown in decimal units with three digits", "[base]") {
  CHECK(readable_bytes(0) == "0 B");
  CHECK(readable_bytes(999) == "999 B");
  CHECK(readable_bytes(1000) == "1.00 kB");
  CHECK(readable_bytes(41234) == "41.2 kB");
  CHECK(readable_bytes(999600) == "1.00 MB");
  CHECK(readable_bytes(3412345678) == "3.41 GB");
}

TEST_CASE("small p values are shown as a bound", "[base]") {
  CHECK(readable_p(0.0004) == "below 0.001");
  CHECK(readable_p(0.03125) == "0.031");
  CHECK(readable_p(1) == "1.00");
}

TEST_CASE("a stored number has nine significant digits", "[base]") {
  CHECK(tidy(92.33000000000001) == 92.33);
  CHECK(tidy(1.0 / 3) == 0.333333333);
  CHECK(tidy(0) == 0);
}

TEST_CASE("a stored or shortened zero carries no sign", "[base]") {
  CHECK_FALSE(std::signbit(tidy(-0.0)));
  CHECK(compact(-0.0) == "0");
  CHECK(compact(-0.5) == "-0.5");
}

TEST_CASE("a printed name cannot act on a terminal", "[base]") {
  CHECK(printable("a\x1b[31m\nb\x7f") == "a?[31m?b?");
  CHECK(printable("\xC2\x9B"
                  "31m") == "?31m");  // U+009B starts a control sequence as well
  CHECK(printable("caf\xC3\xA9 \xC2\xA0") == "caf\xC3\xA9 \xC2\xA0");
  CHECK(printable("\xC2\xC2\x9B") == "\xEF\xBF\xBD?");
}

TEST_CASE("bytes that are no UTF-8 become replacement characters", "[base]") {
  CHECK(valid_utf8("a\xFF"
                   "b") ==
        "a\xEF\xBF\xBD"
        "b");
  CHECK(valid_utf8("stra\xC3\x9F"
                   "e") ==
        "stra\xC3\x9F"
        "e");
}
