// What a job leaves on disk: all of it, or nothing.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace limbeck {

/// Made before the long work, so that a wrong path is told at once; removed again when nothing was
/// written into it.
class OutputFolder {
 public:
  explicit OutputFolder(std::filesystem::path path) : path_(std::move(path)) {
    create_folder(path_);
  }
  ~OutputFolder() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);  // fails where it holds something
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  std::filesystem::path path_;
};

/// The files of one run appear together or, when the run fails, not at all.
class EmittedFiles {
 public:
  EmittedFiles() = default;
  ~EmittedFiles() {
    std::error_code ignored;
    for (const std::filesystem::path& path : paths_) std::filesystem::remove(path, ignored);
  }
  EmittedFiles(const EmittedFiles&) = delete;
  EmittedFiles& operator=(const EmittedFiles&) = delete;
  void add(std::filesystem::path path) { paths_.push_back(std::move(path)); }
  void keep() { paths_.clear(); }

 private:
  std::vector<std::filesystem::path> paths_;
};

/// Removes the temporary files (AtomicFile) of files in `folder` whose names begin with one of
/// `names`: what a killed run left behind.
inline void remove_leftovers(const std::filesystem::path& folder,
                             const std::vector<std::string>& names) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    const bool left = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      constexpr size_t kRandom = 7;  // "." and six letters
      return file.starts_with("." + name) && file.size() > 1 + name.size() + kRandom - 1 &&
             file[file.size() - kRandom] == '.';
    });
    if (left) found.push_back(entry.path());
  }
  std::error_code ignored;
  for (const auto& path : found) std::filesystem::remove(path, ignored);
}

}  // namespace limbeck
