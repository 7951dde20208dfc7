// QDQ patterns as integer steps against the plain float kernels between conversions.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>

#include "tests/support/engine_compare.h"
#include "tests/support/random_shapes.h"

namespace limbeck::test {
namespace {

const Step kInput{0.02F, 117, DataType::kUint8};
const Step kSigned{0.02F, -11, DataType::kInt8};

std::vector<float> channel_scales(int64_t channels) {
  std::vector<float> scales;
  for (int64_t c = 0; c < channels; ++c) scales.push_back(0.01F + 0.002F * static_cast<float>(c));
  return scales;
}

struct Convolution {
  Dims input{2, 8, 9, 7};
  Dims weights{16, 8, 3, 3};
  int64_t groups = 1;
  std::vector<int64_t> strides{1, 1};
  std::vector<int64_t> pads{1, 1, 1, 1};
  std::vector<int64_t> dilations{1, 1};
  Step in = kInput;
  Step out{0.4F, 120, DataType::kUint8};
  bool per_channel = true;
  bool bias = true;
  std::string function = "";
};

/// Share of integer MACs of the fused engine, after its results were found right.
double check(const Convolution& c) {
  CAPTURE(dims_text(c.input), dims_text(c.weights), c.groups, c.function);
  ModelBuilder builder(14);
  const auto scales = c.per_channel ? channel_scales(c.weights[0]) : std::vector<float>{0.013F};
  std::vector<std::string> inputs{
      add_code_input(builder, "x", c.input, c.in),
      add_weights(builder, "w", code_noise(DataType::kInt8, c.weights, 1), scales, 0)};
  if (c.bias) {
    std::vector<int32_t> codes;
    for (int64_t i = 0; i < c.weights[0]; ++i)
      codes.push_back(static_cast<int32_t>(i * 977 % 5000) - 2500);
    inputs.push_back(add_bias(builder, "b", codes, c.in.scale, scales));
  }
  builder.node("Conv", inputs, {"c"})
      .with("group", c.groups)
      .with("strides", c.strides)
      .with("pads", c.pads)
      .with("dilations", c.dilations);
  std::string tail = "c";
  if (!c.function.empty()) {
    builder.node(c.function, {"c"}, {"f"});
    tail = "f";
  }
  add_code_output(builder, tail, c.out);
  return check_fused_codes(builder.build(), {code_noise(c.in.type, c.input, 3)});
}

}  // namespace

TEST_CASE("quantized convolutions run as integers and round like the float pattern", "[engine]") {
  CHECK(check({}) == 1.0);
  CHECK(check({.per_channel = false, .bias = false}) == 1.0);
  CHECK(check({.in = kSigned, .out = {0.5F, 3, DataType::kInt8}}) == 1.0);
  CHECK(check({.weights = {15, 8, 1, 1}, .pads = {0, 0, 0, 0}, .out = {0.2F, 120}}) == 1.0);
  CHECK(
      check(
          {.weights = {3, 8, 1, 1}, .strides = {2, 2}, .pads = {0, 0, 0, 0}, .out = {0.2F, 120}}) ==
      1.0);
  CHECK(check({.input = {1, 3, 15, 14},
               .weights = {20, 3, 3, 3},
               .strides = {2, 2},
               .out = {0.2F, 120}}) == 1.0);
  CHECK(check({.weights = {16, 8, 3, 3}, .pads = {2, 2, 2, 2}, .dilations = {2, 2}}) == 1.0);
  CHECK(check({.weights = {16, 4, 3, 3}, .groups = 2, .out = {0.3F, 120}}) == 1.0);
  // oneDNN 2.6 would sum up these weights wrongly.
  for (const Step& in : {kInput, kSigned, Step{0.02F, 0, DataType::kInt8}})
    CHECK(check({.input = {2, 63, 4, 9},
                 .weights = {42, 21, 4, 4},
                 .groups = 3,
                 .in = in,
                 .out = {0.9F, 120}}) == 1.0);
  CHECK(check({.weights = {8, 1, 3, 3}, .groups = 8, .out = {0.1F, 120}}) == 1.0);
  CHECK(check({.input = {3, 20, 12, 13},
               .weights = {20, 1, 5, 5},
               .groups = 20,
               .strides = {2, 2},
               .pads = {2, 2, 2, 2},
               .out = {0.2F, 120}}) == 1.0);
  CHECK(check({.input = {2, 8, 40},
               .weights = {10, 8, 5},
               .strides = {2},
               .pads = {2, 1},
               .dilations = {1},
               .out = {0.3F, 120}}) == 1.0);
}

TEST_CASE("quantized convolutions of many shapes round like the float pattern", "[engine]") {
  RandomIntegers from_to(19);
  for (int checked = 0; checked < 500;) {
    const auto [group, in, out] = random_channels(from_to);
    const int64_t dilation = from_to(1, 4) == 1 ? 2 : 1;
    Convolution c{.input = {from_to(1, 3), group * in, from_to(3, 18), from_to(3, 18)},
                  .weights = {group * out, in, from_to(1, 5), from_to(1, 5)},
                  .groups = group,
                  .strides = {from_to(1, 3), from_to(1, 3)},
                  .pads = {from_to(0, 2), from_to(0, 2), from_to(0, 2), from_to(0, 2)},
                  .dilations = {dilation, dilation},
                  .per_channel = from_to(0, 1) == 1,
                  .bias = from_to(0, 1) == 1,
                  .function = from_to(0, 1) == 1 ? "Relu" : ""};
    bool fits = group * out > 1;  // and several values
    for (size_t axis = 0; axis < 2; ++axis) {
      const int64_t window = (c.weights[2 + axis] - 1) * dilation + 1;
      fits = fits && window <= c.input[2 + axis];
    }
    if (!fits) continue;
    ++checked;
    if (from_to(0, 1) == 1) c.in = kSigned;
    const auto products = static_cast<float>(in * c.weights[2] * c.weights[3]);
    c.out = {0.05F * std::sqrt(products), 120, DataType::kUint8};
    CAPTURE(c.strides, c.pads, dilation, c.per_channel, c.bias);
    check(c);
  }
}

TEST_CASE("activations between a quantized convolution and its QuantizeLinear fuse", "[engine]") {
  for (const std::string function : {"Relu", "HardSwish", "Sigmoid", "LeakyRelu", "Tanh"}) {
    Convolution c;
    c.function = function;
    const bool narrow = function == "Sigmoid" || function == "Tanh";
    c.out = {narrow ? 1.0F / 100 : 0.4F, narrow ? 110 : 30, DataType::kUint8};
    CHECK(check(c) == 1.0);
  }
}

TEST_CASE("a quantized convolution without QuantizeLinear gives floats", "[engine]") {
  ModelBuilder builder(13);
  const std::string x = add_code_input(builder, "x", {2, 8, 6, 6}, kInput);
  const std::string w =
      add_weights(builder, "w", code_noise(DataType::kInt8, {9, 8, 3, 3}, 1), channel_scales(9), 0);
  builder.node("Conv", {x, w}, {"y"});
  builder.output("y");
  CHECK(check_fused_codes(builder.build(), {code_noise(DataType::kUint8, {2, 8, 6, 6}, 2)}) == 1.0);
}

TEST_CASE("quantized Gemm and MatMul run as integers", "[engine]") {
  for (const bool transposed : {false, true}) {
    for (const bool per_channel : {false, true}) {
      CAPTURE(transposed, per_channel);
      ModelBuilder builder(13);
      const std::string x = add_code_input(builder, "x", {-1, 33}, kInput);
      const auto scales = per_channel ? channel_scales(10) : std::vector<float>{0.02F};
      const std::string w = add_weights(
          builder, "w", code_noise(DataType::kInt8, transposed ? Dims{10, 33} : Dims{33, 10}, 1),
          scales, transposed ? 0 : 1);
      const std::string b = add_bias(builder, "b", std::vector<int32_t>(10, 77), 0.02F, scales);
      builder.node("Gemm", {x, w, b}, {"g"}).with("transB", transposed ? 1 : 0);
      add_code_output(builder, "g", {0.3F, 128, DataType::kUint8});
      CHECK(check_fused_codes(builder.build(), {code_noise(DataType::kUint8, {7, 33}, 2)}) == 1.0);
    }
  }
  ModelBuilder builder(13);
  const std::string x = add_code_input(builder, "x", {3, 4, 16}, kSigned);
  const std::string w =
      add_weights(builder, "w", code_noise(DataType::kInt8, {16, 24}, 1), channel_scales(24), 1);
  builder.node("MatMul", {x, w}, {"m"});
  add_code_output(builder, "m", {0.3F, 0, DataType::kInt8});
  CHECK(check_fused_codes(builder.build(), {code_noise(DataType::kInt8, {3, 4, 16}, 2)}) == 1.0);
}

TEST_CASE("a quantized ConvTranspose keeps its codes", "[engine]") {
  ModelBuilder builder(13);
  const std::string x = add_code_input(builder, "x", {2, 6, 5, 5}, kInput);
  const std::string w =
      add_weights(builder, "w", code_noise(DataType::kInt8, {6, 8, 3, 3}, 1), channel_scales(8), 1);
  builder.node("ConvTranspose", {x, w}, {"c"}).with("strides", std::vector<int64_t>{2, 2});
  add_code_output(builder, "c", {0.3F, 128, DataType::kUint8});
  check_fused_codes(builder.build(), {code_noise(DataType::kUint8, {2, 6, 5, 5}, 2)});
}

TEST_CASE("int4 weights run as integers, 16-bit activations fall back to floats", "[engine]") {
  ModelBuilder builder(21);
  const std::string x = add_code_input(builder, "x", {2, 8, 6, 6}, kInput);
  Tensor codes = code_noise(DataType::kInt4, {9, 8, 3, 3}, 1);
  const std::string w = add_weights(builder, "w", codes, channel_scales(9), 0);
  builder.node("Conv", {x, w}, {"c"});
  add_code_output(builder, "c", {0.03F, 128, DataType::kUint8});
  CHECK(check_fused_codes(builder.build(), {code_noise(DataType::kUint8, {2, 8, 6, 6}, 2)}) == 1.0);

  ModelBuilder wide(21);
  wide.input("x", {2, 8, 6, 6});
  wide.weight("s", Tensor::scalar(0.0001F)).weight("z", Tensor::scalar(uint16_t{32768}));
  wide.node("QuantizeLinear", {"x", "s", "z"}, {"q"});
  wide.node("DequantizeLinear", {"q", "s", "z"}, {"d"});
  const std::string v =
      add_weights(wide, "w", code_noise(DataType::kInt8, {9, 8, 3, 3}, 1), channel_scales(9), 0);
  wide.node("Conv", {"d", v}, {"y"});
  wide.output("y");
  const Model model = wide.build();
  CHECK(check_fused_codes(model, {noise({2, 8, 6, 6}, 2)}) == 0.0);
}

TEST_CASE("quantized Add and Mul equal the float pattern exactly", "[engine]") {
  for (const std::string op : {"Add", "Mul"}) {
    for (const Dims& right : {Dims{2, 5, 6, 7}, Dims{2, 5, 1, 1}}) {
      for (const bool relu : {false, true}) {
        CAPTURE(op, relu, dims_text(right));
        ModelBuilder builder(13);
        const std::string a = add_code_input(builder, "a", {2, 5, 6, 7}, kInput);
        const std::string b = add_code_input(builder, "b", right, {0.03F, 100, DataType::kUint8});
        builder.node(op, {a, b}, {"s"});
        if (relu) builder.node("Relu", {"s"}, {"r"});
        add_code_output(builder, relu ? "r" : "s", {0.04F, 90, DataType::kUint8});
        const Model model = builder.build();
        const std::vector<Tensor> inputs{code_noise(DataType::kUint8, {2, 5, 6, 7}, 1),
                                         code_noise(DataType::kUint8, right, 2)};
        check_close(run_engine(model, inputs, false), run_engine(model, inputs, true));
      }
    }
  }
}

TEST_CASE("functions of codes become tables that equal the float pattern", "[engine]") {
  for (const std::string op :
       {"HardSwish", "Sigmoid", "Tanh", "Relu", "HardSigmoid", "LeakyRelu"}) {
    CAPTURE(op);
    ModelBuilder builder(14);
    const std::string x = add_code_input(builder, "x", {1, 2, 8, 16}, {0.05F, 128});
    builder.node(op, {x}, {"f"});
    add_code_output(builder, "f", {0.03F, 60, DataType::kUint8});
    Tensor codes = Tensor::allocate(DataType::kUint8, {1, 2, 8, 16});
    for (int i = 0; i < 256; ++i)
      codes.mutable_as<uint8_t>()[static_cast<size_t>(i)] = static_cast<uint8_t>(i);
    check_fused_codes(builder.build(), {codes});
  }
}

TEST_CASE("Concat of codes requantizes each input as the float pattern does", "[engine]") {
  for (const int axis : {1, 3}) {
    ModelBuilder builder(13);
    const std::string a = add_code_input(builder, "a", {2, 5, 6, 7}, kInput);
    const std::string b =
        add_code_input(builder, "b", {2, 5, 6, 7}, {0.03F, 100, DataType::kUint8});
    builder.node("Concat", {a, b}, {"s"}).with("axis", axis);
    add_code_output(builder, "s", {0.03F, 100, DataType::kUint8});
    const Model model = builder.build();
    const std::vector<Tensor> inputs{code_noise(DataType::kUint8, {2, 5, 6, 7}, 1),
                                     code_noise(DataType::kUint8, {2, 5, 6, 7}, 2)};
    check_close(run_engine(model, inputs, false), run_engine(model, inputs, true));
  }
}

TEST_CASE("MaxPool and GlobalAveragePool run on codes", "[engine]") {
  ModelBuilder pool(13);
  const std::string x = add_code_input(pool, "x", {2, 5, 7, 7}, kInput);
  pool.node("MaxPool", {x}, {"p"})
      .with("kernel_shape", std::vector<int64_t>{3, 3})
      .with("strides", std::vector<int64_t>{2, 2})
      .with("pads", std::vector<int64_t>{1, 1, 1, 1});
  add_code_output(pool, "p", kInput);
  const Tensor codes = code_noise(DataType::kUint8, {2, 5, 7, 7}, 1);
  check_close(run_engine(pool.build(), {codes}, false), run_engine(pool.build(), {codes}, true));
  ModelBuilder mean(13);
  const std::string y = add_code_input(mean, "x", {2, 5, 7, 7}, kInput);
  mean.node("GlobalAveragePool", {y}, {"p"});
  add_code_output(mean, "p", {0.005F, 128, DataType::kUint8});
  check_fused_codes(mean.build(), {codes});
}

TEST_CASE("a chain of quantized operators keeps its codes from one to the next", "[engine]") {
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, 12, 12});
  const std::string x = add_qdq(builder, "x", {0.008F, 128, DataType::kUint8});
  const std::string w = add_weights(builder, "w", code_noise(DataType::kInt8, {16, 3, 3, 3}, 1),
                                    channel_scales(16), 0);
  builder.node("Conv", {x, w}, {"c"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  builder.node("Relu", {"c"}, {"r"});
  const std::string r = add_qdq(builder, "r", {0.1F, 0, DataType::kUint8});
  const std::string v = add_weights(builder, "v", code_noise(DataType::kInt8, {16, 16, 3, 3}, 2),
                                    channel_scales(16), 0);
  builder.node("Conv", {r, v}, {"d"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  const std::string d = add_qdq(builder, "d", {1.5F, 128, DataType::kUint8});
  builder.node("Add", {d, r}, {"s"});
  const std::string s = add_qdq(builder, "s", {1.5F, 120, DataType::kUint8});
  builder.node("GlobalAveragePool", {s}, {"g"});
  const std::string g = add_qdq(builder, "g", {0.5F, 120, DataType::kUint8});
  builder.node("Flatten", {g}, {"f"});
  builder.output("f").output("d_q", DataType::kUint8);
  const Model model = builder.build();
  const Tensor input = noise({3, 3, 12, 12}, 5);
  const auto wanted = run_engine(model, {input}, false);
  const auto got = run_engine(model, {input}, true);
  check_codes(wanted[1], got[1]);
  // One step of the last quantizer is 0.5.
  const auto a = wanted[0].to_float();
  const auto b = got[0].to_float();
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(b[i] == Catch::Approx(a[i]).margin(0.5001));
}

}  // namespace limbeck::test
