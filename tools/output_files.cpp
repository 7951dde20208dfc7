#include "tools/output_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <tuple>

#include "lib/base/error.h"
#include "lib/data/described_files.h"
#include "lib/model/model_files.h"

namespace limbeck {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kStaging = ".limbeck-staging-";

/// Opened without waiting and locked; -1 where that fails, with errno. The lock ends with its
/// process, however that ends, and other containers and hosts that share the folder see it too.
int lock_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0) return -1;
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  const int reason = errno;
  ::close(file);
  errno = reason;
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

/// Made anew, its name ending in six random letters.
fs::path unique_folder(const fs::path& beginning, const std::string& next_step) {
  std::string name = beginning.string() + "XXXXXX";
  if (::mkdtemp(name.data()) != nullptr) return name;
  throw_error(Category::kIo, beginning.parent_path().string(), "the folder must be writable",
              std::generic_category().message(errno), next_step);
}

/// An empty one that is locked, or (-1) on a file system without locks, where none can be taken for
/// abandoned.
std::pair<fs::path, int> make_staging(const fs::path& folder) {
  for (;;) {
    const fs::path staging = unique_folder(folder / kStaging, "choose another --output");
    const int lock = lock_folder(staging);
    // Another run may have taken it for abandoned before it was locked.
    const bool taken = lock < 0 && errno == EWOULDBLOCK;
    if (!taken && fs::exists(staging)) return {staging, lock};
    if (lock >= 0) ::close(lock);
  }
}

}  // namespace

StagedFiles::StagedFiles(const fs::path& folder) : folder_(folder) {
  remove_abandoned(folder);
  std::tie(staging_, lock_) = make_staging(folder);
}

StagedFiles::~StagedFiles() {
  std::error_code ignored;
  fs::remove_all(staging_, ignored);
  if (lock_ >= 0) ::close(lock_);
}

void require_kept(const std::vector<fs::path>& outputs, const InputFiles& inputs) {
  std::vector<fs::path> existing;
  std::copy_if(outputs.begin(), outputs.end(), std::back_inserter(existing),
               [](const fs::path& output) { return fs::exists(output); });
  if (existing.empty()) return;
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
  for (const fs::path& output : existing) {
    for (const fs::path& file : files) {
      std::error_code missing;
      if (file.empty() || !fs::equivalent(output, file, missing)) continue;
      throw_error(Category::kUsage, output.string(),
                  "an output must not replace what it is made from",
                  "'" + file.string() + "', which is read too", "choose another path to write");
    }
  }
}

ScratchFolder::ScratchFolder()
    : path_(unique_folder(fs::temp_directory_path() / "limbeck-rank-",
                          "set TMPDIR to a folder with free space")) {}

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
