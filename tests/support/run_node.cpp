#include "tests/support/run_node.h"

#include <catch2/catch_test_macros.hpp>

#include "lib/engine/engine.h"
#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

struct Prepared {
  Model model;
  std::vector<Tensor> fed;
};

Prepared prepare(const NodeCase& node_case, bool stored) {
  ModelBuilder builder(node_case.opset);
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  std::vector<Tensor> fed;
  for (size_t i = 0; i < node_case.inputs.size(); ++i) {
    const Tensor& tensor = node_case.inputs[i];
    inputs.push_back(tensor.empty() ? "" : "i" + std::to_string(i));
    if (tensor.empty()) continue;
    if (stored && i > 0) {
      builder.weight(inputs.back(), tensor);
    } else {
      builder.input(inputs.back(), tensor.dims(), tensor.type());
      fed.push_back(tensor);
    }
  }
  for (size_t i = 0; i < node_case.outputs; ++i) {
    outputs.push_back("o" + std::to_string(i));
    builder.output(outputs.back(), DataType::kUndefined);
  }
  NodeBuilder node = builder.node(node_case.op, inputs, outputs);
  node_case.attributes(node);
  return {builder.build(), std::move(fed)};
}

}  // namespace

std::vector<Tensor> run_node(const NodeCase& node_case) {
  std::vector<Tensor> first;
  for (const bool stored : {false, true}) {
    const Prepared prepared = prepare(node_case, stored);
    for (const bool fuse : {false, true}) {
      INFO("stored: " << stored << ", fuse: " << fuse);
      EngineOptions options;
      options.fuse = fuse;
      const auto engine = Engine::compile(prepared.model, options);
      const std::vector<Tensor> outputs = engine->run(prepared.fed);
      if (first.empty()) first = outputs;
      REQUIRE(outputs.size() == first.size());
      for (size_t i = 0; i < first.size(); ++i)
        CHECK(tensor_difference(outputs[i], first[i]) == "");
    }
  }
  return first;
}

std::vector<int64_t> whole(const Tensor& tensor) { return tensor.to_int64(); }
std::vector<float> real(const Tensor& tensor) { return tensor.to_float(); }

}  // namespace limbeck::test
