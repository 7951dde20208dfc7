// Which images a folder or ZIP archive holds and how to read their bytes. Internal to lib/data.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lib/data/data_hash.h"

namespace limbeck {

/// Image files, sorted by name.
struct ImageList {
  /// Paths relative to the folder, with '/'.
  std::vector<std::string> names;
  /// All folders that are not hidden, also those without images, sorted.
  std::vector<std::string> folders;
  /// Bytes of names[i]; thread-safe, raises kIo and kData.
  std::function<std::string(size_t)> read;
  /// The files that hold the images.
  std::vector<NamedFile> files;
};

/// All .jpg, .jpeg and .png files (any case) below a folder or in a .zip file; hidden files and
/// folders are left out. Raises kIo when there is nothing at the path and kData for a damaged
/// archive.
ImageList list_images(const std::filesystem::path& path);

/// The last folder of a relative path, "a/b/c.png" -> "b"; empty when there is none.
std::string last_folder(const std::string& name);

}  // namespace limbeck
