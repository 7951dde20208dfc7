#include "lib/distill/logits.h"

#include <algorithm>
#include <initializer_list>

namespace limbeck {
namespace {

bool is_one_of(const Node& node, std::initializer_list<const char*> types) {
  if (!node.domain().empty()) return false;
  return std::any_of(types.begin(), types.end(),
                     [&](const char* type) { return node.op_type() == type; });
}

bool over_classes(const Node& softmax, int64_t opset) {
  const int64_t axis = softmax.int_attribute("axis", opset < 13 ? 1 : -1);
  return axis == 1 || axis == -1;
}

}  // namespace

const Node* scores_node(const Model& model) {
  const Node* last = model.graph.outputs().front()->producer();
  while (last != nullptr && is_one_of(*last, {"Identity", "QuantizeLinear", "DequantizeLinear",
                                              "Reshape", "Flatten", "Squeeze"}))
    last = last->input(0)->producer();
  return last;
}

std::string logits_name(const Model& model) {
  const Value* output = model.graph.outputs().front();
  const Node* last = scores_node(model);
  const bool found = last != nullptr && is_one_of(*last, {"Softmax", "LogSoftmax"}) &&
                     over_classes(*last, model.opset());
  return found ? last->input(0)->name() : output->name();
}

std::vector<std::string> with_logits(std::vector<std::string> taps, const Model& model) {
  const std::string name = logits_name(model);
  const bool returned = model.graph.find(name)->is_graph_output() ||
                        std::find(taps.begin(), taps.end(), name) != taps.end();
  if (!returned) taps.push_back(name);
  return taps;
}

}  // namespace limbeck
