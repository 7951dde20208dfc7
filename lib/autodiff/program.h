// The compiled form of a tape. Internal to lib/autodiff.
#pragma once

#include <unordered_map>
#include <unordered_set>

#include "lib/autodiff/tape.h"

namespace limbeck {

/// Position of a value among the values of a pass.
using Slot = size_t;
inline constexpr Slot kNoSlot = ~size_t{0};

struct TapeNode {
  std::unique_ptr<TapeStep> step;
  std::string place;
  std::vector<Slot> inputs;     ///< kNoSlot where left out
  std::vector<Slot> outputs;    ///< kNoSlot where left out
  std::vector<uint8_t> wanted;  ///< inputs whose gradient is asked for
  bool runs_backward = false;
  std::vector<Slot> dead_forward;   ///< tensors that nothing needs after the forward step
  std::vector<Slot> dead_backward;  ///< tensors that nothing needs after the backward step
};

struct Tape::Program {
  Model model;  ///< nodes and constants that the steps refer to
  std::vector<TapeNode> nodes;
  size_t slots = 0;
  std::vector<std::pair<Slot, Tensor>> constants;
  std::vector<Parameter> parameters;
  std::vector<Slot> parameter_slots;
  std::vector<std::string> input_names;
  std::vector<Slot> input_slots;
  std::vector<DataType> input_types;
  std::vector<std::string> output_names;
  std::vector<Slot> output_slots;
  std::vector<Slot> gradient_slots;  ///< of TrainOptions::gradients_of
  std::vector<BatchNormSite> batch_norms;
  std::vector<size_t> batch_norm_nodes;
  std::vector<uint8_t> keeps_gradient;  ///< one flag a slot: parameter or gradients_of
};

}  // namespace limbeck
