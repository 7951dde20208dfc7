#include "lib/report/compare.h"

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/base/error.h"
#include "lib/report/report.h"
#include "tools/commands.h"

namespace limbeck {
namespace {

struct CompareOptions {
  CommonOptions common;
  std::string first;
  std::string second;
  std::string gate;
  bool markdown = false;
};

void print(const Comparison& comparison, const CompareOptions& options) {
  if (options.common.json) {
    std::cout << comparison_json(comparison).dump(2) << "\n";
  } else if (options.markdown) {
    std::cout << comparison_markdown(comparison);
  } else {
    std::cout << comparison_text(comparison);
  }
  std::cout.flush();
}

void require_passed(const Comparison& comparison, const std::string& gate) {
  if (comparison.passed) return;
  std::string failed;
  for (const GateResult& result : comparison.gates) {
    if (!result.passed) failed += (failed.empty() ? "" : "; ") + result.rule;
  }
  throw_error(Category::kGateFailed, gate, "every rule of the gate must hold",
              "violated: " + failed,
              "look at report.html of the second report for the layers that lose most");
}

void compare(const CompareOptions& options) {
  if (options.common.json && options.markdown) {
    throw_error(Category::kUsage, "limbeck compare", "--json and --markdown exclude each other",
                "both", "choose one");
  }
  const nlohmann::json gate = options.gate.empty() ? nlohmann::json() : load_gate(options.gate);
  const Comparison comparison =
      compare_reports(load_report(options.first), load_report(options.second), gate);
  print(comparison, options);
  require_passed(comparison, options.gate);
}

}  // namespace

void add_compare_command(CLI::App& app) {
  auto options = std::make_shared<CompareOptions>();
  CLI::App* command = app.add_subcommand(
      "compare", "Compare two reports on the same data; with a gate, fail on what it forbids");
  command->add_option("a", options->first, "report.json of the baseline")->required();
  command->add_option("b", options->second, "report.json of the candidate")->required();
  command->add_option("--gate", options->gate,
                      "Rules (docs/formats/gate.md); exit code 7 when one is violated");
  command->add_flag("--markdown", options->markdown, "Print Markdown tables");
  add_common_options(command, &options->common);
  command->footer(
      "Examples:\n"
      "  limbeck compare old/report.json new/report.json\n"
      "  limbeck compare old/report.json new/report.json --gate gate.json\n"
      "  limbeck compare old/report.json new/report.json --markdown >> \"$GITHUB_STEP_SUMMARY\"");
  command->callback([options] { compare(*options); });
}

}  // namespace limbeck
