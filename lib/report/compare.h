// compare(report, report, gate) -> Verdict.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace limbeck {

/// One line of the comparison table.
struct ComparedFigure {
  std::string name;  ///< "top1", "agreement", "model_bytes", "user.map" ...
  double a = 0;
  double b = 0;
  std::string unit;     ///< "%", "nats", "dB", "bytes" or ""
  std::string verdict;  ///< "better", "worse", "noise" (not significant), "same" or "" (not judged)
  std::string test;     ///< what the verdict rests on: "exact McNemar test", "paired bootstrap",
                        ///< "disjoint intervals"; empty where a difference needs none
  /// What a and b were measured on: "shared samples"; "own samples", where the reports measured
  /// different ones and the figure cannot be taken over those in both; empty for properties of the
  /// file.
  std::string over;
  double reported_b = 0;  ///< what report b states, over all its samples
};

struct GateResult {
  std::string rule;  ///< as in the gate file, readable
  bool passed = false;
  double value = 0;
  std::string note;  ///< why a rule passed although its limit was exceeded; usually empty
};

struct Comparison {
  std::vector<ComparedFigure> figures;
  bool paired = false;         ///< per-sample results of the same samples were there
  int64_t samples_a = 0;       ///< that report a was measured on
  int64_t samples_b = 0;       ///< same of b
  int64_t shared_samples = 0;  ///< in both, which the paired statistics are over; 0 unless paired
  double p_value = 1;
  std::string summary;  ///< one sentence: what changed and whether it is noise
  std::vector<GateResult> gates;
  bool passed = true;  ///< every rule of the gate
};

/// `a` and `b` are reports that follow their schema (load_report). `gate` null: no rules. Gate
/// file: schemas/gate.schema.json, docs/formats/gate.md, for example
/// {"version": 1, "max_drop": {"top1": 0.5}, "min": {"agreement": 99.0}, "max": {"model_bytes":
/// 100000}, "ignore_noise": true}: `max_drop` and `max_rise` compare b with a, `min` and `max` look
/// at b alone; with ignore_noise a change of top1 or loss that is not significant passes. top1 and
/// loss are compared over the samples that both reports measured; `min` and `max` look at what b
/// states. Raises kData for a rule about
/// a figure that the reports lack, and when the reports come from different evaluation data or
/// share no sample.
Comparison compare_reports(const nlohmann::json& a, const nlohmann::json& b,
                           const nlohmann::json& gate);

/// Loads and validates a gate. Raises kIo, kData.
nlohmann::json load_gate(const std::filesystem::path& path);

/// Tables for a terminal and for a pull request, each with the summary and the gate's rules.
std::string comparison_text(const Comparison& comparison);
std::string comparison_markdown(const Comparison& comparison);
/// Follows schemas/comparison.schema.json, docs/formats/comparison.md.
nlohmann::ordered_json comparison_json(const Comparison& comparison);

}  // namespace limbeck
