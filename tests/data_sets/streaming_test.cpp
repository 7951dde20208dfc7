// Reading through lib/engine/stream.h: the overlap, the order and the memory of a run over data.
#include <algorithm>
#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "lib/engine/stream.h"
#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// Sample i is the number i. Counts the reads and can fail at one sample.
class CountingDataset : public Dataset {
 public:
  explicit CountingDataset(int64_t size, int64_t bad = -1) : size_(size), bad_(bad) {}
  int64_t size() const override { return size_; }
  const std::vector<std::string>& input_names() const override { return names_; }
  bool has_labels() const override { return false; }
  int64_t class_count() const override { return 0; }
  std::string hash() const override { return ""; }
  Batch read(std::span<const int64_t> indices) const override {
    Batch batch;
    std::vector<float> values;
    for (const int64_t index : indices) {
      if (index == bad_)
        throw_error(Category::kData, "sample " + std::to_string(index), "a rule", "", "");
      batch.indices.push_back(index);
      values.push_back(static_cast<float>(index));
    }
    batch.inputs = {Tensor::from<float>({static_cast<int64_t>(indices.size())}, values)};
    const std::lock_guard lock(mutex_);
    ++reads_;
    changed_.notify_all();
    return batch;
  }

  int reads() const {
    const std::lock_guard lock(mutex_);
    return reads_;
  }
  /// False when that many reads have not happened within half a minute.
  bool wait_for_reads(int wanted) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(30), [&] { return reads_ >= wanted; });
  }

 private:
  int64_t size_;
  int64_t bad_;
  std::vector<std::string> names_ = {""};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  mutable int reads_ = 0;
};

using Outputs = std::vector<std::vector<Tensor>>;

StreamOptions options(int64_t micro_batch, int threads) {
  StreamOptions result;
  result.micro_batch = micro_batch;
  result.threads = threads;
  return result;
}

}  // namespace

TEST_CASE("later batches are decoded while an earlier one is still being consumed", "[data]") {
  const CountingDataset data(8);
  bool first = true;
  stream_batches({}, data, sample_order(8, 0, 0), options(2, 1), [&](const Batch&, const Outputs&) {
    // Without overlap the second read could not happen before this returns.
    if (std::exchange(first, false)) CHECK(data.wait_for_reads(2));
  });
  CHECK(data.reads() == 4);
}

TEST_CASE("decoding runs at most two batches a thread ahead, so memory is bounded", "[data]") {
  const int threads = GENERATE(1, 3);
  const CountingDataset data(400);
  int consumed = 0;
  int largest_lead = 0;
  stream_batches({}, data, sample_order(400, 0, 0), options(4, threads),
                 [&](const Batch&, const Outputs&) {
                   if (consumed == 0) CHECK(data.wait_for_reads(2 * threads));
                   largest_lead = std::max(largest_lead, data.reads() - consumed);
                   ++consumed;
                 });
  CHECK(consumed == 100);
  CHECK(largest_lead == 2 * threads);
}

TEST_CASE("batches arrive in the order that was asked for, whatever the threads", "[data]") {
  const int threads = GENERATE(1, 2, 7);
  const CountingDataset data(101);
  const auto order = sample_order(101, 0, 5);
  std::vector<int64_t> seen;
  std::vector<float> values;
  stream_batches({}, data, order, options(8, threads), [&](const Batch& batch, const Outputs&) {
    seen.insert(seen.end(), batch.indices.begin(), batch.indices.end());
    const auto rows = batch.inputs[0].to_float();
    values.insert(values.end(), rows.begin(), rows.end());
  });
  CHECK(seen == order);
  CHECK(values == std::vector<float>(order.begin(), order.end()));
}

TEST_CASE("the first bad sample in data order is the one that is named", "[data]") {
  const CountingDataset data(64, 37);
  int consumed = 0;
  const auto error = error_of([&] {
    stream_batches({}, data, sample_order(64, 0, 0), options(4, 2),
                   [&](const Batch&, const Outputs&) { ++consumed; });
  });
  CHECK(error.place == "sample 37");
  CHECK(consumed == 9);
}

TEST_CASE("a data set is read by many threads at once with one result", "[data]") {
  const TemporaryFolder folder;
  Members members;
  for (int i = 0; i < 40; ++i) {
    members.emplace_back(
        std::string("c") + static_cast<char>('0' + i % 4) + "/" + std::to_string(i) + ".png",
        flat_png(3, 2, static_cast<uint8_t>(i), 7, 9));
  }
  write_zip(folder / "x.zip", members, true);
  const auto data =
      open_described(folder.path(), {{"version", 1}, {"kind", "images"}, {"path", "x.zip"}});
  const auto run = [&](int threads) {
    std::vector<float> values;
    stream_batches({}, *data, sample_order(40, 0, 11), options(3, threads),
                   [&](const Batch& batch, const Outputs&) {
                     const auto rows = batch.inputs[0].to_float();
                     values.insert(values.end(), rows.begin(), rows.end());
                   });
    return values;
  };
  CHECK(run(1) == run(8));
}

namespace {

/// Six images, the third of another size than the rest.
std::unique_ptr<Dataset> images_of_two_sizes(const TemporaryFolder& folder) {
  Members members;
  for (int i = 0; i < 6; ++i) {
    members.emplace_back("a/" + std::to_string(i) + ".png",
                         flat_png(i == 2 ? 5 : 3, 2, static_cast<uint8_t>(i), 7, 9));
  }
  write_zip(folder / "x.zip", members, true);
  return open_described(folder.path(), {{"version", 1}, {"kind", "images"}, {"path", "x.zip"}});
}

}  // namespace

TEST_CASE("samples that cannot be stacked run one by one, in order", "[data]") {
  const int threads = GENERATE(1, 3);
  const TemporaryFolder folder;
  const auto data = images_of_two_sizes(folder);
  std::vector<std::vector<int64_t>> seen;
  stream_batches({}, *data, sample_order(6, 0, 0), options(4, threads),
                 [&](const Batch& batch, const Outputs&) { seen.push_back(batch.indices); });
  CHECK(seen == std::vector<std::vector<int64_t>>{{0}, {1}, {2}, {3}, {4, 5}});
}

TEST_CASE("a model of fixed batch size is told which sample does not fit", "[data]") {
  const TemporaryFolder folder;
  const auto data = images_of_two_sizes(folder);
  StreamOptions whole = options(4, 1);
  whole.may_split = false;
  const auto error = error_of([&] {
    stream_batches({}, *data, sample_order(6, 0, 0), whole, [](const Batch&, const Outputs&) {});
  });
  CHECK(error.place == (folder / "x.zip").string() + ", sample 2 'a/2.png'");
  CHECK(error.rule == "all images of a batch must have the same size, 2 by 3 (height by width)");
  CHECK(error.received == "2 by 5");
  CHECK(error.next_step == "add 'resize' and 'crop' to the description");
}
