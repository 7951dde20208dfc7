// A child program with pipes on its standard input and output. Internal to lib/evaluate.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace limbeck {

/// Runs `/bin/sh -c COMMAND` in a process group of its own; standard error is ours. Whatever the
/// child prints is collected while we write, so neither side can wait for the other for ever. Not
/// thread-safe. A signal raises kInterrupted from send() and finish(); a child that neither reads,
/// prints nor ends for `patience` seconds (0: no limit) raises kData.
class ChildProcess {
 public:
  /// Raises kIo when the shell cannot be started.
  ChildProcess(const std::string& command, int64_t patience);
  /// Kills what is left of the process group.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Writes to the child's standard input. A child that no longer reads is no error: its answer and
  /// its exit status, which finish() tells, decide.
  void send(std::string_view text);

  struct Result {
    std::string output;
    std::string failure;  ///< "exit status 3", "signal 9"; empty for exit status 0
  };
  /// Why the child has failed already; empty while it runs, and when it ended well.
  std::string early_failure();
  /// Closes the child's standard input, reads its output until it ends, and kills whatever it left
  /// running in its group.
  Result finish();

 private:
  using Clock = std::chrono::steady_clock;
  size_t write_some(std::string_view text);
  void collect();
  void collect_rest();
  void close_input();
  void reap();
  void check_patience() const;

  pid_t process_ = -1;
  int64_t patience_;
  Clock::time_point last_sign_;
  int input_ = -1;
  int output_ = -1;
  std::string collected_;
};

}  // namespace limbeck
