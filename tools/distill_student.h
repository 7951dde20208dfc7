// A student that is made from its teacher instead of read from a file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/distill/shrink/shrink.h"

namespace limbeck {

/// What stands behind "shrink:" where that is what a recipe or --student says; nothing for a file.
std::optional<std::string> shrink_request(const std::filesystem::path& student);

/// Raises kUsage for a request that cannot be read.
void check_request(const std::string& request);

/// Student and teacher are measured side by side: raises kUsage unless they have equally many
/// outputs of the same shape, as far as the files tell.
void require_comparable(const Model& student, const Model& teacher);

/// The samples that may be looked at for it.
struct StudentData {
  const Dataset& dataset;
  std::vector<int64_t> indices;
  uint64_t seed = 1;
  int threads = 0;
};

/// Shrinks the teacher; open dimensions of its inputs are those of the first sample. Raises what
/// parse_shrink and shrink raise.
ShrinkResult make_student(const std::string& request, const Model& teacher,
                          const StudentData& data);

}  // namespace limbeck
