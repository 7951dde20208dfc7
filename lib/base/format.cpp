#include "lib/base/format.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace limbeck {
namespace {

constexpr auto kReplace = nlohmann::json::error_handler_t::replace;

std::string print(const char* format, int digits, double value) {
  std::array<char, 400> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, digits, value);
  return {buffer.data(), static_cast<size_t>(length)};
}

}  // namespace

double tidy(double value) {
  return std::strtod(print("%.*g", 9, value).c_str(), nullptr) + 0.0;  // + 0.0 makes -0 a 0
}

std::string fixed(double value, int digits) {
  std::string text = print("%.*f", digits, value);
  if (text[0] == '-' && text.find_first_of("123456789") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string with_sign(double value, int digits) {
  std::string text = fixed(value, digits);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  return (value > 0 && !zero ? "+" : "") + text;
}

std::string compact(double value, int digits) { return print("%.*g", digits, value + 0.0); }

std::string grouped(int64_t value) {
  std::string text = std::to_string(value);
  const size_t first = value < 0 ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string readable_bytes(int64_t bytes) {
  static constexpr std::array<const char*, 4> kUnits = {" kB", " MB", " GB", " TB"};
  if (bytes < 1000) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes) / 1000;
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  const int digits = value < 9.995 ? 2 : (value < 99.95 ? 1 : 0);
  return fixed(value, digits) + kUnits.at(unit);
}

std::string readable_p(double p_value) {
  if (p_value < 0.001) return "below 0.001";
  return fixed(p_value, p_value < 0.095 ? 3 : 2);
}

std::string joined_names(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string valid_utf8(const std::string& text) {
  const nlohmann::json document(text);
  return nlohmann::json::parse(document.dump(-1, ' ', false, kReplace)).get<std::string>();
}

std::string printable(const std::string& text) {
  std::string result;
  for (const char c : valid_utf8(text)) {
    const auto byte = static_cast<unsigned char>(c);
    // C2 80 to C2 9F are the control characters U+0080 to U+009F.
    if (byte >= 0x80 && byte < 0xA0 && !result.empty() && result.back() == '\xC2') {
      result.back() = '?';
    } else {
      result += byte < 0x20 || byte == 0x7F ? '?' : c;
    }
  }
  return result;
}

}  // namespace limbeck
