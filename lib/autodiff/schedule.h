// The learning rate as a function of the step.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace limbeck {

/// Times are shares of the whole run (0 to 1), so that a recipe holds for any number of epochs.
struct ScheduleOptions {
  std::string kind = "cosine";  ///< constant, step, cosine or one_cycle
  double learning_rate = 0.1;   ///< the largest
  double warmup = 0;            ///< linear rise at the start; not with one_cycle, which has its own
  std::vector<double> milestones = {0.5, 0.75};  ///< step: when the rate is multiplied
  double factor = 0.1;                           ///< step: by how much
  double final_share = 0;      ///< cosine: the rate at the end, as a share of the largest
  double rise = 0.3;           ///< one_cycle: how long the rate rises
  double start_divisor = 25;   ///< one_cycle: largest / first rate
  double final_divisor = 1e4;  ///< one_cycle: first / last rate
};

/// Reads {"kind": "cosine", "learning_rate": 0.1, "warmup": 0.05, ...}; raises kUsage. `place` is
/// its JSON pointer.
ScheduleOptions read_schedule(const nlohmann::json& object, const std::string& place);

/// Rate of update `step` (from 0) of `steps`; a pure function. With w = round(warmup * steps):
///   step < w:   learning_rate * (step + 1) / w
///   constant:   learning_rate
///   step:       learning_rate * factor^(milestones m with step >= round(m * steps))
///   cosine:     end + (learning_rate - end) * (1 + cos(pi * (step - w) / (steps - w))) / 2
///               (I. Loshchilov, F. Hutter, "SGDR", ICLR 2017, equation 5, without restarts)
///   one_cycle:  from learning_rate / start_divisor up to learning_rate at step rise * steps - 1,
///   then
///               down to the first rate / final_divisor at the last step, both by half a cosine
///               (L. Smith, N. Topin, "Super-Convergence", 2017; PyTorch's OneCycleLR)
/// Raises kInternal unless 0 <= step < steps.
double learning_rate(const ScheduleOptions& options, int64_t step, int64_t steps);

}  // namespace limbeck
