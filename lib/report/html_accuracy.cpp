#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "lib/base/format.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

using nlohmann::json;

std::string line(const std::string& style, const std::string& x1, const std::string& x2, int y1,
                 int y2) {
  return "<line class=\"" + style + "\" x1=\"" + x1 + "\" x2=\"" + x2 + "\" y1=\"" +
         std::to_string(y1) + "\" y2=\"" + std::to_string(y2) + "\"/>";
}

std::string text(const std::string& attributes, const std::string& x, int y,
                 const std::string& content) {
  return "<text " + attributes + " x=\"" + x + "\" y=\"" + std::to_string(y) + "\">" + content +
         "</text>";
}

std::string estimate_row(const Estimate& estimate, const Scale& scale, int top, bool signs) {
  const auto show = [signs](double value) {
    return number(signs ? with_sign(value, 2) : fixed(value, 2));
  };
  const std::string bounds = show(estimate.low) + " to " + show(estimate.high);
  const std::string low = scale.at(estimate.low);
  const std::string high = scale.at(estimate.high);
  const int y = top + 30;
  std::string row = "<g class=\"" + estimate.style + "\"><title>" + estimate.label + ": " +
                    show(estimate.value) + ", 95 % interval " + bounds + "</title>";
  row += text("class=\"strong\"", "0", top + 12, estimate.label);
  row += text("text-anchor=\"end\"", "100%", top + 12,
              "<tspan class=\"strong\">" + show(estimate.value) + "</tspan>  (" + bounds + ")");
  row += line("whisker", low, high, y, y) + line("whisker", low, low, y - 5, y + 5) +
         line("whisker", high, high, y - 5, y + 5);
  return row + "<circle class=\"dot\" cx=\"" + scale.at(estimate.value) + "\" cy=\"" +
         std::to_string(y) + "\" r=\"5\"/></g>";
}

std::string top1_plot(const json& evaluation) {
  std::vector<Estimate> estimates;
  const auto add = [&estimates](const json& metrics, const char* label, const char* style) {
    if (!metrics.contains("top1") || !metrics.contains("top1_interval")) return;
    const json& interval = metrics.at("top1_interval");
    estimates.push_back({label, style, metrics.at("top1"), interval[0], interval[1]});
  };
  if (evaluation.contains("reference")) {
    add(evaluation.at("reference"), "FP32 reference", "before");
  }
  add(evaluation.at("metrics"), "This model", "after");
  if (estimates.empty()) return "";
  return "<figure class=\"panel\"><h3>Top-1, percent</h3>" +
         estimates_plot("Top-1 with 95 % intervals", estimates, false) +
         "<figcaption>Each alone, with its Wilson score interval.</figcaption></figure>\n";
}

std::string change_plot(const json& evaluation) {
  if (!evaluation.contains("paired")) return "";
  const json& paired = evaluation.at("paired");
  const json& interval = paired.at("top1_change_interval");
  const Estimate change = {"Change", "after", paired.at("top1_change"), interval[0], interval[1]};
  const auto count = [&paired](const char* field) {
    return grouped(paired.at(field).get<int64_t>());
  };
  return "<figure class=\"panel\"><h3>Change, points, on the same samples</h3>" +
         estimates_plot("Change of top-1 with its 95 % interval", {change}, true) +
         "<figcaption>The paired difference with its score interval. Of " + count("samples") +
         " samples " + count("only_reference_correct") + " are right in FP32 only and " +
         count("only_model_correct") + " in this model only: exact McNemar p " +
         (paired.at("p_value").get<double>() < 0.001 ? "" : "= ") +
         readable_p(paired.at("p_value")) + ".</figcaption></figure>\n";
}

struct FigureRow {
  const char* field;
  const char* label;
  int digits;
};
constexpr std::array<FigureRow, 7> kFigures = {{{"top1", "Top-1, %", 2},
                                                {"top5", "Top-5, %", 2},
                                                {"loss", "Cross-entropy, nats", 4},
                                                {"agreement", "Agreement with FP32, %", 2},
                                                {"sqnr_db", "Output SQNR, dB", 1},
                                                {"cosine", "Output cosine", 5},
                                                {"kl", "KL divergence, nats", 5}}};

std::string figure_row(const std::string& label, const json& before, const json& after,
                       int digits) {
  const auto cell = [digits](const json& value) {
    std::string shown;
    if (value.is_number()) {
      shown = digits < 0 ? compact(value, 5) : fixed(value, digits);
    }
    return "<td class=\"num\">" + number(shown) + "</td>";
  };
  std::string change;
  if (before.is_number() && after.is_number()) {
    const double difference = after.get<double>() - before.get<double>();
    change = digits < 0 ? compact(difference, 4) : with_sign(difference, digits);
  }
  return "<tr><td>" + label + "</td>" + cell(before) + cell(after) + "<td class=\"num\">" +
         number(change) + "</td></tr>\n";
}

std::string figures_table(const json& evaluation) {
  const json empty = json::object();
  const json& after = evaluation.at("metrics");
  const json& before = evaluation.contains("reference") ? evaluation.at("reference") : empty;
  std::string rows;
  for (const FigureRow& figure : kFigures) {
    if (!after.contains(figure.field)) continue;
    rows += figure_row(figure.label, before.value(figure.field, json()), after.at(figure.field),
                       figure.digits);
  }
  const json users = after.value("user", empty);
  const json users_before = before.value("user", empty);
  for (const auto& [key, value] : users.items()) {
    rows += figure_row(name(key), users_before.value(key, json()), value, -1);
  }
  if (rows.empty()) return "";
  return "<div class=\"panel\"><table><thead><tr><th>Figure</th><th class=\"num\">FP32</th><th "
         "class=\"num\">This model</th><th class=\"num\">Change</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

}  // namespace

std::string estimates_plot(const std::string& label, const std::vector<Estimate>& estimates,
                           bool zero) {
  double low = zero ? 0 : estimates[0].low;
  double high = zero ? 0 : estimates[0].high;
  for (const Estimate& estimate : estimates) {
    low = std::min(low, estimate.low);
    high = std::max(high, estimate.high);
  }
  const double margin = high > low ? 0.06 * (high - low) : 0.5;
  const Scale scale = {low - margin, high + margin};
  const int bottom = static_cast<int>(estimates.size()) * 48 + 4;
  std::string out = "<svg height=\"" + std::to_string(bottom + 20) +
                    "\" role=\"img\" aria-label=\"" + label + "\">";
  const std::vector<double> ticks = round_ticks(scale.low, scale.high, 4);
  for (const double tick : ticks) {
    const std::string x = scale.at(tick);
    out += line(zero && std::abs(tick) < 1e-12 ? "zero" : "grid", x, x, 20, bottom);
    out += text("text-anchor=\"middle\"", x, bottom + 15, number(fixed(tick, tick_digits(ticks))));
  }
  int top = 0;
  for (const Estimate& estimate : estimates) {
    out += estimate_row(estimate, scale, top, zero);
    top += 48;
  }
  return out + "</svg>";
}

std::string accuracy(const json& report) {
  const json& evaluation = report.at("evaluation");
  const int64_t samples = evaluation.at("metrics").at("samples");
  const std::string source = evaluation.at("source");
  const std::string scores = evaluation.at("metrics").value("scores", "");
  const std::string lead = "<p class=\"lead\">Measured on " + grouped(samples) +
                           (samples == 1 ? " sample" : " samples") +
                           (source.empty() ? "" : " (" + escape(source) + ")") +
                           (scores.empty() ? "" : "; class scores: output " + escape(scores)) +
                           ".</p>\n";
  const std::string plots = top1_plot(evaluation) + change_plot(evaluation);
  return section("Accuracy",
                 lead + (plots.empty() ? "" : "<div class=\"pair\">" + plots + "</div>\n") +
                     figures_table(evaluation));
}

}  // namespace limbeck::html
