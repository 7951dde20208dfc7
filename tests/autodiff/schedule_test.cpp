#include "lib/autodiff/schedule.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include "tests/model/expect_error.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;
using nlohmann::json;

namespace {

void check_rates(const char* text, int64_t steps, const std::vector<double>& wanted) {
  const ScheduleOptions options = read_schedule(json::parse(text), "/schedule");
  for (size_t i = 0; i < wanted.size(); ++i) {
    INFO("step " << i);
    CHECK_THAT(learning_rate(options, static_cast<int64_t>(i), steps), WithinAbs(wanted[i], 1e-15));
  }
}

}  // namespace

TEST_CASE("a constant rate stays after its warm-up", "[autodiff]") {
  check_rates(R"({"kind": "constant", "learning_rate": 2})", 3, {2, 2, 2});
  // A half of eight steps is the warm-up.
  check_rates(R"({"kind": "constant", "learning_rate": 2, "warmup": 0.5})", 8,
              {0.5, 1, 1.5, 2, 2, 2, 2, 2});
}

TEST_CASE("a step schedule multiplies at its milestones", "[autodiff]") {
  check_rates(R"({"kind": "step", "learning_rate": 8, "factor": 0.25})", 8,
              {8, 8, 8, 8, 2, 2, 0.5, 0.5});
  check_rates(R"({"kind": "step", "learning_rate": 8, "milestones": [0.1], "factor": 0.5})", 10,
              {8, 4, 4});
}

TEST_CASE("a cosine falls from the largest rate to its share at the end", "[autodiff]") {
  // Quarters of half a cosine: 1, (1 + sqrt(1/2))/2, 1/2.
  check_rates(R"({"kind": "cosine", "learning_rate": 2})", 4,
              {2, 1 + 0.70710678118654752, 1, 1 - 0.70710678118654752});
  check_rates(R"({"kind": "cosine", "learning_rate": 2, "final_share": 0.5})", 2, {2, 1.5});
  check_rates(R"({"kind": "cosine", "learning_rate": 2, "warmup": 0.5})", 4, {1, 2, 2, 1});
}

TEST_CASE("one cycle rises to the largest rate and ends far below its first", "[autodiff]") {
  // Eleven steps, rise over 3/11: steps 0 to 2 rise (peak at 2), steps 2 to 10 fall.
  const char* text = R"({"kind": "one_cycle", "learning_rate": 10, "rise": 0.2727272727272727,
                         "start_divisor": 5, "final_divisor": 4})";
  check_rates(text, 11, {2, 6, 10});
  const ScheduleOptions options = read_schedule(json::parse(text), "");
  CHECK_THAT(learning_rate(options, 6, 11), WithinAbs(5.25, 1e-12));
  CHECK_THAT(learning_rate(options, 10, 11), WithinAbs(0.5, 1e-12));
}

TEST_CASE("runs of one step have a rate", "[autodiff]") {
  for (const char* kind : {"constant", "step", "cosine", "one_cycle"}) {
    INFO(kind);
    ScheduleOptions options;
    options.kind = kind;
    CHECK(learning_rate(options, 0, 1) >= 0);
    CHECK(learning_rate(options, 0, 1) <= options.learning_rate);
  }
}

TEST_CASE("a schedule's mistakes are named", "[autodiff]") {
  const auto error = [](const char* text) {
    return error_of([text] { read_schedule(json::parse(text), "/schedule"); });
  };
  const ErrorInfo unknown = error(R"({"kind": "linear"})");
  check_error(unknown, Category::kUsage, "/schedule/kind", "the schedule must exist", "linear");
  CHECK(unknown.next_step == "use one of constant, step, cosine, one_cycle");
  check_error(error(R"({"kind": "one_cycle", "warmup": 0.1})"), Category::kUsage,
              "/schedule/warmup", "the option must exist", "warmup");
  check_error(error(R"({"learning_rate": -1})"), Category::kUsage, "/schedule/learning_rate",
              "the value must be a number from 0 to 1000", "-1");
  CHECK(error_of([] { learning_rate({}, 5, 5); }).category == Category::kInternal);
}
