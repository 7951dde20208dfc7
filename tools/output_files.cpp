#include "tools/output_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <tuple>

#include "lib/base/error.h"
#include "lib/model/model_files.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kStaging = ".limbeck-staging-";

/// Opened without waiting and locked; -1 where that fails. The lock ends with its process, however
/// that ends, and other containers and hosts that share the folder see it too.
int lock_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return -1;
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  ::close(file);
  return -1;
}

/// What killed runs staged: nobody holds the lock.
void remove_abandoned(const fs::path& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with(kStaging)) found.push_back(entry.path());
  }
  std::error_code ignored;
  for (const fs::path& path : found) {
    const int lock = lock_folder(path);
    if (lock < 0) continue;
    fs::remove_all(path, ignored);
    ::close(lock);
  }
}

[[noreturn]] void throw_staging(const fs::path& folder) {
  throw_error(Category::kIo, folder.string(), "files must be writable beside the finished ones",
              std::generic_category().message(errno), "choose another --output");
}

/// An empty one that is locked. Another run may take it for abandoned before it is.
std::pair<fs::path, int> make_staging(const fs::path& folder) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    std::string name = (folder / (std::string(kStaging) + "XXXXXX")).string();
    if (::mkdtemp(name.data()) == nullptr) throw_staging(folder);
    const int lock = lock_folder(name);
    if (lock >= 0 && fs::exists(name)) return {name, lock};
    if (lock >= 0) ::close(lock);
  }
  throw_staging(folder);
}

/// The files that a data set's description names.
std::vector<fs::path> described_files(const std::string& description) {
  std::vector<fs::path> files{description};
  const auto json = nlohmann::json::parse(read_file(description), nullptr, false);
  if (!json.is_object()) return files;
  for (const char* field : {"path", "labels", "classes"}) {
    if (json.contains(field) && json.at(field).is_string())
      files.push_back(fs::path(description).parent_path() / json.at(field).get<std::string>());
  }
  return files;
}

}  // namespace

StagedFiles::StagedFiles(const fs::path& folder) : folder_(folder) {
  remove_abandoned(folder);
  std::tie(staging_, lock_) = make_staging(folder);
}

StagedFiles::~StagedFiles() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
  ::close(lock_);
}

void require_kept(const fs::path& output, const InputFiles& inputs) {
  if (!fs::exists(output)) return;
  std::vector<fs::path> files = inputs.files;
  for (const std::string& model : inputs.models) {
    files.emplace_back(model);
    if (!fs::is_regular_file(model)) continue;
    for (const fs::path& file : external_files(model)) files.push_back(file);
  }
  for (const std::string& data : inputs.data) {
    if (!fs::is_regular_file(data)) continue;
    for (fs::path& file : described_files(data)) files.push_back(std::move(file));
  }
  for (const fs::path& file : files) {
    std::error_code missing;
    if (file.empty() || !fs::equivalent(output, file, missing)) continue;
    throw_error(Category::kUsage, output.string(),
                "an output must not replace what it is made from",
                "'" + file.string() + "', which is read too", "choose another path to write");
  }
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
