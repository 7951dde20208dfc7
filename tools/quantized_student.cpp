#include "tools/quantized_student.h"

#include <string_view>

#include "lib/distill/qat.h"

namespace limbeck {

std::optional<std::string> quantized_request(const std::filesystem::path& student) {
  // A recipe's folder stands in front of it.
  constexpr std::string_view kPrefix = "quantized:";
  const std::string name = student.filename().string();
  if (!name.starts_with(kPrefix)) return std::nullopt;
  const std::string format = name.substr(kPrefix.size());
  qat_plan_options(format, "student quantized:FORMAT");
  return format;
}

}  // namespace limbeck
