// The parts of the HTML page; html_page.cpp puts them together. Internal to lib/report. Every part
// reads the report alone and is empty when the report holds nothing for it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck::html {

/// Text as HTML: markup characters become entities, control characters U+FFFD.
std::string escape(std::string_view text);
/// A name out of a model: escaped, breakable anywhere, and isolated, so that characters that turn
/// the writing direction cannot reach beyond it.
std::string name(std::string_view text);
/// A formatted number with the typographic minus sign.
std::string number(const std::string& text);
/// <section> with a heading.
std::string section(const std::string& title, const std::string& body);
/// Row of a definition list; `value` is HTML.
std::string definition(const std::string& term, const std::string& value);

/// A linear axis across the width of a drawing. Drawings have no viewBox: horizontal positions are
/// percentages and vertical ones pixels, so that lettering keeps its size on a phone.
struct Scale {
  double low = 0;
  double high = 1;
  /// Position in percent of the width; the outer 3 % stay free for lettering.
  double percent(double value) const;
  /// percent() as an attribute: "12.34%".
  std::string at(double value) const;
};
/// About `count` round numbers within [low, high].
std::vector<double> round_ticks(double low, double high, int count);
/// Decimals that tell neighbouring ticks apart.
int tick_digits(const std::vector<double>& ticks);

/// An estimate with its 95 % interval.
struct Estimate {
  std::string label;
  std::string style;  ///< CSS class of the mark
  double value = 0;
  double low = 0;
  double high = 0;
};
/// One row an estimate over a common axis; `zero` draws the line of no change. Not empty.
std::string estimates_plot(const std::string& label, const std::vector<Estimate>& estimates,
                           bool zero);

/// A bar of bytes.
struct SizeRow {
  std::string label;
  std::string style;  ///< CSS class of the bar
  int64_t bytes = 0;
};
std::string size_bars(const std::vector<SizeRow>& rows);

/// Rows of a definition list: a file with its hash, and what differs from run to run.
std::string file_facts(const std::string& term, const nlohmann::json& file);
std::string run_facts(const nlohmann::json& run);

/// The whole page around `body`; `title` and `footer` are HTML.
std::string document(const std::string& title, const std::string& body, const std::string& footer);

/// Indices into report["layers"], least SQNR first; ties in graph order.
std::vector<size_t> worst_layers(const nlohmann::json& report);

std::string style_sheet();
std::string header(const nlohmann::json& report);
std::string cards(const nlohmann::json& report);
std::string accuracy(const nlohmann::json& report);
std::string layers(const nlohmann::json& report);
std::string histograms(const nlohmann::json& report);
std::string sizes(const nlohmann::json& report);
std::string plan(const nlohmann::json& report);
std::string provenance(const nlohmann::json& report);

}  // namespace limbeck::html
