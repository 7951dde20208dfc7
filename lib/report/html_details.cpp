#include <algorithm>
#include <vector>

#include "lib/base/format.h"
#include "lib/report/html.h"

namespace limbeck::html {
namespace {

using nlohmann::json;

std::string counts_text(const json& counts) {
  std::string text;
  for (const auto& [type, count] : counts.items()) {
    text += (text.empty() ? "" : ", ") + grouped(count.get<int64_t>()) + " in " + escape(type);
  }
  return text.empty() ? "none" : text;
}

std::string float_nodes(const json& nodes) {
  if (nodes.empty()) return "";
  std::string rows;
  for (const json& node : nodes) {
    rows += "<tr><td>" + name(node.at("node").get<std::string>()) + "<small>" +
            escape(node.at("op").get<std::string>()) + "</small></td><td>" +
            name(node.at("reason").get<std::string>()) + "</td></tr>\n";
  }
  return "<details><summary>Why " + grouped(static_cast<int64_t>(nodes.size())) +
         (nodes.size() == 1 ? " node stays" : " nodes stay") +
         " in floating point</summary><table><thead><tr><th>Node</th><th>Reason</th></tr></thead>"
         "<tbody>\n" +
         rows + "</tbody></table></details>";
}

std::string hash_code(const json& hash) {
  return "<code>" + escape(hash.get<std::string>()) + "</code>";
}

std::string duration(double seconds) {
  if (seconds < 120) return fixed(seconds, 1) + " s";
  return grouped(static_cast<int64_t>(seconds / 60)) + " min " +
         std::to_string(static_cast<int64_t>(seconds) % 60) + " s";
}

}  // namespace

std::string size_bars(const std::vector<SizeRow>& rows) {
  int64_t most = 1;
  for (const SizeRow& row : rows) most = std::max(most, row.bytes);
  std::string out = "<svg height=\"" + std::to_string(rows.size() * 42) +
                    "\" role=\"img\" aria-label=\"Sizes before and after\">";
  int top = 0;
  for (const SizeRow& row : rows) {
    const double share = 100.0 * static_cast<double>(row.bytes) / static_cast<double>(most);
    out += "<g><title>" + row.label + ": " + grouped(row.bytes) +
           " bytes</title><text class=\"strong\" x=\"0\" y=\"" + std::to_string(top + 12) + "\">" +
           row.label + "</text><text text-anchor=\"end\" x=\"100%\" y=\"" +
           std::to_string(top + 12) + "\">" + readable_bytes(row.bytes) +
           "</text><rect class=\"bar " + row.style + "\" y=\"" + std::to_string(top + 19) +
           "\" width=\"" + fixed(share, 2) + "%\" height=\"10\" rx=\"2\"/></g>";
    top += 42;
  }
  return out + "</svg>";
}

std::string file_facts(const std::string& term, const json& file) {
  return definition(term, name(file.at("name").get<std::string>()) + ", " +
                              grouped(file.at("bytes").get<int64_t>()) + " bytes<br><code>sha256 " +
                              escape(file.at("sha256").get<std::string>()) + "</code>");
}

std::string run_facts(const json& run) {
  std::string facts;
  const std::string started = run.at("started");
  if (!started.empty()) facts += definition("Started", escape(started));
  facts += definition("Took", duration(run.at("seconds")) + " on " +
                                  std::to_string(run.at("threads").get<int>()) + " threads");
  facts += definition("Peak memory", readable_bytes(run.at("peak_memory_bytes")));
  return facts + definition("Machine", escape(run.at("host").get<std::string>()));
}

std::string sizes(const json& report) {
  const json& files = report.at("files");
  const json& quantization = report.at("quantization");
  std::vector<SizeRow> rows;
  if (files.contains("reference")) {
    rows.push_back({"FP32 file", "before", files.at("reference").at("bytes")});
  }
  rows.push_back({"This file", "after", files.at("model").at("bytes")});
  if (quantization.contains("reference_weight_bytes")) {
    rows.push_back({"FP32 weights", "before", quantization.at("reference_weight_bytes")});
  }
  if (quantization.contains("model_weight_bytes")) {
    rows.push_back({"These weights", "after", quantization.at("model_weight_bytes")});
  }
  return section("Size", "<div class=\"panel\">" + size_bars(rows) + "</div>\n");
}

std::string plan(const json& report) {
  const json& plan = report.at("quantization").at("plan");
  const json& floats = plan.at("float_nodes");
  std::string facts =
      definition("Nodes", grouped(plan.at("integer_nodes").get<int64_t>()) + " in integers, " +
                              grouped(static_cast<int64_t>(floats.size())) + " in floating point");
  facts +=
      definition("Integer MACs",
                 fixed(100 * report.at("quantization").at("integer_mac_share").get<double>(), 2) +
                     " % of the multiply-accumulates in limbeck's engine");
  facts += definition("Weight tensors", counts_text(plan.at("weights")));
  facts += definition("Activations", counts_text(plan.at("activations")));
  return section("What became integers", "<div class=\"panel\"><dl class=\"facts\">\n" + facts +
                                             "</dl>" + float_nodes(floats) + "</div>\n");
}

std::string provenance(const json& report) {
  const json& files = report.at("files");
  const json& quantization = report.at("quantization");
  std::string facts = file_facts("This model", files.at("model"));
  if (files.contains("reference")) facts += file_facts("Reference", files.at("reference"));
  if (quantization.contains("calibration")) {
    const json& calibration = quantization.at("calibration");
    facts +=
        definition("Calibration data", grouped(calibration.at("samples").get<int64_t>()) +
                                           " samples<br>" + hash_code(calibration.at("data_hash")));
  }
  facts += definition("Evaluation data", hash_code(report.at("evaluation").at("data_hash")));
  facts += run_facts(report.at("run"));
  return section("How it was made",
                 "<div class=\"panel\"><dl class=\"facts\">\n" + facts +
                     "</dl></div>\n<div class=\"panel\"><h3>Command</h3><pre><code>" +
                     escape(report.at("run").at("command").get<std::string>()) +
                     "</code></pre></div>\n");
}

}  // namespace limbeck::html
