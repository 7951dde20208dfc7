#include <algorithm>
#include <cmath>
#include <map>
#include <ranges>

#include "lib/distill/student.h"

namespace limbeck {
namespace {

bool all_finite(const Tensor& tensor) {
  if (tensor.type() != DataType::kFloat) return true;
  const auto values = tensor.as<float>();
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

/// The first output of every node; training forms have no other.
std::vector<std::string> node_outputs(const Model& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph.nodes()) {
    const Value* output = node->output(0);
    if (output != nullptr && output->constant() == nullptr && !output->is_graph_output())
      names.push_back(output->name());
  }
  return names;
}

std::string bad_value(const Student& student, std::span<const Tensor> parameters,
                      std::span<const Tensor> inputs, uint64_t seed) {
  TrainOptions options = student.options();
  options.taps = node_outputs(student.model());
  const auto tape = Tape::compile(student.model(), options);
  const Pass pass = tape->forward(parameters, inputs, seed);
  std::map<std::string, const Tensor*> values;
  for (size_t i = 0; i < pass.outputs.size(); ++i)
    values[tape->output_names()[i]] = &pass.outputs[i];
  for (const auto& node : student.model().graph.nodes()) {
    const Value* output = node->output(0);
    const auto found = output == nullptr ? values.end() : values.find(output->name());
    if (found != values.end() && !all_finite(*found->second)) return node->place();
  }
  return "";
}

/// Gradients run backwards: the last weight is the nearest to where it went wrong.
std::string bad_gradient(const Student& student, std::span<const Tensor> gradients) {
  const auto& parameters = student.tape().parameters();
  std::map<std::string, bool> bad;
  for (size_t i = 0; i < std::min(parameters.size(), gradients.size()); ++i)
    bad[parameters[i].name] = !all_finite(gradients[i]);
  for (const auto& node : student.model().graph.nodes() | std::views::reverse) {
    for (const Value* input : node->inputs()) {
      const auto found = input == nullptr ? bad.end() : bad.find(input->name());
      if (found != bad.end() && found->second)
        return "gradient of '" + found->first + "' in " + node->place();
    }
  }
  return "";
}

}  // namespace

std::string first_bad_layer(const Student& student, std::span<const Tensor> parameters,
                            std::span<const Tensor> inputs, std::span<const Tensor> gradients,
                            uint64_t seed) {
  const std::string layer = bad_value(student, parameters, inputs, seed);
  return layer.empty() ? bad_gradient(student, gradients) : layer;
}

}  // namespace limbeck
