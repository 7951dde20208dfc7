#include "lib/data/base_dataset.h"

#include <algorithm>
#include <utility>

#include "lib/base/error.h"

namespace limbeck {

Labels labels_from_values(std::vector<int64_t> values, const std::string& place) {
  Labels labels;
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] < 0 || values[i] == INT64_MAX) {
      throw_error(Category::kData, place + ", sample " + std::to_string(i),
                  "a label must be a class index from 0 on", std::to_string(values[i]),
                  "remove samples without a class, or correct the label");
    }
    labels.class_count = std::max(labels.class_count, values[i] + 1);
  }
  labels.values = std::move(values);
  return labels;
}

BaseDataset::BaseDataset(DatasetParts parts)
    : parts_(std::move(parts)), hash_(parts_.description, parts_.files) {
  if (parts_.size <= 0) {
    throw_error(Category::kData, parts_.place, "a data set must hold at least one sample",
                "no sample", "check the path in the description");
  }
  if (parts_.labels && static_cast<int64_t>(parts_.labels->values.size()) != parts_.size) {
    throw_error(Category::kData, parts_.place,
                "there must be one label a sample, " + std::to_string(parts_.size) + " in all",
                std::to_string(parts_.labels->values.size()) + " labels",
                "name the label file that belongs to these samples");
  }
}

Batch BaseDataset::read(std::span<const int64_t> indices) const {
  if (indices.empty()) {
    throw_error(Category::kInternal, parts_.place, "a batch must hold at least one sample",
                "no index", "report this bug");
  }
  Batch batch;
  batch.indices.assign(indices.begin(), indices.end());
  for (const int64_t index : indices) {
    if (index < 0 || index >= parts_.size) {
      throw_error(Category::kData, parts_.place + ", sample " + std::to_string(index),
                  "a sample index must lie in 0 to " + std::to_string(parts_.size - 1),
                  std::to_string(index), "ask for fewer samples");
    }
    if (parts_.labels) batch.labels.push_back(parts_.labels->values[static_cast<size_t>(index)]);
  }
  batch.inputs = read_inputs(indices);
  return batch;
}

}  // namespace limbeck
