// Fake quantization as one step against QuantizeLinear and DequantizeLinear on their own.
#include "lib/autodiff/fake_quantize.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "lib/autodiff/tape.h"
#include "lib/ops/op.h"
#include "lib/quantize/affine.h"
#include "tests/support/model_builder.h"

namespace limbeck::test {
namespace {

using Floats = std::vector<float>;

struct Grid {
  const char* what;
  DataType type;
  int8_t zero;
  Dims x;
  Floats scales;  ///< one: for all
  int64_t axis;
  int8_t limit;  ///< of the codes; 0: no Clip
};

const std::vector<Grid>& grids() {
  constexpr DataType kInt8 = DataType::kInt8;
  static const std::vector<Grid> kAll = {
      {"uint8, zero point 7", DataType::kUint8, 7, {3, 37}, {0.05F}, 1, 0},
      {"int8", kInt8, 0, {5, 7}, {0.01F}, 1, 0},
      {"uint4, zero point 3", DataType::kUint4, 3, {2, 3, 5, 5}, {0.2F}, 1, 0},
      {"int4", DataType::kInt4, 0, {9, 9}, {0.13F}, 1, 0},
      {"channels first", kInt8, 0, {3, 5, 3, 3}, {0.01F, 0.002F, 1}, 0, 127},
      {"channels in the middle", kInt8, 0, {2, 3, 11}, {0.01F, 0.02F, 1}, 1, 7},
      {"channels last", kInt8, 0, {6, 5}, {0.2F, 0.1F, 0.3F, 1, 0.05F}, 1, 7},
      {"many channels last", kInt8, 0, {4, 19}, Floats(19, 0.11F), -1, 7},
      {"two bits", kInt8, 0, {4, 10}, {0.5F, 0.3F, 1, 0.7F}, 0, 1},
      {"one channel", kInt8, 0, {1, 10}, {0.5F}, 0, 1},
  };
  return kAll;
}

Tensor codes_of(const Grid& grid) {
  const bool alone = grid.scales.size() == 1;
  const Dims dims = alone ? Dims{} : Dims{static_cast<int64_t>(grid.scales.size())};
  return pack_codes(grid.type, dims, std::vector<int8_t>(grid.scales.size(), grid.zero));
}

Tensor scale_of(const Grid& grid) {
  if (grid.scales.size() == 1) return Tensor::scalar(grid.scales[0]);
  return floats(grid.scales);
}

/// y = x on the grid, with the scale "s" a constant that may train.
ModelBuilder rounding(const Grid& grid) {
  ModelBuilder builder(21);
  builder.input("x", grid.x).output("y").weight("s", scale_of(grid)).weight("z", codes_of(grid));
  builder.node("QuantizeLinear", {"x", "s", "z"}, {"q"}).with("axis", grid.axis);
  if (grid.limit != 0) {
    builder.weight("low", Tensor::scalar(static_cast<int8_t>(-grid.limit)));
    builder.weight("high", Tensor::scalar(grid.limit));
    builder.node("Clip", {"q", "low", "high"}, {"c"});
  }
  builder.node("DequantizeLinear", {grid.limit == 0 ? "q" : "c", "s", "z"}, {"y"})
      .with("axis", grid.axis);
  return builder;
}

struct Run {
  Tensor y;
  Tensor dx;
  Floats ds;
};

Run run(const Model& model, const Tensor& x, const Tensor& dy, bool fast) {
  TrainOptions options;
  options.trainable = {"s"};
  options.gradients_of = {"x"};
  options.fast = fast;
  const auto tape = Tape::compile(model, options);
  const Tensor scale = tape->parameters().at(0).initial;
  Pass pass = tape->forward({&scale, 1}, {&x, 1}, 1);
  Run result;
  result.y = pass.outputs[0];
  const Gradients gradients = tape->backward(std::move(pass), {&dy, 1});
  result.dx = gradients.values[0];
  result.ds = gradients.parameters[0].to_float();
  return result;
}

/// One scale of one, int8 with codes of four bits (-7 to 7), zero point 0.
Run run_by_hand(const Floats& x, const Floats& dy, float scale) {
  const Grid grid{"", DataType::kInt8, 0, {static_cast<int64_t>(x.size())}, {scale}, 0, 7};
  return run(rounding(grid).build(), floats(x), floats(dy), true);
}

size_t pairs_in(const ModelBuilder& builder, const std::vector<std::string>& kept = {}) {
  Model model = builder.build();
  infer_shapes(model);
  std::unordered_set<const Value*> values;
  for (const std::string& name : kept) values.insert(model.graph.find(name));
  return find_fake_quantize(model, values).size();
}

}  // namespace

TEST_CASE("fake quantization gives the bits of the two operators, and their gradients",
          "[autodiff]") {
  for (const Grid& grid : grids()) {
    INFO(grid.what);
    const Model model = rounding(grid).build();
    REQUIRE(pairs_in(rounding(grid)) == 1);
    const Tensor x = noise(grid.x, 5);
    const Tensor dy = noise(grid.x, 6);
    const Run fused = run(model, x, dy, true);
    const Run plain = run(model, x, dy, false);
    CHECK(fused.y.to_float() == plain.y.to_float());
    // dy * scale / scale is dy but for its last bit.
    for (size_t i = 0; i < fused.dx.as<float>().size(); ++i) {
      const float wanted = plain.dx.as<float>()[i];
      CHECK(std::fabs(fused.dx.as<float>()[i] - wanted) <= 2e-7F * std::fabs(wanted));
    }
    REQUIRE(fused.ds.size() == plain.ds.size());
    // Both add numbers of the size of the codes.
    for (size_t i = 0; i < fused.ds.size(); ++i) {
      INFO(fused.ds[i] << " and " << plain.ds[i]);
      CHECK(std::fabs(fused.ds[i] - plain.ds[i]) <= 1e-5F + 1e-4F * std::fabs(plain.ds[i]));
    }
  }
}

TEST_CASE("halves, infinities and numbers that are none round as the operators do", "[autodiff]") {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const Floats x = {0.5F,  1.5F,  -0.5F,  -2.5F, kInf, -kInf, std::nanf(""),
                    3e38F, -3e9F, 1e-40F, 6.5F,  7.5F, -7.49F};
  const Grid grid{"", DataType::kUint8, 3, {13}, {1}, 0, 0};
  const Model model = rounding(grid).build();
  const Tensor dy = floats(Floats(13, 1));
  const Run fused = run(model, floats(x), dy, true);
  CHECK(fused.y.to_float() == run(model, floats(x), dy, false).y.to_float());
  CHECK(fused.y.to_float() == Floats{0, 2, 0, -2, 252, -3, 0, 252, -3, 0, 6, 8, -3});
  CHECK(fused.dx.to_float() == Floats{1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1, 0});
}

TEST_CASE("the step's gradient is the rounding error inside and the clipped code outside",
          "[autodiff]") {
  // Steps 0.5: v = 2.5, -3.25, 8, -20, 0; codes 2, -3, 7, -7, 0.
  const Run result = run_by_hand({1.25F, -1.625F, 4, -10, 0}, {1, 2, 4, 8, 16}, 0.5F);
  CHECK(result.y.to_float() == Floats{1, -1.5F, 3.5F, -3.5F, 0});
  CHECK(result.dx.to_float() == Floats{1, 2, 0, 0, 16});
  // 1 (2 - 2.5) + 2 (-3 + 3.25) + 4 * 7 + 8 * -7.
  CHECK(result.ds == Floats{-28});
}

TEST_CASE("a zero point moves the limits, and the step's gradient counts from it", "[autodiff]") {
  // uint4 with zero point 3: codes -3 to 12 around it. v = -3.4, -3.6, 12.4, 12.6.
  const Grid grid{"", DataType::kUint4, 3, {4}, {1}, 0, 0};
  const Run result = run(rounding(grid).build(), floats({-3.5F + 0.1F, -3.6F, 12.4F, 12.6F}),
                         floats({1, 1, 1, 1}), true);
  CHECK(result.y.to_float() == Floats{-3, -3, 12, 12});
  CHECK(result.dx.to_float() == Floats{1, 0, 1, 0});
  // (-3 + 3.4) - 3 + (12 - 12.4) + 12 = 9.
  CHECK(std::fabs(result.ds[0] - 9) < 1e-5F);
}

TEST_CASE("a channel of zeros passes its gradient and leaves its step alone", "[autodiff]") {
  const Grid grid{"", DataType::kInt8, 0, {2, 3}, {1, 0.5F}, 0, 7};
  const Tensor x = Tensor::from<float>({2, 3}, {0, 0, 0, 1, 1, 1});
  const Tensor dy = Tensor::from<float>({2, 3}, {1, 2, 3, 1, 2, 3});
  const Run result = run(rounding(grid).build(), x, dy, true);
  CHECK(result.y.to_float() == Floats{0, 0, 0, 1, 1, 1});
  CHECK(result.dx.to_float() == Floats{1, 2, 3, 1, 2, 3});
  CHECK(result.ds == Floats{0, 0});
}

TEST_CASE("gradients are those of the surrogate whose rounding offset stands still", "[autodiff]") {
  // y = clip(x / s + offset) s with the offset round(v) - v of the start, in double.
  const Grid grid{"", DataType::kInt8, 0, {40}, {0.2F}, 0, 3};
  const Tensor x = noise({40}, 8);
  const Tensor dy = noise({40}, 9);
  const Run result = run(rounding(grid).build(), x, dy, true);
  const double start = static_cast<double>(0.2F);
  const auto loss = [&](size_t moved, double by, double scale) {
    double sum = 0;
    for (size_t i = 0; i < 40; ++i) {
      const auto value = static_cast<double>(x.as<float>()[i]);
      const double offset = std::nearbyint(value / start) - value / start;
      const bool inside = std::fabs(std::nearbyint(value / start)) <= 3;
      const double v = (value + (i == moved ? by : 0)) / scale + offset;
      const double code = inside ? v : std::copysign(3.0, value);
      sum += static_cast<double>(dy.as<float>()[i]) * code * scale;
    }
    return sum;
  };
  constexpr double kStep = 1e-5;
  for (size_t i = 0; i < 40; ++i) {
    const double slope = (loss(i, kStep, start) - loss(i, -kStep, start)) / (2 * kStep);
    CHECK(std::fabs(slope - static_cast<double>(result.dx.as<float>()[i])) < 1e-6);
  }
  const double slope = (loss(40, 0, start + kStep) - loss(40, 0, start - kStep)) / (2 * kStep);
  CHECK(std::fabs(slope - static_cast<double>(result.ds[0])) < 1e-5);
}

TEST_CASE("only a pair that nobody looks into runs as one step", "[autodiff]") {
  const Grid grid{"", DataType::kInt8, 0, {4}, {0.5F}, 0, 7};
  CHECK(pairs_in(rounding(grid), {"x", "y"}) == 1);
  CHECK(pairs_in(rounding(grid), {"q"}) == 0);
  CHECK(pairs_in(rounding(grid), {"c"}) == 0);
  ModelBuilder read_twice = rounding(grid);
  read_twice.output("p").node("DequantizeLinear", {"c", "s", "z"}, {"p"}).with("axis", 0);
  CHECK(pairs_in(read_twice) == 0);
  ModelBuilder other_scale(21);
  other_scale.input("x", {4}).output("y").weight("z", Tensor::scalar<int8_t>(0));
  other_scale.weight("s", Tensor::scalar(1.0F)).weight("t", Tensor::scalar(2.0F));
  other_scale.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  other_scale.node("DequantizeLinear", {"q", "t", "z"}, {"y"});
  CHECK(pairs_in(other_scale) == 0);
}

TEST_CASE("taps between the two operators keep them apart and change nothing", "[autodiff]") {
  const Grid grid{"", DataType::kInt8, 0, {3, 4}, {0.25F}, 0, 0};
  const Model model = rounding(grid).build();
  TrainOptions options;
  options.trainable = {"s"};
  options.taps = {"q"};
  const auto tape = Tape::compile(model, options);
  const Tensor scale = tape->parameters().at(0).initial;
  const Tensor x = noise({3, 4}, 3);
  const Pass pass = tape->forward({&scale, 1}, {&x, 1}, 1);
  REQUIRE(pass.outputs[1].type() == DataType::kInt8);
  CHECK(pass.outputs[0].to_float() == run(model, x, x, true).y.to_float());
}

}  // namespace limbeck::test
