// A student that is its teacher, quantized.
#pragma once

#include <cstdint>
#include <string>

#include "lib/data/dataset.h"
#include "lib/distill/qat.h"
#include "lib/distill/recipe.h"

namespace limbeck {

struct QuantizedStudentOptions {
  std::string format = "int8";  ///< one of qat_formats()
  int64_t samples = 512;        ///< calibration samples, at most those there are
  uint64_t seed = 1;            ///< that draws them; 0: the first ones
  int threads = 0;              ///< 0: all cores; never changes the result
  bool quiet = true;
};

/// simplify -> calibrate on `data` -> plan -> prepare_qat. `teacher_hash` is that of its file.
/// Raises kUsage (format, no sample), kUnsupported (a teacher that is quantized already) and what
/// these steps raise.
QatStudent quantized_student(const Model& teacher, const std::string& teacher_hash,
                             const Dataset& data, const QuantizedStudentOptions& options);

/// What holds where a recipe for such a student says nothing else: 2 epochs of soft targets, in
/// batches of 64 (int8: 256), at the small rates that a trained network stands.
Recipe quantized_recipe(const std::string& format);

}  // namespace limbeck
