#include "tools/inspection.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/ops/op.h"
#include "tools/format.h"

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kMostExpensive = 10;

std::string domain_name(const std::string& domain) {
  return domain.empty() ? "ai.onnx" : printable(domain);
}

std::string operator_name(const OperatorCount& entry) {
  return printable((entry.domain.empty() ? "" : entry.domain + "::") + entry.op_type);
}

/// Known costs, highest first; equal ones in execution order.
std::vector<NodeCost> most_expensive(const ModelSummary& summary) {
  std::vector<NodeCost> costs = summary.costs;
  std::erase_if(costs, [](const NodeCost& cost) { return cost.macs < 0; });
  std::stable_sort(costs.begin(), costs.end(),
                   [](const NodeCost& a, const NodeCost& b) { return a.macs > b.macs; });
  if (costs.size() > kMostExpensive) costs.resize(kMostExpensive);
  return costs;
}

double share_of(const NodeCost& cost, const ModelSummary& summary) {
  return summary.macs == 0 ? 0.0
                           : static_cast<double>(cost.macs) / static_cast<double>(summary.macs);
}

std::string state_of(const NodeCost& cost) {
  if (cost.quantized) return "quantized";
  return cost.quantizable ? "quantizable" : "float only";
}

void interface_rows(const char* title, const std::vector<InterfaceTensor>& tensors,
                    std::vector<TableRow>* rows) {
  for (size_t i = 0; i < tensors.size(); ++i) {
    rows->push_back(
        {i == 0 ? title : "", printable(tensors[i].name + "  " + tensors[i].type +
                                        (tensors[i].shape ? shape_text(*tensors[i].shape) : ""))});
  }
}

std::string opsets_text(const ModelSummary& summary) {
  std::string text = "ir " + std::to_string(summary.ir_version);
  for (const OpsetImport& import : summary.opsets)
    text += ", " + domain_name(import.domain) + " " + std::to_string(import.version);
  return text;
}

std::string nodes_text(const ModelSummary& summary) {
  std::string text = std::to_string(summary.nodes);
  if (summary.subgraph_nodes > 0)
    text += ", and " + std::to_string(summary.subgraph_nodes) + " in subgraphs";
  if (summary.functions > 0) text += ", functions: " + std::to_string(summary.functions);
  return text;
}

/// "fix the input with --shape x=DIM,3,DIM,DIM"
std::string shape_hint(const ModelSummary& summary) {
  for (const InterfaceTensor& input : summary.inputs) {
    const bool open = !input.shape || std::any_of(input.shape->begin(), input.shape->end(),
                                                  [](const Dim& dim) { return !dim.known(); });
    if (!open) continue;
    std::string dims;
    for (const Dim& dim : input.shape.value_or(Shape{}))
      dims += (dims.empty() ? "" : ",") + (dim.known() ? std::to_string(dim.value) : "DIM");
    return "fix the input with --shape '" + printable(input.name) + "=" +
           (dims.empty() ? "DIM,..." : dims) + "'";
  }
  return "their shapes depend on values";
}

std::string macs_text(const ModelSummary& summary) {
  std::string text = count_text(summary.macs) + " for one sample";
  if (summary.nodes_of_unknown_macs > 0)
    text += "; unknown for " + std::to_string(summary.nodes_of_unknown_macs) + " of " +
            std::to_string(summary.costs.size()) + " nodes: " + shape_hint(summary);
  return text;
}

std::string memory_text(const ModelSummary& summary) {
  std::string text = bytes_text(summary.peak_activation_bytes) + " of activations for one sample";
  if (!summary.peak_node.empty()) text += ", at '" + printable(summary.peak_node) + "'";
  if (summary.values_of_unknown_size > 0)
    text += "; " + std::to_string(summary.values_of_unknown_size) + " of unknown size left out";
  return text;
}

/// A share of the known MACs is no share of all where some are unknown.
std::string share_text(int64_t nodes, double share, bool NodeCost::*state,
                       const ModelSummary& summary) {
  const std::string text = std::to_string(nodes) + " nodes";
  if (summary.nodes_of_unknown_macs == 0) return text + ", " + percent_text(share) + " of the MACs";
  const auto unknown =
      std::count_if(summary.costs.begin(), summary.costs.end(),
                    [&](const NodeCost& cost) { return cost.*state && cost.macs < 0; });
  return unknown == 0 ? text : text + ", of unknown MACs " + std::to_string(unknown);
}

std::string missing_text(const std::vector<OperatorCount>& missing) {
  std::string text;
  for (const OperatorCount& entry : missing)
    text += (text.empty() ? "" : ", ") + operator_name(entry);
  return text + " (limbeck cannot run them)";
}

std::vector<TableRow> headline_rows(const Inspection& inspection) {
  const ModelSummary& summary = inspection.summary;
  std::vector<TableRow> rows;
  if (!summary.producer.empty()) rows.push_back({"producer", printable(summary.producer)});
  rows.push_back({"opsets", opsets_text(summary)});
  interface_rows("inputs", summary.inputs, &rows);
  interface_rows("outputs", summary.outputs, &rows);
  rows.push_back({"nodes", nodes_text(summary)});
  rows.push_back({"parameters", count_text(summary.parameters) + ", " +
                                    bytes_text(summary.weight_bytes) + " as stored"});
  rows.push_back({"MACs", macs_text(summary)});
  rows.push_back({"memory", memory_text(summary)});
  rows.push_back(
      {"quantizable", share_text(summary.quantizable_nodes, summary.quantizable_mac_share,
                                 &NodeCost::quantizable, summary)});
  rows.push_back({"quantized", share_text(summary.quantized_nodes, summary.quantized_mac_share,
                                          &NodeCost::quantized, summary)});
  if (!inspection.missing.empty()) rows.push_back({"unknown", missing_text(inspection.missing)});
  if (!inspection.shape_problem.empty())
    rows.push_back({"shapes", "as declared; " + printable(inspection.shape_problem)});
  return rows;
}

std::string operators_text(const ModelSummary& summary) {
  std::vector<TableRow> rows;
  for (const OperatorCount& entry : summary.operators)
    rows.push_back({operator_name(entry), std::to_string(entry.count)});
  return table_text({"operator", ">nodes"}, rows);
}

std::string expensive_text(const ModelSummary& summary) {
  std::vector<TableRow> rows;
  for (const NodeCost& cost : most_expensive(summary)) {
    rows.push_back({printable(cost.node), cost.op_type, count_text(cost.macs),
                    percent_text(share_of(cost, summary)), state_of(cost)});
  }
  return table_text({"most expensive node", "operator", ">MACs", ">share", "state"}, rows);
}

Json share_json(double share, const ModelSummary& summary) {
  return summary.nodes_of_unknown_macs > 0 ? Json(nullptr) : Json(share);
}

Json interface_json(const std::vector<InterfaceTensor>& tensors) {
  Json list = Json::array();
  for (const InterfaceTensor& tensor : tensors) {
    Json shape = nullptr;
    if (tensor.shape) {
      shape = Json::array();
      for (const Dim& dim : *tensor.shape) {
        if (dim.known()) {
          shape.push_back(dim.value);
        } else {
          shape.push_back(dim.symbol.empty() ? Json(nullptr) : Json(dim.symbol));
        }
      }
    }
    list.push_back({{"name", tensor.name}, {"type", tensor.type}, {"shape", shape}});
  }
  return list;
}

Json operators_json(const std::vector<OperatorCount>& operators) {
  Json list = Json::array();
  for (const OperatorCount& entry : operators) {
    list.push_back({{"domain", domain_name(entry.domain)},
                    {"operator", entry.op_type},
                    {"nodes", entry.count}});
  }
  return list;
}

Json expensive_json(const ModelSummary& summary) {
  Json list = Json::array();
  for (const NodeCost& cost : most_expensive(summary)) {
    list.push_back({{"node", cost.node},
                    {"operator", cost.op_type},
                    {"macs", cost.macs},
                    {"share", share_of(cost, summary)},
                    {"state", state_of(cost)}});
  }
  return list;
}

/// Counts of one model, in the order of the page.
Json counts_json(const ModelSummary& summary) {
  return {{"nodes", summary.nodes},
          {"subgraph_nodes", summary.subgraph_nodes},
          {"functions", summary.functions},
          {"parameters", summary.parameters},
          {"weight_bytes", summary.weight_bytes},
          {"batch", summary.batch},
          {"macs", summary.macs},
          {"nodes_of_unknown_macs", summary.nodes_of_unknown_macs},
          {"peak_activation_bytes", summary.peak_activation_bytes},
          {"peak_node", summary.peak_node},
          {"values_of_unknown_size", summary.values_of_unknown_size},
          {"quantizable",
           {{"nodes", summary.quantizable_nodes},
            {"mac_share", share_json(summary.quantizable_mac_share, summary)}}},
          {"quantized",
           {{"nodes", summary.quantized_nodes},
            {"mac_share", share_json(summary.quantized_mac_share, summary)}}}};
}

}  // namespace

Inspection inspect_model(Model& model, const std::string& path) {
  Inspection inspection;
  inspection.path = path;
  try {
    infer_shapes(model);
  } catch (const Error& error) {
    if (error.category() == Category::kInternal) throw;
    inspection.shape_problem = error.what();
  }
  inspection.summary = analyse(model);
  for (const OperatorCount& entry : inspection.summary.operators) {
    const OpRow* row = find_op(entry.domain, entry.op_type, model.opset(entry.domain));
    if (row == nullptr || row->kernel == nullptr) inspection.missing.push_back(entry);
  }
  return inspection;
}

std::string inspection_text(const Inspection& inspection) {
  return table_text({"model", printable(inspection.path)}, headline_rows(inspection)) + "\n" +
         operators_text(inspection.summary) + "\n" + expensive_text(inspection.summary);
}

Json inspection_json(const Inspection& inspection) {
  const ModelSummary& summary = inspection.summary;
  Json opsets = Json::object();
  for (const OpsetImport& import : summary.opsets)
    opsets[import.domain.empty() ? "ai.onnx" : import.domain] = import.version;
  Json result = {{"version", 1},
                 {"model", inspection.path},
                 {"producer", summary.producer},
                 {"ir_version", summary.ir_version},
                 {"opsets", opsets},
                 {"inputs", interface_json(summary.inputs)},
                 {"outputs", interface_json(summary.outputs)}};
  result.update(counts_json(summary));
  result["operators"] = operators_json(summary.operators);
  result["missing_operators"] = operators_json(inspection.missing);
  result["most_expensive"] = expensive_json(summary);
  result["shape_problem"] =
      inspection.shape_problem.empty() ? Json(nullptr) : Json(inspection.shape_problem);
  return result;
}

}  // namespace limbeck
