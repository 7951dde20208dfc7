#include "lib/evaluate/child_process.h"

#include <sys/wait.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <thread>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;

namespace {

/// Running or not yet waited for.
bool has_children() {
  int status = 0;
  return ::waitpid(-1, &status, WNOHANG) >= 0 || errno != ECHILD;
}

/// A killed process may wait for an init that never reaps it: then its command line is empty.
bool is_alive(const std::string& process) {
  std::ifstream file("/proc/" + process + "/cmdline");
  std::string line;
  std::getline(file, line);
  return !line.empty();
}

const std::string kMegabyte(1U << 20U, 'x');

}  // namespace

TEST_CASE("a child gets all that is sent and gives back all that it prints", "[evaluate]") {
  ChildProcess child("cat", 60);
  for (int i = 0; i < 3; ++i) child.send(kMegabyte);
  const auto result = child.finish();
  CHECK(result.failure.empty());
  CHECK(result.output == kMegabyte + kMegabyte + kMegabyte);
  CHECK_FALSE(has_children());
}

TEST_CASE("a child that answers without reading is no failure", "[evaluate]") {
  ChildProcess child("exec <&-; echo done", 60);
  child.send(kMegabyte);
  const auto result = child.finish();
  CHECK(result.output == "done\n");
  CHECK(result.failure.empty());
}

TEST_CASE("exit status and signal of a child are told", "[evaluate]") {
  ChildProcess failing("cat >/dev/null; exit 3", 60);
  CHECK(failing.finish().failure == "exit status 3");
  ChildProcess killed("kill -9 $$", 60);
  CHECK(killed.finish().failure == "signal 9");
  ChildProcess missing("exec 2>/dev/null; no_such_program_anywhere", 60);
  CHECK(missing.finish().failure == "exit status 127");
  CHECK_FALSE(has_children());
}

TEST_CASE("a child that fails while it is fed is noticed before the end", "[evaluate]") {
  ChildProcess child("exit 4", 60);
  std::string failure;
  while (failure.empty()) {
    child.send(kMegabyte);
    failure = child.early_failure();
  }
  CHECK(failure == "exit status 4");
}

TEST_CASE("a child that never reads runs out of patience and is killed", "[evaluate]") {
  const TemporaryFolder folder;
  const std::string file = (folder / "process").string();
  {
    ChildProcess child("echo $$ >'" + file + "'; exec sleep 1000", 1);
    CHECK_THROWS_MATCHES(
        child.send(kMegabyte), Error,
        MessageMatches(ContainsSubstring("data: metric command: it must read its input, print or "
                                         "end within 1 seconds")));
  }
  std::string process = read_file(file);
  process.pop_back();
  CHECK_FALSE(is_alive(process));
  CHECK_FALSE(has_children());
}

TEST_CASE("a child that never ends runs out of patience, even with its output closed",
          "[evaluate]") {
  ChildProcess child("exec >&-; exec sleep 1000", 1);
  CHECK_THROWS_MATCHES(child.finish(), Error, MessageMatches(ContainsSubstring("no sign of life")));
}

TEST_CASE("what a child leaves running holds nothing up and is killed", "[evaluate]") {
  const TemporaryFolder folder;
  const std::string file = (folder / "process").string();
  ChildProcess child("sleep 1000 & echo $! >'" + file + "'; echo done", 60);
  const auto result = child.finish();
  CHECK(result.output == "done\n");
  std::string process = read_file(file);
  process.pop_back();
  for (int i = 0; i < 1000 && is_alive(process); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  CHECK_FALSE(is_alive(process));
}

TEST_CASE("an abandoned child is killed and waited for", "[evaluate]") {
  { const ChildProcess child("exec sleep 1000", 60); }
  CHECK_FALSE(has_children());
}
