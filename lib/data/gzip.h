// Plain or gzip files. Internal to lib/data.
#pragma once

#include <filesystem>
#include <string>

namespace limbeck {

/// The first `largest` bytes of a file's content, inflated when it starts with the gzip magic.
/// Raises kIo, and kData for a stream that is damaged or truncated before that.
std::string read_plain_or_gzip(const std::filesystem::path& path, size_t largest);

}  // namespace limbeck
