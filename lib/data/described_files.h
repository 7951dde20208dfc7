// The files that a data set's description names.
#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace limbeck {

/// The fields of a description that may hold paths.
inline constexpr std::array<const char*, 3> kPathFields = {"path", "labels", "classes"};

/// The description itself and the files and folders that it names, whether or not they exist;
/// images inside of folders are not listed. Raises kIo.
std::vector<std::filesystem::path> described_files(const std::filesystem::path& description);

}  // namespace limbeck
