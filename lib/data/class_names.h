// The order of classes. Internal to lib/data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace limbeck {

/// Class index by name.
using ClassNames = std::map<std::string, int64_t>;

/// Reads a text file with one class a line, whose first word is the name; the line number from 0
/// is the index. Raises kIo, and kData for empty lines before the last class and repeated names.
ClassNames read_class_names(const std::filesystem::path& path);

}  // namespace limbeck
