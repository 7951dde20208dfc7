#include "tools/output_files.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "lib/base/error.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kStaging = ".limbeck-";

/// The process that staged its files in a folder of this name.
std::optional<pid_t> staging_process(const std::string& name) {
  if (!name.starts_with(kStaging)) return std::nullopt;
  pid_t process = 0;
  const char* end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(name.data() + kStaging.size(), end, process);
  if (error != std::errc() || stop != end || process <= 0) return std::nullopt;
  return process;
}

void remove_abandoned(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::optional<pid_t> process = staging_process(entry.path().filename().string());
    if (process && ::kill(*process, 0) != 0 && errno == ESRCH) found.push_back(entry.path());
  }
  std::error_code ignored;
  for (const fs::path& path : found) fs::remove_all(path, ignored);
}

}  // namespace

StagedFiles::StagedFiles(const fs::path& folder)
    : folder_(folder), staging_(folder / (std::string(kStaging) + std::to_string(::getpid()))) {
  remove_abandoned(folder);
  create_folder(staging_);
}

ScratchFolder::ScratchFolder() {
  std::string name = (fs::temp_directory_path() / "limbeck-rank-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) {
    throw_error(Category::kIo, name, "a temporary folder must be writable",
                std::generic_category().message(errno), "set TMPDIR to a folder with free space");
  }
  path_ = name;
}

void require_parent_folder(const fs::path& file) {
  if (file.empty()) return;
  const fs::path folder = fs::absolute(file).parent_path();
  if (fs::is_directory(folder)) return;
  throw_error(Category::kIo, file.string(), "the folder of a file to write must exist",
              folder.string(), "make the folder, or choose another path");
}

void StagedFiles::publish(const std::string& last) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(staging_))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
    return std::pair(a == last, a) < std::pair(b == last, b);
  });
  std::error_code error;
  for (const std::string& name : stale_) {
    if (std::find(names.begin(), names.end(), name) == names.end())
      fs::remove(folder_ / name, error);
  }
  for (const std::string& name : names) {
    fs::rename(staging_ / name, folder_ / name, error);
    if (!error) continue;
    throw_error(Category::kIo, (folder_ / name).string(), "a finished file must move into place",
                error.message(), "remove what stands there, or choose another --output");
  }
}

void remove_leftovers(const fs::path& folder, const std::vector<std::string>& names) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    const bool left = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      constexpr size_t kRandom = 7;  // "." and six letters
      return file.starts_with("." + name) && file.size() > 1 + name.size() + kRandom - 1 &&
             file[file.size() - kRandom] == '.';
    });
    if (left) found.push_back(entry.path());
  }
  std::error_code ignored;
  for (const auto& path : found) fs::remove(path, ignored);
}

}  // namespace limbeck
