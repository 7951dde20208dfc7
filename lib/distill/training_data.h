// The samples that a student trains on: which ones, in which order, and where they wait.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/distill/recipe.h"

namespace limbeck {

/// Indices of a data set, ascending; no sample is in both.
struct DataSplit {
  std::vector<int64_t> training;
  std::vector<int64_t> validation;  ///< empty when none are held out
};

/// Draws the held-out samples among `indices` by the seed alone (a seed of 0 draws too). Rounds a
/// share to the nearest number. Raises kUsage when no sample would be left to train on.
DataSplit split_samples(std::span<const int64_t> indices, const ValidationOptions& options,
                        uint64_t seed);

/// The class of every sample, read on `threads` threads (0: all cores). The data set has labels.
std::vector<int64_t> read_labels(const Dataset& dataset, int threads);

/// Indices of the samples whose class is in the domain, and of all others.
struct DomainSplit {
  std::vector<int64_t> inside;
  std::vector<int64_t> outside;
};
/// `classes` ascending. Raises kUsage when a class has no sample.
DomainSplit split_domain(std::span<const int64_t> labels, const std::vector<int64_t>& classes);

/// Order of `size` samples in one epoch: a permutation that depends on seed and epoch alone; in
/// order when the seed is 0.
std::vector<int64_t> epoch_order(int64_t size, uint64_t seed, uint32_t epoch);

/// Some samples of a data set as a data set of their own: sample i is `indices[i]` of `dataset`,
/// which outlives it. hash() is that of `dataset`.
class SubsetDataset : public Dataset {
 public:
  SubsetDataset(const Dataset& dataset, std::vector<int64_t> indices)
      : dataset_(dataset), indices_(std::move(indices)) {}
  int64_t size() const override { return static_cast<int64_t>(indices_.size()); }
  const std::vector<std::string>& input_names() const override { return dataset_.input_names(); }
  bool has_labels() const override { return dataset_.has_labels(); }
  int64_t class_count() const override { return dataset_.class_count(); }
  int64_t numbered_folders() const override { return dataset_.numbered_folders(); }
  Batch read(std::span<const int64_t> indices) const override;
  std::string hash() const override { return dataset_.hash(); }

 private:
  const Dataset& dataset_;
  std::vector<int64_t> indices_;
};

struct DecodeOptions {
  int64_t limit_bytes = int64_t{1} << 30;  ///< largest decoded size, as floats
  int threads = 0;                         ///< 0: all cores
  bool quiet = true;
};

/// Reads every sample once and keeps it in memory, so that an epoch decodes nothing: the same bytes
/// as `dataset` gives, which outlives it. Null, and nothing is kept, where samples are not one
/// float tensor of one shape, or larger together than the limit. Raises what Dataset::read raises.
std::unique_ptr<Dataset> decode_dataset(const Dataset& dataset, const DecodeOptions& options);

}  // namespace limbeck
