// docs/distillation.md names what exists.
#include <catch2/catch_test_macros.hpp>
#include <string>

#include "lib/autodiff/optimizers/method.h"
#include "lib/base/file.h"
#include "lib/distill/losses/table.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

/// The text with bars as a Markdown table needs them.
std::string in_table(std::string_view text) {
  std::string result;
  for (const char letter : text) result += letter == '|' ? "\\|" : std::string(1, letter);
  return result;
}

std::string source_text(const LossRow& row, OptionReader& optional, OptionReader& named) {
  std::string reads = "logits or taps";
  if (row.make(named).source == LossSource::kLogits) return "logits";
  try {
    row.make(optional);
  } catch (const std::exception&) {
    reads = "taps";
  }
  return reads;
}

}  // namespace

TEST_CASE("docs/distillation.md describes every loss and its options", "[distill]") {
  const std::string page = read_file(source_dir() / "docs/distillation.md");
  const nlohmann::json named = {{"student", "a"}, {"teacher", "b"}};
  const nlohmann::json nothing = nlohmann::json::object();
  for (const LossRow& row : loss_table()) {
    OptionReader with_taps(named, "");
    OptionReader without(nothing, "");
    const std::string source = source_text(row, without, with_taps);
    const std::string labels = row.make(with_taps).needs_labels ? "yes" : "no";
    const std::string start = "| `" + std::string(row.name) + "` | " + in_table(row.summary) +
                              " | " + source + " | " + labels + " | ";
    INFO(start);
    const size_t begin = page.find(start);
    REQUIRE(begin != std::string::npos);
    const std::string rest = page.substr(begin, page.find('\n', begin) - begin);
    for (const std::string& option : with_taps.names()) {
      INFO(option);
      CHECK(rest.find("`" + option + "`") != std::string::npos);
    }
  }
}

TEST_CASE("docs/distillation.md names every optimizer", "[distill]") {
  const std::string page = read_file(source_dir() / "docs/distillation.md");
  for (const OptimizerRow& row : optimizer_table()) {
    CHECK(page.find("`" + std::string(row.name) + "`") != std::string::npos);
  }
}

}  // namespace limbeck::test
