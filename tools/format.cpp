#include "tools/format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>

namespace limbeck {
namespace {

/// Three significant digits and a unit.
std::string scaled(int64_t number, double step, const std::array<std::string_view, 6>& units) {
  auto value = static_cast<double>(number);
  size_t unit = 0;
  // 999.5 would be printed as 1000.
  while (unit + 1 < units.size() && value >= (unit == 0 ? step : step - 0.5)) {
    value /= step;
    ++unit;
  }
  std::array<char, 32> buffer{};
  const int decimals = unit == 0 || value >= 99.95 ? 0 : (value >= 9.995 ? 1 : 2);
  std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
  return std::string(buffer.data()) + (units[unit].empty() ? "" : " ") + std::string(units[unit]);
}

std::string padded(const std::string& text, size_t width, bool right) {
  const std::string space(width - std::min(width, text.size()), ' ');
  return right ? space + text : text + space;
}

}  // namespace

std::string count_text(int64_t count) { return scaled(count, 1000, {"", "K", "M", "G", "T", "P"}); }

std::string bytes_text(int64_t bytes) {
  return scaled(bytes, 1024, {"B", "KiB", "MiB", "GiB", "TiB", "PiB"});
}

std::string percent_text(double share) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.1f %%", 100.0 * share);
  return buffer.data();
}

std::string table_text(const TableRow& header, const std::vector<TableRow>& rows) {
  std::vector<TableRow> lines{header};
  lines.insert(lines.end(), rows.begin(), rows.end());
  std::vector<bool> right;
  for (std::string& title : lines.front()) {
    right.push_back(title.starts_with('>'));
    if (right.back()) title.erase(0, 1);
  }
  std::vector<size_t> widths(header.size(), 0);
  for (const TableRow& line : lines) {
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const TableRow& line : lines) {
    std::string row;
    for (size_t i = 0; i < line.size(); ++i) row += "  " + padded(line[i], widths[i], right[i]);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

}  // namespace limbeck
