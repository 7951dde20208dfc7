// Runs one operator call in every way that the engine has.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lib/model/model.h"
#include "tests/support/model_builder.h"

namespace limbeck::test {

struct NodeCase {
  std::string op;
  int64_t opset = 13;
  std::vector<Tensor> inputs;  ///< Tensor{} for one left out
  std::function<void(NodeBuilder&)> attributes = [](NodeBuilder&) {};
  size_t outputs = 1;
};

/// The outputs. Runs with plain kernels and fused, with all inputs fed and with all but the first
/// stored in the model; fails the test when the four do not agree.
std::vector<Tensor> run_node(const NodeCase& node_case);

/// The values as int64 and as float.
std::vector<int64_t> whole(const Tensor& tensor);
std::vector<float> real(const Tensor& tensor);

}  // namespace limbeck::test
