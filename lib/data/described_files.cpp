#include "lib/data/described_files.h"

#include <nlohmann/json.hpp>

#include "lib/base/file.h"

namespace limbeck {

std::vector<std::filesystem::path> described_files(const std::filesystem::path& description) {
  std::vector<std::filesystem::path> files{description};
  const auto json = nlohmann::json::parse(read_file(description), nullptr, false);
  if (!json.is_object()) return files;  // whoever opens the data set tells
  for (const char* field : kPathFields) {
    if (json.contains(field) && json.at(field).is_string())
      files.push_back(description.parent_path() / json.at(field).get<std::string>());
  }
  return files;
}

}  // namespace limbeck
