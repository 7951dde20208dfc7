#include "lib/base/schema.h"

#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

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

}  // namespace

nlohmann::json parse_json(std::string_view text, const std::string& place) {
  try {
    return nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    throw_error(Category::kData, place, "the file must be valid JSON", error.what(),
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
  std::string where;
  std::string what;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    where.clear();
    for (const std::string& part : error.context) where += part;
    what = error.description;
  }
  throw_error(Category::kData, place + " at " + where,
              "the document must follow the schema '" + std::string(schema_name) + "'", what,
              "see docs/formats for the fields and their types");
}

}  // namespace limbeck
