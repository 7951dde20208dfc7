#include "lib/base/progress.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <utility>

#include "lib/base/error.h"

namespace limbeck {
namespace {

std::atomic<bool> interrupt_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_signal(int) { interrupt_flag.store(true); }

}  // namespace

Progress::Progress(std::string label, int64_t total, bool quiet)
    : label_(std::move(label)),
      total_(total),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_print_(start_) {}

Progress::~Progress() {
  if (!quiet_ && (printed_ || !terminal_)) print(true);
}

void Progress::advance(int64_t steps) {
  done_ += steps;
  if (quiet_) return;
  const auto now = Clock::now();
  const auto interval =
      terminal_ ? std::chrono::milliseconds(200) : std::chrono::milliseconds(10000);
  if (now - last_print_ < interval) return;
  last_print_ = now;
  print(false);
}

void Progress::print(bool last) {
  printed_ = true;
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  std::array<char, 80> text{};
  const auto done = static_cast<long long>(done_);
  if (last || done_ == 0 || total_ == 0) {
    std::snprintf(text.data(), text.size(), "%lld in %.1f s", done, seconds);
  } else {
    const double left = seconds * static_cast<double>(total_ - done_) / static_cast<double>(done_);
    std::snprintf(text.data(), text.size(), "%lld of %lld, %.0f s left", done,
                  static_cast<long long>(total_), left);
  }
  // On a terminal each line covers the one before; elsewhere it stands alone.
  std::fprintf(stderr, "%s%s: %s%s%s", terminal_ ? "\r" : "", label_.c_str(), text.data(),
               terminal_ ? "        " : "", terminal_ && !last ? "" : "\n");
  std::fflush(stderr);
}

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() { return interrupt_flag.load(std::memory_order_relaxed); }

void check_interrupt() {
  if (!interrupted()) return;
  throw_error(Category::kInterrupted, "limbeck", "the job was stopped by a signal", "",
              "run the command again");
}

}  // namespace limbeck
