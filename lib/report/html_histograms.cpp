#include <algorithm>
#include <cmath>
#include <vector>

#include "lib/base/format.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

using nlohmann::json;

constexpr int kHeight = 96;

struct Histogram {
  double low = 0;
  double width = 1;
  std::vector<double> counts;
  double edge(size_t bin) const { return low + width * static_cast<double>(bin); }
};

Histogram histogram_of(const json& item) {
  Histogram histogram = {item.at("low"), item.at("bin_width"), item.at("counts")};
  while (histogram.counts.size() > 1 && histogram.counts.back() == 0) histogram.counts.pop_back();
  return histogram;
}

std::string box(const std::string& style, double left, double right, const Scale& scale,
                double height) {
  const double x = scale.percent(left);
  const double width = scale.percent(right) - x;
  if (width <= 0) return "";
  return "<rect class=\"" + style + "\" x=\"" + fixed(x, 2) + "%\" width=\"" + fixed(width, 2) +
         "%\" y=\"" + fixed(kHeight - height, 1) + "\" height=\"" + fixed(height, 1) + "\"/>";
}

std::string bars(const Histogram& histogram, const Scale& scale, double low, double high) {
  const double most = *std::max_element(histogram.counts.begin(), histogram.counts.end());
  std::string out;
  for (size_t i = 0; i < histogram.counts.size(); ++i) {
    if (histogram.counts[i] == 0) continue;
    const double share = std::log10(1 + histogram.counts[i]) / std::log10(1 + most);
    const bool lost = histogram.edge(i + 1) <= low || histogram.edge(i) >= high;
    out += box(lost ? "bar lost" : "bar", histogram.edge(i), histogram.edge(i + 1), scale,
               std::max(2.0, share * (kHeight - 8)));
  }
  return out;
}

std::string bound(const Scale& scale, double value) {
  const std::string x = scale.at(value);
  return "<line class=\"bound\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"0\" y2=\"" +
         std::to_string(kHeight) + "\"/>";
}

std::string drawing(const json& item, const std::string& title) {
  const Histogram histogram = histogram_of(item);
  const bool ranged = item.contains("range");
  double left = histogram.low;
  double right = histogram.edge(histogram.counts.size());
  const double low = ranged ? item.at("range").at("low").get<double>() : left;
  const double high = ranged ? item.at("range").at("high").get<double>() : right;
  left = std::min(left, low);
  right = std::max(right, high);
  const Scale scale = {left, right};
  std::string out = "<svg height=\"" + std::to_string(kHeight + 18) +
                    "\" role=\"img\" aria-label=\"Histogram of " + title + "\"><title>" + title +
                    "</title>";
  if (ranged) {
    out += box("outside", left, low, scale, kHeight) + box("outside", high, right, scale, kHeight);
  }
  out += bars(histogram, scale, low, high) + "<line class=\"zero\" x1=\"0\" x2=\"100%\" y1=\"" +
         std::to_string(kHeight) + "\" y2=\"" + std::to_string(kHeight) + "\"/>";
  if (ranged) out += bound(scale, low) + bound(scale, high);
  const std::vector<double> ticks = round_ticks(left, right, 4);
  for (const double tick : ticks) {
    out += "<text text-anchor=\"middle\" x=\"" + scale.at(tick) + "\" y=\"" +
           std::to_string(kHeight + 15) + "\">" + number(compact(tick, 4)) + "</text>";
  }
  return out + "</svg>";
}

std::string clipped(const json& item) {
  const double percent = 100 * item.at("clipped_share").get<double>();
  if (percent == 0) return "nothing clipped";
  return "clips " + (percent < 0.0001 ? "below 0.0001" : compact(percent, 2)) + " % of the values";
}

std::string caption(const json& item) {
  if (!item.contains("range")) return "stays in floating point";
  const json& range = item.at("range");
  std::string text = "Range " + number(compact(range.at("low"), 4)) + " to " +
                     number(compact(range.at("high"), 4)) + " in " +
                     escape(range.at("type").get<std::string>());
  const std::string observer = range.at("observer");
  if (!observer.empty()) text += " (" + escape(observer) + ")";
  return text + ", " + clipped(item) + ". Seen " + number(compact(item.at("min"), 4)) + " to " +
         number(compact(item.at("max"), 4)) + ".";
}

/// Rank of the tensor among the layers, from 1; 0 when it is not among them.
size_t rank_of(const std::string& tensor, const json& report, const std::vector<size_t>& order) {
  for (size_t rank = 0; rank < order.size(); ++rank) {
    if (report.at("layers")[order[rank]].at("tensor") == tensor) return rank + 1;
  }
  return 0;
}

}  // namespace

std::string histograms(const json& report) {
  const json& all = report.at("histograms");
  if (all.empty()) return "";
  const std::vector<size_t> order = worst_layers(report);
  std::string body =
      "<p class=\"lead\">What the layers with the most error held during calibration, on a "
      "logarithmic scale, and the range that the integers cover. Values in the tinted part are "
      "clipped.</p>\n<div class=\"pair\">\n";
  for (const json& item : all) {
    const std::string tensor = item.at("tensor");
    const size_t rank = rank_of(tensor, report, order);
    body += "<figure class=\"panel\"><h3>" +
            (rank > 0 ? "<span class=\"badge\">" + std::to_string(rank) + "</span>" : "") +
            name(tensor) + "</h3>" + drawing(item, escape(tensor)) + "<figcaption>" +
            caption(item) + "</figcaption></figure>\n";
  }
  return section("Ranges of the worst layers", body + "</div>\n");
}

}  // namespace limbeck::html
