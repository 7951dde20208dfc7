#include "lib/distill/student.h"

#include <utility>

#include "lib/autodiff/parameters.h"
#include "lib/base/error.h"

namespace limbeck {
namespace {

void require_float(const Tensor& tensor, const std::string& name) {
  if (tensor.type() == DataType::kFloat) return;
  throw_error(Category::kUnsupported, "weight '" + name + "'", "weights train as 32-bit floats",
              data_type_name(tensor.type()), "export the student in FP32");
}

const Tensor& constant_of(const Model& model, const std::string& name) {
  const Value* value = model.graph.find(name);
  if (value != nullptr && value->constant() != nullptr) return *value->constant();
  throw_error(Category::kInternal, "weight '" + name + "'", "a weight must be a constant", "none",
              "report this bug");
}

Model separated(const Model& model) {
  Model copy = copy_model(model);
  separate_parameters(copy);
  return copy;
}

}  // namespace

Student::Student(const Model& model, TrainOptions options)
    : model_(separated(model)),
      options_(std::move(options)),
      tape_(Tape::compile(model_, options_)) {
  if (tape_->parameters().empty()) {
    throw_error(Category::kUsage, "student", "at least one weight must train", "none",
                "widen `trainable` in the recipe; limbeck inspect lists the model's tensors");
  }
  for (const Parameter& parameter : tape_->parameters())
    require_float(parameter.initial, parameter.name);
  for (const BatchNormSite& site : tape_->batch_norms()) {
    require_float(constant_of(model_, site.mean), site.mean);
    require_float(constant_of(model_, site.variance), site.variance);
  }
}

std::vector<std::string> Student::parameter_names() const {
  std::vector<std::string> names;
  for (const Parameter& parameter : tape_->parameters()) names.push_back(parameter.name);
  return names;
}

std::vector<Tensor> Student::initial_parameters() const {
  std::vector<Tensor> values;
  for (const Parameter& parameter : tape_->parameters())
    values.push_back(parameter.initial.clone());
  return values;
}

std::vector<Tensor> Student::initial_statistics() const {
  std::vector<Tensor> values;
  for (const BatchNormSite& site : tape_->batch_norms()) {
    values.push_back(constant_of(model_, site.mean).clone());
    values.push_back(constant_of(model_, site.variance).clone());
  }
  return values;
}

Model Student::with(std::span<const Tensor> parameters, std::span<const Tensor> statistics) const {
  Model model = copy_model(model_);
  const auto set = [&model](const std::string& name, const Tensor& tensor) {
    model.graph.set_constant(model.graph.find(name), tensor.clone());
  };
  for (size_t i = 0; i < parameters.size(); ++i) set(tape_->parameters()[i].name, parameters[i]);
  const auto& sites = tape_->batch_norms();
  for (size_t i = 0; i < sites.size() && !statistics.empty(); ++i) {
    set(sites[i].mean, statistics[2 * i]);
    set(sites[i].variance, statistics[2 * i + 1]);
  }
  return model;
}

}  // namespace limbeck
