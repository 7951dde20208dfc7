#include "calibration/observer.h"

#include <array>

#include "lib/base/error.h"

namespace limbeck {
namespace {

constexpr std::array<ObserverRow, 5> kObservers = {{
    {ObserverMethod::kMinMax, "minmax", observe_minmax},
    {ObserverMethod::kMovingAverage, "moving-average", observe_moving_average},
    {ObserverMethod::kPercentile, "percentile", observe_percentile},
    {ObserverMethod::kEntropy, "entropy", observe_entropy},
    {ObserverMethod::kMse, "mse", observe_mse},
}};

}  // namespace

std::span<const ObserverRow> observer_table() { return kObservers; }

Range choose_range(const Sketch& sketch, ObserverMethod method, const ObserverOptions& options) {
  if (sketch.count() == 0) return {};
  for (const ObserverRow& row : kObservers) {
    if (row.method == method) return row.choose(sketch, options);
  }
  throw_error(Category::kInternal, "observer", "every method must be in the table", "",
              "report this bug");
}

std::string observer_name(ObserverMethod method) {
  for (const ObserverRow& row : kObservers) {
    if (row.method == method) return std::string(row.name);
  }
  return "unknown";
}

ObserverMethod observer_from_name(const std::string& name) {
  std::string known;
  for (const ObserverRow& row : kObservers) {
    if (row.name == name) return row.method;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw_error(Category::kUsage, "observer", "the observer must be one of " + known,
              "'" + name + "'", "choose one of these names");
}

}  // namespace limbeck
