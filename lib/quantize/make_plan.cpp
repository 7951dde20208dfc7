#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/glob.h"
#include "lib/ops/op.h"
#include "lib/quantize/pattern.h"
#include "lib/quantize/plan.h"
#include "lib/quantize/plan_widths.h"

namespace limbeck {
namespace {

[[noreturn]] void throw_no_match(const PlanOverride& item) {
  throw_error(Category::kUsage,
              "--set " + std::string(item.is_node ? "node:" : "tensor:") + item.glob,
              "an override must match something in the plan", "no match",
              "list the names with limbeck quantize --save-plan or limbeck inspect");
}

[[noreturn]] void throw_no_weights(const PlanOverride& item) {
  throw_error(Category::kUsage, "--set node:" + item.glob + "=" + item.value,
              "a width is that of weights: a node must have some that can be stored in integers",
              "no such node matches", "see \"nodes\" of plan.json for the reasons");
}

/// Builds the plan in passes: which nodes, then which tensors, then ranges.
class Planner {
 public:
  Planner(const Model& model, const CalibrationTable& table, const PlanOptions& options)
      : model_(model), table_(table), options_(options) {}

  Plan run() {
    plan_.model_hash = table_.model_hash;
    plan_.calibration = {table_.samples, table_.seed, table_.data_hash};
    plan_.format = options_.format;
    plan_.correct_bias = options_.correct_bias;
    for (const auto& node : model_.graph.nodes()) consider(*node);
    for (size_t before = 0; !is_dynamic() && before != integer_.size();) {
      before = integer_.size();
      for (const auto& node : model_.graph.nodes()) follow(*node);
    }
    for (const auto& node : model_.graph.nodes()) {
      if (integer_.contains(node.get())) add_tensors(*node);
    }
    add_groups();
    choose_widths(model_, options_, &plan_);
    choose_ranges();
    check_overrides();
    return std::move(plan_);
  }

 private:
  /// Ranges are measured when the emitted model runs: nothing to observe, weighted nodes only.
  bool is_dynamic() const { return options_.format == EmitFormat::kDynamic; }

  QuantRole role(const Node& node) const { return role_of(model_, node); }

  const PlanOverride* override_for(bool is_node, const std::string& name) {
    const PlanOverride* last = nullptr;
    for (const PlanOverride& candidate : options_.overrides) {
      if (candidate.is_node != is_node || !matches_glob(candidate.glob, name)) continue;
      last = &candidate;
      used_.insert(&candidate);
    }
    return last;
  }

  void set_node(const Node& node, bool integer, std::string reason) {
    plan_.nodes[node.name()] = {node.op_type(), integer, std::move(reason)};
    if (integer) integer_.insert(&node);
  }

  void consider(const Node& node) {
    const PlanOverride* forced = override_for(true, node.name());
    if (forced != nullptr && forced->value == "float") {
      forced_float_.insert(&node);
      return set_node(node, false, "set by the user: " + forced->glob);
    }
    const QuantRole own = role(node);
    if (own == QuantRole::kWeighted) {
      const std::string obstacle = weighted_obstacle(node);
      set_node(node, obstacle.empty(), obstacle.empty() ? integer_reason(node) : obstacle);
    }
  }

  static std::string integer_reason(const Node& node) {
    return node.op_type() == "ConvTranspose"
               ? "stored in integers; runtimes compute a transposed convolution in float"
               : "integer kernel over constant weights";
  }

  /// Element-wise operators join when a neighbour that feeds them computes in integers; movers of
  /// data when both sides do.
  void follow(const Node& node) {
    if (integer_.contains(&node) || forced_float_.contains(&node)) return;
    const QuantRole own = role(node);
    if (own == QuantRole::kElementwise) follow_elementwise(node);
    if (own == QuantRole::kSameScale && is_integer_source(node.input(0)) &&
        feeds_integer(node.output(0))) {
      set_node(node, true, "moves integers without arithmetic");
    }
    if (own == QuantRole::kSharedScale && feeds_integer(node.output(0)) &&
        std::all_of(node.inputs().begin(), node.inputs().end(),
                    [&](const Value* value) { return is_integer_source(value); })) {
      set_node(node, true, "joins tensors that share one scale");
    }
  }

  void follow_elementwise(const Node& node) {
    if (!is_float(node.output(0))) return;
    bool any = false;
    for (const Value* input : node.inputs()) {
      if (input == nullptr) continue;
      if (input->constant() != nullptr && !constant_is_quantizable(*input)) return;
      any = any || (input->constant() == nullptr && is_integer_source(input));
    }
    if (any && observed(node.output(0))) set_node(node, true, "between integer operators");
  }

  bool observed(const Value* value) const {
    return value != nullptr && table_.tensors.contains(quantized_output(*value)->name());
  }

  /// May a mover of data hand integers on?
  bool may_move(const Node& node) const {
    return role(node) == QuantRole::kSameScale && !forced_float_.contains(&node) &&
           is_float(node.output(0)) && observed(node.output(0));
  }

  /// Does an integer node produce the value, directly or through an absorbed activation or movers
  /// of data?
  bool is_integer_source(const Value* value) const {
    while (value != nullptr && value->producer() != nullptr) {
      const Node& producer = *value->producer();
      if (integer_.contains(&producer)) return true;
      if (!is_absorbed(producer) && !may_move(producer)) return false;
      value = producer.input(0);
    }
    return false;
  }

  /// Does an integer node read the value, directly or through movers of data?
  bool feeds_integer(const Value* value) const {
    std::vector<const Value*> open{value};
    std::set<const Value*> seen;
    while (!open.empty()) {
      const Value* next = open.back();
      open.pop_back();
      if (next == nullptr || !seen.insert(next).second) continue;
      for (const Use& use : next->uses()) {
        if (integer_.contains(use.node)) return true;
        if (use.index == 0 && may_move(*use.node)) open.push_back(use.node->output(0));
      }
    }
    return false;
  }

  /// The reason why a weighted node stays in float; empty when it need not.
  std::string weighted_obstacle(const Node& node) const {
    const Value* input = node.input(0);
    const Value* weights = node.input(1);
    if (input == nullptr || weights == nullptr || !is_float(input)) return "no float input";
    if (weights->constant() == nullptr) return "weights are not constant";
    if (input->constant() != nullptr) return "input is constant";
    if (!is_float(weights)) return "weights are not float";
    if (node.op_type() == "Gemm" && node.int_attribute("transA", 0) != 0) return "transposed input";
    if (node.input(2) != nullptr && node.input(2)->constant() == nullptr)
      return "bias is not constant";
    if (!is_dynamic() && !table_.tensors.contains(input->name())) return "input was not observed";
    if (is_dynamic() && node.op_type() == "ConvTranspose") return "has no dynamic integer form";
    if (is_dynamic() && node.output(0)->captured_by_subgraph()) return "read by a subgraph";
    if (is_stacked(node)) return "stacked weights have no integer kernel with a scale a channel";
    if (weight_axis(node) < 0) return "weights of this rank have no channel axis";
    if (!bias_is_per_channel(node)) return "bias is not one number a channel";
    return "";
  }

  /// Integer kernels of a MatMul take one scale a column of a matrix, not of a stack of them.
  bool is_stacked(const Node& node) const {
    const bool codes_multiply =
        bits_per_element(options_.weights) == 8 && bits_per_element(options_.activations) == 8;
    return node.op_type() == "MatMul" && !is_dynamic() && codes_multiply &&
           node.input(1)->constant()->rank() > 2;
  }

  /// One number, or one an output channel along the last axis.
  static bool bias_is_per_channel(const Node& node) {
    if (node.input(2) == nullptr) return true;
    const Tensor& bias = *node.input(2)->constant();
    const int64_t groups = node.op_type() == "ConvTranspose" ? node.int_attribute("group", 1) : 1;
    const auto axis = static_cast<size_t>(weight_axis(node));
    const int64_t channels = node.input(1)->constant()->dim(axis) * groups;
    return bias.count() == 1 || (bias.count() == channels && bias.dims().back() == channels);
  }

  void add_tensors(const Node& node) {
    const QuantRole own = role(node);
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* input = node.input(i);
      if (input == nullptr || !is_float(input) || input->constant() != nullptr) continue;
      if (own == QuantRole::kSameScale && i > 0) continue;
      if (is_absorbed(node) && is_integer_source(input)) continue;  // the saturation's work
      add_activation(*input, "read by " + node.place());
    }
    if (own == QuantRole::kWeighted) add_weight(node);
    const Value* output = quantized_output(*node.output(0));
    if (own == QuantRole::kWeighted && !needs_integer_output(node) && !feeds_integer(output)) {
      plan_.nodes[node.name()].reason += "; result left in float for its readers";
      return;
    }
    add_activation(*output, "written by " + node.place());
  }

  /// Runtimes fuse Gemm and MatMul with a float result; a convolution needs a quantized one.
  static bool needs_integer_output(const Node& node) {
    return node.op_type() == "Conv" || node.op_type() == "ConvTranspose";
  }

  void add_activation(const Value& value, const std::string& reason) {
    if (!table_.tensors.contains(value.name()) || plan_.activations.contains(value.name())) return;
    PlannedActivation planned;
    planned.type = options_.activations;
    planned.symmetric = options_.activations == DataType::kInt16;
    planned.reason = reason;
    plan_.activations[value.name()] = planned;
  }

  void add_weight(const Node& node) {
    PlannedWeight planned;
    planned.type = options_.weights;
    planned.axis = weight_axis(node);
    planned.algorithm = options_.weight_algorithm;
    planned.limit = options_.weight_limit;
    planned.reason = "default";
    const PlanOverride* forced = override_for(true, node.name());
    if (forced != nullptr) {
      const bool is_unsigned = options_.weights == DataType::kUint8;
      planned.type = is_unsigned ? DataType::kUint8 : DataType::kInt8;
      if (forced->value == "int4") planned.type = DataType::kInt4;
      planned.limit = 0;
      planned.reason = "set by the user: " + forced->glob;
    }
    plan_.weights[node.name()] = planned;
  }

  void join(const Value* a, const Value* b) {
    if (a == nullptr || b == nullptr) return;
    const auto first = plan_.activations.find(a->name());
    const auto second = plan_.activations.find(b->name());
    if (first == plan_.activations.end() || second == plan_.activations.end()) return;
    const std::string from = root(b->name());
    const std::string to = root(a->name());
    if (from == to) return;
    for (auto& [name, planned] : plan_.activations) {
      if (name == from || planned.group == from) planned.group = to;
    }
    plan_.activations[to].group = to;
  }

  std::string root(const std::string& name) const {
    return group_of(name, plan_.activations.at(name));
  }

  void add_groups() {
    for (const auto& node : model_.graph.nodes()) {
      if (!integer_.contains(node.get())) continue;
      const QuantRole own = role(*node);
      if (own == QuantRole::kSameScale) join(node->input(0), node->output(0));
      if (own != QuantRole::kSharedScale) continue;
      for (const Value* input : node->inputs()) join(node->output(0), input);
    }
  }

  void choose_ranges() {
    for (auto& [name, planned] : plan_.activations) {
      ObserverMethod method = options_.observer;
      if (const PlanOverride* forced = override_for(false, name))
        method = observer_from_name(forced->value);
      ObserverOptions observer;
      observer.bits = bits_per_element(planned.type);
      observer.symmetric = planned.symmetric;
      const Range range = choose_range(table_.tensors.at(name), method, observer);
      planned.low = std::min(range.min, 0.0F);
      planned.high = std::max(range.max, 0.0F);
      planned.observer = observer_name(method);
    }
    std::map<std::string, std::pair<float, float>> hull;
    for (const auto& [name, planned] : plan_.activations) {
      auto& [low, high] = hull[root(name)];
      low = std::min(low, planned.low);
      high = std::max(high, planned.high);
    }
    for (auto& [name, planned] : plan_.activations)
      std::tie(planned.low, planned.high) = hull[root(name)];
  }

  void check_overrides() const {
    for (const PlanOverride& item : options_.overrides) {
      if (!used_.contains(&item)) throw_no_match(item);
      if (!item.is_node || item.value == "float") continue;
      const bool has_weights =
          std::any_of(plan_.weights.begin(), plan_.weights.end(),
                      [&](const auto& planned) { return matches_glob(item.glob, planned.first); });
      if (!has_weights) throw_no_weights(item);
    }
  }

  const Model& model_;
  const CalibrationTable& table_;
  const PlanOptions& options_;
  Plan plan_;
  std::set<const Node*> integer_;
  std::set<const Node*> forced_float_;
  std::set<const PlanOverride*> used_;
};

}  // namespace

PlanOverride parse_override(const std::string& text) {
  const size_t colon = text.find(':');
  const size_t equals = text.rfind('=');
  const std::string kind = text.substr(0, colon);
  if (colon == std::string::npos || equals == std::string::npos || equals < colon ||
      (kind != "node" && kind != "tensor")) {
    throw_error(Category::kUsage, "--set",
                "the form is node:GLOB=float|int8|int4 or tensor:GLOB=OBSERVER", "'" + text + "'",
                "write for example --set 'node:/stem/*=float'");
  }
  PlanOverride result{kind == "node", text.substr(colon + 1, equals - colon - 1),
                      text.substr(equals + 1)};
  static constexpr std::array<std::string_view, 3> kNodeValues = {"float", "int8", "int4"};
  if (result.is_node &&
      std::find(kNodeValues.begin(), kNodeValues.end(), result.value) == kNodeValues.end()) {
    throw_error(Category::kUsage, "--set " + text, "a node is set to float, int8 or int4",
                "'" + result.value + "'", "correct the value after the equals sign");
  }
  if (!result.is_node) observer_from_name(result.value);
  return result;
}

void require_matches(const Model& model, const std::vector<PlanOverride>& overrides) {
  for (const PlanOverride& item : overrides) {
    bool found = false;
    if (item.is_node) {
      for (const auto& node : model.graph.nodes())
        found = found || matches_glob(item.glob, node->name());
    } else {
      for (const Value* value : model.graph.values())
        found = found || matches_glob(item.glob, value->name());
    }
    if (!found) throw_no_match(item);
  }
}

std::vector<std::string> activations_to_observe(const Model& model) {
  std::vector<std::string> names;
  for (const Value* value : model.graph.values()) {
    if (!is_float(value) || value->constant() != nullptr) continue;
    // Left out, a convolution and its Relu run as one kernel; the plan quantizes what comes out.
    if (quantized_output(*value) != value) continue;
    names.push_back(value->name());
  }
  return names;
}

Plan make_plan(const Model& model, const CalibrationTable& table, const PlanOptions& options) {
  return Planner(model, table, options).run();
}

}  // namespace limbeck
