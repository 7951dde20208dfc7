#include "lib/distill/shrink/shrunk_layers.h"

#include <map>

#include "lib/model/analysis.h"

namespace limbeck {
namespace {

/// Inputs and outputs by the weight's own dimensions.
void set_widths(const Node& node, const Tensor& weight, ShrunkLayer& layer) {
  const int64_t group = node.int_attribute("group", 1);
  const bool reading_first = node.op_type() == "MatMul" || node.op_type() == "ConvTranspose" ||
                             (node.op_type() == "Gemm" && node.int_attribute("transB", 0) == 0);
  layer.inputs_before = weight.dim(reading_first ? 0 : 1);
  layer.outputs_before = weight.dim(reading_first ? 1 : 0);
  if (node.op_type() == "Conv") layer.inputs_before *= group;
  if (node.op_type() == "ConvTranspose") layer.outputs_before *= group;
}

}  // namespace

std::vector<ShrunkLayer> layers_of(const Model& model) {
  std::map<std::string, int64_t> macs;
  for (const NodeCost& cost : analyse(model).costs) macs[cost.node] = cost.macs;
  std::vector<ShrunkLayer> layers;
  for (const auto& node : model.graph.nodes()) {
    const auto cost = macs.find(node->name());
    const Value* weight = node->input(1);
    if (cost == macs.end() || weight == nullptr || weight->constant() == nullptr ||
        weight->constant()->rank() < 2)
      continue;
    ShrunkLayer layer;
    layer.node = node->name();
    layer.op_type = node->op_type();
    layer.macs_before = cost->second;
    set_widths(*node, *weight->constant(), layer);
    layers.push_back(std::move(layer));
  }
  return layers;
}

std::vector<ShrunkLayer> compare_layers(std::vector<ShrunkLayer> before,
                                        const std::vector<ShrunkLayer>& after) {
  std::map<std::string, const ShrunkLayer*> found;
  for (const ShrunkLayer& layer : after) found[layer.node] = &layer;
  for (ShrunkLayer& layer : before) {
    const auto match = found.find(layer.node);
    layer.macs_after = 0;
    if (match == found.end()) continue;
    layer.inputs_after = match->second->inputs_before;
    layer.outputs_after = match->second->outputs_before;
    layer.macs_after = match->second->macs_before;
  }
  return before;
}

}  // namespace limbeck
