#include "lib/autodiff/schedule.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/option_reader.h"

namespace limbeck {
namespace {

/// Where a run stands.
struct Moment {
  double step = 0;
  double steps = 0;
  double warmup = 0;  ///< steps
};

/// From `start` at share 0 to `end` at share 1.
double half_cosine(double start, double end, double share) {
  return end + (start - end) * (1 + std::cos(std::numbers::pi * share)) / 2;
}

double constant_rate(const ScheduleOptions& options, const Moment& /*now*/) {
  return options.learning_rate;
}

double step_rate(const ScheduleOptions& options, const Moment& now) {
  double rate = options.learning_rate;
  for (const double milestone : options.milestones) {
    if (now.step >= std::round(milestone * now.steps)) rate *= options.factor;
  }
  return rate;
}

double cosine_rate(const ScheduleOptions& options, const Moment& now) {
  return half_cosine(options.learning_rate, options.learning_rate * options.final_share,
                     (now.step - now.warmup) / (now.steps - now.warmup));
}

double one_cycle_rate(const ScheduleOptions& options, const Moment& now) {
  const double first = options.learning_rate / options.start_divisor;
  const double peak = std::max(0.0, options.rise * now.steps - 1);
  if (now.step < peak) return half_cosine(first, options.learning_rate, now.step / peak);
  const double left = now.steps - 1 - peak;
  const double share = left > 0 ? (now.step - peak) / left : 0;
  return half_cosine(options.learning_rate, first / options.final_divisor, share);
}

using Rate = double (*)(const ScheduleOptions&, const Moment&);
struct ScheduleRow {
  std::string_view kind;
  Rate rate;
  void (*read)(OptionReader&, ScheduleOptions&);  ///< options of this kind alone
};

void read_warmup(OptionReader& reader, ScheduleOptions& options) {
  options.warmup = reader.number("warmup", options.warmup, {0, 1});
}

void read_step(OptionReader& reader, ScheduleOptions& options) {
  read_warmup(reader, options);
  options.milestones = reader.numbers("milestones", options.milestones, {0, 1});
  options.factor = reader.number("factor", options.factor, {0, 1});
}

void read_cosine(OptionReader& reader, ScheduleOptions& options) {
  read_warmup(reader, options);
  options.final_share = reader.number("final_share", options.final_share, {0, 1});
}

void read_one_cycle(OptionReader& reader, ScheduleOptions& options) {
  options.rise = reader.number("rise", options.rise, {0, 1});
  options.start_divisor = reader.number("start_divisor", options.start_divisor, {.low = 1});
  options.final_divisor = reader.number("final_divisor", options.final_divisor, {.low = 1});
}

constexpr std::array<ScheduleRow, 4> kTable = {{
    {"constant", constant_rate, read_warmup},
    {"step", step_rate, read_step},
    {"cosine", cosine_rate, read_cosine},
    {"one_cycle", one_cycle_rate, read_one_cycle},
}};

const ScheduleRow& find_schedule(const std::string& kind, const std::string& place) {
  std::vector<std::string> known;
  for (const ScheduleRow& row : kTable) {
    if (row.kind == kind) return row;
    known.emplace_back(row.kind);
  }
  throw_error(Category::kUsage, place, "the schedule must exist", kind,
              "use one of " + joined_names(known));
}

}  // namespace

ScheduleOptions read_schedule(const nlohmann::json& object, const std::string& place) {
  OptionReader reader(object, place);
  ScheduleOptions options;
  options.kind = reader.text("kind", options.kind);
  options.learning_rate = reader.number("learning_rate", options.learning_rate, {0, 1000});
  find_schedule(options.kind, place + "/kind").read(reader, options);
  reader.finish();
  return options;
}

double learning_rate(const ScheduleOptions& options, int64_t step, int64_t steps) {
  const ScheduleRow& row = find_schedule(options.kind, "schedule");
  if (step < 0 || step >= steps) {
    throw_error(Category::kInternal, "schedule", "a step must lie within the run",
                std::to_string(step) + " of " + std::to_string(steps), "report this bug");
  }
  Moment now = {static_cast<double>(step), static_cast<double>(steps), 0};
  now.warmup = std::round(options.warmup * now.steps);
  if (now.step < now.warmup) return options.learning_rate * (now.step + 1) / now.warmup;
  return row.rate(options, now);
}

}  // namespace limbeck
