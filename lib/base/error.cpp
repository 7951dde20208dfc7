#include "lib/base/error.h"

#include <utility>

#include "lib/base/format.h"

namespace limbeck {
namespace {

std::string format_message(const ErrorInfo& info) {
  std::string text = category_name(info.category) + ": " + info.place + ": " + info.rule;
  if (!info.received.empty()) text += "; got " + info.received;
  if (!info.next_step.empty()) text += ". Next: " + info.next_step;
  // Names come from untrusted files; a message is one line and must not act on a terminal.
  return printable(text);
}

}  // namespace

std::string category_name(Category category) {
  switch (category) {
    case Category::kInternal: return "internal error";
    case Category::kUsage: return "usage";
    case Category::kInvalidModel: return "invalid model";
    case Category::kUnsupported: return "unsupported";
    case Category::kData: return "data";
    case Category::kIo: return "input/output";
    case Category::kGateFailed: return "gate failed";
    case Category::kVerificationFailed: return "verification failed";
    case Category::kInterrupted: return "interrupted";
  }
  return "internal error";
}

Error::Error(ErrorInfo info) : std::runtime_error(format_message(info)), info_(std::move(info)) {}

void throw_error(Category category, std::string place, std::string rule, std::string received,
                 std::string next_step) {
  throw Error(
      {category, std::move(place), std::move(rule), std::move(received), std::move(next_step)});
}

}  // namespace limbeck
