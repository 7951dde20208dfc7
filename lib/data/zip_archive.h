// Read access to ZIP files. Internal to lib/data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace limbeck {

/// Thread-safe: the archive library is not, so a lock surrounds each read. Checks the CRC.
class ZipArchive {
 public:
  /// Raises kIo, and kData for damaged archives.
  explicit ZipArchive(const std::filesystem::path& path);
  ~ZipArchive();
  ZipArchive(const ZipArchive&) = delete;
  ZipArchive& operator=(const ZipArchive&) = delete;

  /// Names in archive order; folders end with '/'.
  const std::vector<std::string>& names() const { return names_; }
  /// The uncompressed member `index` of names(). Raises kData.
  std::string read(size_t index) const;

 private:
  struct Handle;
  std::string place_;
  std::unique_ptr<Handle> handle_;
  std::vector<std::string> names_;
};

}  // namespace limbeck
