#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/base/format.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

using nlohmann::json;

constexpr int kPlotHeight = 230;
constexpr int kPlotTop = 26;  // room for the badges
constexpr size_t kWorst = 8;
constexpr double kLowest = -40;  // drawn at the floor below this
constexpr double kExact = 200;   // what evaluation reports for equal values

double sqnr_of(const json& layer) { return layer.at("sqnr_db"); }

std::string shown_sqnr(double sqnr) { return sqnr >= kExact ? "exact" : number(fixed(sqnr, 1)); }

/// Vertical axis in dB: from zero, or below where a layer is worse than that, to the best layer
/// that is not exact.
struct Axis {
  double low = 0;
  double high = 10;
  double step = 10;
  double y(double sqnr) const {
    const double share = (std::clamp(sqnr, low, high) - low) / (high - low);
    return kPlotTop + (1 - share) * (kPlotHeight - kPlotTop);
  }
};

Axis axis_of(const json& layers) {
  Axis axis;
  for (const json& layer : layers) {
    const double sqnr = sqnr_of(layer);
    axis.low = std::clamp(std::floor(sqnr / 10) * 10, kLowest, axis.low);
    if (sqnr < kExact) axis.high = std::max(axis.high, std::ceil(sqnr / 10) * 10);
  }
  axis.step = axis.high - axis.low > 80 ? 20 : 10;
  return axis;
}

std::vector<double> axis_ticks(const Axis& axis) {
  std::vector<double> ticks;
  const int first = static_cast<int>(std::ceil(axis.low / axis.step));
  const int last = static_cast<int>(std::floor(axis.high / axis.step));
  for (int i = first; i <= last; ++i) ticks.push_back(i * axis.step);
  return ticks;
}

std::string vertical_axis(const Axis& axis) {
  std::string out = "<svg height=\"" + std::to_string(kPlotHeight + 4) + "\" aria-hidden=\"true\">";
  for (const double tick : axis_ticks(axis)) {
    out += "<text text-anchor=\"end\" x=\"82%\" y=\"" + fixed(axis.y(tick) + 4, 1) + "\">" +
           number(fixed(tick, 0)) + "</text>";
  }
  return out + "</svg>";
}

std::string lollipop(const json& layer, const Axis& axis, double x, double slot, bool worst) {
  const double sqnr = sqnr_of(layer);
  const std::string at = fixed(x, 2) + "%";
  const std::string y = fixed(axis.y(sqnr), 1);
  const std::string bottom = std::to_string(kPlotHeight);
  return "<g" + std::string(worst ? " class=\"worst\"" : "") + "><title>" +
         escape(layer.at("tensor").get<std::string>()) + " (" +
         escape(layer.at("op").get<std::string>()) + "): " + shown_sqnr(sqnr) +
         (sqnr >= kExact ? "" : " dB") + "</title><rect class=\"hit\" x=\"" +
         fixed(x - slot / 2, 2) + "%\" y=\"" + std::to_string(kPlotTop) + "\" width=\"" +
         fixed(slot, 2) + "%\" height=\"" + std::to_string(kPlotHeight - kPlotTop) +
         "\"/><line class=\"stem\" x1=\"" + at + "\" x2=\"" + at + "\" y1=\"" + bottom +
         "\" y2=\"" + y + "\"/><circle class=\"dot\" cx=\"" + at + "\" cy=\"" + y + "\" r=\"" +
         (worst ? "4" : "3") + "\"/></g>";
}

/// Ranks over the worst layers, raised in steps where neighbours would overprint each other.
std::string ranks(const std::vector<size_t>& worst, const json& layers, const Axis& axis,
                  double slot) {
  std::vector<size_t> order(worst.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&worst](size_t a, size_t b) { return worst[a] < worst[b]; });
  std::string out;
  constexpr double kTooClose = 4.5;  // percent: a digit on a phone, 11 pixels of 245
  double last_x = -100;
  double last_y = 0;
  for (const size_t rank : order) {
    const double x = slot * (static_cast<double>(worst[rank]) + 0.5);
    double y = axis.y(sqnr_of(layers[worst[rank]])) - 9;
    if (x - last_x < kTooClose && std::abs(y - last_y) < 12) y = last_y - 12;
    last_x = x;
    last_y = y;
    out += "<text class=\"worst\" text-anchor=\"middle\" x=\"" + fixed(x, 2) + "%\" y=\"" +
           fixed(y, 1) + "\">" + std::to_string(rank + 1) + "</text>";
  }
  return out;
}

std::string layers_plot(const json& layers, const std::vector<size_t>& worst) {
  const Axis axis = axis_of(layers);
  const double slot = 100.0 / static_cast<double>(layers.size());
  std::string out = "<svg height=\"" + std::to_string(kPlotHeight + 4) +
                    "\" role=\"img\" aria-label=\"SQNR of every layer in decibels, in graph "
                    "order; the worst are numbered\">";
  for (const double tick : axis_ticks(axis)) {
    const std::string y = fixed(axis.y(tick), 1);
    out += tick == 0 ? "<line class=\"zero" : "<line class=\"grid";
    out.append("\" x1=\"0\" x2=\"100%\" y1=\"").append(y);
    out.append("\" y2=\"").append(y).append("\"/>");
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    const bool is_worst = std::find(worst.begin(), worst.end(), i) != worst.end();
    out += lollipop(layers[i], axis, slot * (static_cast<double>(i) + 0.5), slot, is_worst);
  }
  out += ranks(worst, layers, axis, slot) + "</svg>";
  return "<div class=\"plot\">" + vertical_axis(axis) + out +
         "<span></span><div class=\"ends\"><span>input</span><span>graph order</span>"
         "<span>output</span></div></div>";
}

std::string layer_row(const json& layer, size_t rank) {
  const std::string badge =
      rank < kWorst ? "<span class=\"badge\">" + std::to_string(rank + 1) + "</span>" : "";
  return "<tr><td>" + badge + name(layer.at("tensor").get<std::string>()) + "<small>" +
         escape(layer.at("op").get<std::string>()) + ", " +
         escape(layer.at("type").get<std::string>()) + "</small></td><td class=\"num\">" +
         shown_sqnr(sqnr_of(layer)) + "</td><td class=\"num\">" +
         number(fixed(layer.at("cosine"), 4)) + "</td><td class=\"num far\">" +
         compact(layer.at("max_abs"), 3) + "</td></tr>\n";
}

std::string layers_table(const json& layers, const std::vector<size_t>& order, size_t from,
                         size_t to) {
  std::string out =
      "<table><thead><tr><th>Layer</th><th class=\"num\">SQNR, dB</th><th "
      "class=\"num\">Cosine</th><th class=\"num far\">Largest error</th></tr></thead><tbody>\n";
  for (size_t rank = from; rank < to; ++rank) out += layer_row(layers[order[rank]], rank);
  return out + "</tbody></table>";
}

}  // namespace

std::string layers(const json& report) {
  const json& all = report.at("layers");
  if (all.empty()) return "";
  const std::vector<size_t> order = worst_layers(report);
  const size_t shown = std::min(order.size(), kWorst);
  const std::vector<size_t> worst(order.begin(),
                                  order.begin() + static_cast<std::ptrdiff_t>(shown));
  std::string body =
      "<p class=\"lead\">Each activation against its FP32 counterpart: the signal-to-noise ratio "
      "of the emitted model, higher is better. About 6 dB make one bit.</p>\n"
      "<figure class=\"panel\"><p class=\"legend\">SQNR in dB; <b>the " +
      std::to_string(shown) + " lowest are numbered</b></p>" + layers_plot(all, worst) +
      "</figure>\n<div class=\"panel\">" + layers_table(all, order, 0, shown);
  if (order.size() > shown) {
    body += "<details><summary>The other " + std::to_string(order.size() - shown) +
            " layers</summary>" + layers_table(all, order, shown, order.size()) + "</details>";
  }
  return section("Error by layer", body + "</div>\n");
}

}  // namespace limbeck::html
