#include "lib/autodiff/tape.h"

#include <set>

#include "lib/autodiff/program.h"
#include "lib/base/error.h"
#include "lib/ops/dropout_training.h"

namespace limbeck {
namespace {

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

/// Stores a value, and hands it out where it is an output.
void set_value(const Tape::Program& p, Slot slot, const Tensor& tensor, Pass& pass) {
  pass.state.values[slot] = {tensor.type(), tensor.dims(), tensor};
  for (size_t i = 0; i < pass.outputs.size(); ++i)
    if (p.output_slots[i] == slot) pass.outputs[i] = tensor;
}

/// Constants, parameters and inputs.
void set_leaves(const Tape::Program& p, std::span<const Tensor> parameters,
                std::span<const Tensor> inputs, Pass& pass) {
  check_count(parameters.size(), p.parameters.size(), "parameters");
  check_count(inputs.size(), p.input_slots.size(), "inputs");
  for (const auto& [slot, tensor] : p.constants) set_value(p, slot, tensor, pass);
  for (size_t i = 0; i < parameters.size(); ++i) {
    check_parameter(parameters[i], p.parameters[i]);
    set_value(p, p.parameter_slots[i], parameters[i], pass);
  }
  for (size_t i = 0; i < inputs.size(); ++i) {
    check_input(inputs[i], p.input_names[i], p.input_types[i]);
    set_value(p, p.input_slots[i], inputs[i], pass);
  }
}

void add_statistics(const Tape::Program& p, const Segment& segment, Pass& pass) {
  for (const size_t n : p.batch_norm_nodes) {
    if (n < segment.first || n >= segment.last) continue;
    const auto& tensors = pass.state.steps[n].tensors;
    const Dims& dims = pass.state.values[p.nodes[n].inputs[0]].dims;
    pass.statistics.push_back({tensors.at(kMeanState), tensors.at(kVarianceState),
                               element_count(dims, p.nodes[n].place) / dims[1]});
  }
}

/// Bytes of what nodes made and the pass keeps.
size_t kept_bytes(const Tape::Program& p, const PassState& state) {
  std::set<const std::byte*> seen;
  size_t bytes = 0;
  const auto count = [&](const Tensor& tensor) {
    if (tensor.type() != DataType::kUndefined && seen.insert(tensor.raw()).second)
      bytes += tensor.bytes();
  };
  for (const TapeNode& node : p.nodes) {
    for (const Slot slot : node.outputs)
      if (slot != kNoSlot) count(state.values[slot].tensor);
  }
  for (const StepState& step : state.steps) {
    for (const Tensor& tensor : step.tensors) count(tensor);
  }
  return bytes;
}

}  // namespace

void check_count(size_t received, size_t wanted, const char* what) {
  if (received == wanted) return;
  throw_error(Category::kData, what, "there must be " + std::to_string(wanted),
              std::to_string(received), "pass one tensor a name, in the tape's order");
}

Tape::Tape(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Tape::~Tape() = default;

const std::vector<Parameter>& Tape::parameters() const { return program_->parameters; }
const std::vector<BatchNormSite>& Tape::batch_norms() const { return program_->batch_norms; }
const std::vector<std::string>& Tape::input_names() const { return program_->input_names; }
const std::vector<std::string>& Tape::output_names() const { return program_->output_names; }

void run_node(const Tape::Program& p, size_t n, Pass& pass) {
  const TapeNode& node = p.nodes[n];
  PassState& state = pass.state;
  std::vector<const Tensor*> in;
  for (const Slot slot : node.inputs)
    in.push_back(slot == kNoSlot ? nullptr : &state.values[slot].tensor);
  std::vector<Tensor> out(node.outputs.size());
  KernelContext context(in, out);
  node.step->forward(context, state.steps[n], derived_seed(state.seed, n));
  for (size_t i = 0; i < out.size(); ++i)
    if (node.outputs[i] != kNoSlot) set_value(p, node.outputs[i], out[i], pass);
}

Pass Tape::forward(std::span<const Tensor> parameters, std::span<const Tensor> inputs,
                   uint64_t seed) const {
  const Program& p = *program_;
  Pass pass;
  pass.state.values.resize(p.slots);
  pass.state.steps.resize(p.nodes.size());
  pass.state.seed = seed;
  pass.outputs.resize(p.output_slots.size());
  set_leaves(p, parameters, inputs, pass);
  for (const Segment& segment : p.segments) {
    const bool repeated = segment.last < p.nodes.size();
    for (size_t n = segment.first; n < segment.last; ++n) {
      run_node(p, n, pass);
      const TapeNode& node = p.nodes[n];
      for (const Slot slot : repeated ? node.dead_first : node.dead_final)
        pass.state.values[slot].tensor = Tensor{};
    }
    add_statistics(p, segment, pass);
    for (size_t n = segment.first; repeated && n < segment.last; ++n) pass.state.steps[n] = {};
  }
  pass.held_bytes = kept_bytes(p, pass.state);
  return pass;
}

}  // namespace limbeck
