#include <algorithm>
#include <array>
#include <map>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/report/compared.h"

namespace limbeck {
namespace {

using nlohmann::json;

enum class Better { kHigher, kLower };
/// Which paired statistic judges a figure.
enum class Pairing { kNone, kTop1, kLoss };

/// Where a figure stands in a report, and how a difference is judged.
struct FigureRow {
  const char* name;
  const char* unit;
  const char* pointer;
  Better better;
  /// The figure is a property of the file, not an estimate from samples.
  bool exact;
  /// Interval that is compared when no paired statistic judges the figure.
  const char* interval;
  Pairing pairing = Pairing::kNone;
};

constexpr std::array<FigureRow, 11> kFigures = {{
    {"top1", "%", "/evaluation/metrics/top1", Better::kHigher, false,
     "/evaluation/metrics/top1_interval", Pairing::kTop1},
    {"top5", "%", "/evaluation/metrics/top5", Better::kHigher, false, ""},
    {"loss", "nats", "/evaluation/metrics/loss", Better::kLower, false, "", Pairing::kLoss},
    {"agreement", "%", "/evaluation/metrics/agreement", Better::kHigher, false,
     "/evaluation/metrics/agreement_interval"},
    {"sqnr_db", "dB", "/evaluation/metrics/sqnr_db", Better::kHigher, false, ""},
    {"cosine", "", "/evaluation/metrics/cosine", Better::kHigher, false, ""},
    {"kl", "nats", "/evaluation/metrics/kl", Better::kLower, false, ""},
    {"worst_layer_sqnr_db", "dB", "", Better::kHigher, false, ""},
    {"model_bytes", "bytes", "/files/model/bytes", Better::kLower, true, ""},
    {"weight_bytes", "bytes", "/quantization/model_weight_bytes", Better::kLower, true, ""},
    {"integer_mac_share", "", "/quantization/integer_mac_share", Better::kHigher, true, ""},
}};

std::optional<double> find_number(const json& report, const char* pointer) {
  const json::json_pointer path(pointer);
  if (!report.contains(path)) return {};
  return report.at(path).get<double>();
}

std::optional<double> worst_layer(const json& report) {
  std::optional<double> worst;
  for (const json& layer : report.at("layers")) {
    const double sqnr = layer.at("sqnr_db");
    worst = std::min(worst.value_or(sqnr), sqnr);
  }
  return worst;
}

std::optional<double> value_of(const json& report, const FigureRow& row) {
  return *row.pointer == '\0' ? worst_layer(report) : find_number(report, row.pointer);
}

std::string judged(double gain) { return gain > 0 ? "better" : "worse"; }

ComparedFigure plain_figure(const std::string& name, double a, double b, const std::string& unit) {
  ComparedFigure figure;
  figure.name = name;
  figure.a = a;
  figure.b = b;
  figure.unit = unit;
  figure.reported_b = b;
  return figure;
}

struct Judgement {
  std::string verdict;
  std::string test;
};

/// Intervals that do not overlap even unpaired settle the matter; overlapping ones settle nothing,
/// since the samples are the same and errors go together.
Judgement judge_intervals(const json& a, const json& b, const FigureRow& row, double gain) {
  const json::json_pointer path(row.interval);
  if (*row.interval == '\0' || !a.contains(path) || !b.contains(path)) return {};
  const bool apart = a.at(path)[1].get<double>() < b.at(path)[0].get<double>() ||
                     b.at(path)[1].get<double>() < a.at(path)[0].get<double>();
  return apart ? Judgement{judged(gain), "disjoint intervals"} : Judgement{};
}

Judgement judge_figure(const json& a, const json& b, const FigureRow& row,
                       const ComparedFigure& figure, const std::optional<PairedRecords>& paired) {
  if (figure.a == figure.b) return {"same", ""};
  const double gain = row.better == Better::kHigher ? figure.b - figure.a : figure.a - figure.b;
  if (row.exact) return {judged(gain), ""};
  if (paired && row.pairing == Pairing::kTop1) {
    return {paired->statistics.significant ? judged(gain) : "noise", "exact McNemar test"};
  }
  if (paired && row.pairing == Pairing::kLoss) {
    const Interval& interval = paired->statistics.loss_interval;
    const bool apart = interval.low > 0 || interval.high < 0;
    return {apart ? judged(gain) : "noise", "paired bootstrap"};
  }
  return judge_intervals(a, b, row, gain);
}

double top1_of(const std::vector<SampleRecord>& records) {
  const auto hits = std::count_if(records.begin(), records.end(),
                                  [](const SampleRecord& record) { return record.correct; });
  return 100.0 * static_cast<double>(hits) / static_cast<double>(records.size());
}

double loss_of(const std::vector<SampleRecord>& records) {
  double sum = 0;
  for (const SampleRecord& record : records) sum += record.loss;
  return sum / static_cast<double>(records.size());
}

double shared_value(const std::vector<SampleRecord>& records, Pairing pairing) {
  return tidy(pairing == Pairing::kTop1 ? top1_of(records) : loss_of(records));
}

/// The reported figures, or those of the shared samples where there are others.
void set_values(const FigureRow& row, const std::optional<PairedRecords>& paired, bool same_samples,
                ComparedFigure* figure) {
  if (row.exact) return;
  figure->over = same_samples ? "shared samples" : "own samples";
  if (same_samples || !paired || row.pairing == Pairing::kNone) return;
  figure->over = "shared samples";
  figure->a = shared_value(paired->a, row.pairing);
  figure->b = shared_value(paired->b, row.pairing);
}

void append_user_metrics(const json& a, const json& b, bool same_samples,
                         std::vector<ComparedFigure>* figures) {
  const json empty = json::object();
  const json first = a.at("evaluation").at("metrics").value("user", empty);
  const json second = b.at("evaluation").at("metrics").value("user", empty);
  for (const auto& [name, value] : first.items()) {
    if (!second.contains(name)) continue;
    ComparedFigure figure = plain_figure("user." + name, value, second.at(name), "");
    if (figure.a == figure.b) figure.verdict = "same";
    figure.over = same_samples ? "shared samples" : "own samples";
    figures->push_back(std::move(figure));
  }
}

}  // namespace

std::vector<SampleRecord> model_records(const json& report, const std::string& place) {
  const json& records = report.at("records");
  if (!records.contains("model")) return {};
  const json& index = records.at("model").at("index");
  const json& loss = records.at("model").at("loss");
  const std::string correct = records.at("model").at("correct");
  if (index.size() != loss.size() || index.size() != correct.size() ||
      correct.find_first_not_of("01") != std::string::npos) {
    throw_error(Category::kData, place + " at records.model",
                "index, correct (of 0 and 1) and loss must be equally long",
                std::to_string(index.size()) + ", " + std::to_string(correct.size()) + " and " +
                    std::to_string(loss.size()) + " entries",
                "write the report again");
  }
  std::vector<SampleRecord> result;
  result.reserve(index.size());
  for (size_t i = 0; i < index.size(); ++i) {
    result.push_back({index[i].get<int64_t>(), correct[i] == '1', loss[i].get<double>()});
  }
  return result;
}

std::optional<PairedRecords> pair_reports(const json& a, const json& b) {
  const std::vector<SampleRecord> first = model_records(a, "the first report");
  const std::vector<SampleRecord> second = model_records(b, "the second report");
  if (first.empty() || second.empty()) return {};
  PairedRecords paired;
  paired.statistics = compare_records(first, second);
  std::map<int64_t, SampleRecord> of_b;
  for (const SampleRecord& record : second) of_b.emplace(record.index, record);
  std::map<int64_t, SampleRecord> of_a;
  for (const SampleRecord& record : first) of_a.emplace(record.index, record);
  for (const auto& [index, record] : of_a) {
    const auto found = of_b.find(index);
    if (found == of_b.end()) continue;
    paired.a.push_back(record);
    paired.b.push_back(found->second);
  }
  return paired;
}

std::vector<ComparedFigure> compare_figures(const json& a, const json& b,
                                            const std::optional<PairedRecords>& paired,
                                            bool same_samples) {
  std::vector<ComparedFigure> figures;
  for (const FigureRow& row : kFigures) {
    const std::optional<double> first = value_of(a, row);
    const std::optional<double> second = value_of(b, row);
    if (!first || !second) continue;
    ComparedFigure figure = plain_figure(row.name, *first, *second, row.unit);
    set_values(row, paired, same_samples, &figure);
    const Judgement judgement = judge_figure(a, b, row, figure, paired);
    figure.verdict = judgement.verdict;
    figure.test = judgement.test;
    figures.push_back(std::move(figure));
  }
  append_user_metrics(a, b, same_samples, &figures);
  return figures;
}

}  // namespace limbeck
