#include "lib/evaluate/metric_command.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/evaluate/npz_writer.h"

namespace limbeck {
namespace {

constexpr size_t kQuotedCharacters = 80;

[[noreturn]] void throw_answer(const std::string& received) {
  throw_error(Category::kData, "metric command",
              "its standard output must be one JSON object of finite numbers, such as "
              "{\"map\": 41.5}",
              received, "print messages to standard error (docs/formats/metric_command.md)");
}

/// The start of what the command printed, on one line.
std::string excerpt(std::string_view text) {
  if (text.empty()) return "nothing";
  std::string start(text.substr(0, kQuotedCharacters));
  for (char& letter : start) {
    if (static_cast<unsigned char>(letter) < ' ') letter = ' ';
  }
  return "'" + start + (text.size() > kQuotedCharacters ? "...'" : "'");
}

void require_success(const std::string& failure) {
  if (failure.empty()) return;
  throw_error(Category::kData, "metric command", "it must end with exit status 0", failure,
              "see its messages above, or run it by hand");
}

}  // namespace

std::string metric_message(const Batch& batch, std::span<const Tensor> outputs,
                           const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, Tensor>> arrays;
  for (size_t i = 0; i < outputs.size(); ++i) arrays.emplace_back(names[i], outputs[i]);
  const auto add = [&](const char* name, const std::vector<int64_t>& values) {
    // An output of the same name is what the user's program expects under it.
    if (values.empty() || std::find(names.begin(), names.end(), name) != names.end()) return;
    arrays.emplace_back(name, Tensor::from({static_cast<int64_t>(values.size())}, values));
  };
  add("sample_index", batch.indices);
  add("sample_label", batch.labels);
  const std::string bytes = npz_bytes(arrays);
  const nlohmann::ordered_json header = {{"bytes", bytes.size()},
                                         {"samples", batch.indices.size()}};
  return header.dump() + "\n" + bytes;
}

std::map<std::string, double> parse_metric_answer(std::string_view answer) {
  const nlohmann::json document = nlohmann::json::parse(answer, nullptr, false);
  if (!document.is_object() || document.empty()) throw_answer(excerpt(answer));
  std::map<std::string, double> numbers;
  for (const auto& [name, value] : document.items()) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) {
      throw_answer("'" + name + "': " + excerpt(value.dump()));
    }
    numbers[name] = value.get<double>();
  }
  return numbers;
}

void MetricCommand::send(std::string_view message) {
  child_.send(message);
  require_success(child_.early_failure());
}

std::map<std::string, double> MetricCommand::answer() {
  const ChildProcess::Result result = child_.finish();
  require_success(result.failure);
  return parse_metric_answer(result.output);
}

}  // namespace limbeck
