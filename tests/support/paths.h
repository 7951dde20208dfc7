// Where the tests find their fixtures, the program and the large data.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace limbeck::test {

/// Root of the repository.
std::filesystem::path source_dir();
/// A fixture in tests/data.
std::filesystem::path fixture(const std::string& name);
/// The built `limbeck`.
std::filesystem::path program();

/// A file or folder of the large data (LIMBECK_TEST_DATA). Nothing where it is missing: the name is
/// then noted as "could not run" and shown by scripts/test, and the caller returns.
std::optional<std::filesystem::path> large_data(const std::string& name);
/// Notes that a case could not run here, with the reason; scripts/test counts and shows them.
void note_not_run(const std::string& reason);

/// A fresh empty folder, removed with everything in it at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// What a command left behind.
struct CommandResult {
  int exit_code = -1;
  std::string out;  ///< standard output
  std::string err;  ///< standard error
};
/// Runs `limbeck ARGUMENTS` through the shell, in `folder` when it is given.
CommandResult run_program(const std::string& arguments, const std::filesystem::path& folder = {});

}  // namespace limbeck::test
