#include "lib/distill/quantized_student.h"

#include <algorithm>

#include "calibration/calibration.h"
#include "lib/base/error.h"
#include "lib/quantize/quantize.h"

namespace limbeck {

QatStudent quantized_student(const Model& teacher, const std::string& teacher_hash,
                             const Dataset& data, const QuantizedStudentOptions& options) {
  const PlanOptions plan_options = qat_plan_options(options.format, "student quantized:FORMAT");
  require_float(teacher, "teacher");
  if (data.size() == 0) {
    throw_error(Category::kUsage, "student quantized:" + options.format,
                "ranges are observed on samples", "none", "give a data set that holds some");
  }
  const Model prepared = prepare_model(teacher, plan_options);
  CalibrationOptions calibration;
  calibration.samples = std::min(options.samples, data.size());
  calibration.seed = options.seed;
  calibration.threads = options.threads;
  calibration.quiet = options.quiet;
  calibration.tensors = activations_to_observe(prepared);
  const CalibrationTable table = calibrate(prepared, data, teacher_hash, calibration);
  return prepare_qat(prepared, make_plan(prepared, table, plan_options), table.means);
}

Recipe quantized_recipe(const std::string& format) {
  Recipe recipe;
  recipe.epochs = 2;
  // Weights of few bits need many steps to leave their codes; int8 has little to regain, and more
  // steps only move it away from its teacher.
  recipe.batch = format == "int8" ? 256 : 64;
  recipe.losses =
      nlohmann::json::array({{{"loss", "soft_targets"}, {"weight", 1.0}, {"temperature", 4.0}}});
  // Folded BatchNormalization leaves channels whose gradients differ by orders of magnitude.
  recipe.optimizer = {.method = "adam"};
  recipe.schedule = {.learning_rate = 0.0005, .warmup = 0.05};
  return recipe;
}

}  // namespace limbeck
