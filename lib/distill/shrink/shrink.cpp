#include "lib/distill/shrink/shrink.h"

#include <algorithm>
#include <map>

#include "lib/autodiff/parameters.h"
#include "lib/base/error.h"
#include "lib/distill/shrink/blocks.h"
#include "lib/distill/shrink/narrow.h"
#include "lib/distill/shrink/normalizations.h"
#include "lib/distill/shrink/reinitialise.h"
#include "lib/distill/shrink/shrunk_layers.h"
#include "lib/model/analysis.h"
#include "lib/ops/op.h"
#include "lib/quantize/passes/passes.h"

namespace limbeck {
namespace {

using Shapes = std::map<std::string, std::optional<Shape>>;

/// Constants where operators can read them, one of its own for each parameter, and no arithmetic on
/// constants left. BatchNormalization and Dropout stay: the student will be trained.
Model prepare(const Model& teacher) {
  Model model = copy_model(teacher);
  model.envelope.set_ir_version(std::max<int64_t>(model.envelope.ir_version(), 4));
  constants_to_initializers(model.graph, model.opset());
  separate_parameters(model);
  size_t rewrites = 0;
  do {
    infer_shapes(model);
    rewrites = fold_constants(model.graph, model.opset());
    rewrites += fold_shapes(model.graph, model.opset());
    model.graph.remove_dead();
  } while (rewrites > 0);
  return model;
}

Shapes shapes_of(const Model& model) {
  Shapes shapes;
  for (const Value* value : model.graph.values()) shapes[value->name()] = value->shape;
  return shapes;
}

const Dims* sample_dims_of(const Model& model, const ShrinkOptions& options,
                           const std::string& input) {
  const auto& given = options.sample_dims;
  auto found = given.find(input);
  if (found == given.end() && model.graph.inputs().size() == 1) found = given.find("");
  return found == given.end() ? nullptr : &found->second;
}

/// Open dimensions of the inputs, but for the batch, become those of a sample.
void set_sample_dims(Model& model, const ShrinkOptions& options) {
  for (Value* input : model.graph.inputs()) {
    const Dims* dims = sample_dims_of(model, options, input->name());
    if (dims == nullptr || !input->shape) continue;
    Shape& shape = *input->shape;
    bool fits = shape.size() == dims->size() + 1;
    for (size_t i = 0; fits && i < dims->size(); ++i)
      fits = (*dims)[i] > 0 && (!shape[i + 1].known() || shape[i + 1].value == (*dims)[i]);
    if (!fits) {
      throw_error(
          Category::kUsage, "shape of '" + input->name() + "'",
          "the dimensions of a sample must fit " + shape_text(shape) + " without its first one",
          dims_text(*dims), "correct the dimensions");
    }
    for (size_t i = 0; i < dims->size(); ++i) shape[i + 1] = Dim{(*dims)[i], ""};
  }
  infer_shapes(model);
}

/// Where a shape is computed in a way that only numbers can follow, an open batch becomes one.
void close_batch(Model& model) {
  if (analyse(model).nodes_of_unknown_macs == 0) return;
  for (Value* input : model.graph.inputs()) {
    if (input->shape && !input->shape->empty() && !input->shape->front().known())
      input->shape->front() = Dim{1, ""};
  }
  infer_shapes(model);
}

/// Shapes as the model declared them, but for the axes that were cut; then all of them once more,
/// which raises where a cut does not add up.
void restore_shapes(Model& model, const Shapes& declared, const Shapes& before) {
  for (Value* value : model.graph.values()) {
    const auto open = declared.find(value->name());
    if (value->constant() != nullptr) continue;
    if (open == declared.end()) {
      value->shape.reset();  // of a node that was put in
      continue;
    }
    const auto& sized = before.at(value->name());
    std::optional<Shape> shape = open->second;
    for (size_t i = 0; shape && sized && value->shape && i < shape->size(); ++i) {
      const bool cut = (*value->shape)[i] != (*sized)[i];
      if (cut && (*shape)[i].known()) (*shape)[i] = (*value->shape)[i];
    }
    value->shape = shape;
  }
  infer_shapes(model);
}

}  // namespace

ShrinkResult shrink(const Model& teacher, const ShrinkOptions& options, const ShrinkData* data) {
  check_shrink_options(options, "shrink");
  ShrinkResult result;
  result.student = prepare(teacher);
  Model& model = result.student;
  const Shapes declared = shapes_of(model);
  set_sample_dims(model, options);
  close_batch(model);
  const ModelSummary before = analyse(model);
  const std::vector<ShrunkLayer> layers = layers_of(model);
  const double target = options.macs ? *options.macs * static_cast<double>(before.macs)
                                     : *options.size * static_cast<double>(before.weight_bytes);
  if (data != nullptr && options.batch_norm) unfold_normalizations(model, *data, options.samples);
  result.blocks = remove_blocks(model, options, data);
  if (!result.blocks.empty()) measure_statistics(model, *data, options.samples);
  const Shapes sized = shapes_of(model);
  narrow(model, options, data, target);
  const ModelSummary after = analyse(model);
  result.layers = compare_layers(layers, layers_of(model));
  result.macs_before = before.macs;
  result.macs_after = after.macs;
  result.bytes_before = before.weight_bytes;
  result.bytes_after = after.weight_bytes;
  restore_shapes(model, declared, sized);
  if (options.random_weights) model = reinitialise(model, data == nullptr ? 1 : data->seed);
  return result;
}

}  // namespace limbeck
