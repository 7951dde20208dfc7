// The fast form of a tape against the reference kernels.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <thread>

#include "lib/autodiff/tape.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"
#include "tests/support/random_shapes.h"
#include "tests/support/worst.h"

namespace limbeck::test {
namespace {

using List = std::vector<int64_t>;

std::vector<Tensor> initial(const Tape& tape) {
  std::vector<Tensor> parameters;
  for (const Parameter& parameter : tape.parameters()) parameters.push_back(parameter.initial);
  return parameters;
}

/// Relative to the largest element: both sum the same products in another order.
void check_close(const Tensor& fast, const Tensor& plain, const std::string& what) {
  INFO(what);
  REQUIRE(fast.dims() == plain.dims());
  double largest = 0;
  double worst = 0;
  for (size_t i = 0; i < plain.as<float>().size(); ++i) {
    const auto expected = static_cast<double>(plain.as<float>()[i]);
    largest = std::max(largest, std::fabs(expected));
    worst = worse(worst, std::fabs(static_cast<double>(fast.as<float>()[i]) - expected));
  }
  CHECK(worst <= 1e-5 * largest);
}

void check_agreement(const Model& model, const Tensor& x, TrainOptions options) {
  const auto fast = Tape::compile(model, options);
  options.fast = false;
  const auto plain = Tape::compile(model, options);
  REQUIRE(fast->parameters().size() == plain->parameters().size());
  const std::vector<Tensor> parameters = initial(*plain);
  Pass quick = fast->forward(parameters, {&x, 1}, 1);
  Pass slow = plain->forward(parameters, {&x, 1}, 1);
  std::vector<Tensor> dy;
  for (size_t i = 0; i < slow.outputs.size(); ++i) {
    check_close(quick.outputs[i], slow.outputs[i], plain->output_names()[i]);
    dy.push_back(noise(slow.outputs[i].dims(), 90 + static_cast<unsigned>(i)));
  }
  const Gradients a = fast->backward(std::move(quick), dy);
  const Gradients b = plain->backward(std::move(slow), dy);
  for (size_t i = 0; i < b.parameters.size(); ++i)
    check_close(a.parameters[i], b.parameters[i], plain->parameters()[i].name);
  for (size_t i = 0; i < b.values.size(); ++i)
    check_close(a.values[i], b.values[i], options.gradients_of[i]);
}

struct Convolution {
  std::string what;
  Dims x;
  Dims w;
  List strides;
  List pads;
  List dilations;
  int64_t group;
  std::string auto_pad;
};

const std::vector<Convolution>& convolutions() {
  static const std::vector<Convolution> kAll = {
      {"three channels in", {2, 3, 9, 8}, {8, 3, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1, ""},
      {"sixteen channels", {2, 16, 7, 7}, {16, 16, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 1, ""},
      {"stride, odd size", {2, 8, 9, 7}, {16, 8, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 1, ""},
      {"pointwise, stride", {2, 8, 8, 8}, {16, 8, 1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1, ""},
      // oneDNN's own 1x1 kernel errs in this one in bfloat16.
      {"pointwise, odd", {2, 8, 5, 6}, {15, 8, 1, 1}, {1, 1}, {0, 0, 0, 0}, {1, 1}, 1, ""},
      // And spoils the heap in these two.
      {"pointwise, few channels",
       {2, 4, 32, 32},
       {8, 4, 1, 1},
       {2, 2},
       {0, 0, 0, 0},
       {1, 1},
       1,
       ""},
      {"pointwise, colours", {2, 3, 32, 32}, {8, 3, 1, 1}, {2, 2}, {0, 0, 0, 0}, {1, 1}, 1, ""},
      {"odd channels", {1, 5, 6, 6}, {7, 5, 3, 2}, {1, 2}, {1, 0, 0, 1}, {1, 1}, 1, ""},
      {"dilation", {1, 8, 9, 9}, {8, 8, 3, 3}, {1, 1}, {2, 2, 2, 2}, {2, 2}, 1, ""},
      {"groups", {2, 8, 6, 6}, {12, 4, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 2, ""},
      {"depthwise", {2, 16, 7, 6}, {16, 1, 3, 3}, {2, 2}, {1, 1, 1, 1}, {1, 1}, 16, ""},
      {"depthwise, odd channels", {2, 5, 7, 6}, {5, 1, 3, 3}, {1, 1}, {1, 1, 1, 1}, {1, 1}, 5, ""},
      {"same upper", {1, 8, 7, 6}, {8, 8, 3, 3}, {2, 2}, {}, {1, 1}, 1, "SAME_UPPER"},
      {"same lower", {1, 8, 8, 8}, {8, 8, 3, 3}, {2, 2}, {}, {1, 1}, 1, "SAME_LOWER"},
  };
  return kAll;
}

Model model_of(const Convolution& c, bool bias, bool relu = true) {
  ModelBuilder builder(13);
  builder.input("x", {-1, c.x[1], c.x[2], c.x[3]}).output("y");
  builder.weight("w", noise(c.w, 2)).weight("b", noise({c.w[0]}, 3));
  std::vector<std::string> inputs{"x", "w"};
  if (bias) inputs.push_back("b");
  NodeBuilder node = builder.node("Conv", inputs, {relu ? "c" : "y"});
  node.with("strides", c.strides).with("dilations", c.dilations).with("group", c.group);
  if (!c.pads.empty()) node.with("pads", c.pads);
  if (!c.auto_pad.empty()) node.with("auto_pad", c.auto_pad);
  if (relu) builder.node("Relu", {"c"}, {"y"});
  return builder.build();
}

/// Two orders meet: a residual sum, a transpose between convolutions, a tap inside.
Model mixed_network() {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, 8, 8}).output("y");
  builder.weight("w0", noise({8, 3, 3, 3}, 1)).weight("w1", noise({8, 8, 3, 3}, 2));
  builder.weight("w2", noise({8, 8, 1, 1}, 3)).weight("fc", noise({8, 4}, 4));
  builder.weight("scale", positive_noise({8}, 5)).weight("bias", noise({8}, 6));
  builder.weight("mean", noise({8}, 7)).weight("variance", positive_noise({8}, 8));
  builder.weight("low", Tensor::scalar(0.0F)).weight("high", Tensor::scalar(6.0F));
  builder.node("Conv", {"x", "w0"}, {"c0"}).with("pads", List{1, 1, 1, 1});
  builder.node("BatchNormalization", {"c0", "scale", "bias", "mean", "variance"}, {"n"});
  builder.node("Clip", {"n", "low", "high"}, {"r"});
  builder.node("Conv", {"r", "w1"}, {"c1"}).with("pads", List{1, 1, 1, 1});
  builder.node("Add", {"c1", "r"}, {"sum"});
  builder.node("Transpose", {"sum"}, {"t"}).with("perm", List{0, 1, 3, 2});
  builder.node("Add", {"t", "sum"}, {"s"});
  builder.node("Conv", {"s", "w2"}, {"c2"});
  builder.node("MaxPool", {"c2"}, {"p"}).with("kernel_shape", List{2, 2});
  builder.node("GlobalAveragePool", {"p"}, {"g"});
  builder.node("Flatten", {"g"}, {"f"});
  builder.node("MatMul", {"f", "fc"}, {"y"});
  return builder.build();
}

/// Fake quantization of the input, of weights, and between convolutions, with steps that train. No
/// step is a multiple of another: sums that lie half-way between two codes would round by their
/// last bit.
Model rounded_network() {
  ModelBuilder builder(21);
  builder.input("x", {-1, 3, 8, 8}).output("y");
  builder.weight("w0", noise({8, 3, 3, 3}, 1)).weight("w1", noise({8, 8, 3, 3}, 2));
  builder.weight("steps", Tensor::from<float>({8}, std::vector<float>(8, 0.0137F)));
  builder.weight("zeros", Tensor::zeros(DataType::kInt8, {8}));
  builder.weight("zero", Tensor::scalar<uint8_t>(120));
  const auto rounds = [&](const std::string& from, const std::string& step,
                          const std::string& zero) {
    builder.node("QuantizeLinear", {from, step, zero}, {from + "_q"}).with("axis", 0);
    builder.node("DequantizeLinear", {from + "_q", step, zero}, {from + "_dq"}).with("axis", 0);
    return from + "_dq";
  };
  const auto rounds_by = [&](const std::string& from, float step) {
    builder.weight(from + "_step", Tensor::scalar(step));
    return rounds(from, from + "_step", "zero");
  };
  const std::string x = rounds_by("x", 0.0191F);
  builder.node("Conv", {x, rounds("w0", "steps", "zeros")}, {"c0"}).with("pads", List{1, 1, 1, 1});
  const std::string c0 = rounds_by("c0", 0.0213F);
  builder.node("Conv", {c0, "w1"}, {"c1"}).with("pads", List{1, 1, 1, 1});
  builder.node("Add", {rounds_by("c1", 0.0517F), c0}, {"s"});
  builder.node("GlobalAveragePool", {rounds_by("s", 0.0331F)}, {"y"});
  return builder.build();
}

/// To eight significant bits, ties to even, by arithmetic alone.
Tensor to_bfloat16(const Tensor& tensor) {
  Tensor result = tensor.clone();
  for (float& value : result.mutable_as<float>()) {
    int exponent = 0;
    const float mantissa = std::frexp(value, &exponent);
    value = std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
  }
  return result;
}

struct Step {
  Tensor y;
  std::vector<Tensor> gradients;
};

Step step_of(const Tape& tape, const Tensor& x, const Tensor& w, const Tensor& b,
             const Tensor& dy) {
  Pass pass = tape.forward(std::vector<Tensor>{w, b}, {&x, 1}, 1);
  Step step{pass.outputs[0], {}};
  Gradients gradients = tape.backward(std::move(pass), {&dy, 1});
  step.gradients = std::move(gradients.parameters);
  step.gradients.push_back(gradients.values[0]);
  return step;
}

double difference(const Tensor& a, const Tensor& b) {
  double worst = 0;
  double largest = 0;
  for (size_t i = 0; i < a.as<float>().size(); ++i) {
    worst = worse(worst, static_cast<double>(std::fabs(a.as<float>()[i] - b.as<float>()[i])));
    largest = std::max(largest, static_cast<double>(std::fabs(b.as<float>()[i])));
  }
  return worst / largest;
}

/// Shapes in which kernels of other unrolling, tails and padding take over.
std::vector<Convolution> random_convolutions(size_t count) {
  RandomIntegers from_to(17);
  std::vector<Convolution> result;
  while (result.size() < count) {
    const List kernel{from_to(1, 5), from_to(1, 5)};
    const List size{from_to(1, 18), from_to(1, 18)};
    const List strides{from_to(1, 3), from_to(1, 3)};
    const int64_t dilation = from_to(1, 2);
    const int64_t pad = from_to(0, 2);
    const auto [group, in, out] = random_channels(from_to);
    bool fits = true;
    for (size_t axis = 0; axis < 2; ++axis) {
      fits = fits && (kernel[axis] - 1) * dilation + 1 <= size[axis] + 2 * pad;
      fits = fits && pad < kernel[axis];
    }
    if (!fits) continue;
    Convolution c{"",
                  {from_to(1, 3), group * in, size[0], size[1]},
                  {group * out, in, kernel[0], kernel[1]},
                  strides,
                  List(4, pad),
                  {dilation, dilation},
                  group,
                  ""};
    c.what = "x " + dims_text(c.x) + ", w " + dims_text(c.w) + ", strides " + dims_text(strides) +
             ", dilation " + std::to_string(dilation) + ", pad " + std::to_string(pad);
    result.push_back(std::move(c));
  }
  return result;
}

/// Forward and backward in bfloat16 against reference kernels on rounded factors; what rounding
/// them changes in the output is returned.
double check_bfloat16(const Convolution& c) {
  INFO(c.what);
  // Only factors are rounded: without the Relu's kink, and with the bias as it is.
  const Model model = model_of(c, true, false);
  TrainOptions options{.gradients_of = {"x"}};
  options.precision = Precision::kBfloat16;
  const auto rounding = Tape::compile(model, options);
  options.precision = Precision::kFloat;
  options.fast = false;
  const auto plain = Tape::compile(model, options);
  REQUIRE(plain->parameters()[0].name == "w");
  const Tensor x = noise(c.x, 1);
  const Tensor w = plain->parameters()[0].initial;
  const Tensor b = plain->parameters()[1].initial;
  const Tensor exact = plain->forward(initial(*plain), {&x, 1}, 1).outputs[0];
  const Tensor dy = to_bfloat16(noise(exact.dims(), 4));
  const Step step = step_of(*rounding, x, w, b, dy);
  const Step expected = step_of(*plain, to_bfloat16(x), to_bfloat16(w), b, dy);
  check_close(step.y, expected.y, "y");
  for (size_t i = 0; i < step.gradients.size(); ++i)
    check_close(step.gradients[i], expected.gradients[i], std::to_string(i));
  // The output's gradient is rounded as well.
  const Tensor slopes = noise(dy.dims(), 5);
  const Step rough = step_of(*rounding, x, w, b, slopes);
  const Step smooth = step_of(*plain, to_bfloat16(x), to_bfloat16(w), b, to_bfloat16(slopes));
  check_close(rough.gradients[0], smooth.gradients[0], "dw");
  check_close(rough.gradients[2], smooth.gradients[2], "dx");
  return difference(step.y, exact);
}

}  // namespace

TEST_CASE("convolutions in bfloat16 multiply rounded factors", "[autodiff]") {
  for (const Convolution& c : convolutions()) {
    INFO(c.what);
    // Eight bits leave a relative error of at most 2^-8 in every product.
    const double apart = check_bfloat16(c);
    CHECK(apart > 1e-4);
    CHECK(apart < 0.02);
  }
}

TEST_CASE("convolutions of many shapes agree with the reference in both precisions", "[autodiff]") {
  for (const Convolution& c : random_convolutions(300)) {
    INFO(c.what);
    check_agreement(model_of(c, true), noise(c.x, 1), {.gradients_of = {"x"}});
    check_bfloat16(c);
  }
}

TEST_CASE("convolutions on oneDNN agree with the reference forward and backward", "[autodiff]") {
  for (const Convolution& c : convolutions()) {
    for (const bool bias : {false, true}) {
      INFO(c.what);
      check_agreement(model_of(c, bias), noise(c.x, 1), {.gradients_of = {"x"}});
    }
  }
}

TEST_CASE("a network of both memory orders agrees with the reference", "[autodiff]") {
  const Tensor x = noise({3, 3, 8, 8}, 1);
  for (const BatchNormMode mode : {BatchNormMode::kBatch, BatchNormMode::kFrozen}) {
    check_agreement(mixed_network(), x,
                    {.batch_norm = mode, .taps = {"c1", "sum"}, .gradients_of = {"x", "c2"}});
  }
}

TEST_CASE("a network that rounds between convolutions agrees with the reference", "[autodiff]") {
  check_agreement(
      rounded_network(), noise({3, 3, 8, 8}, 1),
      {.trainable = {"*", "x_step", "c0_step", "c1_step", "steps"}, .gradients_of = {"x"}});
}

TEST_CASE("shards that run on several threads give the bytes of one thread", "[autodiff]") {
  const auto tape = Tape::compile(mixed_network());
  const std::vector<Tensor> parameters = initial(*tape);
  const auto shard = [&](unsigned i) {
    const Tensor x = noise({5, 3, 8, 8}, 10 + i);
    const Tensor dy = noise({5, 4}, 20 + i);
    return tape->backward(tape->forward(parameters, {&x, 1}, i), {&dy, 1}).parameters;
  };
  std::vector<std::vector<Tensor>> together(8);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < together.size(); ++i)
    threads.emplace_back([&, i] { together[i] = shard(i); });
  for (std::thread& thread : threads) thread.join();
  for (unsigned i = 0; i < together.size(); ++i) {
    const std::vector<Tensor> alone = shard(i);
    for (size_t k = 0; k < alone.size(); ++k)
      CHECK(alone[k].to_float() == together[i][k].to_float());
  }
}

}  // namespace limbeck::test
