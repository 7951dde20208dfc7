// docs/operators.md lists what the operator table holds.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "lib/base/file.h"
#include "lib/ops/op.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

std::string role_text(QuantRole role) {
  switch (role) {
    case QuantRole::kNone: return "float";
    case QuantRole::kWeighted: return "weights and activations";
    case QuantRole::kElementwise: return "own scale";
    case QuantRole::kSameScale: return "scale of its input";
    case QuantRole::kSharedScale: return "one scale for all";
    case QuantRole::kQuantizer: return "already quantized";
  }
  return "";
}

std::string opsets_text(const OpRow& row) {
  const std::string since = std::to_string(row.since);
  if (row.until == OpRow::kNoEnd) return since + " and later";
  return since + " to " + std::to_string(row.until);
}

std::string documented_table() {
  std::string text =
      "| operator | domain | opsets | gradient | quantization |\n|---|---|---|---|---|\n";
  for (const OpRow& row : op_table()) {
    text += "| " + std::string(row.name) + " | " +
            (row.domain.empty() ? "ai.onnx" : std::string(row.domain)) + " | " + opsets_text(row) +
            " | " + (row.gradient != nullptr ? "yes" : "no") + " | " + role_text(row.role) + " |\n";
  }
  return text;
}

}  // namespace

TEST_CASE("docs/operators.md holds the operator table as it is", "[ops]") {
  const std::string page = read_file(source_dir() / "docs/operators.md");
  const size_t begin = page.find("| operator |");
  REQUIRE(begin != std::string::npos);
  const size_t end = page.find("\n\n", begin);
  const std::string found = page.substr(begin, end == std::string::npos ? end : end + 1 - begin);
  INFO("Replace the table in docs/operators.md by:\n" << documented_table());
  CHECK((found == documented_table()));
}

}  // namespace limbeck::test
