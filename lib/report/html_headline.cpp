#include <map>

#include "lib/base/format.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

using nlohmann::json;

struct Judgement {
  const char* style;
  const char* label;
};

Judgement judgement_of(const std::string& judgement) {
  static const std::map<std::string, Judgement> kTable = {
      {"same", {"good", "No change"}},
      {"noise", {"good", "Within noise"}},
      {"gain", {"good", "Significant gain"}},
      {"loss", {"bad", "Significant loss"}},
      {"unknown", {"open", "Accuracy not judged"}}};
  return kTable.at(judgement);
}

std::string card(const std::string& label, const std::string& value, const std::string& detail,
                 bool wide = false) {
  return std::string("<div class=\"card") + (wide ? " wide" : "") + "\"><p class=\"label\">" +
         label + "</p><p class=\"value\">" + value + "</p>" +
         (detail.empty() ? "" : "<p class=\"detail\">" + detail + "</p>") + "</div>\n";
}

std::string interval_text(const json& interval, bool signs) {
  const auto show = [signs](double value) {
    return number(signs ? with_sign(value, 2) : fixed(value, 2));
  };
  return "95 % interval " + show(interval.at(0)) + " to " + show(interval.at(1));
}

std::string top1_card(const json& report) {
  const json& evaluation = report.at("evaluation");
  const json& metrics = evaluation.at("metrics");
  if (!metrics.contains("top1")) return "";
  std::string value;
  if (evaluation.contains("reference") && evaluation.at("reference").contains("top1")) {
    value = "<i>" + fixed(evaluation.at("reference").at("top1"), 2) + " \xE2\x86\x92</i> ";
  }
  value += fixed(metrics.at("top1"), 2) + " <small>%</small>";
  std::string detail;
  if (evaluation.contains("paired")) {
    const json& paired = evaluation.at("paired");
    detail = number(with_sign(paired.at("top1_change"), 2)) + " points, " +
             interval_text(paired.at("top1_change_interval"), true);
  } else if (metrics.contains("top1_interval")) {
    detail = interval_text(metrics.at("top1_interval"), false);
  }
  return card("Top-1 accuracy", value, detail, true);
}

std::string agreement_card(const json& metrics, bool wide) {
  if (!metrics.contains("agreement")) return "";
  std::string detail = "same top class";
  if (metrics.contains("agreement_interval")) {
    detail = interval_text(metrics.at("agreement_interval"), false);
  }
  return card("Agreement with FP32", fixed(metrics.at("agreement"), 2) + " <small>%</small>",
              detail, wide);
}

std::string sqnr_card(const json& metrics) {
  if (metrics.contains("agreement") || !metrics.contains("sqnr_db")) return "";
  return card("Output SQNR", number(fixed(metrics.at("sqnr_db"), 1)) + " <small>dB</small>",
              "signal to quantization noise", true);
}

std::string size_card(const json& files) {
  const int64_t after = files.at("model").at("bytes");
  std::string detail;
  if (files.contains("reference") && after > 0) {
    const int64_t before = files.at("reference").at("bytes");
    const double ratio = static_cast<double>(before) / static_cast<double>(after);
    detail = "from " + readable_bytes(before);
    if (ratio > 1) detail += ", " + fixed(ratio, 1) + "\xC3\x97 smaller";
  }
  return card("Model file", readable_bytes(after), detail);
}

std::string mac_card(const json& quantization) {
  const double share = 100 * quantization.at("integer_mac_share").get<double>();
  const std::string width = fixed(share, 2) + "%";
  return card("Integer MACs", fixed(share, 1) + " <small>%</small>",
              "<svg height=\"6\" role=\"img\" aria-label=\"" + width +
                  " of the multiply-accumulates run as integers\"><rect class=\"track\" "
                  "width=\"100%\" height=\"6\" rx=\"3\"/><rect class=\"bar\" width=\"" +
                  width + "\" height=\"6\" rx=\"3\"/></svg>");
}

}  // namespace

std::string header(const json& report) {
  const json& files = report.at("files");
  const json& quantization = report.at("quantization");
  const Judgement judgement = judgement_of(report.at("headline").at("judgement"));
  std::string sub;
  const auto add = [&sub](const std::string& part) { sub += (sub.empty() ? "" : ", ") + part; };
  if (files.contains("reference")) {
    add("made from " + name(files.at("reference").at("name").get<std::string>()));
  }
  for (const char* what : {"weights", "activations"}) {
    const std::string type = quantization.at(what);
    if (!type.empty()) add(escape(type) + " " + what);
  }
  const std::string form = quantization.at("format");
  if (!form.empty()) add(escape(form) + " form");
  return "<header>\n<p class=\"eyebrow\">limbeck accuracy report</p>\n<h1>" +
         name(files.at("model").at("name").get<std::string>()) + "</h1>\n<p class=\"sub\">" + sub +
         "</p>\n<p class=\"verdict " + judgement.style + "\"><b>" + judgement.label + "</b>" +
         escape(report.at("headline").at("verdict").get<std::string>()) + "</p>\n</header>\n";
}

std::string cards(const json& report) {
  const json& metrics = report.at("evaluation").at("metrics");
  const std::string top1 = top1_card(report);
  return "<div class=\"cards\">\n" + top1 + agreement_card(metrics, top1.empty()) +
         sqnr_card(metrics) + size_card(report.at("files")) + mac_card(report.at("quantization")) +
         "</div>\n";
}

}  // namespace limbeck::html
