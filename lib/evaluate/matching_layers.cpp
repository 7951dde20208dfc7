#include <set>

#include "lib/evaluate/code_params.h"
#include "lib/evaluate/evaluate.h"

namespace limbeck {
namespace {

/// What readers see behind a QuantizeLinear/DequantizeLinear pair on `value`; null without one.
const Value* dequantized(const Value& value) {
  for (const Use& use : value.uses()) {
    if (use.node->op_type() != "QuantizeLinear" || use.index != 0) continue;
    for (const Use& reader : use.node->output(0)->uses()) {
      if (reader.node->op_type() == "DequantizeLinear" && reader.index == 0)
        return reader.node->output(0);
    }
  }
  return nullptr;
}

/// Finds the counterparts of one reference's tensors in one model.
class LayerMatcher {
 public:
  LayerMatcher(const Model& model, const Model& reference)
      : model_(model.graph), reference_(reference.graph) {}

  std::vector<std::pair<std::string, std::string>> run() {
    for (const Value* input : reference_.inputs()) visit(*input);
    for (const auto& node : reference_.nodes()) {
      for (const Value* output : node->outputs()) {
        if (output != nullptr) visit(*output);
      }
    }
    return std::move(pairs_);
  }

 private:
  void visit(const Value& tensor) {
    if (!is_float_activation(&tensor) || is_absorbed(tensor)) return;
    const Value* value = counterpart(tensor);
    if (value != nullptr && value->constant() == nullptr)
      pairs_.emplace_back(tensor.name(), value->name());
  }

  /// The model computes the tensor and its only reader as one operator under the tensor's name: a
  /// batch normalization in the weights, a Relu in the quantizer's saturation. The name then stands
  /// for the reader's result.
  bool is_absorbed(const Value& tensor) const {
    if (tensor.uses().size() != 1 || tensor.is_graph_output()) return false;
    static const std::set<std::string> absorbable = {"Relu", "Clip", "BatchNormalization"};
    const Node* reader = tensor.uses()[0].node;
    const Value* result = reader->output(0);
    return tensor.uses()[0].index == 0 && absorbable.contains(reader->op_type()) &&
           result != nullptr && !result->is_graph_output() &&
           model_.find(result->name()) == nullptr && !is_known_apart(*result, tensor);
  }

  /// The value of the tensor's name, or its codes where operators over integers know no other
  /// (QOperator models call them NAME_quantized).
  const Value* standing_for(const Value& tensor) const {
    const Value* value = model_.find(tensor.name());
    if (value != nullptr) return is_float_activation(value) ? value : nullptr;
    const Value* codes = model_.find(tensor.name() + "_quantized");
    return codes != nullptr && codes->constant() == nullptr && code_params(*codes) ? codes
                                                                                   : nullptr;
  }

  /// Whether the model knows `result` apart from the tensor that it is made from. The result of a
  /// QuantizeLinear that reads the tensor itself is no such sign: its saturation does the work.
  bool is_known_apart(const Value& result, const Value& tensor) const {
    const Value* codes = standing_for(result);
    if (codes == nullptr) return false;
    const Node* producer = codes->producer();
    return producer == nullptr || producer->op_type() != "QuantizeLinear" ||
           producer->input(0)->name() != tensor.name();
  }

  const Value* counterpart(const Value& tensor) const {
    const Value* start = &tensor;
    while (standing_for(*start) == nullptr) {
      const Node* producer = start->producer();
      if (producer == nullptr || producer->input(0) == nullptr) return nullptr;
      if (!is_absorbed(*producer->input(0)) || producer->output(0) != start) return nullptr;
      start = producer->input(0);
    }
    const Value* value = standing_for(*start);
    const Value* behind = dequantized(*value);
    return behind != nullptr ? behind : value;
  }

  const Graph& model_;
  const Graph& reference_;
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace

std::vector<std::pair<std::string, std::string>> matching_layers(const Model& model,
                                                                 const Model& reference) {
  return LayerMatcher(model, reference).run();
}

}  // namespace limbeck
