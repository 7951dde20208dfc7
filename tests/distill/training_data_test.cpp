#include "lib/distill/training_data.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <numeric>

#include "tests/model/expect_error.h"
#include "tests/support/memory_dataset.h"

namespace limbeck::test {
namespace {

std::vector<int64_t> counted(int64_t size) {
  std::vector<int64_t> indices(static_cast<size_t>(size));
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

}  // namespace

TEST_CASE("an epoch's order is a permutation of its own", "[distill]") {
  const auto first = epoch_order(1000, 1, 0);
  auto sorted = first;
  std::sort(sorted.begin(), sorted.end());
  CHECK(sorted == counted(1000));
  CHECK(first == epoch_order(1000, 1, 0));
  CHECK(first != epoch_order(1000, 1, 1));
  CHECK(first != epoch_order(1000, 2, 0));
  CHECK(epoch_order(1000, 0, 3) == counted(1000));
}

TEST_CASE("held-out samples are drawn once and do not train", "[distill]") {
  const auto all = counted(100);
  const DataSplit split = split_samples(all, {.share = 0.25}, 7);
  CHECK(split.validation.size() == 25);
  std::vector<int64_t> joined = split.training;
  joined.insert(joined.end(), split.validation.begin(), split.validation.end());
  std::sort(joined.begin(), joined.end());
  CHECK(joined == all);
  CHECK(std::is_sorted(split.training.begin(), split.training.end()));
  CHECK(split_samples(all, {.samples = 3}, 7).validation.size() == 3);
  CHECK(split_samples(all, {.share = 0}, 7).validation.empty());
  CHECK(split_samples(counted(10), {}, 7).validation.empty());
  CHECK(split_samples(all, {.share = 0.25}, 8).validation != split.validation);
  const ErrorInfo info = error_of([&] { split_samples(all, {.samples = 100}, 7); });
  CHECK(info.rule == "at least one of the 100 samples must be left to train on");
}

TEST_CASE("a domain is the samples of its classes", "[distill]") {
  std::vector<std::vector<float>> rows(200, {0, 1});
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 200; ++i) labels.push_back(i % 5);
  const MemoryDataset data(rows, labels);
  CHECK(read_labels(data, 3) == labels);
  const DomainSplit split = split_domain(labels, {1, 4});
  CHECK(split.inside.size() == 80);
  CHECK(split.outside.size() == 120);
  CHECK(split.inside[0] == 1);
  CHECK(split.inside[1] == 4);
  CHECK(split.outside[0] == 0);
  CHECK(error_of([&] { split_domain(labels, {1, 5}); }).received == "none of class 5");
}

TEST_CASE("decoded samples and subsets tell that folders were numbered", "[distill]") {
  class Folders : public MemoryDataset {
   public:
    Folders() : MemoryDataset({{1, 2}, {3, 4}}, {0, 1}) {}
    int64_t numbered_folders() const override { return 2; }
  };
  const Folders data;
  CHECK(decode_dataset(data, {})->numbered_folders() == 2);
  CHECK(SubsetDataset(data, {1}).numbered_folders() == 2);
}

TEST_CASE("decoded samples are those of the data set", "[distill]") {
  std::vector<std::vector<float>> rows;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < 150; ++i) {
    rows.push_back({static_cast<float>(i), static_cast<float>(-i)});
    labels.push_back(i % 3);
  }
  const MemoryDataset data(rows, labels);
  const auto decoded = decode_dataset(data, {.threads = 2});
  REQUIRE(decoded != nullptr);
  const std::vector<int64_t> some = {149, 0, 64, 63};
  CHECK(decoded->read(some).inputs[0].to_float() == data.read(some).inputs[0].to_float());
  CHECK(decoded->read(some).labels == data.read(some).labels);
  CHECK(decoded->read(some).indices == some);
  CHECK(decode_dataset(data, {.limit_bytes = 150 * 8 - 1}) == nullptr);
  CHECK(decode_dataset(data, {.limit_bytes = 150 * 8}) != nullptr);
  const SubsetDataset subset(*decoded, {5, 149});
  CHECK(subset.size() == 2);
  CHECK(subset.read(std::vector<int64_t>{1}).inputs[0].to_float() == std::vector<float>{149, -149});
  CHECK(subset.read(std::vector<int64_t>{1}).indices == std::vector<int64_t>{1});
}

}  // namespace limbeck::test
