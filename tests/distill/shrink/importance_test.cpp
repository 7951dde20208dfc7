// What channels and blocks are worth.
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <cmath>

#include "lib/base/file.h"
#include "lib/distill/shrink/blocks.h"
#include "lib/distill/shrink/channel_importance.h"
#include "lib/engine/engine.h"
#include "lib/ops/op.h"
#include "tests/distill/shrink/shrink_support.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

/// Three channels made by `a`, read by the classifier `fc`.
Model small_classifier(const std::vector<float>& scales) {
  ModelBuilder builder(17);
  builder.input("image", {-1, 2, 4, 4});
  Tensor filters = Tensor::from<float>({3, 2, 1, 1}, noise({3, 2, 1, 1}, 1).to_float());
  for (size_t i = 0; i < 6; ++i) filters.mutable_as<float>()[i] *= scales[i / 2];
  builder.weight("a.w", filters).weight("fc.w", noise({3, 4}, 2));
  builder.node("Conv", {"image", "a.w"}, {"x"});
  builder.node("Relu", {"x"}, {"r"});
  builder.node("GlobalAveragePool", {"r"}, {"g"});
  builder.node("Flatten", {"g"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w"}, {"logits"});
  builder.output("logits");
  Model model = builder.build();
  infer_shapes(model);
  return model;
}

std::vector<double> values_of(const ChannelImportance& importance) {
  std::vector<double> values;
  for (const auto& [channel, value] : importance) values.push_back(value);
  return values;
}

ChannelImportance gradients(const Model& model, int64_t samples, int threads = 1) {
  const ChannelMap map = map_channels(model);
  const NoiseData data({2, 4, 4}, samples);
  return gradient_importance(model, map, group_channels(model, map), {data, 3, threads}, samples);
}

/// Mean KL(model || model without channel `silent`) over the same noise.
double divergence_without(const Model& model, size_t silent, int64_t samples) {
  Model without = copy_model(model);
  Value* filters = without.graph.find("a.w");
  Tensor tensor = filters->constant()->clone();
  for (size_t i = 2 * silent; i < 2 * silent + 2; ++i) tensor.mutable_as<float>()[i] = 0;
  without.graph.set_constant(filters, tensor);
  const auto first = Engine::compile(model);
  const auto second = Engine::compile(without);
  double sum = 0;
  const NoiseData data({2, 4, 4}, samples);
  for (int64_t i = 0; i < samples; ++i) {
    const std::vector<Tensor> x = data.read({&i, 1}).inputs;
    const Tensor a = first->run(x)[0];
    const Tensor b = second->run(x)[0];
    double za = 0;
    double zb = 0;
    for (size_t k = 0; k < 4; ++k) {
      za += std::exp(static_cast<double>(a.as<float>()[k]));
      zb += std::exp(static_cast<double>(b.as<float>()[k]));
    }
    for (size_t k = 0; k < 4; ++k) {
      const double log_a = static_cast<double>(a.as<float>()[k]) - std::log(za);
      const double log_b = static_cast<double>(b.as<float>()[k]) - std::log(zb);
      sum += std::exp(log_a) * (log_a - log_b);
    }
  }
  return sum / static_cast<double>(samples);
}

/// A residual classifier; the last layer of block i is multiplied by scales[i].
Model residual_classifier(const std::vector<float>& scales) {
  ModelBuilder builder(17);
  builder.input("image", {-1, 3, 5, 5});
  add_filters(builder, "stem", {8, 3, 1, 1}, 1, {});
  add_conv(builder, "image", "stem", "x0");
  for (size_t i = 0; i < scales.size(); ++i) {
    const std::string n = std::to_string(i);
    add_filters(builder, "p" + n, {8, 8, 1, 1}, static_cast<unsigned>(10 + i), {});
    Tensor last = noise({8, 8, 1, 1}, static_cast<unsigned>(20 + i)).clone();
    for (float& value : last.mutable_as<float>()) value *= scales[i];
    builder.weight("q" + n + ".w", last);
    add_conv(builder, "x" + n, "p" + n, "h" + n);
    builder.node("Relu", {"h" + n}, {"r" + n});
    builder.node("Conv", {"r" + n, "q" + n + ".w"}, {"f" + n});
    builder.node("Add", {"f" + n, "x" + n}, {"x" + std::to_string(i + 1)});
  }
  builder.weight("fc.w", noise({8, 4}, 5));
  builder.node("GlobalAveragePool", {"x" + std::to_string(scales.size())}, {"g"});
  builder.node("Flatten", {"g"}, {"flat"});
  builder.node("Gemm", {"flat", "fc.w"}, {"logits"});
  builder.output("logits");
  return builder.build();
}

}  // namespace

TEST_CASE("importance by weights is the root of what makes times what reads, by hand",
          "[distill][shrink]") {
  ModelBuilder builder(17);
  builder.input("x", {-1, 1, 2, 2});
  // Filters 1, 2, 3 with bias 0, 0, 4: energies 1, 4, 25, mean 10. Read by 2, 1, 0: 4, 1, 0.
  builder.weight("a.w", Tensor::from<float>({3, 1, 1, 1}, {1, 2, 3}));
  builder.weight("a.b", floats({0, 0, 4}));
  builder.weight("b.w", Tensor::from<float>({1, 3, 1, 1}, {2, 1, 0}));
  builder.node("Conv", {"x", "a.w", "a.b"}, {"y"});
  builder.node("Conv", {"y", "b.w"}, {"z"});
  builder.output("z");
  Model model = builder.build();
  infer_shapes(model);
  const ChannelMap map = map_channels(model);
  const auto values = values_of(weight_importance(map, group_channels(model, map)));
  REQUIRE(values.size() == 3);
  const double read = 5.0 / 3;
  CHECK_THAT(values[0], WithinRel(2 * std::sqrt(0.1 * 4 / read), 1e-12));
  CHECK_THAT(values[1], WithinRel(2 * std::sqrt(0.4 * 1 / read), 1e-12));
  CHECK(values[2] == 0);
}

TEST_CASE("importance by gradients is the divergence that a small channel's absence makes",
          "[distill][shrink]") {
  // Small channels: the second order is exact but for sampling, a few percent with 4096 draws.
  const Model model = small_classifier({0.05F, 0.02F, 0});
  const auto values = values_of(gradients(model, 4096));
  REQUIRE(values.size() == 3);
  CHECK_THAT(values[0], WithinRel(divergence_without(model, 0, 1024), 0.15));
  CHECK_THAT(values[1], WithinRel(divergence_without(model, 1, 1024), 0.15));
  CHECK(values[2] == 0);
}

TEST_CASE("importance by gradients is the same number for any number of threads",
          "[distill][shrink]") {
  const Model model = small_classifier({1, 1, 1});
  CHECK(values_of(gradients(model, 64, 1)) == values_of(gradients(model, 64, 4)));
}

TEST_CASE("importance by gradients looks at the scores before a Softmax", "[distill][shrink]") {
  Model plain = small_classifier({1, 1, 1});
  Model soft = copy_model(plain);
  Node* softmax = soft.graph.add_node("Softmax", "", "s", {}, {"p"}, nullptr);
  soft.graph.replace_all_uses(soft.graph.find("logits"), softmax->output(0));
  soft.graph.set_input(softmax, 0, soft.graph.find("p"));
  infer_shapes(soft);
  CHECK(values_of(gradients(plain, 16)) == values_of(gradients(soft, 16)));
}

TEST_CASE("blocks that compute their sum from one value are found", "[distill][shrink]") {
  Model model = residual_classifier({1, 1});
  infer_shapes(model);
  const auto blocks = find_residual_blocks(model);
  REQUIRE(blocks.size() == 2);
  CHECK(blocks[0].input == "x0");
  CHECK(blocks[0].output == "x1");
  CHECK(blocks[0].macs == 2 * 64 * 25);
  bypass_block(model, blocks[0]);
  CHECK(find_residual_blocks(model).size() == 1);
  CHECK(model.graph.find("p0.w") == nullptr);
}

TEST_CASE("a block that adds nothing goes, and the outputs stay", "[distill][shrink]") {
  const Model teacher = residual_classifier({1, 0, 1});
  const NoiseData data({3, 5, 5}, 16);
  const ShrinkData on{data};
  ShrinkOptions options;
  // 9600 of 10232 multiply-accumulates are those of three equal blocks.
  options.macs = 0.69;
  options.blocks = 1;
  options.batch_norm = false;
  const ShrinkResult result = shrink(teacher, options, &on);
  REQUIRE(result.blocks.size() == 1);
  CHECK(result.blocks[0].divergence == 0);
  CHECK(result.student.graph.find("q1.w") == nullptr);
  check_same_outputs(teacher, result.student, {{"image", noise({2, 3, 5, 5}, 9)}});
  const auto gone = std::count_if(result.layers.begin(), result.layers.end(),
                                  [](const ShrunkLayer& layer) { return layer.macs_after == 0; });
  CHECK(gone == 2);
}

TEST_CASE("blocks go by themselves only while they matter little and leave half to channels",
          "[distill][shrink]") {
  const NoiseData data({3, 5, 5}, 16);
  const ShrinkData on{data};
  ShrinkOptions options;
  options.macs = 0.35;
  CHECK(shrink(residual_classifier({1, 0, 1}), options, &on).blocks.size() == 1);
  CHECK(shrink(residual_classifier({3, 3, 3}), options, &on).blocks.empty());
  // A third is more than half of what is wanted.
  options.macs = 0.5;
  CHECK(shrink(residual_classifier({1, 0, 1}), options, &on).blocks.empty());
}

TEST_CASE("the number of blocks is obeyed, least important first", "[distill][shrink]") {
  const Model teacher = residual_classifier({1, 0.01F, 0.2F});
  const NoiseData data({3, 5, 5}, 16);
  const ShrinkData on{data};
  ShrinkOptions options;
  options.macs = 0.3;
  options.blocks = 2;
  const ShrinkResult result = shrink(teacher, options, &on);
  REQUIRE(result.blocks.size() == 2);
  CHECK(result.student.graph.find("q0.w") != nullptr);
  CHECK(result.blocks[0].divergence < result.blocks[1].divergence);
  options.blocks = 4;
  check_error(error_of([&] { shrink(teacher, options, &on); }), Category::kUsage, "shrink blocks",
              "the model must have as many residual blocks x + f(x) to remove", "3 of 4");
  options.blocks = 1;
  CHECK(error_of([&] { shrink(teacher, options); }).rule ==
        "data must be there to tell which blocks matter least");
  options.blocks = 0;
  CHECK(shrink(teacher, options, &on).blocks.empty());
}

TEST_CASE("students made on data are the same bytes for any number of threads",
          "[distill][shrink]") {
  const Model teacher = residual_classifier({1, 0.1F, 1});
  const NoiseData data({3, 5, 5}, 32);
  const TemporaryFolder folder;
  ShrinkOptions options;
  options.macs = 0.5;
  std::vector<std::string> bytes;
  for (const int threads : {1, 3}) {
    const ShrinkData on{data, 1, threads};
    save_model(shrink(teacher, options, &on).student, folder / "s.onnx");
    bytes.push_back(read_file(folder / "s.onnx"));
  }
  CHECK(bytes[0] == bytes[1]);
}
