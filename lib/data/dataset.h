// A set of samples with random access: what calibration and evaluation read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// Samples that cannot be stacked because their types or shapes differ. Each can be read alone.
class SamplesDiffer : public Error {
 public:
  using Error::Error;
};

/// Consecutive samples stacked along a new first axis (images: [n,c,h,w] float).
struct Batch {
  /// Dataset indices of the samples, in the order of the rows.
  std::vector<int64_t> indices;
  /// One tensor per Dataset::input_names().
  std::vector<Tensor> inputs;
  /// Class indices; empty when the data set has no labels.
  std::vector<int64_t> labels;
};

/// Immutable after opening; read() is const and thread-safe, so decoding runs on the thread that
/// needs the batch.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t size() const = 0;
  /// Model inputs that the samples feed. An empty name stands for "the model's only input".
  virtual const std::vector<std::string>& input_names() const = 0;
  virtual bool has_labels() const = 0;
  /// Number of classes, 0 when unknown.
  virtual int64_t class_count() const = 0;
  /// Classes whose indices are but the alphabetical order of their folders: right only for a model
  /// with as many. 0 where the data says the indices.
  virtual int64_t numbered_folders() const { return 0; }
  /// Reads and preprocesses samples. Raises kData naming the sample, as SamplesDiffer when it does
  /// not fit the first one.
  virtual Batch read(std::span<const int64_t> indices) const = 0;
  /// SHA-256 over the description and the bytes of the files it names: identifies the data in
  /// tables and reports.
  virtual std::string hash() const = 0;
};

/// Opens the data set that a JSON description names (docs/formats/dataset.md). Paths in it are
/// relative to its folder. Raises kIo, kData (bad JSON, schema violation, empty data).
std::unique_ptr<Dataset> open_dataset(const std::filesystem::path& description);

/// First `count` (all when 0) dataset indices: in order when seed is 0, else a seeded permutation
/// that depends on nothing else.
std::vector<int64_t> sample_order(int64_t size, int64_t count, uint64_t seed);

}  // namespace limbeck
