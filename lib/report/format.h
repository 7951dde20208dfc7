// Numbers as people read them; shared by sentences, tables and the HTML page. Internal to
// lib/report.
#pragma once

#include <cstdint>
#include <string>

namespace limbeck {

/// Nearest double of nine significant decimal digits: what reports store, so that 92.33 does not
/// appear as 92.32999999999999.
double tidy(double value);

/// "12.30" for (12.3, 2); never "-0.00".
std::string fixed(double value, int digits);
/// fixed() with "+" in front of positive numbers.
std::string with_sign(double value, int digits);
/// At most `digits` significant digits, without trailing zeros: "0.0123", "1.5e-07".
std::string compact(double value, int digits = 3);
/// "10,000".
std::string grouped(int64_t value);
/// Decimal units: "512 B", "41.2 kB", "3.41 MB".
std::string readable_bytes(int64_t bytes);
/// "0.31", "0.004", "below 0.001".
std::string readable_p(double p_value);

}  // namespace limbeck
