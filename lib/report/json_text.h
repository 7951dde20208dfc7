// JSON as it is written into report files. Internal to lib/report.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace limbeck {

/// Indented by two, but arrays of plain values and small objects of plain values stand on one line:
/// thousands of samples do not become thousands of lines. Ends with a line feed. Bytes that are no
/// UTF-8 become U+FFFD.
std::string json_text(const nlohmann::ordered_json& document);

}  // namespace limbeck
