#include "lib/autodiff/tape.h"

#include <set>

#include "lib/autodiff/program.h"
#include "lib/base/error.h"

namespace limbeck {
namespace {

/// Different for every node and pass (the constant is 2^64 / golden ratio).
uint64_t step_seed(uint64_t seed, size_t node) {
  return (seed ^ (static_cast<uint64_t>(node) << 32)) * 0x9E3779B97F4A7C15ULL;
}

void check_count(size_t received, size_t wanted, const char* what) {
  if (received == wanted) return;
  throw_error(Category::kData, what, "there must be " + std::to_string(wanted),
              std::to_string(received), "pass one tensor a name, in the tape's order");
}

void check_parameter(const Tensor& tensor, const Parameter& parameter) {
  if (tensor.type() == parameter.initial.type() && tensor.dims() == parameter.initial.dims())
    return;
  throw_error(
      Category::kData, "parameter '" + parameter.name + "'",
      "type and dimensions must be those of the model, " + dims_text(parameter.initial.dims()),
      dims_text(tensor.dims()), "pass the parameters in the tape's order");
}

void check_input(const Tensor& tensor, const std::string& name, DataType type) {
  if (type == DataType::kUndefined || tensor.type() == type) return;
  throw_error(Category::kData, "input '" + name + "'",
              "the type must be that of the model, " + data_type_name(type),
              data_type_name(tensor.type()), "convert the data");
}

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

/// Stores a value, and hands it out where it is an output.
void set_value(const Tape::Program& p, Slot slot, const Tensor& tensor,
               std::vector<ForwardValue>& values, std::vector<Tensor>& outputs) {
  values[slot] = {tensor.type(), tensor.dims(), tensor};
  for (size_t i = 0; i < outputs.size(); ++i)
    if (p.output_slots[i] == slot) outputs[i] = tensor;
}

/// Constants, parameters and inputs.
void set_leaves(const Tape::Program& p, std::span<const Tensor> parameters,
                std::span<const Tensor> inputs, std::vector<ForwardValue>& values,
                std::vector<Tensor>& outputs) {
  check_count(parameters.size(), p.parameters.size(), "parameters");
  check_count(inputs.size(), p.input_slots.size(), "inputs");
  for (const auto& [slot, tensor] : p.constants) set_value(p, slot, tensor, values, outputs);
  for (size_t i = 0; i < parameters.size(); ++i) {
    check_parameter(parameters[i], p.parameters[i]);
    set_value(p, p.parameter_slots[i], parameters[i], values, outputs);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    check_input(inputs[i], p.input_names[i], p.input_types[i]);
    set_value(p, p.input_slots[i], inputs[i], values, outputs);
  }
}

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

}  // namespace

size_t Pass::held_bytes() const {
  std::set<const std::byte*> seen;
  size_t bytes = 0;
  const auto count = [&](const Tensor& tensor) {
    if (tensor.type() != DataType::kUndefined && seen.insert(tensor.raw()).second)
      bytes += tensor.bytes();
  };
  for (const ForwardValue& value : values_) count(value.tensor);
  for (const StepState& state : states_) {
    for (const Tensor& tensor : state.tensors) count(tensor);
  }
  return bytes;
}

Tape::Tape(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Tape::~Tape() = default;

const std::vector<Parameter>& Tape::parameters() const { return program_->parameters; }
const std::vector<BatchNormSite>& Tape::batch_norms() const { return program_->batch_norms; }
const std::vector<std::string>& Tape::input_names() const { return program_->input_names; }
const std::vector<std::string>& Tape::output_names() const { return program_->output_names; }

Pass Tape::forward(std::span<const Tensor> parameters, std::span<const Tensor> inputs,
                   uint64_t seed) const {
  const Program& p = *program_;
  Pass pass;
  pass.values_.resize(p.slots);
  pass.states_.resize(p.nodes.size());
  pass.outputs.resize(p.output_slots.size());
  set_leaves(p, parameters, inputs, pass.values_, pass.outputs);
  for (size_t n = 0; n < p.nodes.size(); ++n) {
    const TapeNode& node = p.nodes[n];
    std::vector<const Tensor*> in;
    for (const Slot slot : node.inputs)
      in.push_back(slot == kNoSlot ? nullptr : &pass.values_[slot].tensor);
    std::vector<Tensor> out(node.outputs.size());
    KernelContext context(in, out);
    node.step->forward(context, pass.states_[n], step_seed(seed, n));
    for (size_t i = 0; i < out.size(); ++i) {
      if (node.outputs[i] != kNoSlot)
        set_value(p, node.outputs[i], out[i], pass.values_, pass.outputs);
    }
    for (const Slot slot : node.dead_forward) pass.values_[slot].tensor = Tensor{};
  }
  for (const size_t n : p.batch_norm_nodes) {
    const auto& state = pass.states_[n].tensors;
    const Dims& dims = pass.values_[p.nodes[n].inputs[0]].dims;
    pass.statistics.push_back({state.at(kMeanState), state.at(kVarianceState),
                               element_count(dims, p.nodes[n].place) / dims[1]});
  }
  return pass;
}

Gradients Tape::backward(Pass pass, std::span<const Tensor> output_gradients) const {
  const Program& p = *program_;
  check_count(output_gradients.size(), p.output_slots.size(), "output gradients");
  Totals totals(p.slots);
  for (size_t i = 0; i < output_gradients.size(); ++i) {
    if (output_gradients[i].type() != DataType::kUndefined)
      totals.add(p.output_slots[i], output_gradients[i], p.output_names[i]);
  }
  for (size_t n = p.nodes.size(); n-- > 0;) {
    const TapeNode& node = p.nodes[n];
    if (node.runs_backward) run_backward(node, pass.values_, pass.states_[n], totals);
    for (const Slot slot : node.outputs) {
      if (slot != kNoSlot && p.keeps_gradient[slot] == 0) totals.drop(slot);
    }
    pass.states_[n] = {};
    for (const Slot slot : node.dead_backward) pass.values_[slot].tensor = Tensor{};
  }
  const auto result = [&](Slot slot) {
    const Tensor* total = totals.find(slot);
    const ForwardValue& value = pass.values_[slot];
    return total != nullptr ? *total : Tensor::zeros(value.type, value.dims);
  };
  Gradients gradients;
  for (const Slot slot : p.parameter_slots) gradients.parameters.push_back(result(slot));
  for (const Slot slot : p.gradient_slots) gradients.values.push_back(result(slot));
  return gradients;
}

}  // namespace limbeck
