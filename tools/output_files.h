// What a job leaves on disk: all of it, or nothing.
#pragma once

#include <filesystem>
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

}  // namespace limbeck
