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
