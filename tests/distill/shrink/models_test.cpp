// Real networks: smaller, in the right share, and still running.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <filesystem>

#include "lib/distill/shrink/shrink.h"
#include "lib/engine/engine.h"
#include "lib/ops/op.h"
#include "tests/distill/shrink/shrink_support.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

struct RealModel {
  const char* name;
  Dims sample;
  int64_t outputs;
};

void check_runs(const Model& student, const RealModel& model) {
  Dims dims = model.sample;
  dims.insert(dims.begin(), 2);
  const Tensor x = noise(dims, 5);
  const auto outputs = Engine::compile(student)->run({x});
  REQUIRE(outputs[0].dims() == Dims{2, model.outputs});
  for (const float value : outputs[0].as<float>()) REQUIRE(std::isfinite(value));
}

void check_share(int64_t after, int64_t before, double share) {
  const double left = static_cast<double>(after) / static_cast<double>(before);
  INFO("left " << left << " of " << share);
  CHECK(left <= share * 1.03);
  CHECK(left >= share * 0.97);
}

void check_shrinks(const std::filesystem::path& path, const RealModel& model, double share) {
  INFO(model.name);
  const Model teacher = load_model(path);
  for (const bool by_macs : {true, false}) {
    ShrinkOptions options;
    options.sample_dims[""] = model.sample;
    (by_macs ? options.macs : options.size) = share;
    const ShrinkResult result = shrink(teacher, options);
    const TemporaryFolder folder;
    save_model(result.student, folder / "student.onnx");
    Model student = load_model(folder / "student.onnx");
    infer_shapes(student);
    check_runs(student, model);
    if (by_macs) check_share(result.macs_after, result.macs_before, share);
    if (!by_macs) {
      check_share(result.bytes_after, result.bytes_before, share);
      const auto before = static_cast<double>(std::filesystem::file_size(path));
      const auto after = static_cast<double>(std::filesystem::file_size(folder / "student.onnx"));
      // Names and structure stay, weights go.
      CHECK(after < before - 0.7 * static_cast<double>(result.bytes_before - result.bytes_after));
    }
  }
}

}  // namespace

TEST_CASE("the Fashion-MNIST network shrinks to half and to a fifth", "[distill][shrink]") {
  const RealModel model{"fashion_mnist_cnn", {1, 28, 28}, 10};
  check_shrinks(fixture("fashion_mnist_cnn.onnx"), model, 0.5);
  check_shrinks(fixture("fashion_mnist_cnn.onnx"), model, 0.2);
}

TEST_CASE("CNNs of the large data shrink to half", "[distill][shrink]") {
  for (const RealModel& model : {RealModel{"cifar10_resnet20", {3, 32, 32}, 10},
                                 RealModel{"cifar10_resnet8_untrained", {3, 32, 32}, 10},
                                 RealModel{"cifar10_mobilenetv2", {3, 32, 32}, 10},
                                 RealModel{"efficientnet_lite0", {3, 224, 224}, 1000},
                                 RealModel{"ch_ppocr_mobile_v2.0_cls_infer", {3, 48, 192}, 2}}) {
    const auto path = large_data("models/" + std::string(model.name) + ".onnx");
    if (path) check_shrinks(*path, model, 0.5);
  }
}

TEST_CASE("the wake-word embedding's 96 outputs keep their width", "[distill][shrink]") {
  const auto path = large_data("models/openwakeword_embedding.onnx");
  if (!path) return;
  const Model teacher = load_model(*path);
  ShrinkOptions options;
  options.macs = 0.5;
  options.sample_dims[""] = {76, 32, 1};
  const ShrinkResult result = shrink(teacher, options);
  check_share(result.macs_after, result.macs_before, 0.5);
  CHECK(result.layers.back().outputs_after == 96);
  CHECK(Engine::compile(result.student)->run({noise({2, 76, 32, 1}, 3)})[0].dims() ==
        Dims{2, 1, 1, 96});
}
