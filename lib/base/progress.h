// Progress of long work: a live line with the remaining time on a terminal, a plain line now and
// then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace limbeck {

/// Writes to standard error. advance() is called from one thread. Total 0 means unknown.
class Progress {
 public:
  Progress(std::string label, int64_t total, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(int64_t steps);

 private:
  using Clock = std::chrono::steady_clock;
  void print(bool last);
  std::string label_;
  int64_t total_;
  int64_t done_ = 0;
  bool quiet_;
  bool terminal_;
  bool printed_ = false;
  Clock::time_point start_;
  Clock::time_point last_print_;
};

/// Makes SIGINT and SIGTERM raise the flag that check_interrupt() reads. Call once, in main.
void install_interrupt_handler();
/// True once a signal has arrived. Async-signal-safe flag, readable from any thread.
bool interrupted();
/// Raises kInterrupted once a signal has arrived: long loops call it between units of work.
void check_interrupt();

}  // namespace limbeck
