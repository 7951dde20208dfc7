#include <atomic>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <thread>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/progress.h"
#include "lib/distributed/mpi_calls.h"
#include "lib/distributed/world.h"

namespace limbeck {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int64_t kOutside = 0;
constexpr int64_t kClaimed = -1;  ///< the watcher speaks, and ends the process

/// When the main thread entered MPI.
std::atomic<int64_t> entered{kOutside};

int64_t now() { return Clock::now().time_since_epoch().count(); }

}  // namespace

InsideMpi::InsideMpi() { entered.store(now()); }

InsideMpi::~InsideMpi() {
  // What the watcher saves must not change any more.
  if (entered.exchange(kOutside) != kClaimed) return;
  for (;;) std::this_thread::sleep_for(milliseconds(100));
}

struct LastWords::Watch {
  explicit Watch(std::function<std::string()> words) : speak(std::move(words)) {
    thread = std::jthread([this](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        std::this_thread::sleep_for(milliseconds(20));
        if (interrupted()) look();
      }
    });
  }

  /// mpirun kills within a second of its signal.
  void look() const {
    int64_t since = entered.load();
    const bool stuck = since > 0 && now() - since > Clock::duration(milliseconds(200)).count();
    if (!stuck || !entered.compare_exchange_strong(since, kClaimed)) return;
    const std::string message = speak();
    if (!message.empty()) std::cerr << message << std::endl;
    exit_interrupted(world().rank());
  }

  std::function<std::string()> speak;
  std::jthread thread;
};

LastWords::LastWords(std::function<std::string()> speak) {
  if (world().size() > 1) watch_ = std::make_unique<Watch>(std::move(speak));
}

LastWords::~LastWords() = default;

}  // namespace limbeck
