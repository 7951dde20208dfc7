#include "lib/base/option_reader.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/format.h"

namespace limbeck {
namespace {

constexpr double kLargestExactInteger = 9007199254740992.0;  // 2^53

std::string number_text(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

std::string range_text(OptionRange range) {
  const bool has_low = range.low > std::numeric_limits<double>::lowest();
  const bool has_high = range.high < std::numeric_limits<double>::max();
  if (has_low && has_high) {
    return "a number from " + number_text(range.low) + " to " + number_text(range.high);
  }
  if (has_low) return "a number of at least " + number_text(range.low);
  if (has_high) return "a number of at most " + number_text(range.high);
  return "a finite number";
}

[[noreturn]] void wrong(const std::string& place, const std::string& rule,
                        const nlohmann::json& value) {
  throw_error(Category::kUsage, place, "the value must be " + rule, value.dump(),
              "correct the value; docs/distillation.md lists the options");
}

}  // namespace

OptionReader::OptionReader(const nlohmann::json& object, std::string place)
    : object_(object), place_(std::move(place)) {
  if (!object_.is_object()) wrong(place_, "a JSON object", object_);
}

double OptionReader::number(std::string_view name, double absent, OptionRange range) {
  const nlohmann::json* value = find(name);
  return value == nullptr ? absent : checked(*value, name, range);
}

int64_t OptionReader::integer(std::string_view name, int64_t absent, OptionRange range) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return absent;
  const double real = checked(*value, name, range);
  if (real != std::floor(real) || std::abs(real) > kLargestExactInteger) {
    wrong(place_of(name), "a whole number", *value);
  }
  return static_cast<int64_t>(real);
}

bool OptionReader::flag(std::string_view name, bool absent) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return absent;
  if (!value->is_boolean()) wrong(place_of(name), "true or false", *value);
  return value->get<bool>();
}

std::string OptionReader::text(std::string_view name, std::string absent) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return absent;
  if (!value->is_string()) wrong(place_of(name), "a text", *value);
  return value->get<std::string>();
}

std::string OptionReader::required_text(std::string_view name) {
  std::string value = text(name, "");
  if (value.empty()) {
    throw_error(Category::kUsage, place_of(name), "the option is required", "none",
                "add it; docs/distillation.md lists the options");
  }
  return value;
}

std::vector<double> OptionReader::numbers(std::string_view name, std::vector<double> absent,
                                          OptionRange range) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return absent;
  if (!value->is_array()) wrong(place_of(name), "a list of numbers", *value);
  std::vector<double> result;
  for (const nlohmann::json& element : *value) result.push_back(checked(element, name, range));
  return result;
}

const nlohmann::json* OptionReader::nested(std::string_view name) { return find(name); }

void OptionReader::finish() const {
  for (const auto& [name, value] : object_.items()) {
    if (std::find(names_.begin(), names_.end(), name) != names_.end()) continue;
    throw_error(Category::kUsage, place_of(name), "the option must exist", name,
                "use one of " + joined_names(names_));
  }
}

const nlohmann::json* OptionReader::find(std::string_view name) {
  names_.emplace_back(name);
  const auto found = object_.find(names_.back());
  return found == object_.end() ? nullptr : &*found;
}

std::string OptionReader::place_of(std::string_view name) const {
  return place_ + "/" + std::string(name);
}

double OptionReader::checked(const nlohmann::json& value, std::string_view name,
                             OptionRange range) const {
  if (!value.is_number()) wrong(place_of(name), range_text(range), value);
  const double real = value.get<double>();
  if (!std::isfinite(real) || real < range.low || real > range.high) {
    wrong(place_of(name), range_text(range), value);
  }
  return real;
}

}  // namespace limbeck
