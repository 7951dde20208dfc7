// The user's own metric: a program that reads outputs and answers with numbers. The protocol is
// docs/formats/metric_command.md. Internal to lib/evaluate.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/data/dataset.h"
#include "lib/evaluate/child_process.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// What the command reads for one micro-batch: a line of JSON with the size, then the bytes of an
/// .npz file. `names` are those of the outputs.
std::string metric_message(const Batch& batch, std::span<const Tensor> outputs,
                           const std::vector<std::string>& names);

/// The numbers of an answer: one JSON object, not empty, of finite numbers. Raises kData otherwise.
std::map<std::string, double> parse_metric_answer(std::string_view answer);

/// One run of the command over the outputs of one model.
class MetricCommand {
 public:
  /// Starts the command. `patience` in seconds: how long it may do nothing at all; 0 for ever.
  MetricCommand(const std::string& command, int64_t patience) : child_(command, patience) {}
  /// Raises kData as soon as the command has failed, and when its patience is over.
  void send(std::string_view message);
  /// Ends the input and waits for the answer. Raises kData when the command fails or its answer is
  /// no object of numbers.
  std::map<std::string, double> answer();

 private:
  ChildProcess child_;
};

}  // namespace limbeck
