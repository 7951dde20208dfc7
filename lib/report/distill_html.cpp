#include <array>
#include <map>

#include "lib/base/format.h"
#include "lib/report/distill_report.h"
#include "lib/report/html.h"

namespace limbeck {
namespace {

using html::definition;
using html::escape;
using html::name;
using html::number;
using html::section;
using nlohmann::json;

/// The models of a report, in the order of its tables.
struct Role {
  const char* field;
  const char* label;
  const char* style;
};
constexpr std::array<Role, 4> kRoles = {{{"teacher", "Teacher", "before"},
                                         {"student", "Student before", "before"},
                                         {"baseline", "Trained without a teacher", "before"},
                                         {"model", "Student after", "after"}}};

std::string verdict_style(const std::string& judgement) {
  if (judgement == "gain" || judgement == "same" || judgement == "noise") return "good";
  return judgement == "loss" ? "bad" : "open";
}

std::string page_header(const json& report) {
  const json& files = report.at("files");
  const json& headline = report.at("headline");
  std::string sub = "trained from " + name(files.at("student").at("name").get<std::string>());
  if (files.contains("teacher"))
    sub += ", taught by " + name(files.at("teacher").at("name").get<std::string>());
  return "<header>\n<p class=\"eyebrow\">limbeck distillation report</p>\n<h1>" +
         name(files.at("model").at("name").get<std::string>()) + "</h1>\n<p class=\"sub\">" + sub +
         "</p>\n<p class=\"verdict " + verdict_style(headline.at("judgement")) + "\">" +
         escape(headline.at("verdict").get<std::string>()) + "</p>\n</header>\n";
}

std::string accuracy_plot(const json& evaluation, const char* figure, const std::string& title) {
  const std::string interval = std::string(figure) + "_interval";
  std::vector<html::Estimate> estimates;
  for (const Role& role : kRoles) {
    if (!evaluation.contains(role.field)) continue;
    const json& metrics = evaluation.at(role.field);
    if (!metrics.contains(figure) || !metrics.contains(interval)) continue;
    const json& bounds = metrics.at(interval);
    estimates.push_back({role.label, role.style, metrics.at(figure), bounds[0], bounds[1]});
  }
  if (estimates.empty()) return "";
  return "<figure class=\"panel\"><h3>" + title + "</h3>" +
         html::estimates_plot(title, estimates, false) +
         "<figcaption>Each alone, with its Wilson score interval at 95 %.</figcaption></figure>\n";
}

std::string paired_row(const json& paired, const char* field, const char* label) {
  if (!paired.contains(field)) return "";
  const json& change = paired.at(field);
  const json& interval = change.at("top1_change_interval");
  return std::string("<tr><td>") + label + "<small>" +
         grouped(change.at("only_reference_correct").get<int64_t>()) + " right there only, " +
         grouped(change.at("only_model_correct").get<int64_t>()) +
         " here only</small></td><td class=\"num\">" +
         number(with_sign(change.at("top1_change"), 2)) + "</td><td class=\"num\">" +
         number(with_sign(interval[0], 2)) + " to " + number(with_sign(interval[1], 2)) +
         "</td><td class=\"num far\">" + readable_p(change.at("p_value")) + "</td></tr>\n";
}

std::string paired_table(const json& paired) {
  const std::string rows = paired_row(paired, "student", "the student as it was given") +
                           paired_row(paired, "baseline", "the student trained without a teacher") +
                           paired_row(paired, "teacher", "the teacher");
  if (rows.empty()) return "";
  return "<div class=\"panel\"><h3>Change of top-1 on the same samples, against</h3><table><thead>"
         "<tr><th></th><th class=\"num\">Points</th><th class=\"num\">95 % interval</th>"
         "<th class=\"num far\">McNemar p</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

/// `kind` "far": left out on a phone.
std::string cell(const json& metrics, const char* field, int digits, const std::string& kind = "") {
  const std::string shown = metrics.contains(field) ? fixed(metrics.at(field), digits) : "";
  return "<td class=\"num " + kind + "\">" + number(shown) + "</td>";
}

std::string figures_table(const json& evaluation) {
  std::string rows;
  for (const Role& role : kRoles) {
    if (!evaluation.contains(role.field)) continue;
    const json& metrics = evaluation.at(role.field);
    rows += std::string("<tr><td>") + role.label + "</td>" + cell(metrics, "top1", 2) +
            cell(metrics, "top5", 2, "far") + cell(metrics, "loss", 4, "far") +
            cell(metrics, "agreement", 2) + "</tr>\n";
  }
  return "<div class=\"panel\"><table><thead><tr><th>Model</th><th class=\"num\">Top-1, %</th>"
         "<th class=\"num far\">Top-5, %</th><th class=\"num far\">Loss, nats</th><th "
         "class=\"num\">"
         "Agreement with the teacher, %</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string domain_row(const json& domain, const Role& role) {
  std::string cells;
  for (const char* part : {"inside", "outside"}) {
    std::string shown;
    if (domain.contains(part) && domain.at(part).contains(role.field)) {
      const json& figures = domain.at(part).at(role.field);
      const json& interval = figures.at("top1_interval");
      shown = fixed(figures.at("top1"), 2) + "<small>" + fixed(interval[0], 2) + " to " +
              fixed(interval[1], 2) + "</small>";
    }
    cells += "<td class=\"num\">" + shown + "</td>";
  }
  return std::string("<tr><td>") + role.label + "</td>" + cells + "</tr>\n";
}

std::string domain_table(const json& evaluation) {
  if (!evaluation.contains("domain")) return "";
  const json& domain = evaluation.at("domain");
  std::string rows;
  for (const Role& role : kRoles) {
    if (evaluation.contains(role.field)) rows += domain_row(domain, role);
  }
  std::string classes;
  for (const json& index : domain.at("classes"))
    classes += (classes.empty() ? "" : ", ") + std::to_string(index.get<int64_t>());
  return "<div class=\"panel\"><h3>Top-1 in and out of the domain, classes " + classes +
         "</h3><table><thead><tr><th>Model</th><th class=\"num\">Inside, %</th><th "
         "class=\"num\">Outside, %</th></tr></thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string accuracy_section(const json& report) {
  const json& evaluation = report.at("evaluation");
  const int64_t samples = evaluation.at("model").at("samples");
  const std::string lead = "<p class=\"lead\">Measured on " + grouped(samples) + " samples (" +
                           escape(evaluation.at("source").get<std::string>()) + ").</p>\n";
  const std::string plots =
      accuracy_plot(evaluation, "top1", "Top-1, percent") +
      accuracy_plot(evaluation, "agreement", "Agreement with the teacher, percent");
  return section("Accuracy",
                 lead + (plots.empty() ? "" : "<div class=\"pair\">" + plots + "</div>\n") +
                     domain_table(evaluation) + paired_table(evaluation.at("paired")) +
                     figures_table(evaluation));
}

std::string sizes_section(const json& report) {
  const json& files = report.at("files");
  std::vector<html::SizeRow> rows;
  std::string facts;
  for (const Role& role : kRoles) {
    if (std::string(role.field) == "student" || !files.contains(role.field)) continue;
    const json& file = files.at(role.field);
    rows.push_back({role.label, role.style, file.at("bytes")});
    facts += definition(role.label, grouped(file.at("macs").get<int64_t>()) +
                                        " multiply-accumulates a sample, " +
                                        readable_bytes(file.at("weight_bytes")) + " of weights");
  }
  return section("Size", "<div class=\"panel\">" + html::size_bars(rows) +
                             "</div>\n<div class=\"panel\"><dl class=\"facts\">\n" + facts +
                             "</dl></div>\n");
}

std::string counted(int64_t count, const char* what) {
  return grouped(count) + " " + what + (count == 1 ? "" : "s");
}

std::string provenance_section(const json& report) {
  const json& data = report.at("data");
  const json& training = report.at("training");
  std::string facts;
  for (const Role& role : kRoles) {
    if (report.at("files").contains(role.field))
      facts += html::file_facts(role.label, report.at("files").at(role.field));
  }
  facts +=
      definition("Training data",
                 grouped(data.at("training_samples").get<int64_t>()) + " samples, " +
                     grouped(data.at("validation_samples").get<int64_t>()) + " held out<br><code>" +
                     escape(data.at("hash").get<std::string>()) + "</code>");
  facts += definition(
      "Evaluation data",
      "<code>" + escape(report.at("evaluation").at("data_hash").get<std::string>()) + "</code>");
  facts += definition(
      "Training",
      counted(training.at("epochs"), "epoch") + ", " + counted(training.at("steps"), "step") +
          (training.at("stopped_early").get<bool>() ? ", stopped early" : "") +
          (training.contains("best_epoch")
               ? ", weights of epoch " + grouped(training.at("best_epoch").get<int64_t>())
               : ""));
  facts += html::run_facts(report.at("run"));
  return section("How it was made",
                 "<div class=\"panel\"><dl class=\"facts\">\n" + facts +
                     "</dl></div>\n<div class=\"panel\"><h3>Recipe</h3><pre><code>" +
                     escape(report.at("recipe").dump(2)) +
                     "</code></pre></div>\n<div class=\"panel\"><h3>Command</h3><pre><code>" +
                     escape(report.at("run").at("command").get<std::string>()) +
                     "</code></pre></div>\n");
}

}  // namespace

std::string render_distill_html(const json& report) {
  const std::string title = escape(report.at("files").at("model").at("name").get<std::string>());
  const std::string body = page_header(report) + "<main>\n" + accuracy_section(report) +
                           html::training_curves(report) + sizes_section(report) +
                           html::widths_section(report) + provenance_section(report) + "</main>\n";
  return html::document(title + ": distillation report", body,
                        escape(report.at("generator").get<std::string>()) +
                            ". Every accuracy was measured on a file.");
}

}  // namespace limbeck
