#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/format.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
/// Where long names of files and tensors may continue on the next line.
constexpr std::string_view kBreakAfter = "/._:";
constexpr std::string_view kMinus = "\xE2\x88\x92";

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7F;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        if (is_control(c)) {
          out += kReplacement;
        } else {
          out += c;
        }
    }
  }
  return out;
}

std::string name(std::string_view text) {
  std::string out = "<span class=\"name\">";
  size_t start = 0;
  while (start < text.size()) {
    size_t end = text.find_first_of(kBreakAfter, start);
    end = end == std::string_view::npos ? text.size() : end + 1;
    out += escape(text.substr(start, end - start));
    if (end < text.size()) out += "<wbr>";
    start = end;
  }
  return out + "</span>";
}

std::string number(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += kMinus;
    } else {
      out += c;
    }
  }
  return out;
}

std::string section(const std::string& title, const std::string& body) {
  return "<section>\n<h2>" + title + "</h2>\n" + body + "</section>\n";
}

std::string definition(const std::string& term, const std::string& value) {
  return "<div><dt>" + term + "</dt><dd>" + value + "</dd></div>\n";
}

double Scale::percent(double value) const {
  const double share = high > low ? (value - low) / (high - low) : 0.5;
  return 3 + 94 * std::clamp(share, 0.0, 1.0);
}

std::string Scale::at(double value) const { return fixed(percent(value), 2) + "%"; }

std::vector<double> round_ticks(double low, double high, int count) {
  if (!(high > low)) return {low};
  const double rough = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * 0.999) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  const double first = std::ceil(low / step - 1e-9);
  // Counted, since steps below the precision of `low` would never arrive.
  for (int i = 0; i <= 2 * count; ++i) {
    const double tick = (first + i) * step;
    if (tick > high + step * 1e-9) break;
    ticks.push_back(tick);
  }
  return ticks;
}

int tick_digits(const std::vector<double>& ticks) {
  if (ticks.size() < 2) return 2;
  const double step = ticks[1] - ticks[0];
  return std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 9);
}

std::vector<size_t> worst_layers(const nlohmann::json& report) {
  const nlohmann::json& layers = report.at("layers");
  std::vector<size_t> order(layers.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&layers](size_t a, size_t b) {
    return layers[a].at("sqnr_db").get<double>() < layers[b].at("sqnr_db").get<double>();
  });
  return order;
}

}  // namespace limbeck::html
