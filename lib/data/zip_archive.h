// Read access to ZIP files. Internal to lib/data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lib/base/file.h"

namespace limbeck {

/// Thread-safe: one reader at a time, because a handle of the archive library holds the directory
/// of the archive, and memory shall not depend on how many readers happen to meet. Read, not
/// mapped: the pages of a large archive would count as memory of this process. Checks the CRC.
class ZipArchive {
 public:
  /// Raises kIo, and kData for damaged archives.
  explicit ZipArchive(const std::filesystem::path& path);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  /// Names in archive order; folders end with '/'.
  const std::vector<std::string>& names() const { return names_; }
  /// The uncompressed member `index` of names(). Raises kData, also for a member that would have
  /// more than `largest` bytes.
  std::string read(size_t index, uint64_t largest) const;

 private:
  class Handle;
  std::string place_;
  uint64_t bytes_ = 0;
  mutable std::mutex mutex_;
  std::unique_ptr<Handle> handle_;
  std::vector<std::string> names_;
};

}  // namespace limbeck
