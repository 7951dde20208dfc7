// Checks JSON documents against the schemas in schemas/.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace limbeck {

/// Raises kData with the JSON pointer and the rule when `document` violates schema `schema_name`.
/// `place` is the file.
void validate_json(const nlohmann::json& document, std::string_view schema_name,
                   const std::string& place);

/// Parses JSON text; raises kData with line and column when it is malformed.
nlohmann::json parse_json(std::string_view text, const std::string& place);

}  // namespace limbeck
