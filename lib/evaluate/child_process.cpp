#include "lib/evaluate/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <optional>
#include <system_error>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/progress.h"

namespace limbeck {
namespace {

constexpr int kPollMilliseconds = 200;  // how late a signal may be noticed
constexpr size_t kReadChunk = 65536;
constexpr int kEndMilliseconds = 5;  // how late the end of a silent child may be noticed
constexpr size_t kLargestOutput = size_t{1} << 24U;

[[noreturn]] void throw_system(const std::string& rule, int code) {
  throw_error(Category::kIo, "metric command", rule, std::generic_category().message(code),
              "check the limits of processes and open files");
}

/// Holds SIGPIPE back in this thread and takes away the one that our own write raised, so that a
/// child that stops reading shows as EPIPE and other handlers stay as they are.
class PipeSignalBlock {
 public:
  PipeSignalBlock() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~PipeSignalBlock() {
    const timespec now{};
    if (sigismember(&before_, SIGPIPE) == 0) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  PipeSignalBlock(const PipeSignalBlock&) = delete;
  PipeSignalBlock& operator=(const PipeSignalBlock&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

/// Two ends of a pipe, closed unless released; never inherited by other children.
struct Pipe {
  std::array<int, 2> ends = {-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_system("a pipe must open", errno);
  }
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int release(size_t end) { return std::exchange(ends[end], -1); }
};

pid_t spawn_shell(const std::string& command, int input, int output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  std::string shell = "sh";
  std::string option = "-c";
  std::string text = command;
  const std::array<char*, 4> arguments = {shell.data(), option.data(), text.data(), nullptr};
  pid_t process = -1;
  const int code =
      ::posix_spawn(&process, "/bin/sh", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) throw_system("/bin/sh must start", code);
  return process;
}

/// How the process ended, without waiting for it; nothing while it runs.
std::optional<siginfo_t> look_at(pid_t process) {
  siginfo_t info{};
  const int code = ::waitid(P_PID, static_cast<id_t>(process), &info, WEXITED | WNOHANG | WNOWAIT);
  if (code != 0 || info.si_pid == 0) return {};
  return info;
}

std::string failure_text(const siginfo_t& end) {
  if (end.si_code != CLD_EXITED) return "signal " + std::to_string(end.si_status);
  if (end.si_status != 0) return "exit status " + std::to_string(end.si_status);
  return "";
}

}  // namespace

ChildProcess::ChildProcess(const std::string& command, int64_t patience)
    : patience_(patience), last_sign_(Clock::now()) {
  Pipe input;
  Pipe output;
  process_ = spawn_shell(command, input.ends[0], output.ends[1]);
  input_ = input.release(1);
  output_ = output.release(0);
  ::fcntl(input_, F_SETFL, O_NONBLOCK);
  ::fcntl(output_, F_SETFL, O_NONBLOCK);
}

ChildProcess::~ChildProcess() {
  close_input();
  if (output_ >= 0) ::close(output_);
  if (process_ >= 0) reap();
}

void ChildProcess::close_input() {
  if (input_ >= 0) ::close(input_);
  input_ = -1;
}

/// The group's number is ours until its leader is waited for, so it is killed first.
void ChildProcess::reap() {
  ::kill(-process_, SIGKILL);
  while (::waitpid(process_, nullptr, 0) < 0 && errno == EINTR) {
  }
  process_ = -1;
}

void ChildProcess::check_patience() const {
  if (patience_ == 0 || Clock::now() - last_sign_ < std::chrono::seconds(patience_)) return;
  throw_error(
      Category::kData, "metric command",
      "it must read its input, print or end within " + std::to_string(patience_) + " seconds",
      "no sign of life", "mend the command, or give it longer");
}

void ChildProcess::collect() {
  std::array<char, kReadChunk> buffer;
  const ssize_t count = ::read(output_, buffer.data(), buffer.size());
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    ::close(output_);
    output_ = -1;
    return;
  }
  last_sign_ = Clock::now();
  // The rest is read, so that the child can end, but not kept.
  if (collected_.size() < kLargestOutput)
    collected_.append(buffer.data(), static_cast<size_t>(count));
}

/// What already lies in the pipe; processes that the child left behind may hold it open for ever.
void ChildProcess::collect_rest() {
  pollfd end = {output_, POLLIN, 0};
  while (output_ >= 0 && ::poll(&end, 1, 0) > 0) collect();
}

size_t ChildProcess::write_some(std::string_view text) {
  const PipeSignalBlock block;
  const ssize_t count = ::write(input_, text.data(), text.size());
  if (count >= 0) {
    last_sign_ = Clock::now();
    return static_cast<size_t>(count);
  }
  if (errno == EPIPE) close_input();
  return 0;
}

void ChildProcess::send(std::string_view text) {
  last_sign_ = Clock::now();
  while (!text.empty() && input_ >= 0) {
    check_interrupt();
    check_patience();
    std::array<pollfd, 2> ends = {{{input_, POLLOUT, 0}, {output_, POLLIN, 0}}};
    if (::poll(ends.data(), ends.size(), kPollMilliseconds) <= 0) continue;
    if (ends[1].revents != 0) collect();
    if (ends[0].revents != 0) text.remove_prefix(write_some(text));
  }
}

std::string ChildProcess::early_failure() {
  if (input_ >= 0) return "";
  const auto end = look_at(process_);
  return end ? failure_text(*end) : "";
}

ChildProcess::Result ChildProcess::finish() {
  close_input();
  last_sign_ = Clock::now();
  std::optional<siginfo_t> end;
  while (!(end = look_at(process_))) {
    check_interrupt();
    check_patience();
    pollfd output = {output_, POLLIN, 0};
    if (::poll(&output, 1, kEndMilliseconds) > 0) collect();
  }
  collect_rest();
  reap();
  return {std::move(collected_), failure_text(*end)};
}

}  // namespace limbeck
