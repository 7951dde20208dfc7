#include "lib/evaluate/layers.h"

#include <cmath>
#include <map>
#include <optional>

#include "lib/base/progress.h"
#include "lib/engine/stream.h"
#include "lib/evaluate/code_params.h"
#include "lib/evaluate/totals.h"
#include "lib/evaluate/values.h"

namespace limbeck {
namespace {

using Pair = std::pair<std::string, std::string>;

bool is_integer(DataType type) {
  return type == DataType::kInt8 || type == DataType::kUint8 || type == DataType::kInt16 ||
         type == DataType::kUint16;
}

/// A pair that can be compared. The model's value may hold codes of a quantizer.
struct Layer {
  Pair names;
  std::optional<AffineParams> params;
};

std::vector<Layer> comparable_layers(const Model& model, const Model& reference,
                                     const std::vector<Pair>& pairs) {
  std::vector<Layer> layers;
  for (const Pair& pair : pairs) {
    const Value* value = model.graph.find(pair.second);
    if (value == nullptr || !is_float_activation(reference.graph.find(pair.first))) continue;
    const auto params = value->constant() == nullptr ? code_params(*value) : std::nullopt;
    if (is_float_activation(value) || (is_integer(value->type) && params))
      layers.push_back({pair, params});
  }
  return layers;
}

/// An engine whose results hold each wanted value once.
struct TappedEngine {
  std::shared_ptr<const Engine> engine;
  std::map<std::string, size_t> position;  ///< of a value in the results

  TappedEngine(const Model& model, const std::vector<std::string>& wanted) {
    EngineOptions options;
    for (const std::string& name : wanted) {
      if (position.emplace(name, options.taps.size()).second) options.taps.push_back(name);
    }
    engine = Engine::compile(model, options);
    const size_t first_tap = engine->output_names().size() - options.taps.size();
    for (auto& entry : position) entry.second += first_tap;
  }
};

struct LayerSums {
  Distance distance;
  bool valid = true;
};

struct Partial {
  std::vector<LayerSums> layers;
  int64_t samples = 0;
};

LayerSums compare_tensors(const Tensor& reference, const Tensor& model,
                          const std::optional<AffineParams>& params) {
  if (reference.type() != DataType::kFloat || reference.count() != model.count())
    return {{}, false};
  if (model.type() == DataType::kFloat)
    return {distance(reference.as<float>(), model.as<float>()), true};
  if (!params || !is_integer(model.type())) return {{}, false};
  return {distance(reference.as<float>(), dequantized_values(model, *params)), true};
}

std::string op_type_of(const Value& value) {
  return value.producer() == nullptr ? "input" : value.producer()->op_type();
}

LayerError layer_error(const Pair& pair, const Distance& sums, const Model& reference) {
  LayerError error;
  error.tensor = pair.first;
  error.value = pair.second;
  error.op_type = op_type_of(*reference.graph.find(pair.first));
  error.sqnr_db = sqnr_db(sums.signal, sums.noise);
  error.cosine = cosine_of(sums.dot, sums.signal, sums.model_square);
  error.max_abs = sums.max_abs;
  return error;
}

std::vector<LayerSums> sum_layers(const std::vector<Layer>& layers, const Model& model,
                                  const Model& reference, const Dataset& dataset,
                                  std::span<const int64_t> order, const EvaluateOptions& options,
                                  int64_t micro_batch) {
  std::vector<std::string> tensors;
  std::vector<std::string> values;
  for (const Layer& layer : layers) {
    tensors.push_back(layer.names.first);
    values.push_back(layer.names.second);
  }
  const TappedEngine tapped_model(model, values);
  const TappedEngine tapped_reference(reference, tensors);
  std::vector<LayerSums> totals(layers.size());
  Progress progress("comparing layers", static_cast<int64_t>(order.size()), options.quiet);
  StreamOptions stream;
  stream.micro_batch = micro_batch;
  stream.threads = options.threads;
  map_batches<Partial>(
      {tapped_model.engine.get(), tapped_reference.engine.get()}, dataset, order, stream,
      [&](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
        Partial partial{{}, static_cast<int64_t>(batch.indices.size())};
        for (const Layer& layer : layers) {
          partial.layers.push_back(compare_tensors(
              outputs[1][tapped_reference.position.at(layer.names.first)],
              outputs[0][tapped_model.position.at(layer.names.second)], layer.params));
        }
        return partial;
      },
      [&](Partial& partial) {
        for (size_t i = 0; i < layers.size(); ++i) {
          totals[i].distance.add(partial.layers[i].distance);
          totals[i].valid = totals[i].valid && partial.layers[i].valid;
        }
        progress.advance(partial.samples);
      });
  return totals;
}

}  // namespace

std::vector<LayerError> compare_layers(const Model& model, const Model& reference,
                                       const Dataset& dataset, std::span<const int64_t> order,
                                       const EvaluateOptions& options, int64_t micro_batch) {
  const std::vector<Layer> layers = comparable_layers(model, reference, options.layers);
  std::vector<LayerError> errors;
  if (layers.empty() || order.empty()) return errors;
  const auto totals = sum_layers(layers, model, reference, dataset, order, options, micro_batch);
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!totals[i].valid || !totals[i].distance.finite()) continue;
    errors.push_back(layer_error(layers[i].names, totals[i].distance, reference));
  }
  return errors;
}

}  // namespace limbeck
