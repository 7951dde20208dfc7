// Numbers and tables for people.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limbeck {

/// "950", "40.8 K", "1.23 M", "390 M", "4.1 G": three digits, thousands.
std::string count_text(int64_t count);
/// "512 B", "1.50 KiB", "17.8 MiB".
std::string bytes_text(int64_t bytes);
/// "99.6 %" of a share between 0 and 1.
std::string percent_text(double share);

using TableRow = std::vector<std::string>;
/// Columns padded to equal width and two spaces apart, every line indented by two. A column whose
/// header starts with '>' is aligned to the right. Lines end without spaces.
std::string table_text(const TableRow& header, const std::vector<TableRow>& rows);

}  // namespace limbeck
