// The backward pass of a tape.
#include "lib/autodiff/program.h"
#include "lib/base/error.h"

namespace limbeck {

Tensor sum_of(const Tensor& a, const Tensor& b, const std::string& place) {
  if (a.type() != b.type() || a.dims() != b.dims()) {
    throw_error(Category::kInternal, place, "gradients of one value must be alike",
                dims_text(a.dims()) + " and " + dims_text(b.dims()),
                "report this bug with the model");
  }
  Tensor sum = Tensor::allocate(a.type(), a.dims());
  const auto add = [&]<typename T>(T) {
    const auto x = a.as<T>();
    const auto y = b.as<T>();
    auto target = sum.mutable_as<T>();
    for (size_t i = 0; i < target.size(); ++i) target[i] = x[i] + y[i];
  };
  if (a.type() == DataType::kDouble)
    add(double{});
  else
    add(float{});
  return sum;
}

namespace {

/// Gradients of the values while the backward pass walks over them.
class Totals {
 public:
  explicit Totals(size_t slots) : totals_(slots) {}
  void add(Slot slot, Tensor part, const std::string& place) {
    Tensor& total = totals_[slot];
    total = total.type() == DataType::kUndefined ? std::move(part) : sum_of(total, part, place);
  }
  const Tensor* find(Slot slot) const {
    const bool absent = slot == kNoSlot || totals_[slot].type() == DataType::kUndefined;
    return absent ? nullptr : &totals_[slot];
  }
  void drop(Slot slot) { totals_[slot] = Tensor{}; }

 private:
  std::vector<Tensor> totals_;
};

const ForwardValue* value_of(const std::vector<ForwardValue>& values, Slot slot) {
  return slot == kNoSlot ? nullptr : &values[slot];
}

/// Runs one backward step and hands its results on; nothing where no gradient reaches the node.
void run_backward(const TapeNode& node, const std::vector<ForwardValue>& values,
                  const StepState& state, Totals& totals) {
  std::vector<const Tensor*> output_gradients;
  bool reached = false;
  for (const Slot slot : node.outputs) {
    output_gradients.push_back(totals.find(slot));
    reached = reached || output_gradients.back() != nullptr;
  }
  if (!reached) return;
  std::vector<const ForwardValue*> inputs;
  std::vector<const ForwardValue*> outputs;
  for (const Slot slot : node.inputs) inputs.push_back(value_of(values, slot));
  for (const Slot slot : node.outputs) outputs.push_back(value_of(values, slot));
  std::vector<Tensor> gradients(node.inputs.size());
  GradientContext context({inputs, outputs, output_gradients, node.wanted, gradients});
  node.step->backward(context, state);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (gradients[i].type() != DataType::kUndefined)
      totals.add(node.inputs[i], std::move(gradients[i]), node.place);
  }
}

/// Runs a segment forward once more; afterwards it holds what its backward steps read.
void repeat(const Tape::Program& p, const Segment& segment, Pass& pass) {
  for (const Slot slot : segment.crossings) pass.state.values[slot].tensor = Tensor{};
  for (size_t n = segment.first; n < segment.last; ++n) {
    run_node(p, n, pass);
    for (const Slot slot : p.nodes[n].dead_final) pass.state.values[slot].tensor = Tensor{};
  }
}

/// The total of a slot; zeros where no gradient reached it.
Tensor total_of(Slot slot, const PassState& state, const Totals& totals) {
  const Tensor* total = totals.find(slot);
  const ForwardValue& value = state.values[slot];
  return total != nullptr ? *total : Tensor::zeros(value.type, value.dims);
}

void run_segment(const Tape::Program& p, const Segment& segment, PassState& state, Totals& totals,
                 const GradientReady& ready) {
  for (size_t n = segment.last; n-- > segment.first;) {
    const TapeNode& node = p.nodes[n];
    if (node.runs_backward) run_backward(node, state.values, state.steps[n], totals);
    for (const size_t parameter : node.completes)
      if (ready) ready(parameter, total_of(p.parameter_slots[parameter], state, totals));
    for (const Slot slot : node.outputs) {
      if (slot != kNoSlot && p.keeps_gradient[slot] == 0) totals.drop(slot);
    }
    state.steps[n] = {};
    for (const Slot slot : node.dead_backward) state.values[slot].tensor = Tensor{};
  }
}

}  // namespace

void plan_completion(Tape::Program& program) {
  // Backward passes run the nodes from the last to the first: the first reader is the last to add.
  std::vector<uint8_t> found(program.slots, 0);
  for (TapeNode& node : program.nodes) {
    node.completes.clear();
    for (const Slot slot : node.inputs) {
      if (slot == kNoSlot || found[slot] != 0) continue;
      found[slot] = 1;
      const auto& slots = program.parameter_slots;
      for (size_t i = 0; i < slots.size(); ++i)
        if (slots[i] == slot) node.completes.push_back(i);
    }
  }
}

std::vector<size_t> Tape::completion_order() const {
  std::vector<size_t> order;
  for (size_t n = program_->nodes.size(); n-- > 0;) {
    const auto& completes = program_->nodes[n].completes;
    order.insert(order.end(), completes.begin(), completes.end());
  }
  return order;
}

Gradients Tape::backward(Pass pass, std::span<const Tensor> output_gradients,
                         const GradientReady& ready) const {
  const Program& p = *program_;
  check_count(output_gradients.size(), p.output_slots.size(), "output gradients");
  Totals totals(p.slots);
  for (size_t i = 0; i < output_gradients.size(); ++i) {
    if (output_gradients[i].type() != DataType::kUndefined)
      totals.add(p.output_slots[i], output_gradients[i], p.output_names[i]);
  }
  for (size_t s = p.segments.size(); s-- > 0;) {
    if (s + 1 < p.segments.size()) repeat(p, p.segments[s], pass);
    run_segment(p, p.segments[s], pass.state, totals, ready);
  }
  Gradients gradients;
  for (const Slot slot : p.parameter_slots)
    gradients.parameters.push_back(total_of(slot, pass.state, totals));
  for (const Slot slot : p.gradient_slots)
    gradients.values.push_back(total_of(slot, pass.state, totals));
  return gradients;
}

}  // namespace limbeck
