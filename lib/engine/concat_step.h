// Concatenation that keeps channels-last activations as they are.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/engine/code_table.h"
#include "lib/engine/step.h"

namespace limbeck {

struct ConcatSpec {
  std::string place;
  size_t axis = 0;
  /// One an input, for 8-bit codes whose parameters differ from the result's; empty: none has one.
  std::vector<std::optional<CodeMap>> maps;
  /// Type of the result; kUndefined: that of the inputs.
  DataType type = DataType::kUndefined;
};
std::unique_ptr<StepKernel> make_concat(ConcatSpec spec);

}  // namespace limbeck
