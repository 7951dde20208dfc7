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
  /// Tensors that nothing needs after the forward step: in a run that is repeated later, and in the
  /// run that the backward pass follows.
  std::vector<Slot> dead_first;
  std::vector<Slot> dead_final;
  std::vector<Slot> dead_backward;  ///< tensors that nothing needs after the backward step
  /// Parameters whose gradient is whole once this node has run backward.
  std::vector<size_t> completes;
};

/// Nodes [first, last) that run forward together. All but the last segment run twice.
struct Segment {
  size_t first = 0;
  size_t last = 0;
  std::vector<Slot> crossings;  ///< made here and read by later segments
};

struct Tape::Program {
  Model model;  ///< nodes and constants that the steps refer to
  std::vector<TapeNode> nodes;
  std::vector<Segment> segments;  ///< in order; they cover the nodes
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

/// Cuts the program into segments of about equal kept sizes, and finds where tensors die. `sizes`
/// holds the elements of each slot. Constants, parameters and inputs never die: others hold them.
void plan_memory(Tape::Program& program, const std::vector<int64_t>& sizes, size_t segments);

/// Fills TapeNode::completes; every parameter is read by a node.
void plan_completion(Tape::Program& program);

/// Raises kData unless the numbers agree.
void check_count(size_t received, size_t wanted, const char* what);

/// Element by element. Raises kInternal, with `place`, unless the tensors are alike.
Tensor sum_of(const Tensor& a, const Tensor& b, const std::string& place);

/// Runs one node forward and stores its outputs.
void run_node(const Tape::Program& program, size_t node, Pass& pass);

/// Calls f(slot) for every tensor that a node's backward step reads.
template <typename F>
void for_each_read(const TapeNode& node, F f) {
  if (!node.runs_backward) return;
  const GradientReads reads = node.step->reads();
  for (size_t i = 0; i < node.inputs.size(); ++i)
    if (node.inputs[i] != kNoSlot && reads.input(i)) f(node.inputs[i]);
  for (size_t i = 0; i < node.outputs.size(); ++i)
    if (node.outputs[i] != kNoSlot && reads.output(i)) f(node.outputs[i]);
}

}  // namespace limbeck
