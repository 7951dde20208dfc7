// A child program with pipes on its standard input and output. Internal to lib/evaluate.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace limbeck {

/// Runs `/bin/sh -c COMMAND` in a process group of its own; standard error is ours. Whatever the
/// child prints is collected while we write, so neither side can wait for the other for ever. Not
/// thread-safe. A signal raises kInterrupted from send() and finish().
class ChildProcess {
 public:
  /// Raises kIo when the shell cannot be started.
  explicit ChildProcess(const std::string& command);
  /// Kills the whole process group when finish() was not reached.
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
  /// Closes the child's standard input, reads its output to the end and waits for it.
  Result finish();

 private:
  size_t write_some(std::string_view text);
  void collect();
  void close_input();

  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string collected_;
};

}  // namespace limbeck
