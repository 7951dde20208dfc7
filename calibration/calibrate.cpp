#include <algorithm>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "calibration/calibration.h"
#include "calibration/rank_rounds.h"
#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/engine/stream.h"
#include "lib/ops/op.h"

namespace limbeck {
namespace {

/// Most samples computed together, and the most bytes of one activation then.
constexpr int64_t kMicroBatch = 8;
constexpr int64_t kActivationBytes = int64_t{16} << 20;

int64_t sample_bytes(const Value& value) {
  int64_t bytes = sizeof(float);
  if (!value.shape) return bytes;
  for (size_t i = 1; i < value.shape->size() && bytes < kActivationBytes; ++i)
    bytes *= std::max<int64_t>(1, (*value.shape)[i].value);
  return bytes;
}

/// Depends on the model alone, so that the number of threads cannot change what is computed.
int64_t micro_batch(const Model& model, const CalibrationOptions& options) {
  if (const int64_t fixed = fixed_batch(model); fixed > 0) return fixed;
  if (options.micro_batch > 0) return options.micro_batch;
  int64_t largest = 1;
  for (const Value* value : model.graph.values()) largest = std::max(largest, sample_bytes(*value));
  return std::clamp<int64_t>(kActivationBytes / largest, 1, kMicroBatch);
}

/// A value of known size in a model of free batch size is the same for every sample.
bool depends_on_batch(const Model& model, const Value& value) {
  const bool known = value.shape && std::all_of(value.shape->begin(), value.shape->end(),
                                                [](const Dim& dim) { return dim.known(); });
  return !known || fixed_batch(model) > 0;
}

/// Read by an operator with weights: its channel means feed bias correction.
bool feeds_weights(const Model& model, const Value& value) {
  return value.shape && value.shape->size() >= 2 &&
         std::any_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
           const Node& node = *use.node;
           const OpRow* row = find_op(node.domain(), node.op_type(), model.opset(node.domain()));
           return use.index == 0 && row != nullptr && row->role == QuantRole::kWeighted;
         });
}

struct WatchedTensor {
  std::string name;
  bool batched = true;
  bool needs_means = false;
};

WatchedTensor watched_tensor(const Model& model, const Value& value) {
  const bool batched = depends_on_batch(model, value);
  return {value.name(), batched, batched && feeds_weights(model, value)};
}

std::vector<WatchedTensor> tensors_to_watch(const Model& model, const CalibrationOptions& options) {
  std::vector<WatchedTensor> watched;
  for (const std::string& name : options.tensors) {
    const Value* value = model.graph.find(name);
    watched.push_back(value == nullptr ? WatchedTensor{name, true, false}
                                       : watched_tensor(model, *value));
  }
  if (!options.tensors.empty()) return watched;
  for (const Value* value : model.graph.values()) {
    if (value->type == DataType::kFloat && value->constant() == nullptr)
      watched.push_back(watched_tensor(model, *value));
  }
  return watched;
}

std::vector<int64_t> samples_to_read(const Model& model, const Dataset& dataset,
                                     const CalibrationOptions& options) {
  auto order = sample_order(dataset.size(), options.samples, options.seed);
  const auto fixed = static_cast<size_t>(std::max<int64_t>(1, fixed_batch(model)));
  if (order.size() < fixed) {
    throw_error(Category::kData, "calibration",
                "the model computes " + std::to_string(fixed) + " samples at a time",
                std::to_string(order.size()) + " samples",
                "give more samples, or export the model with a free batch size");
  }
  order.resize(order.size() / fixed * fixed);
  return order;
}

/// Sum of each channel over the pixels of one row of `dims` = [rows, channels, ...].
void add_channel_sums(std::span<const float> row, const Dims& dims, bool channels_last,
                      std::vector<double>& all) {
  const auto channels = static_cast<size_t>(dims[1]);
  const size_t pixels = channels == 0 ? 0 : row.size() / channels;
  const size_t start = all.size();
  all.resize(start + channels, 0.0);
  double* sums = all.data() + start;
  if (channels_last) {
    for (size_t p = 0; p < pixels; ++p) {
      for (size_t c = 0; c < channels; ++c) sums[c] += row[p * channels + c];
    }
    return;
  }
  for (size_t c = 0; c < channels; ++c) {
    for (size_t p = 0; p < pixels; ++p) sums[c] += row[c * pixels + p];
  }
}

/// One calibration run. What does not depend on order is recorded where it is computed, in as many
/// sets of sketches as there are threads, and merged at the end.
class Run {
 public:
  Run(const Model& model, const Dataset& dataset, const CalibrationOptions& options)
      : dataset_(dataset),
        tensors_(tensors_to_watch(model, options)),
        sketches_(tensors_.size()),
        sums_(tensors_.size()) {
    EngineOptions engine_options;
    for (const WatchedTensor& tensor : tensors_) engine_options.watched.push_back(tensor.name);
    engine_ = Engine::compile(model, engine_options);
  }

  /// Runs on worker threads.
  Partial observe(const Batch& batch);
  /// Called in data order.
  void follow(const Partial& partial);
  /// What other ranks have recorded; before finish().
  void merge(const std::map<std::string, Sketch>& recorded);
  /// The sketches of all tensors that took a value.
  std::map<std::string, Sketch> finish();
  /// Of the tensors that need them; `sketches` tell how many values there were.
  ChannelMeans means(const std::map<std::string, Sketch>& sketches) const;

 private:
  using Sketches = std::vector<Sketch>;
  struct Offence {
    size_t row = 0;
    size_t tensor = 0;
  };

  Sketches take_sketches();
  void give_back(Sketches sketches);
  [[noreturn]] void throw_offence(const Offence& offence, const Batch& batch) const;

  const Dataset& dataset_;
  std::vector<WatchedTensor> tensors_;
  std::shared_ptr<const Engine> engine_;
  Sketches sketches_;
  std::vector<std::vector<double>> sums_;
  std::mutex mutex_;
  std::vector<Sketches> idle_;
};

Run::Sketches Run::take_sketches() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return Sketches(tensors_.size());
  Sketches sketches = std::move(idle_.back());
  idle_.pop_back();
  return sketches;
}

void Run::give_back(Sketches sketches) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(sketches));
}

void Run::throw_offence(const Offence& offence, const Batch& batch) const {
  throw_error(Category::kData,
              "tensor '" + tensors_[offence.tensor].name + "', sample " +
                  std::to_string(batch.indices[offence.row]),
              "every activation must be finite", "NaN or infinity",
              "check this sample and the preprocessing");
}

/// Records one tensor; returns the first row that holds a NaN or infinity.
std::optional<size_t> record(std::span<const float> values, size_t rows, bool batched,
                             Sketch& sketch, std::vector<Extremes>& extremes) {
  if (values.empty()) return std::nullopt;
  const bool split = batched && values.size() % rows == 0;
  const size_t length = split ? values.size() / rows : values.size();
  Extremes all = find_extremes(values.first(length));
  for (size_t row = 0; row < rows; ++row) {
    const auto one = split ? find_extremes(values.subspan(row * length, length)) : all;
    if (!one.finite) return row;
    extremes.push_back(one);
    all = {std::min(all.low, one.low), std::max(all.high, one.high), true};
  }
  // What every sample shares counts once a sample.
  for (size_t times = 0; times < (split ? 1 : rows); ++times) sketch.record(values, all);
  return std::nullopt;
}

Partial Run::observe(const Batch& batch) {
  Sketches sketches = take_sketches();
  Partial partial;
  partial.samples = static_cast<int64_t>(batch.indices.size());
  partial.extremes.resize(tensors_.size());
  partial.sums.resize(tensors_.size());
  const size_t rows = batch.indices.size();
  std::optional<Offence> first;
  engine_->watch(engine_inputs(*engine_, dataset_, batch), [&](size_t i, const Tensor& value,
                                                               bool channels_last) {
    const auto values = value.as<float>();
    const auto offender =
        record(values, rows, tensors_[i].batched, sketches[i], partial.extremes[i]);
    if (offender && (!first || *offender < first->row)) first = Offence{*offender, i};
    if (!tensors_[i].needs_means || value.rank() < 2 || value.dim(0) != static_cast<int64_t>(rows))
      return;
    for (size_t row = 0; row < rows; ++row) {
      add_channel_sums(values.subspan(row * values.size() / rows, values.size() / rows),
                       value.dims(), channels_last, partial.sums[i]);
    }
  });
  if (first) throw_offence(*first, batch);
  give_back(std::move(sketches));
  return partial;
}

void Run::follow(const Partial& partial) {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    for (const Extremes& extremes : partial.extremes[i]) sketches_[i].follow(extremes);
    const auto& sums = partial.sums[i];
    const size_t channels =
        sums.size() / static_cast<size_t>(std::max<int64_t>(1, partial.samples));
    sums_[i].resize(channels, 0.0);
    for (size_t k = 0; k < sums.size(); ++k) sums_[i][k % channels] += sums[k];
  }
}

void Run::merge(const std::map<std::string, Sketch>& recorded) {
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto found = recorded.find(tensors_[i].name);
    if (found != recorded.end()) sketches_[i].merge(found->second);
  }
}

std::map<std::string, Sketch> Run::finish() {
  std::map<std::string, Sketch> result;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    for (const Sketches& part : idle_) sketches_[i].merge(part[i]);
    if (sketches_[i].count() > 0) result[tensors_[i].name] = std::move(sketches_[i]);
  }
  return result;
}

ChannelMeans Run::means(const std::map<std::string, Sketch>& sketches) const {
  ChannelMeans result;
  for (size_t i = 0; i < tensors_.size(); ++i) {
    const auto sketch = sketches.find(tensors_[i].name);
    if (sums_[i].empty() || sketch == sketches.end()) continue;
    const double values =
        static_cast<double>(sketch->second.count()) / static_cast<double>(sums_[i].size());
    std::vector<double> means = sums_[i];
    for (double& mean : means) mean /= values;
    result[tensors_[i].name] = std::move(means);
  }
  return result;
}

}  // namespace

CalibrationTable calibrate(const Model& model, const Dataset& dataset,
                           const std::string& model_hash, const CalibrationOptions& options) {
  const auto order = samples_to_read(model, dataset, options);
  if (many(options.ranks)) {
    require_agreement(*options.ranks, "the model", model_hash);
    require_agreement(*options.ranks, "the number of samples", std::to_string(order.size()));
  }
  Run run(model, dataset, options);
  // Hashing reads every byte of the data set; it need not wait for the pass, nor the pass for it.
  auto data_hash = std::async(std::launch::async, [&dataset] { return dataset.hash(); });
  StreamOptions stream;
  stream.micro_batch = micro_batch(model, options);
  stream.may_split = fixed_batch(model) == 0;
  stream.threads = options.threads;
  Communicator* ranks = many(options.ranks) ? options.ranks : nullptr;
  const bool leads = ranks == nullptr || ranks->leads();
  {
    Progress progress("calibrating", static_cast<int64_t>(order.size()), options.quiet || !leads);
    const auto observe = [&run](const Batch& batch) { return run.observe(batch); };
    const std::function<void(Partial&)> follow = [&](Partial& partial) {
      run.follow(partial);
      progress.advance(partial.samples);
    };
    if (ranks == nullptr)
      map_samples<Partial>(dataset, order, stream, observe, follow);
    else
      map_samples_on_ranks(*ranks, dataset, order, stream, observe, follow);
  }
  if (ranks != nullptr) {
    CalibrationTable recorded;
    if (!leads) recorded.tensors = run.finish();
    for (const std::string& bytes : ranks->gather(leads ? "" : encode_table(recorded)))
      if (!bytes.empty()) run.merge(decode_table(bytes, "what a rank has seen").tensors);
    if (!leads) return recorded;
  }
  auto sketches = run.finish();
  auto means = run.means(sketches);
  return {model_hash,   data_hash.get(),     static_cast<int64_t>(order.size()),
          options.seed, std::move(sketches), std::move(means)};
}

}  // namespace limbeck
