#include <algorithm>
#include <array>
#include <vector>

#include "lib/base/format.h"
#include "lib/report/compare.h"

namespace limbeck {
namespace {

constexpr int kVersion = 1;
constexpr size_t kColumns = 5;
using Row = std::array<std::string, kColumns>;

std::string shown(double value, const std::string& unit) {
  if (unit == "bytes") return grouped(static_cast<int64_t>(value));
  if (unit == "%") return fixed(value, 2);
  if (unit == "dB") return fixed(value, 1);
  if (unit == "nats") return fixed(value, 5);
  return compact(value, 5);
}

std::string shown_change(const ComparedFigure& figure) {
  const double change = figure.b - figure.a;
  const std::string text = shown(change, figure.unit);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  return (change > 0 && !zero ? "+" : "") + text;
}

/// "worse (paired bootstrap), own samples"
std::string remark(const ComparedFigure& figure) {
  std::string text = figure.verdict;
  if (!figure.test.empty()) text += " (" + figure.test + ")";
  if (figure.over == "own samples") text += (text.empty() ? "" : ", ") + figure.over;
  return text;
}

std::vector<Row> rows_of(const Comparison& comparison) {
  std::vector<Row> rows = {{"figure", "a", "b", "change", ""}};
  for (const ComparedFigure& figure : comparison.figures) {
    const std::string label =
        printable(figure.name) + (figure.unit.empty() ? "" : " (" + figure.unit + ")");
    rows.push_back({label, shown(figure.a, figure.unit), shown(figure.b, figure.unit),
                    shown_change(figure), remark(figure)});
  }
  return rows;
}

std::string padding(size_t width, const std::string& text) {
  return std::string(width - std::min(width, text.size()), ' ');
}

/// Names of user metrics come from a program of the user's: they must not end a table cell.
std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|' || c == '\\' || c == '<' || c == '`' || c == '*' || c == '_') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return printable(out);
}

std::string gate_value(const GateResult& result) {
  return compact(result.value, 9) + (result.note.empty() ? "" : ", " + result.note);
}

}  // namespace

std::string comparison_text(const Comparison& comparison) {
  const std::vector<Row> rows = rows_of(comparison);
  std::array<size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line = row[0] + padding(widths[0], row[0]);
    for (size_t i = 1; i < 4; ++i) line += "  " + padding(widths[i], row[i]) + row[i];
    if (!row[4].empty()) line += "  " + row[4];
    out += line + "\n";
  }
  out += "\n" + comparison.summary + "\n";
  for (const GateResult& result : comparison.gates) {
    out += std::string(result.passed ? "pass  " : "FAIL  ") + printable(result.rule) + ": " +
           gate_value(result) + "\n";
  }
  return out;
}

std::string comparison_markdown(const Comparison& comparison) {
  std::string out = "| figure | a | b | change | |\n| --- | ---: | ---: | ---: | --- |\n";
  const std::vector<Row> rows = rows_of(comparison);
  for (size_t i = 1; i < rows.size(); ++i) {
    out += "|";
    for (const std::string& cell : rows[i]) {
      out += cell.empty() ? " |" : " " + markdown_cell(cell) + " |";
    }
    out += "\n";
  }
  out += "\n" + comparison.summary + "\n";
  if (comparison.gates.empty()) return out;
  out += "\n| gate | value | |\n| --- | ---: | --- |\n";
  for (const GateResult& result : comparison.gates) {
    out += "| " + markdown_cell(result.rule) + " | " + gate_value(result) + " | " +
           (result.passed ? "pass" : "**fail**") + " |\n";
  }
  return out;
}

nlohmann::ordered_json comparison_json(const Comparison& comparison) {
  using Json = nlohmann::ordered_json;
  Json figures = Json::array();
  for (const ComparedFigure& figure : comparison.figures) {
    figures.push_back({{"name", figure.name},
                       {"a", figure.a},
                       {"b", figure.b},
                       {"change", tidy(figure.b - figure.a)},
                       {"unit", figure.unit},
                       {"verdict", figure.verdict},
                       {"test", figure.test},
                       {"over", figure.over}});
  }
  Json gates = Json::array();
  for (const GateResult& result : comparison.gates) {
    gates.push_back({{"rule", result.rule},
                     {"value", tidy(result.value)},
                     {"passed", result.passed},
                     {"note", result.note}});
  }
  Json document = {{"version", kVersion},
                   {"summary", comparison.summary},
                   {"samples", {{"a", comparison.samples_a}, {"b", comparison.samples_b}}},
                   {"paired", comparison.paired}};
  if (comparison.paired) {
    document["samples"]["shared"] = comparison.shared_samples;
    document["p_value"] = tidy(comparison.p_value);
  }
  document["figures"] = figures;
  document["gates"] = gates;
  document["passed"] = comparison.passed;
  return document;
}

}  // namespace limbeck
