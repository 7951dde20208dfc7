#include "lib/engine/program.h"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <unordered_map>

#include "lib/base/error.h"
#include "lib/engine/batch_split.h"
#include "lib/engine/match_float.h"
#include "lib/engine/match_integer.h"
#include "lib/engine/scope.h"

namespace limbeck {
namespace {

constexpr std::array<Matcher, 13> kMatchers = {match_integer_weighted,
                                               match_integer_elementwise,
                                               match_quantized_concat,
                                               match_integer_moves,
                                               match_integer_operators,
                                               match_weighted,
                                               match_dynamic_matmul,
                                               match_pooling,
                                               match_binary,
                                               match_function,
                                               match_concat,
                                               match_rounding,
                                               match_conversions};

const Value* find_value(const Model& model, const std::string& tap) {
  const Value* value = model.graph.find(tap);
  if (value == nullptr) {
    throw_error(Category::kUsage, "tap '" + tap + "'", "a tapped value must exist in the graph",
                "no value of that name", "list the names with `limbeck inspect --dump`");
  }
  return value;
}

/// Values that run() returns: graph outputs, then taps.
std::vector<const Value*> returned_values(const Model& model, const EngineOptions& options) {
  std::vector<const Value*> values(model.graph.outputs().begin(), model.graph.outputs().end());
  for (const std::string& tap : options.taps) values.push_back(find_value(model, tap));
  return values;
}

/// Values that must exist: those that run() returns, and the watched ones.
std::set<const Value*> wanted_values(const Model& model, const EngineOptions& options) {
  const auto returned = returned_values(model, options);
  std::set<const Value*> values(returned.begin(), returned.end());
  for (const std::string& name : options.watched) values.insert(find_value(model, name));
  return values;
}

/// Chooses steps from the outputs backwards, so that what a fused step covers is never computed
/// twice.
class Builder {
 public:
  Builder(const Model& model, const EngineOptions& options)
      : model_(model),
        options_(options),
        returned_(returned_values(model, options)),
        scope_(model, wanted_values(model, options), options.fuse) {}

  Program build();

 private:
  void demand(const Value* value);
  void choose_steps();
  void choose(const Node& node);
  Selection select(const Node& node);
  Selection reference(const Node& node);
  void add_step(const Node& node, Selection selection);
  int slot(const Value* value);
  int slot(const Operand& operand);
  int fresh_slot();
  void set_releases();
  void count_macs(const Node* weighted, bool integer);

  const Model& model_;
  const EngineOptions& options_;
  std::vector<const Value*> returned_;
  Scope scope_;
  std::set<const Value*> demanded_;
  std::unordered_map<const Value*, int> slots_;
  const Node* missing_ = nullptr;
  double macs_ = 0;
  double integer_macs_ = 0;
  bool unknown_macs_ = false;
  Program program_;
};

void Builder::demand(const Value* value) {
  if (value != nullptr && scope_.constant(value) == nullptr) demanded_.insert(value);
}

int Builder::fresh_slot() {
  program_.constants.emplace_back();
  return static_cast<int>(program_.slot_count++);
}

int Builder::slot(const Value* value) {
  if (value == nullptr) return -1;
  const auto [found, fresh] = slots_.try_emplace(value, -1);
  if (fresh) {
    found->second = fresh_slot();
    const Tensor* constant = scope_.constant(value);
    if (constant != nullptr)
      program_.constants[static_cast<size_t>(found->second)].tensor = *constant;
  }
  return found->second;
}

int Builder::slot(const Operand& operand) {
  if (operand.value != nullptr || operand.constant.empty()) return slot(operand.value);
  const int result = fresh_slot();
  program_.constants[static_cast<size_t>(result)].tensor = operand.constant;
  return result;
}

Selection Builder::reference(const Node& node) {
  Selection selection;
  const int64_t opset = model_.opset(node.domain());
  const OpRow* row = find_op(node.domain(), node.op_type(), opset);
  if (row == nullptr || row->kernel == nullptr) {
    missing_ = &node;
  } else {
    selection.kernel = make_reference_step(row->kernel(node, opset));
  }
  for (const Value* input : node.inputs()) selection.inputs.emplace_back(input);
  selection.weighted = &node;
  return selection;
}

Selection Builder::select(const Node& node) {
  const auto& outputs = node.outputs();
  const bool single = !outputs.empty() && outputs[0] != nullptr &&
                      std::none_of(outputs.begin() + 1, outputs.end(), [&](const Value* value) {
                        return value != nullptr && demanded_.contains(value);
                      });
  if (options_.fuse && single) {
    for (const Matcher matcher : kMatchers) {
      if (auto selection = matcher(scope_, node)) return std::move(*selection);
    }
  }
  return reference(node);
}

void Builder::add_step(const Node& node, Selection selection) {
  Step step;
  step.place = node.place();
  step.kernel = std::move(selection.kernel);
  for (const Operand& input : selection.inputs) {
    demand(input.value);
    step.inputs.push_back(slot(input));
  }
  for (const Value* output : node.outputs()) {
    const bool wanted = output != nullptr && demanded_.contains(output);
    step.outputs.push_back(wanted ? slot(output) : -1);
  }
  program_.steps.push_back(std::move(step));
}

void Builder::choose(const Node& node) {
  Selection selection = select(node);
  count_macs(selection.weighted, selection.integer);
  add_step(node, std::move(selection));
}

/// Conv, Gemm, MatMul and their integer forms.
bool multiplies(const Node& node) {
  const std::string& op = node.op_type();
  return op.find("Conv") != std::string::npos || op.find("Gemm") != std::string::npos ||
         op.find("MatMul") != std::string::npos;
}

bool sample_shape_known(const Node& node) {
  const auto& shape = node.output(0)->shape;
  return shape && std::all_of(shape->begin() + std::min<ptrdiff_t>(1, std::ssize(*shape)),
                              shape->end(), [](const Dim& dim) { return dim.known(); });
}

void Builder::count_macs(const Node* weighted, bool integer) {
  if (weighted == nullptr) return;
  const double macs = sample_macs(*weighted);
  macs_ += macs;
  unknown_macs_ = unknown_macs_ || (multiplies(*weighted) && !sample_shape_known(*weighted));
  if (integer) integer_macs_ += macs;
}

void Builder::choose_steps() {
  for (const Value* value : scope_.wanted()) demand(value);
  const auto& nodes = model_.graph.nodes();
  for (auto it = nodes.rbegin(); it != nodes.rend(); ++it) {
    const auto& outputs = (*it)->outputs();
    const bool needed = std::any_of(outputs.begin(), outputs.end(), [this](const Value* value) {
      return demanded_.contains(value);
    });
    if (needed) choose(**it);
  }
  if (missing_ != nullptr) {
    const std::string domain = missing_->domain().empty() ? "ai.onnx" : missing_->domain();
    throw_error(
        Category::kUnsupported, missing_->place(),
        "the engine must have a kernel for every operator",
        domain + "::" + missing_->op_type() + " of opset " +
            std::to_string(model_.opset(missing_->domain())),
        "see docs/operators.md for what is supported; `limbeck inspect` works without kernels");
  }
  std::reverse(program_.steps.begin(), program_.steps.end());
}

/// A computed value is released by its last reader, or by its own step when nobody reads it.
void Builder::set_releases() {
  std::vector<int> last(program_.slot_count, -1);
  for (size_t i = 0; i < program_.steps.size(); ++i) {
    for (const int slot : program_.steps[i].outputs) {
      if (slot >= 0) last[static_cast<size_t>(slot)] = static_cast<int>(i);
    }
    for (const int slot : program_.steps[i].inputs) {
      if (slot >= 0) last[static_cast<size_t>(slot)] = static_cast<int>(i);
    }
  }
  for (const int slot : program_.output_slots) last[static_cast<size_t>(slot)] = -1;
  for (size_t i = 0; i < last.size(); ++i) {
    const bool constant = !program_.constants[i].tensor.empty();
    if (last[i] >= 0 && !constant)
      program_.steps[static_cast<size_t>(last[i])].release.push_back(static_cast<int>(i));
  }
}

Program Builder::build() {
  for (const Value* input : model_.graph.inputs()) {
    program_.inputs.push_back({input->name(), slot(input), input->type, input->shape});
  }
  choose_steps();
  for (const Value* value : returned_) {
    program_.output_names.push_back(value->name());
    program_.output_slots.push_back(slot(value));
  }
  for (const std::string& name : options_.watched)
    program_.watched_slots.push_back(slot(find_value(model_, name)));
  set_releases();
  program_.macs_per_step =
      unknown_macs_ ? std::numeric_limits<double>::infinity()
                    : macs_ / static_cast<double>(std::max<size_t>(1, program_.steps.size()));
  program_.integer_mac_share = macs_ > 0 ? integer_macs_ / macs_ : 0;
  // What is tapped is as large as the activations, so that joining parts would cost memory.
  if (options_.fuse && options_.taps.empty() && samples_are_independent(model_, returned_))
    program_.samples_together = samples_together(model_);
  return std::move(program_);
}

double known_product(const Shape& shape, size_t from) {
  double product = 1;
  for (size_t i = from; i < shape.size(); ++i)
    product *= shape[i].known() ? static_cast<double>(shape[i].value) : 1.0;
  return product;
}

}  // namespace

double sample_macs(const Node& node) {
  const std::string& op = node.op_type();
  const bool integer_convolution = op == "QLinearConv";
  const bool integer_product = op == "QLinearMatMul";
  const bool q_gemm = op == "QGemm";
  const Value* weights = node.input(integer_convolution || integer_product || q_gemm ? 3 : 1);
  const Value* input = node.input(0);
  const Value* output = node.output(0);
  if (weights == nullptr || output == nullptr || !weights->shape || !output->shape || !input ||
      !input->shape)
    return 0;
  const Shape& w = *weights->shape;
  if (op == "Conv" || op == "ConvInteger" || integer_convolution) {
    return w.size() < 3 || output->shape->empty()
               ? 0
               : known_product(w, 1) * known_product(*output->shape, 1);
  }
  if (op == "ConvTranspose") {
    return w.size() < 3 || input->shape->empty()
               ? 0
               : known_product(w, 1) * known_product(*input->shape, 1);
  }
  if (op == "Gemm" || op == "MatMul" || op == "MatMulInteger" || integer_product || q_gemm) {
    if (w.size() < 2 || output->shape->empty()) return 0;
    const bool transposed = op.ends_with("Gemm") && node.int_attribute("transB", 0) != 0;
    const Dim& inner = w[transposed ? 1 : w.size() - 2];
    return (inner.known() ? static_cast<double>(inner.value) : 1.0) *
           known_product(*output->shape, 0);
  }
  return 0;
}

Program build_program(const Model& model, const EngineOptions& options) {
  return Builder(model, options).build();
}

}  // namespace limbeck
