#include <catch2/catch_test_macros.hpp>
#include <filesystem>

#include "lib/base/file.h"
#include "lib/model/model.h"
#include "tests/support/paths.h"

using namespace limbeck;

namespace {

const std::filesystem::path kModel = test::fixture("fashion_mnist_cnn.onnx");

}  // namespace

TEST_CASE("a saved model loads again with the same graph and weights", "[model]") {
  const Model model = load_model(kModel);
  const auto path = std::filesystem::temp_directory_path() / "limbeck_roundtrip.onnx";
  save_model(model, path);
  const Model again = load_model(path);
  CHECK(again.graph.dump() == model.graph.dump());
  for (const Value* value : model.graph.values()) {
    if (value->constant() == nullptr) continue;
    const Value* other = again.graph.find(value->name());
    REQUIRE(other != nullptr);
    CHECK(other->constant()->to_float() == value->constant()->to_float());
  }
  std::filesystem::remove(path);
}

TEST_CASE("a copy is independent of the original graph", "[model]") {
  const Model model = load_model(kModel);
  Model copy = copy_model(model);
  CHECK(copy.graph.dump() == model.graph.dump());
  copy.graph.add_initializer("extra", Tensor::scalar<float>(1));
  CHECK(model.graph.find("extra") == nullptr);
}
