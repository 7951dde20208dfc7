#include "lib/engine/stream.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/progress.h"

namespace limbeck {
namespace stream_detail {
std::vector<Batch> read_batches(const Dataset& dataset, std::span<const int64_t> order,
                                const StreamOptions& options, int64_t index) {
  const auto start = static_cast<size_t>(index * options.micro_batch);
  const auto samples = order.subspan(
      start, std::min(static_cast<size_t>(options.micro_batch), order.size() - start));
  std::vector<Batch> batches;
  try {
    batches.push_back(dataset.read(samples));
  } catch (const SamplesDiffer&) {
    if (!options.may_split) throw;
    for (size_t i = 0; i < samples.size(); ++i)
      batches.push_back(dataset.read(samples.subspan(i, 1)));
  }
  return batches;
}

std::vector<std::vector<Tensor>> run_engines(const std::vector<const Engine*>& engines,
                                             const Dataset& dataset, const Batch& batch) {
  std::vector<std::vector<Tensor>> results;
  for (const Engine* engine : engines)
    results.push_back(engine->run(engine_inputs(*engine, dataset, batch)));
  return results;
}

}  // namespace stream_detail

int64_t fixed_batch(const Model& model) {
  for (const Value* input : model.graph.inputs()) {
    if (input->shape && !input->shape->empty() && input->shape->front().value > 0)
      return input->shape->front().value;
  }
  return 0;
}

std::vector<Tensor> engine_inputs(const Engine& engine, const Dataset& dataset,
                                  const Batch& batch) {
  return named_inputs(engine.input_names(), dataset, batch);
}

std::vector<Tensor> named_inputs(const std::vector<std::string>& wanted, const Dataset& dataset,
                                 const Batch& batch) {
  std::vector<Tensor> inputs;
  const auto& names = dataset.input_names();
  for (const std::string& input : wanted) {
    auto found = std::find(names.begin(), names.end(), input);
    if (found == names.end() && names.size() == 1 && wanted.size() == 1 && names[0].empty())
      found = names.begin();
    if (found == names.end()) {
      std::string offered;
      for (const std::string& name : names) offered += (offered.empty() ? "'" : ", '") + name + "'";
      throw_error(Category::kData, "data set", "it must feed the model's input '" + input + "'",
                  "inputs " + offered, "set \"input\" in the data set's description");
    }
    inputs.push_back(batch.inputs[static_cast<size_t>(found - names.begin())]);
  }
  return inputs;
}

void stream_batches(
    const std::vector<const Engine*>& engines, const Dataset& dataset,
    std::span<const int64_t> order, const StreamOptions& options,
    const std::function<void(const Batch&, const std::vector<std::vector<Tensor>>&)>& consume) {
  struct Done {
    Batch batch;
    std::vector<std::vector<Tensor>> outputs;
  };
  Progress progress(options.label, static_cast<int64_t>(order.size()), options.quiet);
  map_batches<Done>(
      engines, dataset, order, options,
      [](const Batch& batch, const std::vector<std::vector<Tensor>>& outputs) {
        return Done{batch, outputs};
      },
      [&](Done& done) {
        consume(done.batch, done.outputs);
        progress.advance(static_cast<int64_t>(done.batch.indices.size()));
      });
}

}  // namespace limbeck
