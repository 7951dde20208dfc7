#include "lib/base/ordered_run.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "lib/base/progress.h"

namespace limbeck {
namespace {

/// Hands out unit numbers to workers, at most `lead` ahead of the unit that the caller finishes
/// next.
class OrderedRun {
 public:
  OrderedRun(int64_t count, int64_t lead) : lead_(lead), state_(static_cast<size_t>(count)) {}

  void work(const std::function<void(int64_t)>& unit) {
    for (int64_t i = take(); i >= 0; i = take()) {
      std::exception_ptr failure;
      try {
        unit(i);
      } catch (...) {
        failure = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      state_[static_cast<size_t>(i)] = {true, failure};
      changed_.notify_all();
    }
  }

  void wait(int64_t i) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return state_[static_cast<size_t>(i)].done; });
    if (state_[static_cast<size_t>(i)].failure)
      std::rethrow_exception(state_[static_cast<size_t>(i)].failure);
  }

  void finished() {
    const std::lock_guard lock(mutex_);
    ++finished_;
    changed_.notify_all();
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

 private:
  struct Unit {
    bool done = false;
    std::exception_ptr failure;
  };

  int64_t take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || next_ >= size() || next_ < finished_ + lead_; });
    return stopped_ || next_ >= size() ? -1 : next_++;
  }
  int64_t size() const { return static_cast<int64_t>(state_.size()); }

  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t lead_;
  int64_t next_ = 0;
  int64_t finished_ = 0;
  bool stopped_ = false;
  std::vector<Unit> state_;
};

}  // namespace

void run_in_order(int64_t count, int threads, const std::function<void(int64_t)>& work,
                  const std::function<void(int64_t)>& finish) {
  const auto cores = std::max(1U, std::thread::hardware_concurrency());
  const auto wanted = threads > 0 ? static_cast<int64_t>(threads) : static_cast<int64_t>(cores);
  const int64_t workers = std::clamp<int64_t>(wanted, 1, std::max<int64_t>(count, 1));
  OrderedRun run(count, 2 * workers);
  std::vector<std::jthread> pool;
  pool.reserve(static_cast<size_t>(workers));
  for (int64_t i = 0; i < workers; ++i) pool.emplace_back([&] { run.work(work); });
  try {
    for (int64_t i = 0; i < count; ++i) {
      run.wait(i);
      check_interrupt();
      finish(i);
      run.finished();
    }
  } catch (...) {
    run.stop();
    throw;
  }
}

}  // namespace limbeck
