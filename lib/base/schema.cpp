#include "lib/base/schema.h"

#include <set>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "lib/base/error.h"
#include "lib/base/schema_texts.h"

namespace limbeck {
namespace {

std::string_view schema_text(std::string_view name) {
  for (const SchemaText& schema : schema_texts()) {
    if (schema.name == name) return schema.text;
  }
  throw_error(Category::kInternal, "schema '" + std::string(name) + "'", "the schema must exist",
              "none", "report this bug");
}

/// `["a"]["0"]` as valijson writes it, as the JSON pointer /a/0.
std::string json_pointer(const std::vector<std::string>& context) {
  std::string pointer;
  for (const std::string& part : context) {
    const size_t first = part.find_first_of("[\"");
    if (first == std::string::npos) continue;  // "<root>"
    const size_t start = part.find_first_not_of("[\"", first);
    const size_t end = part.find_last_not_of("]\"");
    if (start != std::string::npos && end >= start)
      pointer += "/" + part.substr(start, end - start + 1);
  }
  return pointer.empty() ? "the top level" : pointer;
}

struct Violation {
  std::string where;
  std::string what;
};

/// Of the chain of errors from a field up to the whole document, the one that says most: the first
/// of those that lie deepest.
Violation deepest_violation(valijson::ValidationResults& results) {
  Violation found;
  size_t depth = 0;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    const bool generic = error.description.starts_with("Failed to validate against schema");
    if (!found.what.empty() && (error.context.size() <= depth || generic)) continue;
    found = {json_pointer(error.context), error.description};
    depth = error.context.size();
  }
  while (found.what.ends_with(".")) found.what.pop_back();
  return found;
}

/// The value at a JSON pointer where it is short enough to show.
std::string value_text(const nlohmann::json& document, const std::string& pointer) {
  constexpr size_t kShown = 60;
  const nlohmann::json::json_pointer path(pointer.starts_with("/") ? pointer : "");
  const nlohmann::json& value = document.contains(path) ? document.at(path) : document;
  if (value.is_structured()) return "";
  const std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return text.size() > kShown ? "" : ": " + text;
}

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  using Event = nlohmann::json::parse_event_t;
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  const auto watch = [&](int, Event event, nlohmann::json& value) {
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(value.get<std::string>()).second) {
      // The parser would keep the last one without a word.
      throw_error(Category::kData, place, "an object has every key once", value.dump() + " twice",
                  "remove one of the two");
    }
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {  // syntax, or a number out of range
    // The library's own prefix, "[json.exception...] ", tells a user nothing.
    const std::string_view what = error.what();
    const size_t prefix = what.find("] ");
    throw_error(Category::kData, place, "the file must be valid JSON",
                std::string(prefix == std::string_view::npos ? what : what.substr(prefix + 2)),
                "correct the file at that position");
  }
}

void validate_json(const nlohmann::json& document, std::string_view schema_name,
                   const std::string& place) {
  const nlohmann::json schema_document = nlohmann::json::parse(schema_text(schema_name));
  const valijson::adapters::NlohmannJsonAdapter schema_adapter(schema_document);
  valijson::Schema schema;
  valijson::SchemaParser().populateSchema(schema_adapter, schema);
  const valijson::adapters::NlohmannJsonAdapter target(document);
  valijson::ValidationResults results;
  if (valijson::Validator().validate(schema, target, &results)) return;
  const Violation found = deepest_violation(results);
  const std::string value = value_text(document, found.where);
  throw_error(
      Category::kData, place + " at " + found.where,
      "the document must follow the schema '" + std::string(schema_name) + "'", found.what + value,
      "see docs/formats/" + std::string(schema_name) + ".md for the fields and their types");
}

}  // namespace limbeck
