#include <algorithm>
#include <cstring>
#include <optional>

#include "lib/base/ordered_run.h"
#include "lib/base/progress.h"
#include "lib/distill/training_data.h"

namespace limbeck {
namespace {

constexpr int64_t kChunk = 64;  // samples read together

/// Samples as floats, one after the other.
class DecodedDataset : public Dataset {
 public:
  DecodedDataset(const Dataset& dataset, Dims sample)
      : dataset_(dataset),
        sample_(std::move(sample)),
        row_(static_cast<size_t>(element_count(sample_, "sample"))) {
    values_.resize(static_cast<size_t>(dataset.size()) * row_);
    if (dataset.has_labels()) labels_.resize(static_cast<size_t>(dataset.size()));
  }

  /// Thread-safe for different samples. False when they have another shape.
  bool keep(const Batch& batch) {
    const Tensor& input = batch.inputs[0];
    if (!std::equal(sample_.begin(), sample_.end(), input.dims().begin() + 1, input.dims().end()))
      return false;
    const auto first = static_cast<size_t>(batch.indices.front());
    std::memcpy(values_.data() + first * row_, input.raw(), input.bytes());
    for (size_t i = 0; i < batch.labels.size(); ++i) labels_[first + i] = batch.labels[i];
    return true;
  }

  int64_t size() const override { return dataset_.size(); }
  const std::vector<std::string>& input_names() const override { return dataset_.input_names(); }
  bool has_labels() const override { return dataset_.has_labels(); }
  int64_t class_count() const override { return dataset_.class_count(); }
  int64_t numbered_folders() const override { return dataset_.numbered_folders(); }
  std::string hash() const override { return dataset_.hash(); }
  Batch read(std::span<const int64_t> indices) const override {
    Batch batch;
    batch.indices.assign(indices.begin(), indices.end());
    Dims dims = sample_;
    dims.insert(dims.begin(), static_cast<int64_t>(indices.size()));
    Tensor input = Tensor::allocate(DataType::kFloat, std::move(dims));
    float* target = input.mutable_as<float>().data();
    for (const int64_t index : indices) {
      const auto i = static_cast<size_t>(index);
      std::memcpy(target, values_.data() + i * row_, row_ * sizeof(float));
      target += row_;
      if (has_labels()) batch.labels.push_back(labels_[i]);
    }
    batch.inputs.push_back(std::move(input));
    return batch;
  }

 private:
  const Dataset& dataset_;
  Dims sample_;
  size_t row_;
  std::vector<float> values_;
  std::vector<int64_t> labels_;
};

/// Dimensions of a sample that can be kept.
std::optional<Dims> sample_dims(const Dataset& dataset, int64_t limit_bytes) {
  const int64_t first = 0;
  const Batch batch = dataset.read({&first, 1});
  if (batch.inputs.size() != 1 || batch.inputs[0].type() != DataType::kFloat ||
      batch.inputs[0].rank() < 1)
    return std::nullopt;
  const auto bytes = static_cast<int64_t>(batch.inputs[0].bytes());
  if (bytes == 0 || bytes > limit_bytes / dataset.size()) return std::nullopt;
  const Dims& dims = batch.inputs[0].dims();
  return Dims(dims.begin() + 1, dims.end());
}

}  // namespace

std::unique_ptr<Dataset> decode_dataset(const Dataset& dataset, const DecodeOptions& options) {
  const std::optional<Dims> dims = sample_dims(dataset, options.limit_bytes);
  if (!dims) return nullptr;
  auto decoded = std::make_unique<DecodedDataset>(dataset, *dims);
  const int64_t size = dataset.size();
  const int64_t chunks = (size + kChunk - 1) / kChunk;
  std::vector<uint8_t> fits(static_cast<size_t>(chunks), 0);
  Progress progress("decoding", size, options.quiet);
  try {
    run_in_order(
        chunks, options.threads,
        [&](int64_t chunk) {
          std::vector<int64_t> indices;
          for (int64_t i = chunk * kChunk; i < std::min(size, (chunk + 1) * kChunk); ++i)
            indices.push_back(i);
          fits[static_cast<size_t>(chunk)] = decoded->keep(dataset.read(indices)) ? 1 : 0;
        },
        [&](int64_t chunk) { progress.advance(std::min(kChunk, size - chunk * kChunk)); });
  } catch (const SamplesDiffer&) {
    return nullptr;
  }
  if (std::find(fits.begin(), fits.end(), 0) != fits.end()) return nullptr;
  return decoded;
}

}  // namespace limbeck
