// What a job leaves on disk: all of it, or nothing.
#pragma once

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/base/file.h"

namespace limbeck {

/// Made before the long work, so that a wrong path is told at once. One that was not there before
/// is removed again when nothing was written into it.
class OutputFolder {
 public:
  explicit OutputFolder(std::filesystem::path path)
      : path_(std::move(path)), is_new_(!std::filesystem::exists(path_)) {
    create_folder(path_);
  }
  ~OutputFolder() {
    std::error_code ignored;
    if (is_new_) std::filesystem::remove(path_, ignored);  // fails where it holds something
  }
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

 private:
  std::filesystem::path path_;
  bool is_new_;
};

/// A folder of this process alone among the system's temporary files, removed with all it holds.
/// Raises kIo.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Tells before the long work that a file cannot be written (kIo). An empty path is fine.
void require_parent_folder(const std::filesystem::path& file);

/// What a command reads. Empty names are fine.
struct InputFiles {
  std::vector<std::string> models;  ///< and their external data
  std::vector<std::string> data;    ///< descriptions, and the files that they name
  std::vector<std::filesystem::path> files;
};

/// Raises kUsage where writing one of the outputs would replace one of the files.
void require_kept(const std::vector<std::filesystem::path>& outputs, const InputFiles& inputs);

/// The files of one run are written into a hidden folder of the output folder and move into place
/// together at the end: a run that fails leaves what an earlier one made, and the next one clears
/// away what a killed one staged. The paths live as long as the object. Raises kIo.
class StagedFiles {
 public:
  /// `folder` exists.
  explicit StagedFiles(const std::filesystem::path& folder);
  ~StagedFiles();
  StagedFiles(const StagedFiles&) = delete;
  StagedFiles& operator=(const StagedFiles&) = delete;
  const std::filesystem::path& folder() const { return staging_; }
  /// Of files that an earlier run made and this one did not: they belong to what is replaced now.
  void replaces(std::string name) { stale_.push_back(std::move(name)); }
  /// Moves everything into place, `last` at the end.
  void publish(const std::string& last);

 private:
  std::filesystem::path folder_;
  std::filesystem::path staging_;  ///< .limbeck-staging-XXXXXX
  int lock_ = -1;                  ///< descriptor whose lock says that this process lives
  std::vector<std::string> stale_;
};

/// Removes the temporary files (AtomicFile) of files in `folder` whose names begin with one of
/// `names`: what a killed run left behind.
void remove_leftovers(const std::filesystem::path& folder, const std::vector<std::string>& names);

}  // namespace limbeck
