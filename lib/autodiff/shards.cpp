#include "lib/autodiff/shards.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "lib/ops/dropout_training.h"

namespace limbeck {
namespace {

void add_to(Tensor& total, const Tensor& part) {
  const auto add = [&]<typename T>(T) {
    const auto from = part.as<T>();
    auto target = total.mutable_as<T>();
    for (size_t i = 0; i < target.size(); ++i) target[i] += from[i];
  };
  if (part.type() == DataType::kDouble)
    add(double{});
  else
    add(float{});
}

/// Takes gradients in any order and adds them in the order of the shards; holds only those that
/// came too early.
class OrderedSum {
 public:
  explicit OrderedSum(size_t shards) : waiting_(shards) {}

  void put(size_t shard, std::vector<Tensor> gradients) {
    const std::lock_guard lock(mutex_);
    waiting_[shard] = std::move(gradients);
    arrived_.resize(waiting_.size(), 0);
    arrived_[shard] = 1;
    for (; next_ < waiting_.size() && arrived_[next_] != 0; ++next_) {
      add(waiting_[next_]);
      waiting_[next_].clear();
    }
  }
  std::vector<Tensor> take() { return std::move(sum_); }

 private:
  /// The first shard's tensors may share their bytes with others.
  void add(const std::vector<Tensor>& gradients) {
    if (next_ == 0) {
      for (const Tensor& gradient : gradients) sum_.push_back(gradient.clone());
      return;
    }
    for (size_t i = 0; i < sum_.size(); ++i) add_to(sum_[i], gradients[i]);
  }

  std::mutex mutex_;
  std::vector<std::vector<Tensor>> waiting_;
  std::vector<uint8_t> arrived_;
  size_t next_ = 0;
  std::vector<Tensor> sum_;
};

}  // namespace

ShardedGradients run_shards(const Tape& tape, std::span<const Tensor> parameters,
                            const std::vector<std::vector<Tensor>>& shards, uint64_t seed,
                            const ShardLoss& loss, int threads) {
  ShardedGradients result;
  result.statistics.resize(shards.size());
  OrderedSum sum(shards.size());
  std::vector<std::exception_ptr> errors(shards.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i = next++; i < shards.size(); i = next++) {
      try {
        Pass pass = tape.forward(parameters, shards[i], derived_seed(seed, i));
        const std::vector<Tensor> dy = loss(i, pass);
        result.statistics[i] = std::move(pass.statistics);
        sum.put(i, tape.backward(std::move(pass), dy).parameters);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    }
  };
  const size_t workers = std::min(static_cast<size_t>(std::max(1, threads)), shards.size());
  std::vector<std::thread> others;
  for (size_t i = 1; i < workers; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  for (const std::exception_ptr& error : errors)
    if (error != nullptr) std::rethrow_exception(error);
  result.parameters = sum.take();
  return result;
}

}  // namespace limbeck
