#include <algorithm>
#include <cmath>

#include "lib/base/format.h"
#include "lib/report/distill_report.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

using nlohmann::json;

constexpr int kHeight = 200;
constexpr int kTop = 10;

struct Curve {
  std::string style;  ///< CSS class
  std::vector<double> x;
  std::vector<double> y;  ///< two values at least: a line
};

struct Bounds {
  double low = 0;
  double high = 1;
};

Bounds bounds_of(const std::vector<Curve>& curves, std::vector<double> Curve::*axis) {
  Bounds bounds = {(curves[0].*axis)[0], (curves[0].*axis)[0]};
  for (const Curve& curve : curves) {
    for (const double value : curve.*axis) {
      bounds.low = std::min(bounds.low, value);
      bounds.high = std::max(bounds.high, value);
    }
  }
  if (bounds.high == bounds.low) bounds.high += 1;
  return bounds;
}

double height_of(double value, const Bounds& bounds) {
  return kTop + (1 - (value - bounds.low) / (bounds.high - bounds.low)) * (kHeight - kTop);
}

/// Lines stretch with the width of the page; lettering does not, so it stands outside.
std::string polyline(const Curve& curve, const Bounds& x, const Bounds& y) {
  std::string points;
  for (size_t i = 0; i < curve.x.size(); ++i) {
    points += fixed(1000 * (curve.x[i] - x.low) / (x.high - x.low), 1) + "," +
              fixed(height_of(curve.y[i], y), 1) + " ";
  }
  return "<polyline class=\"curve " + curve.style + "\" points=\"" + points + "\"/>";
}

std::string plot(const std::string& title, const std::string& unit,
                 const std::vector<Curve>& curves, const std::string& last) {
  const Bounds x = bounds_of(curves, &Curve::x);
  const Bounds y = bounds_of(curves, &Curve::y);
  const std::vector<double> ticks = round_ticks(y.low, y.high, 4);
  const std::string height = std::to_string(kHeight + 4);
  std::string axis = "<svg height=\"" + height + "\" aria-hidden=\"true\">";
  std::string grid;
  for (const double tick : ticks) {
    const std::string at = fixed(height_of(tick, y), 1);
    axis += "<text text-anchor=\"end\" x=\"88%\" y=\"" + fixed(height_of(tick, y) + 4, 1) + "\">" +
            number(fixed(tick, tick_digits(ticks))) + "</text>";
    grid += "<line class=\"grid\" x1=\"0\" x2=\"100%\" y1=\"" + at + "\" y2=\"" + at + "\"/>";
  }
  std::string lines;
  for (const Curve& curve : curves) lines += polyline(curve, x, y);
  return "<figure class=\"panel\"><h3>" + title + "</h3><div class=\"plot\">" + axis +
         "</svg><svg height=\"" + height + "\" role=\"img\" aria-label=\"" + title + ", " + unit +
         "\">" + grid + "<svg width=\"100%\" height=\"" + height + "\" viewBox=\"0 0 1000 " +
         height + "\" preserveAspectRatio=\"none\">" + lines +
         "</svg></svg><span></span><div class=\"ends\"><span>start</span><span>" + last +
         "</span></div></div></figure>\n";
}

Curve curve_of(const json& columns, const char* x, const json& y, const std::string& style) {
  return {style, columns.at(x).get<std::vector<double>>(), y.get<std::vector<double>>()};
}

/// Calls add(training, style) for the run and, where there is one, the baseline.
template <typename Add>
void for_each_run(const json& report, Add add) {
  if (report.contains("baseline_training")) add(report.at("baseline_training"), "other");
  add(report.at("training"), "own");
}

std::string loss_plot(const json& report) {
  const json& steps = report.at("training").at("curves").at("steps");
  if (steps.at("step").size() < 2) return "";
  // A baseline's loss is another function: the two are not drawn over each other.
  return plot("Training loss", "weighted sum of the losses",
              {curve_of(steps, "step", steps.at("loss"), "own")},
              grouped(steps.at("step").back().get<int64_t>()) + " steps");
}

std::string validation_plot(const json& report, const char* figure, const std::string& title) {
  std::vector<Curve> curves;
  for_each_run(report, [&](const json& training, const char* style) {
    const json& epochs = training.at("curves").at("epochs");
    if (!epochs.contains("validation") || !epochs.at("validation").contains(figure)) return;
    const json& values = epochs.at("validation").at(figure);
    if (values.size() == epochs.at("epoch").size() && values.size() > 1)
      curves.push_back(curve_of(epochs, "epoch", values, style));
  });
  if (curves.empty()) return "";
  return plot(title, "percent", curves,
              grouped(static_cast<int64_t>(curves.back().x.back())) + " epochs");
}

}  // namespace

std::string training_curves(const json& report) {
  const std::string plots =
      loss_plot(report) + validation_plot(report, "top1", "Top-1 on held-out samples, percent") +
      validation_plot(report, "agreement", "Agreement on held-out samples, percent");
  if (plots.empty()) return "";
  const std::string key =
      report.contains("baseline_training")
          ? "<p class=\"key\"><b>This student</b>; <b class=\"other\">trained without a "
            "teacher</b> on the same budget.</p>\n"
          : "";
  return section("Training", "<div class=\"pair\">" + plots + "</div>\n" + key);
}

}  // namespace limbeck::html
