// Damaged files: any outcome but a categorised error or a usable model is a bug.
#include <catch2/catch_test_macros.hpp>
#include <random>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/analysis.h"
#include "lib/model/upgrade.h"
#include "lib/ops/op.h"
#include "tests/model/rich_model.h"
#include "tests/support/paths.h"

using namespace limbeck;

namespace {

/// Structure rather than weights: every message of the format is close to every byte.
std::string small_model() {
  test::ModelBuilder builder(11);
  builder.input("x", {-1, 3, 8, 8}).output("y");
  builder.weight("w", test::noise({4, 3, 3, 3}, 1)).weight("shape", test::ints({0, -1}));
  builder.weight("fc", test::noise({144, 5}, 2));
  builder.node("Conv", {"x", "w"}, {"c"}).with("kernel_shape", std::vector<int64_t>{3, 3});
  builder.node("Clip", {"c"}, {"r"});
  builder.node("Reshape", {"r", "shape"}, {"f"});
  builder.node("MatMul", {"f", "fc"}, {"m"});
  builder.node("Softmax", {"m"}, {"s"}).with("axis", 1);
  builder.node("Unsqueeze", {"s"}, {"y"}).with("axes", std::vector<int64_t>{0});
  return builder.bytes();
}

/// Everything that a command does with a model before it runs it. True when the model was usable.
bool survives(const std::string& bytes) {
  try {
    Model model = parse_model(bytes, ".");
    infer_shapes(model);
    analyse(model);
    upgrade_opset(model, 21);
    analyse(model);
    model.graph.dump_details();
    const Model copy = copy_model(model);
    CHECK(copy.graph.nodes().size() == model.graph.nodes().size());
    return true;
  } catch (const Error& error) {
    CHECK(error.category() != Category::kInternal);
    CHECK_FALSE(error.info().place.empty());
    CHECK_FALSE(error.info().rule.empty());
    return false;
  }
}

/// One to four changes: a bit flipped, a byte replaced, a stretch removed or repeated.
std::string mutated(std::string bytes, std::mt19937* generator) {
  const auto below = [generator](size_t limit) { return (*generator)() % limit; };
  for (size_t i = below(4) + 1; i > 0; --i) {
    const size_t at = below(bytes.size());
    const size_t length = std::min(below(16) + 1, bytes.size() - at);
    switch (below(4)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8))); break;
      case 1: bytes[at] = static_cast<char>(below(256)); break;
      case 2: bytes.erase(at, std::min(length, bytes.size() - 1)); break;
      default: bytes.insert(at, bytes.substr(at, length)); break;
    }
  }
  return bytes;
}

void mutate(const std::string& bytes, int rounds) {
  for (int seed = 0; seed < rounds; ++seed) {
    std::mt19937 generator(static_cast<unsigned>(seed));
    INFO("seed " << seed);
    survives(mutated(bytes, &generator));
  }
}

}  // namespace

TEST_CASE("damaged files of a small network give errors or usable models", "[model]") {
  REQUIRE(survives(small_model()));
  mutate(small_model(), 1500);
}

TEST_CASE("damaged files with subgraphs and functions give errors or usable models", "[model]") {
  const std::string bytes = test::rich_model().SerializeAsString();
  REQUIRE(survives(bytes));
  mutate(bytes, 1500);
}

TEST_CASE("a trained model with flipped bits gives an error or a usable model", "[model]") {
  mutate(read_file(test::fixture("fashion_mnist_cnn.onnx")), 200);
}

TEST_CASE("any single changed byte of a small model gives an error or a usable model", "[model]") {
  const std::string bytes = small_model();
  for (size_t at = 0; at < bytes.size(); at += at < 600 ? 1 : 13) {
    for (const int change : {0x01, 0x80, 0xFF}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ change);
      INFO("byte " << at << " xor " << change);
      survives(damaged);
    }
  }
}
