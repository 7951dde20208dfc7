// Reads the options of a JSON object, one by one, and complains about what nobody asked for.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace limbeck {

/// Bounds of a number; both ends are allowed.
struct OptionRange {
  double low = std::numeric_limits<double>::lowest();
  double high = std::numeric_limits<double>::max();
};

/// Every call names an option, says what holds when it is absent, and raises kUsage for a value of
/// the wrong type or out of range. `place` is the JSON pointer of the object. The object outlives
/// the reader.
class OptionReader {
 public:
  /// Raises kUsage unless `object` is a JSON object.
  OptionReader(const nlohmann::json& object, std::string place);

  /// Finite numbers only.
  double number(std::string_view name, double absent, OptionRange range);
  int64_t integer(std::string_view name, int64_t absent, OptionRange range);
  bool flag(std::string_view name, bool absent);
  std::string text(std::string_view name, std::string absent);
  /// Raises kUsage when the option is absent or empty.
  std::string required_text(std::string_view name);
  std::vector<double> numbers(std::string_view name, std::vector<double> absent, OptionRange range);
  /// Null when the option is absent: for nested objects and lists.
  const nlohmann::json* nested(std::string_view name);

  /// Raises kUsage for an option that no call above has named; lists those that exist.
  void finish() const;
  const std::string& place() const { return place_; }
  /// The options named so far, in order.
  const std::vector<std::string>& names() const { return names_; }

 private:
  const nlohmann::json* find(std::string_view name);
  std::string place_of(std::string_view name) const;
  double checked(const nlohmann::json& value, std::string_view name, OptionRange range) const;

  const nlohmann::json& object_;
  std::string place_;
  std::vector<std::string> names_;
};

}  // namespace limbeck
