#include <algorithm>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/base/schema.h"
#include "lib/report/compared.h"

namespace limbeck {
namespace {

using nlohmann::json;

constexpr int kGateVersion = 1;
/// A drop from 92.5 to 92.0 is no more than 0.5, whatever binary fractions make of it.
constexpr double kRounding = 1e-9;

const ComparedFigure& find_figure(const std::vector<ComparedFigure>& figures,
                                  const std::string& name, const std::string& rule) {
  std::string known;
  for (const ComparedFigure& figure : figures) {
    if (figure.name == name) return figure;
    known += (known.empty() ? "" : ", ") + figure.name;
  }
  throw_error(Category::kData, "gate rule " + rule + "." + name,
              "the figure must be in both reports", "reports with " + known,
              "correct the name, or evaluate with what the figure needs (labels, a reference, a "
              "metric command)");
}

std::string with_unit(double value, const std::string& unit) {
  return compact(value, 9) + (unit.empty() ? "" : " " + unit);
}

GateResult change_rule(const ComparedFigure& figure, const char* word, double change, double limit,
                       bool ignore_noise) {
  // A percentage changes by points.
  const std::string unit = figure.unit == "%" ? "points" : figure.unit;
  GateResult result;
  result.rule = figure.name + " must not " + word + " by more than " + with_unit(limit, unit);
  result.value = change;
  result.passed = change <= limit + kRounding;
  if (!result.passed && ignore_noise && figure.verdict == "noise") {
    result.passed = true;
    result.note = "over the limit, but within noise";
  }
  return result;
}

GateResult limit_rule(const ComparedFigure& figure, const char* words, double limit, bool passed) {
  GateResult result;
  result.rule = figure.name + words + with_unit(limit, figure.unit);
  result.value = figure.reported_b;
  result.passed = passed;
  return result;
}

}  // namespace

json load_gate(const std::filesystem::path& path) {
  json gate = parse_json(read_file(path), path.string());
  if (gate.is_object() && gate.contains("version") && gate.at("version").is_number_integer() &&
      gate.at("version") != kGateVersion) {
    throw_error(Category::kData, path.string(),
                "the gate must be of version " + std::to_string(kGateVersion),
                "version " + gate.at("version").dump(), "see docs/formats/gate.md");
  }
  validate_json(gate, "gate", path.string());
  return gate;
}

std::vector<GateResult> apply_gate(const json& gate, const std::vector<ComparedFigure>& figures) {
  std::vector<GateResult> results;
  const bool ignore_noise = gate.value("ignore_noise", false);
  const json empty = json::object();
  for (const char* rule : {"max_drop", "max_rise", "min", "max"}) {
    const json limits = gate.value(rule, empty);
    for (const auto& [name, limit_value] : limits.items()) {
      const ComparedFigure& figure = find_figure(figures, name, rule);
      const double limit = limit_value;
      const double change = figure.b - figure.a;
      if (rule == std::string("max_drop")) {
        results.push_back(change_rule(figure, "drop", -change, limit, ignore_noise));
      } else if (rule == std::string("max_rise")) {
        results.push_back(change_rule(figure, "rise", change, limit, ignore_noise));
      } else if (rule == std::string("min")) {
        results.push_back(limit_rule(figure, " must be at least ", limit,
                                     figure.reported_b >= limit - kRounding));
      } else {
        results.push_back(
            limit_rule(figure, " must be at most ", limit, figure.reported_b <= limit + kRounding));
      }
    }
  }
  return results;
}

}  // namespace limbeck
