#include "lib/distill/losses/product.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/distill/losses/loss_support.h"

using namespace limbeck;
using namespace limbeck::test;

TEST_CASE("a product adds rows times columns to what was there", "[distill]") {
  const std::vector<double> a = {1, 2, 3, 4, 5, 6};  // [2, 3]
  const std::vector<double> b = {1, 0, 0, 1, 2, 3};  // [3, 2]
  std::vector<double> c = {100, 0, 0, 0};
  add_product({2, 3, 2}, a.data(), 3, 1, b.data(), c.data());
  CHECK((c == std::vector<double>{107, 11, 16, 23}));
  // The same numbers as a [3, 2] matrix that is read columns first.
  const std::vector<double> turned = transposed(a.data(), 2, 3);
  CHECK((turned == std::vector<double>{1, 4, 2, 5, 3, 6}));
  std::vector<double> again = {100, 0, 0, 0};
  add_product({2, 3, 2}, turned.data(), 1, 2, b.data(), again.data());
  CHECK((again == c));
}

TEST_CASE("an element of a product has the same bits in and out of a tile", "[distill]") {
  const std::vector<double> a = values_of(random_doubles({9, 7}, 1));
  const std::vector<double> b = values_of(random_doubles({7, 10}, 2));
  std::vector<double> whole(90);
  add_product({9, 7, 10}, a.data(), 7, 1, b.data(), whole.data());
  for (size_t i = 0; i < 9; ++i) {
    std::vector<double> row(10);
    add_product({1, 7, 10}, a.data() + 7 * i, 7, 1, b.data(), row.data());
    for (size_t j = 0; j < 10; ++j) CHECK(row[j] == whole[10 * i + j]);
  }
}
