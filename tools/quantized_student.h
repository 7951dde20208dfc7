// A distill student that is asked for as "quantized:FORMAT".
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace limbeck {

/// What stands behind "quantized:" where that is what a recipe or --student says; nothing for a
/// file. Raises kUsage for a format that does not exist.
std::optional<std::string> quantized_request(const std::filesystem::path& student);

}  // namespace limbeck
