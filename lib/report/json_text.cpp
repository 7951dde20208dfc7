#include "lib/report/json_text.h"

#include <algorithm>

namespace limbeck {
namespace {

using Json = nlohmann::ordered_json;
constexpr size_t kLineLength = 240;  // of an object on one line

std::string plain(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool stands_on_one_line(const Json& value) {
  const bool flat = std::none_of(value.begin(), value.end(),
                                 [](const Json& member) { return member.is_structured(); });
  return flat && (value.is_array() || plain(value).size() <= kLineLength);
}

void write(const Json& value, int indent, std::string* out);

void write_members(const Json& value, const std::string& separator, int indent, std::string* out) {
  bool first = true;
  for (const auto& item : value.items()) {
    if (!first) *out += separator;
    first = false;
    if (value.is_object()) *out += plain(item.key()) + ": ";
    write(item.value(), indent, out);
  }
}

void write(const Json& value, int indent, std::string* out) {
  if (!value.is_structured()) {
    *out += plain(value);
    return;
  }
  *out += value.is_object() ? "{" : "[";
  if (value.empty() || stands_on_one_line(value)) {
    write_members(value, ", ", indent, out);
  } else {
    const std::string inner = "\n" + std::string(static_cast<size_t>(indent + 2), ' ');
    *out += inner;
    write_members(value, "," + inner, indent + 2, out);
    *out += "\n" + std::string(static_cast<size_t>(indent), ' ');
  }
  *out += value.is_object() ? "}" : "]";
}

}  // namespace

std::string json_text(const Json& document) {
  std::string out;
  write(document, 0, &out);
  return out + "\n";
}

}  // namespace limbeck
