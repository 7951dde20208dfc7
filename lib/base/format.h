// Numbers and names as people read them: in sentences, tables, reports and on a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limbeck {

/// Nearest double of nine significant decimal digits: what reports store, so that 92.33 does not
/// appear as 92.32999999999999. Never -0.
double tidy(double value);

/// "12.30" for (12.3, 2); never "-0.00".
std::string fixed(double value, int digits);
/// fixed() with "+" in front of positive numbers.
std::string with_sign(double value, int digits);
/// At most `digits` significant digits, without trailing zeros: "0.0123", "1.5e-07"; never "-0".
std::string compact(double value, int digits = 3);
/// "10,000".
std::string grouped(int64_t value);
/// Decimal units: "512 B", "41.2 kB", "3.41 MB".
std::string readable_bytes(int64_t bytes);
/// "0.31", "0.004", "below 0.001".
std::string readable_p(double p_value);

/// Names joined by ", ".
std::string joined_names(const std::vector<std::string>& names);

/// The text with bytes that are no UTF-8 replaced by U+FFFD: names in model files are not trusted.
std::string valid_utf8(const std::string& text);
/// valid_utf8() with control characters (C0, DEL, C1) replaced by "?", so that a name out of a file
/// cannot act on a terminal or break a line.
std::string printable(const std::string& text);

}  // namespace limbeck
