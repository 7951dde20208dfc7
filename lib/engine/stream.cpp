#include "lib/engine/stream.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/progress.h"

namespace limbeck {
namespace stream_detail {
namespace {

/// Hands out unit numbers to workers, at most `lead` ahead of the unit that the caller finishes
/// next.
class OrderedRun {
 public:
  OrderedRun(int64_t count, int64_t lead) : lead_(lead), state_(static_cast<size_t>(count)) {}

  void work(const std::function<void(int64_t)>& unit) {
    for (int64_t i = take(); i >= 0; i = take()) {
      std::exception_ptr failure;
      try {
        unit(i);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      state_[static_cast<size_t>(i)] = {true, failure};
      changed_.notify_all();
    }
  }

  void wait(int64_t i) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return state_[static_cast<size_t>(i)].done; });
    if (state_[static_cast<size_t>(i)].failure)
      std::rethrow_exception(state_[static_cast<size_t>(i)].failure);
  }

  void finished() {
    const std::lock_guard lock(mutex_);
    ++finished_;
    changed_.notify_all();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  struct Unit {
    bool done = false;
    std::exception_ptr failure;
  };

  int64_t take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || next_ >= size() || next_ < finished_ + lead_; });
    return stopped_ || next_ >= size() ? -1 : next_++;
  }
  int64_t size() const { return static_cast<int64_t>(state_.size()); }

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t lead_;
  int64_t next_ = 0;
  int64_t finished_ = 0;
  bool stopped_ = false;
  std::vector<Unit> state_;
};

}  // namespace

void run_in_order(int64_t count, int threads, const std::function<void(int64_t)>& work,
                  const std::function<void(int64_t)>& finish) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const auto wanted = threads > 0 ? static_cast<int64_t>(threads) : static_cast<int64_t>(cores);
  const int64_t workers = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(count, 1));
  OrderedRun run(count, 2 * workers);
  std::vector<std::jthread> pool;
  pool.reserve(static_cast<size_t>(workers));
  for (int64_t i = 0; i < workers; ++i) pool.emplace_back([&] { run.work(work); });
  try {
    for (int64_t i = 0; i < count; ++i) {
      run.wait(i);
      check_interrupt();
      finish(i);
      run.finished();
    }
  } catch (...) {
    run.stop();
    throw;
  }
}

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
  std::vector<Tensor> inputs;
  const auto& names = dataset.input_names();
  for (const std::string& wanted : engine.input_names()) {
    auto found = std::find(names.begin(), names.end(), wanted);
    if (found == names.end() && names.size() == 1 && engine.input_names().size() == 1 &&
        names[0].empty()) {
      found = names.begin();
    }
    if (found == names.end()) {
      std::string offered;
      for (const std::string& name : names) offered += (offered.empty() ? "'" : ", '") + name + "'";
      throw_error(Category::kData, "data set", "it must feed the model's input '" + wanted + "'",
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
