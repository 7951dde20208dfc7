// Every loss that a recipe can name.
#pragma once

#include <span>
#include <string_view>

#include "lib/base/option_reader.h"
#include "lib/distill/losses/loss.h"

namespace limbeck {

struct LossRow {
  std::string_view name;
  std::string_view summary;  ///< formula in one line, as docs/distillation.md shows it
  /// Reads the loss's options; raises kUsage. Options that it does not read are for others.
  LossTerm (*make)(OptionReader& reader);
};

/// In the order of the documentation; names are unique.
std::span<const LossRow> loss_table();

}  // namespace limbeck
