// What is known about the history of the default domain's operators. Internal to lib/model.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "lib/model/upgrade_rules.h"

namespace limbeck {

/// A version of an operator that reads older models differently.
struct BreakingChange {
  int64_t opset = 0;
  UpgradeRule rule = nullptr;
};

/// An operator whose every version from 7 to kNewestUpgrade was reviewed.
struct OperatorHistory {
  std::string_view name;
  std::vector<BreakingChange>
      changes;  ///< ascending opsets; empty when an old node always stays valid
};

/// Sorted by name.
std::span<const OperatorHistory> operator_histories();

/// Null for an operator that is not in the table.
const OperatorHistory* find_history(std::string_view name);

}  // namespace limbeck
