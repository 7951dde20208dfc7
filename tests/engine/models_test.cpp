// Whole models, fused and tapped, against one plain kernel a node.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/engine_compare.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

/// Every computed float value of the graph that has a known rank.
std::vector<std::string> float_values(const Model& model) {
  std::vector<std::string> names;
  for (const auto& node : model.graph.nodes()) {
    for (const Value* output : node->outputs()) {
      if (output != nullptr && output->constant() == nullptr && node->op_type() != "Constant")
        names.push_back(output->name());
    }
  }
  return names;
}

void check_model(const std::filesystem::path& path, const Dims& dims) {
  CAPTURE(path.filename().string());
  const Model model = load_model(path);
  const Tensor input = noise(dims, 5);
  const auto wanted = run_engine(model, {input}, false);
  check_close(wanted, run_engine(model, {input}, true), 2e-5F);
  check_close(wanted, run_engine(model, {input}, true, {}, 2), 2e-5F);
  // With everything tapped nothing is fused: other steps run.
  auto tapped = run_engine(model, {input}, true, float_values(model));
  tapped.resize(wanted.size());
  check_close(wanted, tapped, 2e-5F);
}

}  // namespace

TEST_CASE("the Fashion-MNIST model gives the same results fused, tapped and plain", "[engine]") {
  check_model(fixture("fashion_mnist_cnn.onnx"), {2, 1, 28, 28});
}

TEST_CASE("the CIFAR-10 models give the same results fused, tapped and plain", "[engine]") {
  for (const std::string name :
       {"cifar10_resnet20", "cifar10_mobilenetv2", "cifar10_resnet8_untrained"}) {
    if (const auto path = large_data("models/" + name + ".onnx"))
      check_model(*path, {2, 3, 32, 32});
  }
}

TEST_CASE("models with gates, pads and other orders of axes give the same results",
          "[engine][slow]") {
  if (const auto path = large_data("models/ch_ppocr_mobile_v2.0_cls_infer.onnx"))
    check_model(*path, {2, 3, 48, 192});
  if (const auto path = large_data("models/openwakeword_embedding.onnx"))
    check_model(*path, {1, 76, 32, 1});
  if (const auto path = large_data("models/efficientnet_lite0.onnx"))
    check_model(*path, {1, 3, 224, 224});
}

}  // namespace limbeck::test
