// Comma-separated values. Internal to lib/data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

struct CsvRow {
  /// Line of the file on which the row starts, from 1.
  size_t line = 1;
  std::vector<std::string> fields;
};

/// Splits RFC 4180 text: fields may be quoted, "" inside quotes is one quote, lines end with LF or
/// CRLF. Empty lines are left out, as is a byte order mark. Raises kData for an unclosed quote.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& place);

}  // namespace limbeck
