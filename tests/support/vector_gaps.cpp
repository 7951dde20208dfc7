#include <map>

#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

constexpr const char* kRandomMask = "a mask drawn by numpy's random numbers";
constexpr const char* kTruncated = "its generator truncates to bfloat16 instead of rounding";
constexpr const char* kOtherShape = "its input does not have the shape that its model declares";

/// Case -> why no kernel of the table runs it.
const std::map<std::string, std::string>& gaps() {
  static const std::map<std::string, std::string> kGaps = {
      {"node/test_cast_FLOAT_to_BFLOAT16", kTruncated},
      {"node/test_castlike_BFLOAT16_to_FLOAT_expanded", kOtherShape},
      {"node/test_castlike_FLOAT_to_BFLOAT16_expanded", kOtherShape},
      {"node/test_training_dropout", kRandomMask},
      {"node/test_training_dropout_default", kRandomMask},
      {"node/test_training_dropout_default_mask", kRandomMask},
      {"node/test_training_dropout_mask", kRandomMask},
  };
  return kGaps;
}

}  // namespace

std::optional<std::string> known_gap(const std::string& name) {
  const auto found = gaps().find(name);
  return found == gaps().end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> known_gaps() {
  std::vector<std::string> names;
  for (const auto& [name, reason] : gaps()) names.push_back(name);
  return names;
}

}  // namespace limbeck::test
