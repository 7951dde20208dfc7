// Samples written down in a test.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/data/dataset.h"

namespace limbeck::test {

/// Rows of floats that feed the model's only input; without labels where there are none.
class MemoryDataset : public Dataset {
 public:
  explicit MemoryDataset(std::vector<std::vector<float>> rows, std::vector<int64_t> labels = {})
      : rows_(std::move(rows)), labels_(std::move(labels)) {}
  int64_t size() const override { return static_cast<int64_t>(rows_.size()); }
  const std::vector<std::string>& input_names() const override { return names_; }
  bool has_labels() const override { return !labels_.empty(); }
  int64_t class_count() const override { return 0; }
  std::string hash() const override { return "hash"; }
  Batch read(std::span<const int64_t> indices) const override {
    Batch batch;
    std::vector<float> values;
    for (const int64_t index : indices) {
      const auto& row = rows_.at(static_cast<size_t>(index));
      values.insert(values.end(), row.begin(), row.end());
      batch.indices.push_back(index);
      if (has_labels()) batch.labels.push_back(labels_.at(static_cast<size_t>(index)));
    }
    const auto count = static_cast<int64_t>(indices.size());
    batch.inputs.push_back(
        Tensor::from<float>({count, static_cast<int64_t>(rows_.front().size())}, values));
    return batch;
  }

 private:
  std::vector<std::vector<float>> rows_;
  std::vector<int64_t> labels_;
  std::vector<std::string> names_ = {""};
};

}  // namespace limbeck::test
