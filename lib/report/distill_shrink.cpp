// The part of the distillation report that tells how a student was made from its teacher.
#include "lib/base/format.h"
#include "lib/report/distill_report.h"
#include "lib/report/html.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

Json layer_json(const ShrunkLayer& layer) {
  Json result = {{"node", valid_utf8(layer.node)},
                 {"op", layer.op_type},
                 {"inputs", {layer.inputs_before, layer.inputs_after}},
                 {"outputs", {layer.outputs_before, layer.outputs_after}}};
  if (layer.macs_before >= 0) result["macs"] = {layer.macs_before, layer.macs_after};
  return result;
}

std::string change(const nlohmann::json& pair) {
  const int64_t before = pair[0];
  const int64_t after = pair[1];
  return before == after ? grouped(before) : grouped(before) + " → " + grouped(after);
}

std::string layer_row(const nlohmann::json& layer) {
  using html::escape;
  const bool removed = layer.at("outputs")[1] == 0;
  const auto cell = [&](const char* field) {
    const std::string text = layer.contains(field) ? change(layer.at(field)) : "";
    return "<td class=\"num\">" + text + "</td>";
  };
  return "<tr><td>" + html::name(layer.at("node").get<std::string>()) + "<small>" +
         escape(layer.at("op").get<std::string>()) + (removed ? ", removed with its block" : "") +
         "</small></td>" + cell("inputs") + cell("outputs") + cell("macs") + "</tr>\n";
}

std::string block_text(const nlohmann::json& blocks) {
  std::string text;
  for (const nlohmann::json& block : blocks) {
    text += text.empty() ? " Removed blocks: " : ", ";
    text += html::name(block.at("add").get<std::string>()) + " (divergence " +
            html::number(compact(block.at("divergence"))) + ")";
  }
  return text.empty() ? "" : text + ".";
}

}  // namespace

Json shrink_json(const ShrinkResult& result, const std::string& options) {
  Json layers = Json::array();
  for (const ShrunkLayer& layer : result.layers) layers.push_back(layer_json(layer));
  Json blocks = Json::array();
  for (const ShrunkBlock& block : result.blocks)
    blocks.push_back({{"add", valid_utf8(block.add)}, {"divergence", tidy(block.divergence)}});
  return {{"options", options},
          {"macs", {result.macs_before, result.macs_after}},
          {"weight_bytes", {result.bytes_before, result.bytes_after}},
          {"blocks", blocks},
          {"layers", layers}};
}

std::string html::widths_section(const nlohmann::json& report) {
  if (!report.contains("shrink")) return "";
  const nlohmann::json& shrink = report.at("shrink");
  std::string rows;
  for (const nlohmann::json& layer : shrink.at("layers")) rows += layer_row(layer);
  return section("Widths",
                 "<p class=\"lead\">The student was made from its teacher by shrinking (" +
                     escape(shrink.at("options").get<std::string>()) + ")." +
                     block_text(shrink.at("blocks")) +
                     "</p>\n<div class=\"panel\"><table><thead><tr><th>Layer</th>"
                     "<th class=\"num\">Inputs</th><th class=\"num\">Outputs</th>"
                     "<th class=\"num\">Multiply-accumulates</th></tr></thead><tbody>\n" +
                     rows + "</tbody></table></div>\n");
}

}  // namespace limbeck
