// The JSON Schemas of schemas/, embedded at build time.
#pragma once

#include <string_view>
#include <vector>

namespace limbeck {

struct SchemaText {
  std::string_view name;  ///< "report" for schemas/report.schema.json
  std::string_view text;
};
const std::vector<SchemaText>& schema_texts();

}  // namespace limbeck
