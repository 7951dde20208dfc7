// What a model consists of and what it costs, without running it: the facts behind `limbeck
// inspect`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck {

struct OperatorCount {
  std::string domain;  ///< "" for ai.onnx
  std::string op_type;
  int64_t count = 0;
};

struct OpsetImport {
  std::string domain;
  int64_t version = 0;
};

/// A graph input or output.
struct InterfaceTensor {
  std::string name;
  std::string type;            ///< lower-case ONNX name, "undefined" when unknown
  std::optional<Shape> shape;  ///< absent when the rank is unknown
};

/// A node that multiplies and accumulates.
struct NodeCost {
  std::string node;
  std::string op_type;
  int64_t macs = -1;         ///< multiply-accumulates for one sample; -1 when a shape is unknown
  bool quantized = false;    ///< reads dequantized or integer values already
  bool quantizable = false;  ///< float now, and one of the operators that have integer kernels
};

struct ModelSummary {
  int64_t ir_version = 0;
  std::string producer;
  std::vector<OpsetImport> opsets;
  std::vector<InterfaceTensor> inputs;
  std::vector<InterfaceTensor> outputs;
  std::vector<OperatorCount> operators;  ///< by domain and name; subgraphs are not entered
  int64_t nodes = 0;
  int64_t subgraph_nodes = 0;  ///< nodes inside the bodies of If, Loop and the like, at any depth
  int64_t functions = 0;       ///< model-local functions; their bodies are not entered
  int64_t parameters =
      0;  ///< elements of all constants but int64 and bool ones, which are shapes and indices
  int64_t weight_bytes = 0;     ///< of the same constants, as stored
  int64_t batch = 1;            ///< samples in one run; 1 when the batch dimension is symbolic
  std::vector<NodeCost> costs;  ///< in execution order
  int64_t macs = 0;             ///< for one sample, over the nodes whose shapes are known
  int64_t nodes_of_unknown_macs = 0;
  int64_t quantizable_nodes = 0;
  int64_t quantized_nodes = 0;
  double quantizable_mac_share = 0;  ///< 0 to 1, of `macs`
  double quantized_mac_share = 0;    ///< same
  int64_t peak_activation_bytes =
      0;  ///< one sample, nodes in order, freed after the last use, nothing done in place;
          ///< values computed from constants alone (dequantized weights) are no activations
  std::string peak_node;               ///< the node that runs when the peak is reached
  int64_t values_of_unknown_size = 0;  ///< activations left out of the peak
};

/// Works for every readable model, unknown operators included: what cannot be known is counted as
/// such. Shapes are taken as they stand in the graph; run infer_shapes before for models that do
/// not carry them. A symbolic or unknown first dimension counts as one, and so does its symbol
/// anywhere else; a fixed first dimension of the first input is divided out.
ModelSummary analyse(const Model& model);

}  // namespace limbeck
