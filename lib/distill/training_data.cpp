#include "lib/distill/training_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lib/base/error.h"
#include "lib/base/ordered_run.h"
#include "lib/base/philox.h"
#include "lib/distill/random_purpose.h"

namespace limbeck {
namespace {

/// 0 to size - 1, sorted by a random number each: unlike swaps, every position is a pure function
/// of seed, purpose and epoch.
std::vector<int64_t> random_order(int64_t size, uint64_t seed, RandomPurpose purpose,
                                  uint32_t epoch) {
  std::vector<std::pair<double, int64_t>> keyed;
  keyed.reserve(static_cast<size_t>(size));
  for (int64_t i = 0; i < size; ++i) {
    RandomStream random(seed, static_cast<uint32_t>(purpose), epoch, static_cast<uint64_t>(i));
    keyed.emplace_back(random.uniform(), i);
  }
  std::sort(keyed.begin(), keyed.end());
  std::vector<int64_t> order;
  order.reserve(keyed.size());
  for (const auto& [key, index] : keyed) order.push_back(index);
  return order;
}

}  // namespace

DataSplit split_samples(std::span<const int64_t> indices, const ValidationOptions& options,
                        uint64_t seed) {
  const auto size = static_cast<int64_t>(indices.size());
  const int64_t held_out = options.samples > 0
                               ? options.samples
                               : std::llround(options.share * static_cast<double>(size));
  if (held_out >= size) {
    throw_error(Category::kUsage, "validation",
                "at least one of the " + std::to_string(size) + " samples must be left to train on",
                std::to_string(held_out) + " held out", "hold out fewer samples");
  }
  std::vector<bool> held(indices.size(), false);
  const std::vector<int64_t> order = random_order(size, seed, RandomPurpose::kValidation, 0);
  for (int64_t i = 0; i < held_out; ++i)
    held[static_cast<size_t>(order[static_cast<size_t>(i)])] = true;
  DataSplit split;
  for (size_t i = 0; i < indices.size(); ++i)
    (held[i] ? split.validation : split.training).push_back(indices[i]);
  return split;
}

std::vector<int64_t> read_labels(const Dataset& dataset, int threads) {
  constexpr int64_t kChunk = 64;
  const int64_t size = dataset.size();
  std::vector<int64_t> labels(static_cast<size_t>(size));
  run_in_order((size + kChunk - 1) / kChunk, threads,
               [&](int64_t chunk) {
                 std::vector<int64_t> indices;
                 for (int64_t i = chunk * kChunk; i < std::min(size, (chunk + 1) * kChunk); ++i)
                   indices.push_back(i);
                 const Batch batch = dataset.read(indices);
                 std::copy(batch.labels.begin(), batch.labels.end(),
                           labels.begin() + chunk * kChunk);
               },
               [](int64_t) {});
  return labels;
}

DomainSplit split_domain(std::span<const int64_t> labels, const std::vector<int64_t>& classes) {
  for (const int64_t wanted : classes) {
    if (std::find(labels.begin(), labels.end(), wanted) != labels.end()) continue;
    throw_error(Category::kUsage, "domain", "every class of the domain must have samples",
                "none of class " + std::to_string(wanted),
                "name classes of the data set, counted from 0");
  }
  DomainSplit split;
  for (size_t i = 0; i < labels.size(); ++i) {
    const bool inside = std::binary_search(classes.begin(), classes.end(), labels[i]);
    (inside ? split.inside : split.outside).push_back(static_cast<int64_t>(i));
  }
  return split;
}

std::vector<int64_t> epoch_order(int64_t size, uint64_t seed, uint32_t epoch) {
  if (seed != 0) return random_order(size, seed, RandomPurpose::kShuffle, epoch);
  std::vector<int64_t> order(static_cast<size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  return order;
}

Batch SubsetDataset::read(std::span<const int64_t> indices) const {
  std::vector<int64_t> outer;
  outer.reserve(indices.size());
  for (const int64_t index : indices) outer.push_back(indices_.at(static_cast<size_t>(index)));
  Batch batch = dataset_.read(outer);
  batch.indices.assign(indices.begin(), indices.end());
  return batch;
}

}  // namespace limbeck
