#include "lib/base/option_reader.h"

#include <catch2/catch_test_macros.hpp>

#include "tests/model/expect_error.h"

using namespace limbeck;
using limbeck::test::check_error;
using limbeck::test::error_of;
using nlohmann::json;

TEST_CASE("an absent option takes its default, a present one its value", "[base]") {
  const json object = {{"a", 1.5}, {"b", 3}, {"c", true}, {"d", "x"}, {"e", {1, 2}}};
  OptionReader present(object, "/o");
  CHECK(present.number("a", 0, {}) == 1.5);
  CHECK(present.integer("b", 0, {}) == 3);
  CHECK(present.flag("c", false));
  CHECK(present.text("d", "y") == "x");
  CHECK((present.numbers("e", {}, {}) == std::vector<double>{1, 2}));
  present.finish();
  const json nothing = json::object();
  OptionReader absent(nothing, "/o");
  CHECK(absent.number("a", 2.5, {}) == 2.5);
  CHECK(absent.integer("b", 4, {}) == 4);
  CHECK_FALSE(absent.flag("c", false));
  CHECK(absent.text("d", "y") == "y");
  absent.finish();
}

TEST_CASE("an option that nobody reads is an error that lists the known ones", "[base]") {
  const json object = {{"temprature", 4}};
  OptionReader reader(object, "/losses/0");
  reader.number("temperature", 1, {});
  reader.flag("other", true);
  const ErrorInfo info = error_of([&] { reader.finish(); });
  check_error(info, Category::kUsage, "/losses/0/temprature", "the option must exist",
              "temprature");
  CHECK(info.next_step == "use one of temperature, other");
}

TEST_CASE("values of a wrong type or out of range name the option and the rule", "[base]") {
  const json object = {{"a", 3}, {"b", 1.5}, {"c", "yes"}, {"d", {1, "x"}}};
  OptionReader reader(object, "/o");
  check_error(error_of([&] {
                reader.number("a", 0, {0, 2});
              }),
              Category::kUsage, "/o/a", "the value must be a number from 0 to 2", "3");
  check_error(error_of([&] { reader.number("a", 0, {.low = 4}); }), Category::kUsage, "/o/a",
              "the value must be a number of at least 4", "3");
  check_error(error_of([&] { reader.integer("b", 0, {}); }), Category::kUsage, "/o/b",
              "the value must be a whole number", "1.5");
  check_error(error_of([&] { reader.number("c", 0, {}); }), Category::kUsage, "/o/c",
              "the value must be a finite number", "\"yes\"");
  check_error(error_of([&] { reader.flag("c", false); }), Category::kUsage, "/o/c",
              "the value must be true or false", "\"yes\"");
  check_error(error_of([&] { reader.numbers("d", {}, {}); }), Category::kUsage, "/o/d",
              "the value must be a finite number", "\"x\"");
  check_error(error_of([&] { reader.required_text("e"); }), Category::kUsage, "/o/e",
              "the option is required", "none");
  check_error(error_of([] { OptionReader(json::array(), "/o"); }), Category::kUsage, "/o",
              "the value must be a JSON object", "[]");
}
