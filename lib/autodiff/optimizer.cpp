#include "lib/autodiff/optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lib/autodiff/gradient_norm.h"
#include "lib/autodiff/optimizers/method.h"
#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/base/glob.h"
#include "lib/base/option_reader.h"

namespace limbeck {
namespace {

constexpr double kBelowOne = 0.9999999;

const OptimizerRow& find_method(const std::string& name, const std::string& place) {
  std::vector<std::string> known;
  for (const OptimizerRow& row : optimizer_table()) {
    if (row.name == name) return row;
    known.emplace_back(row.name);
  }
  throw_error(Category::kUsage, place, "the optimizer must exist", name,
              "use one of " + joined_names(known));
}

ParameterGroup read_group(const nlohmann::json& object, const std::string& place) {
  OptionReader reader(object, place);
  ParameterGroup group;
  group.glob = reader.required_text("glob");
  group.learning_rate_factor = reader.number("learning_rate_factor", 1, {0, 1000});
  const bool decays = object.contains("weight_decay");
  const double decay = reader.number("weight_decay", 0, {0, 1});
  if (decays) group.weight_decay = decay;
  reader.finish();
  return group;
}

std::vector<ParameterGroup> read_groups(const nlohmann::json* list, const std::string& place) {
  std::vector<ParameterGroup> groups;
  if (list == nullptr) return groups;
  if (!list->is_array()) {
    throw_error(Category::kUsage, place, "the value must be a list of groups", list->dump(),
                R"(write for example [{"glob": "*bias", "weight_decay": 0}])");
  }
  for (const nlohmann::json& object : *list) {
    groups.push_back(read_group(object, place + "/" + std::to_string(groups.size())));
  }
  return groups;
}

void check_groups(const OptimizerOptions& options, const std::vector<std::string>& names) {
  for (const ParameterGroup& group : options.groups) {
    const bool found = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return matches_glob(group.glob, name);
    });
    if (found) continue;
    throw_error(Category::kUsage, "optimizer group '" + group.glob + "'",
                "the glob must match a trained weight",
                "no match among " + std::to_string(names.size()) + " weights",
                "limbeck inspect lists the model's tensors");
  }
}

std::vector<Tensor> zeros_like(std::span<const Tensor> values) {
  std::vector<Tensor> result;
  for (const Tensor& value : values) {
    result.push_back(Tensor::zeros(DataType::kFloat, value.dims()));
  }
  return result;
}

std::vector<Tensor> cloned(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> result;
  result.reserve(tensors.size());
  for (const Tensor& tensor : tensors) result.push_back(tensor.clone());
  return result;
}

std::span<float> slot_of(std::vector<Tensor>& slots, size_t index) {
  return slots.empty() ? std::span<float>() : slots[index].mutable_as<float>();
}

}  // namespace

OptimizerState OptimizerState::clone() const { return {steps, cloned(first), cloned(second)}; }

OptimizerOptions read_optimizer(const nlohmann::json& object, const std::string& place) {
  OptionReader reader(object, place);
  OptimizerOptions options;
  options.method = reader.text("method", options.method);
  const std::string_view method = find_method(options.method, place + "/method").name;
  if (method == "sgd") {
    options.momentum = reader.number("momentum", options.momentum, {0, kBelowOne});
    options.nesterov = reader.flag("nesterov", options.nesterov);
  } else {
    options.beta1 = reader.number("beta1", options.beta1, {0, kBelowOne});
    options.beta2 = reader.number("beta2", options.beta2, {0, kBelowOne});
    options.epsilon = reader.number("epsilon", options.epsilon, {1e-30, 1});
  }
  options.weight_decay = reader.number("weight_decay", options.weight_decay, {0, 1});
  options.clip_norm = reader.number("clip_norm", options.clip_norm, {.low = 0});
  options.groups = read_groups(reader.nested("groups"), place + "/groups");
  reader.finish();
  if (options.nesterov && options.momentum == 0) {
    throw_error(Category::kUsage, place + "/nesterov", "nesterov needs momentum", "momentum 0",
                "set momentum, for example to 0.9");
  }
  return options;
}

Optimizer::Optimizer(OptimizerOptions options, std::vector<std::string> names)
    : options_(std::move(options)),
      method_(&find_method(options_.method, "optimizer")),
      names_(std::move(names)) {
  check_groups(options_, names_);
  for (const std::string& name : names_) {
    Factors factors = {1, options_.weight_decay};
    const auto group =
        std::find_if(options_.groups.begin(), options_.groups.end(),
                     [&](const ParameterGroup& g) { return matches_glob(g.glob, name); });
    if (group != options_.groups.end()) {
      factors.learning_rate = group->learning_rate_factor;
      factors.weight_decay = group->weight_decay.value_or(options_.weight_decay);
    }
    factors_.push_back(factors);
  }
}

OptimizerState Optimizer::initial_state(std::span<const Tensor> values) const {
  OptimizerState state;
  if (method_->slots > 0) state.first = zeros_like(values);
  if (method_->slots > 1) state.second = zeros_like(values);
  return state;
}

void Optimizer::check(std::span<Tensor> values, std::span<Tensor> gradients,
                      const OptimizerState& state) const {
  const auto fits = [&](std::span<const Tensor> tensors) {
    if (tensors.size() != values.size()) return false;
    for (size_t i = 0; i < values.size(); ++i) {
      if (tensors[i].dims() != values[i].dims()) return false;
    }
    return true;
  };
  const bool same = values.size() == names_.size() && fits(gradients) &&
                    (method_->slots < 1 || fits(state.first)) &&
                    (method_->slots < 2 || fits(state.second));
  if (same) return;
  throw_error(Category::kInternal, "optimizer",
              "values, gradients and state must have the shapes of the weights",
              std::to_string(values.size()) + " values, " + std::to_string(gradients.size()) +
                  " gradients for " + std::to_string(names_.size()) + " weights",
              "report this bug");
}

double Optimizer::update(std::span<Tensor> values, std::span<Tensor> gradients,
                         double learning_rate, OptimizerState& state) const {
  check(values, gradients, state);
  const double norm = gradient_norm(gradients);
  if (!std::isfinite(norm)) return norm;
  if (options_.clip_norm > 0) scale_gradients(gradients, clip_factor(norm, options_.clip_norm));
  ++state.steps;
  for (size_t i = 0; i < values.size(); ++i) {
    // A frozen weight keeps its bytes and its state.
    if (factors_[i].learning_rate == 0) continue;
    WeightUpdate weight;
    weight.value = values[i].mutable_as<float>();
    weight.gradient = gradients[i].as<float>();
    weight.first = slot_of(state.first, i);
    weight.second = slot_of(state.second, i);
    weight.learning_rate = learning_rate * factors_[i].learning_rate;
    weight.weight_decay = factors_[i].weight_decay;
    weight.step = state.steps;
    method_->update(options_, weight);
  }
  return norm;
}

}  // namespace limbeck
