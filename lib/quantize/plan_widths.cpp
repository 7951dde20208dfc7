#include "lib/quantize/plan_widths.h"

#include <algorithm>
#include <set>
#include <string>

namespace limbeck {
namespace {

class Widths {
 public:
  Widths(const Model& model, const PlanOptions& options, Plan* plan)
      : model_(model), options_(options), plan_(*plan) {}

  void run() {
    if (options_.keep_ends) {
      find_first();
      find_last();
      for (auto& [name, planned] : plan_.weights) keep_weight(name, planned);
    }
    if (options_.activations == DataType::kUint4) keep_activations();
  }

 private:
  bool is_weighted(const Node& node) const { return plan_.weights.contains(node.name()); }

  void find_first() {
    std::set<const Value*> fed;
    for (const auto& node : model_.graph.nodes()) {
      const bool after = std::any_of(node->inputs().begin(), node->inputs().end(),
                                     [&](const Value* input) { return fed.contains(input); });
      if (is_weighted(*node) && !after) ends_[node->name()] = "first";
      if (!is_weighted(*node) && !after) continue;
      fed.insert(node->outputs().begin(), node->outputs().end());
    }
  }

  void find_last() {
    std::set<const Value*> feeding;
    const auto& nodes = model_.graph.nodes();
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
      const auto& outputs = (*node)->outputs();
      const bool before = std::any_of(outputs.begin(), outputs.end(), [&](const Value* output) {
        return feeding.contains(output);
      });
      if (is_weighted(**node) && !before) ends_[(*node)->name()] = "last";
      if (!is_weighted(**node) && !before) continue;
      feeding.insert((*node)->inputs().begin(), (*node)->inputs().end());
    }
  }

  void keep_weight(const std::string& name, PlannedWeight& planned) const {
    const auto end = ends_.find(name);
    if (end == ends_.end() || planned.reason.starts_with("set by the user")) return;
    if (weight_bits(planned) >= 8) return;
    planned.type = DataType::kInt8;
    planned.limit = 0;
    planned.reason = "8 bits: the " + end->second + " weighted layer";
  }

  /// The first tensor of a group stands for it.
  std::string group_of(const std::string& tensor) const {
    return limbeck::group_of(tensor, plan_.activations.at(tensor));
  }

  void keep_activations() {
    std::set<std::string> narrow;
    std::map<std::string, std::string> wide;  // by group: why
    for (const auto& node : model_.graph.nodes()) {
      const Value* input = node->input(0);
      if (!is_weighted(*node) || input == nullptr || !plan_.activations.contains(input->name()))
        continue;
      const auto end = ends_.find(node->name());
      if (end != ends_.end())
        wide[group_of(input->name())] = "the " + end->second + " weighted layer reads it";
      else
        narrow.insert(group_of(input->name()));
    }
    for (auto& [name, planned] : plan_.activations) {
      const std::string group = group_of(name);
      const auto why = wide.find(group);
      if (why == wide.end() && narrow.contains(group)) continue;
      planned.type = DataType::kUint8;
      planned.reason +=
          "; 8 bits: " + (why == wide.end() ? "no weighted layer reads it" : why->second);
    }
  }

  const Model& model_;
  const PlanOptions& options_;
  Plan& plan_;
  std::map<std::string, std::string> ends_;  ///< weighted nodes: "first" or "last"
};

}  // namespace

void choose_widths(const Model& model, const PlanOptions& options, Plan* plan) {
  Widths(model, options, plan).run();
}

}  // namespace limbeck
