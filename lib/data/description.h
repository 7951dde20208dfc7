// The JSON file that describes a data set, parsed and checked. Internal to lib/data.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace limbeck {

/// Immutable after loading.
struct Description {
  nlohmann::json json;
  /// The JSON file itself, for messages.
  std::string place;
  /// The folder that relative paths start from.
  std::filesystem::path folder;

  bool has(const char* field) const { return json.contains(field); }
  /// A string field; empty when it is absent.
  std::string text(const char* field) const;
  /// A field that holds a path, made absolute or relative to the working directory.
  std::filesystem::path file(const char* field) const { return folder / text(field); }
  /// The model input that a data set with one input feeds; empty for "the only one".
  std::string input() const { return text("input"); }
};

/// Reads, parses and validates a description. Raises kIo and kData.
Description load_description(const std::filesystem::path& path);

}  // namespace limbeck
