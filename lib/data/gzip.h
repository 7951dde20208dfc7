// Plain or gzip files. Internal to lib/data.
#pragma once

#include <filesystem>
#include <string>

namespace limbeck {

/// The content of a file, inflated when it starts with the gzip magic. Raises kIo, and kData for a
/// damaged or truncated stream.
std::string read_plain_or_gzip(const std::filesystem::path& path);

}  // namespace limbeck
