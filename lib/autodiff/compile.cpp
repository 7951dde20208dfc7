// From a model to the program of a tape.
#include <algorithm>

#include "lib/autodiff/channels_last.h"
#include "lib/autodiff/fake_quantize.h"
#include "lib/autodiff/parameters.h"
#include "lib/autodiff/program.h"
#include "lib/base/error.h"
#include "lib/base/glob.h"

namespace limbeck {
namespace {

bool is_real(DataType type) {
  return type == DataType::kFloat || type == DataType::kDouble || type == DataType::kUndefined;
}

class Compiler {
 public:
  Compiler(const Model& model, const TrainOptions& options) : options_(options) {
    program_->model = copy_model(model);
    infer_shapes(program_->model);
  }

  std::unique_ptr<const Tape::Program> run() {
    find_outputs();
    find_needed();
    add_leaves();
    choose_steps();
    for (const auto& node : graph().nodes()) {
      if (needed_.contains(node.get()) && !inside_.contains(node.get())) add_node(*node);
    }
    for (const Value* output : outputs_) row_major_slot(output);
    fold_constants();
    mark_active();
    mark_reaching();
    keep_reached_parameters();
    check_globs();
    mark_wanted();
    plan_memory(*program_, value_sizes(), options_.segments);
    plan_completion(*program_);
    return std::move(program_);
  }

 private:
  const Graph& graph() const { return program_->model.graph; }

  Slot slot_of(const Value* value) {
    if (value == nullptr) return kNoSlot;
    const auto [found, fresh] = slots_.try_emplace(value, values_.size());
    if (fresh) values_.push_back(value);
    return found->second;
  }

  const Value* named(const std::string& name, const char* what) const {
    const Value* value = graph().find(name);
    if (value == nullptr) {
      throw_error(Category::kUsage, what, "the name must be that of a value of the model", name,
                  "limbeck inspect --dump lists the names");
    }
    return value;
  }

  void find_outputs() {
    for (const Value* output : graph().outputs()) outputs_.push_back(output);
    for (const std::string& tap : options_.taps) outputs_.push_back(named(tap, "tap"));
    for (const Value* output : outputs_) {
      program_->output_names.push_back(output->name());
      program_->output_slots.push_back(slot_of(output));
    }
    for (const std::string& name : options_.gradients_of)
      program_->gradient_slots.push_back(slot_of(named(name, "gradient")));
  }

  /// Nodes that an output depends on.
  void find_needed() {
    std::vector<const Value*> open = outputs_;
    while (!open.empty()) {
      const Value* value = open.back();
      open.pop_back();
      const Node* node = value->producer();
      if (node == nullptr || value->constant() != nullptr || !needed_.insert(node).second) continue;
      for (const Value* input : node->inputs())
        if (input != nullptr) open.push_back(input);
    }
  }

  void add_leaves() {
    for (const Value* input : graph().inputs()) {
      program_->input_names.push_back(input->name());
      program_->input_slots.push_back(slot_of(input));
      program_->input_types.push_back(input->type);
    }
    candidates_ = find_parameters(program_->model, options_.trainable);
    for (const Value* value : candidates_) leaf_.insert(slot_of(value));
  }

  bool on_batch(const Node& node) const {
    return node.domain().empty() && node.op_type() == "BatchNormalization" &&
           options_.batch_norm == BatchNormMode::kBatch;
  }

  /// Training forms have one output.
  void check_one_output(const Node& node) const {
    for (size_t i = 1; i < node.outputs().size(); ++i) {
      const Value* output = node.output(i);
      if (output == nullptr || (output->uses().empty() && !output->is_graph_output())) continue;
      throw_error(Category::kUnsupported, node.place(),
                  "only the first output may be read while the model trains", output->name(),
                  "remove the reader, or train with the stored form");
    }
  }

  std::unique_ptr<TapeStep> make_step(const Node& node) {
    const int64_t opset = program_->model.opset(node.domain());
    const bool last = channels_last_.contains(&node);
    if (last && node.op_type() == "Conv") return channels_last_conv_step(node, options_.precision);
    if (const auto pair = fake_quantize_.find(&node); pair != fake_quantize_.end())
      return fake_quantize_step(pair->second);
    if (on_batch(node)) {
      check_one_output(node);
      program_->batch_norm_nodes.push_back(program_->nodes.size());
      program_->batch_norms.push_back(
          {node.name(), node.input(3)->name(), node.input(4)->name(),
           static_cast<double>(node.float_attribute("momentum", 0.9F))});
      return batch_norm_step(node, last ? MemoryOrder::kChannelsLast : MemoryOrder::kRowMajor);
    }
    if (options_.dropout && node.domain().empty() && node.op_type() == "Dropout") {
      check_one_output(node);
      return dropout_step(node, opset);
    }
    return plain_step(node, opset);
  }

  void choose_steps() {
    if (!options_.fast) return;
    std::unordered_set<const Value*> row_major;
    for (const Slot slot : program_->gradient_slots) row_major.insert(values_[slot]);
    std::unordered_set<const Value*> kept = row_major;
    kept.insert(outputs_.begin(), outputs_.end());
    fake_quantize_ = find_fake_quantize(program_->model, kept);
    for (const auto& [node, pair] : fake_quantize_) {
      inside_.insert(pair.quantize);
      if (pair.clip != nullptr) inside_.insert(pair.clip);
    }
    channels_last_ = channels_last_nodes(program_->model, fake_quantize_, row_major,
                                         options_.batch_norm == BatchNormMode::kBatch);
  }

  bool is_channels_last(const Value* value) const {
    return value->producer() != nullptr && channels_last_.contains(value->producer());
  }

  /// A second slot for the value in channels-last order.
  Slot last_slot(const Value* value) {
    const auto [found, fresh] = last_slots_.try_emplace(value, values_.size());
    if (!fresh) return found->second;
    values_.push_back(value);
    copies_.insert(found->second);
    if (!is_channels_last(value)) add_reorder(slot_of(value), found->second, true);
    return found->second;
  }

  /// The slot of the value in row-major order, copied from channels-last order where it must be.
  Slot row_major_slot(const Value* value) {
    if (value == nullptr) return kNoSlot;
    const Slot slot = slot_of(value);
    if (is_channels_last(value) && ordered_.insert(value).second)
      add_reorder(last_slots_.at(value), slot, false);
    return slot;
  }

  void add_reorder(Slot from, Slot to, bool last) {
    TapeNode result;
    result.step = reorder_step(last ? MemoryOrder::kChannelsLast : MemoryOrder::kRowMajor);
    result.place = "value '" + values_[to]->name() + "'";
    result.inputs = {from};
    result.outputs = {to};
    program_->nodes.push_back(std::move(result));
    sources_.push_back(nullptr);
  }

  /// What the step of a node reads.
  std::vector<Value*> step_inputs(const Node& node) const {
    const auto pair = fake_quantize_.find(&node);
    if (pair == fake_quantize_.end()) return node.inputs();
    return {pair->second.x(), pair->second.scale()};
  }

  void add_node(const Node& node) {
    TapeNode result;
    const bool last = channels_last_.contains(&node);
    const std::vector<Value*> inputs = step_inputs(node);
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Value* input = inputs[i];
      const bool turned = last && input != nullptr && is_channels_last_input(node, i);
      result.inputs.push_back(turned ? last_slot(input) : row_major_slot(input));
    }
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const Value* output = node.output(i);
      result.outputs.push_back(last && i == 0 ? last_slot(output) : slot_of(output));
    }
    result.step = make_step(node);
    result.place = node.place();
    program_->nodes.push_back(std::move(result));
    sources_.push_back(&node);
  }

  const Tensor* known(Slot slot) const {
    if (leaf_.contains(slot)) return nullptr;
    const auto folded = folded_.find(slot);
    if (folded != folded_.end()) return &folded->second;
    return copies_.contains(slot) ? nullptr : values_[slot]->constant();
  }

  bool folds(const TapeNode& node, const Node* source) const {
    if (node.inputs.empty()) return false;
    if (source != nullptr && (source->op_type() == "Dropout" || on_batch(*source))) return false;
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](Slot slot) { return slot == kNoSlot || known(slot) != nullptr; });
  }

  /// Runs once what depends on nothing that changes, and stores every constant that is read.
  void fold_constants() {
    std::vector<TapeNode> rest;
    std::vector<const Node*> rest_sources;
    std::vector<size_t> moved(program_->nodes.size(), 0);
    for (size_t i = 0; i < program_->nodes.size(); ++i) {
      TapeNode& node = program_->nodes[i];
      moved[i] = rest.size();
      if (folds(node, sources_[i])) {
        fold(node);
        continue;
      }
      rest.push_back(std::move(node));
      rest_sources.push_back(sources_[i]);
    }
    program_->nodes = std::move(rest);
    sources_ = std::move(rest_sources);
    for (size_t& node : program_->batch_norm_nodes) node = moved[node];
    std::unordered_set<Slot> read(program_->output_slots.begin(), program_->output_slots.end());
    for (const TapeNode& node : program_->nodes)
      read.insert(node.inputs.begin(), node.inputs.end());
    for (Slot slot = 0; slot < values_.size(); ++slot) {
      const Tensor* tensor = read.contains(slot) ? known(slot) : nullptr;
      if (tensor != nullptr) program_->constants.emplace_back(slot, *tensor);
    }
    program_->slots = values_.size();
  }

  void fold(const TapeNode& node) {
    std::vector<const Tensor*> inputs;
    for (const Slot slot : node.inputs) inputs.push_back(slot == kNoSlot ? nullptr : known(slot));
    std::vector<Tensor> outputs(node.outputs.size());
    KernelContext context(inputs, outputs);
    StepState state;
    node.step->forward(context, state, 0);
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (node.outputs[i] != kNoSlot) folded_[node.outputs[i]] = outputs[i];
    }
  }

  /// Whether output `i` of a node can carry a gradient: real numbers, or codes of a quantizer.
  bool carries(size_t node, size_t i) const {
    if (is_real(values_[program_->nodes[node].outputs[i]]->type)) return true;
    const std::string& name = sources_[node]->op_type();
    return i == 0 &&
           (name == "QuantizeLinear" || name == "Clip" || (name != "Cast" && moves_codes(node)));
  }

  bool moves_codes(size_t node) const {
    const Node& source = *sources_[node];
    const OpRow* row =
        find_op(source.domain(), source.op_type(), program_->model.opset(source.domain()));
    return row != nullptr && row->role == QuantRole::kSameScale;
  }

  /// What depends on a parameter, or on a value whose gradient is asked for.
  void mark_active() {
    active_.assign(program_->slots, 0);
    for (const Slot slot : leaf_) active_[slot] = 1;
    for (const Slot slot : program_->gradient_slots) active_[slot] = 1;
    for (size_t n = 0; n < program_->nodes.size(); ++n) {
      const TapeNode& node = program_->nodes[n];
      const bool any = std::any_of(node.inputs.begin(), node.inputs.end(), [&](Slot slot) {
        return slot != kNoSlot && active_[slot] != 0;
      });
      if (!any || !node.step->has_gradient()) continue;
      for (size_t i = 0; i < node.outputs.size(); ++i)
        if (node.outputs[i] != kNoSlot && carries(n, i)) active_[node.outputs[i]] = 1;
    }
  }

  /// What an output depends on through gradients.
  void mark_reaching() {
    reaching_.assign(program_->slots, 0);
    for (const Slot slot : program_->output_slots)
      if (is_real(values_[slot]->type)) reaching_[slot] = 1;
    for (size_t n = program_->nodes.size(); n-- > 0;) {
      const TapeNode& node = program_->nodes[n];
      const bool any = std::any_of(node.outputs.begin(), node.outputs.end(), [&](Slot slot) {
        return slot != kNoSlot && reaching_[slot] != 0 && active_[slot] != 0;
      });
      if (!any || !node.step->has_gradient()) continue;
      for (const Slot slot : node.inputs)
        if (slot != kNoSlot) reaching_[slot] = 1;
    }
  }

  void keep_reached_parameters() {
    for (const Value* value : candidates_) {
      const Slot slot = slots_.at(value);
      if (reaching_[slot] == 0) {
        program_->constants.emplace_back(slot, *value->constant());
        active_[slot] = 0;
        continue;
      }
      program_->parameters.push_back({value->name(), *value->constant()});
      program_->parameter_slots.push_back(slot);
    }
    program_->keeps_gradient.assign(program_->slots, 0);
    for (const Slot slot : program_->parameter_slots) program_->keeps_gradient[slot] = 1;
    for (const Slot slot : program_->gradient_slots) program_->keeps_gradient[slot] = 1;
  }

  /// A glob that matches nothing is a typing error; "*" may match nothing.
  void check_globs() const {
    for (const std::string& glob : options_.trainable) {
      const auto& found = program_->parameters;
      const bool used = std::any_of(found.begin(), found.end(), [&](const Parameter& parameter) {
        return matches_glob(glob, parameter.name);
      });
      if (used || glob == "*") continue;
      throw_error(Category::kUsage, "trainable",
                  "a glob must match a weight that an output depends on", glob,
                  "limbeck inspect --dump lists the names");
    }
  }

  void mark_wanted() {
    for (TapeNode& node : program_->nodes) {
      const bool reached = std::any_of(node.outputs.begin(), node.outputs.end(), [&](Slot slot) {
        return slot != kNoSlot && active_[slot] != 0 && reaching_[slot] != 0;
      });
      node.wanted.assign(node.inputs.size(), 0);
      if (!reached || !node.step->has_gradient()) continue;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const bool wants = node.inputs[i] != kNoSlot && active_[node.inputs[i]] != 0;
        node.wanted[i] = wants ? 1 : 0;
        node.runs_backward = node.runs_backward || wants;
      }
    }
  }

  /// Elements of every value for one sample; 1 for unknown dimensions.
  std::vector<int64_t> value_sizes() const {
    std::vector<int64_t> sizes;
    for (const Value* value : values_) {
      sizes.push_back(1);
      if (!value->shape) continue;
      for (const Dim& dim : *value->shape) sizes.back() *= dim.known() ? dim.value : 1;
    }
    return sizes;
  }

  const TrainOptions& options_;
  std::unique_ptr<Tape::Program> program_ = std::make_unique<Tape::Program>();
  std::unordered_map<const Value*, Slot> slots_;
  std::vector<const Value*> values_;  ///< by slot
  std::vector<const Value*> outputs_;
  std::vector<const Value*> candidates_;
  std::vector<const Node*> sources_;  ///< of program_->nodes
  std::unordered_set<const Node*> needed_;
  std::unordered_map<const Node*, FakeQuantize> fake_quantize_;  ///< by its last node
  std::unordered_set<const Node*> inside_;  ///< nodes that run as part of a later one's step
  std::unordered_set<const Node*> channels_last_;
  std::unordered_map<const Value*, Slot> last_slots_;  ///< of values in channels-last order
  std::unordered_set<Slot> copies_;                    ///< all of last_slots_
  std::unordered_set<const Value*> ordered_;           ///< have their row-major copy
  std::unordered_set<Slot> leaf_;                      ///< slots of parameters
  std::unordered_map<Slot, Tensor> folded_;
  std::vector<uint8_t> active_;
  std::vector<uint8_t> reaching_;
};

}  // namespace

std::unique_ptr<const Tape> Tape::compile(const Model& model, const TrainOptions& options) {
  auto program = Compiler(model, options).run();
  return std::make_unique<const Tape>(std::move(program));
}

}  // namespace limbeck
