// The identity of a data set's content. Internal to lib/data.
#pragma once

#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace limbeck {

/// A file that belongs to the data. Its name is the field of the description that names it, or its
/// path relative to the data set's folder: it never depends on where the data set lies.
struct NamedFile {
  std::string name;
  std::filesystem::path path;
};

/// SHA-256 over the description with sorted keys and without its paths and, in the given order, the
/// name, size and SHA-256 of each file. Computed at the first call; thread-safe.
class DataHash {
 public:
  DataHash(nlohmann::json description, std::vector<NamedFile> files);
  /// Raises kIo when a file has vanished.
  std::string get() const;

 private:
  std::string compute() const;

  std::string description_;
  std::vector<NamedFile> files_;
  mutable std::once_flag once_;
  mutable std::string value_;
};

}  // namespace limbeck
