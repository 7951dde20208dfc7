// The one error type of limbeck. Thrown anywhere in lib/ and calibration/, caught exactly once, in
// tools/.
#pragma once

#include <stdexcept>
#include <string>

namespace limbeck {

/// What went wrong, in the terms a caller can act on. The numeric value is the process exit code
/// (docs/errors.md).
enum class Category {
  kInternal = 1,
  kUsage = 2,
  kInvalidModel = 3,
  kUnsupported = 4,
  kData = 5,
  kIo = 6,
  kGateFailed = 7,
  kVerificationFailed = 8,
  kInterrupted = 130,
};

/// Lower-case name used in messages and in JSON, for example "invalid model".
std::string category_name(Category category);

/// Exit code of the process for an error of this category.
constexpr int exit_code(Category category) { return static_cast<int>(category); }

/// The four things every error tells beside its category. All are plain sentences or fragments
/// without final full stop.
struct ErrorInfo {
  Category category = Category::kInternal;
  std::string place;      ///< where: a file, node, tensor, option or JSON pointer
  std::string rule;       ///< what must hold, for example "a scale must be finite and above zero"
  std::string received;   ///< what was found instead; may be empty when nothing was found at all
  std::string next_step;  ///< what the user can do about it
};

/// Immutable; safe to copy and to throw across threads.
class Error : public std::runtime_error {
 public:
  explicit Error(ErrorInfo info);
  const ErrorInfo& info() const { return info_; }
  Category category() const { return info_.category; }

 private:
  ErrorInfo info_;
};

/// Shorthands used at throw sites: throw_data(place, rule, received, next_step).
[[noreturn]] void throw_error(Category category, std::string place, std::string rule,
                              std::string received, std::string next_step);

}  // namespace limbeck
