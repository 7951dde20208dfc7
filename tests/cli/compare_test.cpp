#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "lib/base/file.h"
#include "tests/support/example_report.h"
#include "tests/support/paths.h"

using Catch::Matchers::ContainsSubstring;
using limbeck::test::CommandResult;
using limbeck::test::example_report;
using limbeck::test::run_program;
using limbeck::test::TemporaryFolder;

namespace {

/// Two reports whose models have ten and four of ten samples right, and gates that b passes and
/// fails.
class Reports {
 public:
  Reports() {
    nlohmann::json b = example_report("1111000000");
    b["files"]["model"]["bytes"] = 9000;
    write("a.json", example_report("1111111111").dump());
    write("b.json", b.dump());
    write("lenient.json", R"({"version": 1, "max_drop": {"top1": 60}})");
    write("strict.json",
          R"({"version": 1, "max_drop": {"top1": 0.5}, "max": {"model_bytes": 10000}})");
  }
  void write(const std::string& name, const std::string& text) {
    limbeck::write_file_atomically(folder_ / name, text);
  }
  CommandResult compare(const std::string& arguments) const {
    return run_program("compare " + arguments, folder_.path());
  }

 private:
  TemporaryFolder folder_;
};

constexpr const char* kTable =
    "figure                          a        b    change\n"
    "top1 (%)                   100.00    40.00    -60.00  worse (exact McNemar test)\n"
    "loss (nats)               0.25000  1.30000  +1.05000  worse (paired bootstrap)\n"
    "agreement (%)               90.00    90.00      0.00  same\n"
    "sqnr_db (dB)                 31.5     31.5       0.0  same\n"
    "worst_layer_sqnr_db (dB)     22.5     22.5       0.0  same\n"
    "model_bytes (bytes)        12,000    9,000    -3,000  better\n"
    "integer_mac_share            0.75     0.75         0  same\n";

constexpr const char* kSummary =
    "\nTop-1 falls by 60.00 points on the 10 samples that both reports measured: significant, not "
    "noise (exact McNemar p = 0.031; only right in a 6, only in b 0; 95 % interval of the change "
    "-83.18 to -15.59).\n";

}  // namespace

TEST_CASE("compare prints a table and what changed", "[cli]") {
  const CommandResult result = Reports().compare("a.json b.json");
  CHECK(result.exit_code == 0);
  CHECK(result.out == std::string(kTable) + kSummary);
  CHECK(result.err.empty());
}

TEST_CASE("compare prints Markdown", "[cli]") {
  const CommandResult result = Reports().compare("a.json b.json --markdown --gate lenient.json");
  CHECK(result.exit_code == 0);
  CHECK(result.out ==
        "| figure | a | b | change | |\n"
        "| --- | ---: | ---: | ---: | --- |\n"
        "| top1 (%) | 100.00 | 40.00 | -60.00 | worse (exact McNemar test) |\n"
        "| loss (nats) | 0.25000 | 1.30000 | +1.05000 | worse (paired bootstrap) |\n"
        "| agreement (%) | 90.00 | 90.00 | 0.00 | same |\n"
        "| sqnr\\_db (dB) | 31.5 | 31.5 | 0.0 | same |\n"
        "| worst\\_layer\\_sqnr\\_db (dB) | 22.5 | 22.5 | 0.0 | same |\n"
        "| model\\_bytes (bytes) | 12,000 | 9,000 | -3,000 | better |\n"
        "| integer\\_mac\\_share | 0.75 | 0.75 | 0 | same |\n" +
            std::string(kSummary) +
            "\n| gate | value | |\n"
            "| --- | ---: | --- |\n"
            "| top1 must not drop by more than 60 points | 60 | pass |\n");
}

TEST_CASE("compare answers in JSON", "[cli]") {
  const CommandResult result = Reports().compare("a.json b.json --json --quiet");
  CHECK(result.exit_code == 0);
  const nlohmann::json answer = nlohmann::json::parse(result.out);
  CHECK(answer.at("paired") == true);
  CHECK(answer.at("p_value") == 0.03125);
  CHECK(answer.at("passed") == true);
  CHECK(answer.at("figures")[0].dump() ==
        R"({"a":100.0,"b":40.0,"change":-60.0,"name":"top1","over":"shared samples",)"
        R"("test":"exact McNemar test","unit":"%","verdict":"worse"})");
}

TEST_CASE("compare prints the comparison and exits with 7 when the gate fails", "[cli]") {
  const CommandResult result = Reports().compare("a.json b.json --gate strict.json");
  CHECK(result.exit_code == 7);
  CHECK(result.out == std::string(kTable) + kSummary +
                          "FAIL  top1 must not drop by more than 0.5 points: 60\n"
                          "pass  model_bytes must be at most 10000 bytes: 9000\n");
  CHECK(result.err ==
        "limbeck: gate failed: strict.json: every rule of the gate must hold; got violated: top1 "
        "must not drop by more than 0.5 points. Next: look at report.html of the second report for "
        "the layers that lose most\n");
}

TEST_CASE("compare exits with 0 when the gate passes", "[cli]") {
  const CommandResult result = Reports().compare("a.json b.json --gate lenient.json");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out,
             ContainsSubstring("pass  top1 must not drop by more than 60 points: 60\n"));
}

TEST_CASE("compare refuses reports and gates that it cannot judge", "[cli]") {
  Reports reports;
  nlohmann::json other = example_report("1111");
  other["evaluation"]["data_hash"] = "0123456789abcdef";
  reports.write("other.json", other.dump());
  reports.write("broken.json", "{\"version\": 1");
  reports.write("unknown.json", R"({"version": 1, "min": {"f1": 1}})");
  const auto refused = [&reports](const std::string& arguments, int code,
                                  const std::string& message) {
    const CommandResult result = reports.compare(arguments);
    CHECK(result.exit_code == code);
    CHECK_THAT(result.err, ContainsSubstring(message));
    CHECK(result.out.empty());
  };
  refused("a.json other.json", 5, "both must come from the same evaluation data");
  refused("a.json broken.json", 5, "broken.json: the file must be valid JSON");
  refused("a.json missing.json", 6, "missing.json");
  refused("a.json lenient.json", 5, "the document must follow the schema 'report'");
  refused("a.json b.json --gate unknown.json", 5, "gate rule min.f1: the figure must be in both");
  refused("a.json b.json --gate broken.json", 5, "broken.json: the file must be valid JSON");
  refused("a.json b.json --json --markdown", 2, "--json and --markdown exclude each other");
}

TEST_CASE("compare explains itself with examples", "[cli]") {
  const CommandResult result = run_program("compare --help");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("limbeck compare old/report.json new/report.json"));
}

TEST_CASE("compare prints no minus zero", "[cli]") {
  Reports reports;
  reports.write("gate.json", R"({"version": 1, "max_drop": {"top1": 0.5, "agreement": 1}})");
  const CommandResult result = reports.compare("a.json a.json --gate gate.json");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("top1 must not drop by more than 0.5 points: 0\n"));
  CHECK_THAT(result.out, !ContainsSubstring("-0\n"));
  CHECK_THAT(reports.compare("a.json a.json --gate gate.json --json").out,
             !ContainsSubstring("-0.0"));
}

TEST_CASE("compare refuses reports that share no sample", "[cli]") {
  Reports reports;
  nlohmann::json other = example_report("1111");
  other["records"]["model"]["index"] = {100, 101, 102, 103};
  reports.write("other.json", other.dump());
  const CommandResult result = reports.compare("a.json other.json");
  CHECK(result.exit_code == 5);
  CHECK_THAT(result.err, ContainsSubstring("both must cover at least one common sample"));
  CHECK(result.out.empty());
}
