#include "tests/support/paths.h"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>

#include "lib/base/file.h"

namespace limbeck::test {
namespace fs = std::filesystem;

fs::path source_dir() { return LIMBECK_SOURCE_DIR; }

fs::path fixture(const std::string& name) { return source_dir() / "tests/data" / name; }

fs::path program() { return LIMBECK_PROGRAM; }

void note_not_run(const std::string& reason) {
  std::ofstream(LIMBECK_NOT_RUN_FILE, std::ios::app) << reason + "\n";
  WARN("could not run here: " << reason);
}

std::optional<fs::path> large_data(const std::string& name) {
  const char* folder = std::getenv("LIMBECK_TEST_DATA");
  const fs::path root = folder != nullptr ? fs::path(folder) : source_dir() / "../shared/data";
  if (fs::exists(root / name)) return fs::canonical(root / name);
  note_not_run("needs " + name + " of LIMBECK_TEST_DATA");
  return {};
}

TemporaryFolder::TemporaryFolder() {
  static std::atomic<int> count{0};
  path_ = fs::temp_directory_path() /
          ("limbeck_test_" + std::to_string(::getpid()) + "_" + std::to_string(count++));
  fs::create_directories(path_);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

CommandResult run_program(const std::string& arguments, const fs::path& folder) {
  const TemporaryFolder scratch;
  const std::string enter = folder.empty() ? "" : "cd '" + folder.string() + "' && ";
  const std::string command = enter + "'" + program().string() + "' " + arguments + " >'" +
                              (scratch / "out").string() + "' 2>'" + (scratch / "err").string() +
                              "' </dev/null";
  const int status = std::system(command.c_str());
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(scratch / "out");
  result.err = read_file(scratch / "err");
  return result;
}

}  // namespace limbeck::test
