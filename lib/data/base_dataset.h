// What every kind of data set has in common: names, labels, hash and index checks. Internal to
// lib/data.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/data/data_hash.h"
#include "lib/data/dataset.h"

namespace limbeck {

/// One class index a sample.
struct Labels {
  std::vector<int64_t> values;
  int64_t class_count = 0;
  bool numbered_folders = false;  ///< Dataset::numbered_folders()
};

/// Labels whose class count is the largest label plus one. Raises kData for a negative label.
Labels labels_from_values(std::vector<int64_t> values, const std::string& place);

/// What a data set knows after opening.
struct DatasetParts {
  /// The data's file or folder, for messages.
  std::string place;
  int64_t size = 0;
  std::vector<std::string> input_names;
  std::optional<Labels> labels;
  nlohmann::json description;
  /// All files that hold data, for the hash.
  std::vector<NamedFile> files;
};

class BaseDataset : public Dataset {
 public:
  /// Raises kData when there are no samples or the number of labels differs.
  explicit BaseDataset(DatasetParts parts);
  int64_t size() const override { return parts_.size; }
  const std::vector<std::string>& input_names() const override { return parts_.input_names; }
  bool has_labels() const override { return parts_.labels.has_value(); }
  int64_t class_count() const override { return parts_.labels ? parts_.labels->class_count : 0; }
  int64_t numbered_folders() const override {
    return parts_.labels && parts_.labels->numbered_folders ? parts_.labels->class_count : 0;
  }
  std::string hash() const override { return hash_.get(); }
  Batch read(std::span<const int64_t> indices) const override;

 protected:
  /// The indices are in range and at least one.
  virtual std::vector<Tensor> read_inputs(std::span<const int64_t> indices) const = 0;
  const std::string& place() const { return parts_.place; }

 private:
  DatasetParts parts_;
  DataHash hash_;
};

}  // namespace limbeck
