#include "tools/distill_recipe.h"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/error.h"
#include "lib/distill/quantized_student.h"
#include "tools/distill_student.h"
#include "tools/quantized_student.h"

namespace limbeck {
namespace {

/// "classes=3,5,7".
std::vector<int64_t> domain_classes(const std::string& text) {
  constexpr std::string_view kStart = "classes=";
  const std::string list = text.starts_with(kStart) ? text.substr(kStart.size()) : "";
  const nlohmann::json parsed = nlohmann::json::parse("[" + list + "]", nullptr, false);
  if (!list.empty() && !parsed.is_discarded()) return read_classes(parsed, "--domain");
  throw_error(Category::kUsage, "--domain", "the form is classes=LIST", "'" + text + "'",
              "write for example --domain classes=3,5,7");
}

}  // namespace

Recipe merged_recipe(const DistillJob& job) {
  Recipe recipe = job.recipe.empty() ? Recipe() : load_recipe(job.recipe);
  if (const auto format = quantized_request(
          job.student.empty() ? recipe.student : std::filesystem::path(job.student))) {
    const Recipe defaults = quantized_recipe(*format);
    recipe = job.recipe.empty() ? defaults : load_recipe(job.recipe, defaults);
  }
  if (!job.teacher.empty()) recipe.teacher = job.teacher;
  if (!job.student.empty()) recipe.student = job.student;
  if (!job.data.empty()) recipe.data = job.data;
  recipe.epochs = job.epochs.value_or(recipe.epochs);
  recipe.batch = job.batch.value_or(recipe.batch);
  if (job.own_seed) recipe.seed = job.common.seed;
  if (!job.domain.empty()) recipe.domain = domain_classes(job.domain);
  return recipe;
}

void check_recipe(const DistillJob& job, const Recipe& recipe) {
  std::string complaints;
  const auto complain = [&complaints](const std::string& text) {
    complaints += (complaints.empty() ? "" : "; ") + text;
  };
  if (recipe.student.empty()) complain("something must be trained: --student or \"student\"");
  if (quantized_request(recipe.student) && recipe.teacher.empty())
    complain("a student is quantized from its teacher: --teacher or \"teacher\"");
  if (quantized_request(recipe.student) && recipe.precision != Precision::kFloat)
    complain("a quantized student trains in the arithmetic of its file: no \"precision\"");
  if (shrink_request(recipe.student) && recipe.teacher.empty())
    complain("a student is shrunk from its teacher: --teacher or \"teacher\"");
  if (recipe.data.empty()) complain("training needs samples: --data or \"data\"");
  if (job.baseline && recipe.teacher.empty())
    complain("--baseline trains without the teacher: it needs --teacher to compare with");
  if (!job.teacher_cache.empty() && recipe.teacher.empty())
    complain("--teacher-cache keeps the answers of a teacher: it needs --teacher");
  if (complaints.empty()) return;
  throw_error(Category::kUsage, "limbeck distill", complaints, "", "see limbeck distill --help");
}

}  // namespace limbeck
