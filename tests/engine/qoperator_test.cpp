// Operators that are integer in the model: fused steps against the plain kernels of the table, and
// the plain kernels against numbers worked out by hand.
#include <catch2/catch_test_macros.hpp>

#include "tests/support/engine_compare.h"

namespace limbeck::test {
namespace {

ModelBuilder builder_with_microsoft() {
  ModelBuilder builder(13);
  auto* import = builder.proto().add_opset_import();
  import->set_domain("com.microsoft");
  import->set_version(1);
  return builder;
}

std::vector<float> steps(int64_t count) {
  std::vector<float> result;
  for (int64_t i = 0; i < count; ++i) result.push_back(0.01F + 0.001F * static_cast<float>(i));
  return result;
}

/// Input codes "x" and the constants of x and y.
void add_parameters(ModelBuilder& builder, const Dims& dims, const Step& x, const Step& y) {
  builder.input("x", dims, x.type);
  add_step(builder, "x", x);
  add_step(builder, "y", y);
}

Tensor codes(const std::vector<uint8_t>& values) {
  return Tensor::from<uint8_t>({1, static_cast<int64_t>(values.size())}, values);
}

/// One com.microsoft operator of one quantized input; both ways of running it.
std::vector<int64_t> run_unary(const std::string& op, const Step& x, const Step& y,
                               const Tensor& input) {
  ModelBuilder builder = builder_with_microsoft();
  add_parameters(builder, input.dims(), x, y);
  builder.node(op, {"x", "x_scale", "x_zero", "y_scale", "y_zero"}, {"y"})
      .in_domain("com.microsoft");
  builder.output("y", y.type);
  const Model model = builder.build();
  const auto plain = run_engine(model, {input}, false);
  check_close(plain, run_engine(model, {input}, true));
  return plain[0].to_int64();
}

}  // namespace

TEST_CASE("QLinearConv and QGemm run as integer steps", "[engine]") {
  ModelBuilder conv = builder_with_microsoft();
  add_parameters(conv, {2, 6, 7, 7}, {0.02F, 113}, {0.3F, 125});
  conv.weight("w", code_noise(DataType::kInt8, {10, 6, 3, 3}, 1))
      .weight("w_scale", floats(steps(10)));
  conv.weight("w_zero", filled_codes(DataType::kInt8, {10}, 0));
  conv.weight("b", Tensor::from<int32_t>({10}, std::vector<int32_t>(10, 321)));
  conv.node("QLinearConv",
            {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero", "b"}, {"y"})
      .with("pads", std::vector<int64_t>{1, 1, 1, 1});
  conv.output("y", DataType::kUint8);
  CHECK(check_fused_codes(conv.build(), {code_noise(DataType::kUint8, {2, 6, 7, 7}, 2)}) == 1.0);

  for (const int transposed : {0, 1}) {
    ModelBuilder gemm = builder_with_microsoft();
    add_parameters(gemm, {-1, 20}, {0.02F, 113}, {0.3F, 125});
    gemm.weight("w", code_noise(DataType::kInt8, transposed ? Dims{9, 20} : Dims{20, 9}, 1));
    gemm.weight("w_scale", floats(steps(9)));
    gemm.weight("w_zero", filled_codes(DataType::kInt8, {9}, 0));
    gemm.weight("c", Tensor::from<int32_t>({9}, std::vector<int32_t>(9, -50)));
    gemm.node("QGemm",
              {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "c", "y_scale", "y_zero"}, {"y"})
        .in_domain("com.microsoft")
        .with("transB", transposed);
    gemm.output("y", DataType::kUint8);
    CHECK(check_fused_codes(gemm.build(), {code_noise(DataType::kUint8, {4, 20}, 2)}) == 1.0);
  }
}

TEST_CASE("uint8 weights with a zero point in the middle run as integers", "[engine]") {
  ModelBuilder builder(13);
  add_parameters(builder, {3, 20}, {0.02F, 113}, {0.3F, 125});
  builder.weight("w", code_noise(DataType::kUint8, {20, 9}, 1));
  builder.weight("w_scale", Tensor::scalar(0.01F))
      .weight("w_zero", filled_codes(DataType::kUint8, {}, 128));
  builder.node("QLinearMatMul",
               {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"}, {"y"});
  builder.output("y", DataType::kUint8);
  CHECK(check_fused_codes(builder.build(), {code_noise(DataType::kUint8, {3, 20}, 2)}) == 1.0);
}

TEST_CASE("QGemm adds the bias to the sums and scales once", "[engine]") {
  // x = (12 - 10, 7 - 10) * 0.5 = (1, -1.5), w = (4, 2) * 0.25 = (1, 0.5), C = 3 * 0.125:
  // 1 - 0.75 + 0.375 = 0.625, five steps of 0.125 above 100.
  ModelBuilder builder = builder_with_microsoft();
  add_parameters(builder, {1, 2}, {0.5F, 10}, {0.125F, 100});
  builder.weight("w", Tensor::from<int8_t>({2, 1}, {4, 2}))
      .weight("w_scale", Tensor::scalar(0.25F));
  builder.weight("w_zero", filled_codes(DataType::kInt8, {}, 0));
  builder.weight("c", Tensor::from<int32_t>({1}, {3}));
  builder
      .node("QGemm", {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "c", "y_scale", "y_zero"},
            {"y"})
      .in_domain("com.microsoft");
  builder.output("y", DataType::kUint8);
  for (const bool fuse : {false, true})
    CHECK(run_engine(builder.build(), {codes({12, 7})}, fuse)[0].to_int64() ==
          std::vector<int64_t>{105});
}

TEST_CASE("QLinearAdd and QLinearMul work on real values", "[engine]") {
  // a = (2, -1), b = (1, 0.5): sums (3, -0.5), products (2, -0.5), in steps of 0.5 above 20.
  for (const std::string op : {"QLinearAdd", "QLinearMul"}) {
    ModelBuilder builder = builder_with_microsoft();
    add_parameters(builder, {1, 2}, {1.0F, 10}, {0.5F, 20});
    builder.input("b", {1, 2}, DataType::kUint8);
    add_step(builder, "b", {0.5F, 3});
    builder
        .node(op, {"x", "x_scale", "x_zero", "b", "b_scale", "b_zero", "y_scale", "y_zero"}, {"y"})
        .in_domain("com.microsoft");
    builder.output("y", DataType::kUint8);
    const std::vector<int64_t> wanted =
        op == "QLinearAdd" ? std::vector<int64_t>{26, 19} : std::vector<int64_t>{24, 19};
    for (const bool fuse : {false, true})
      CHECK(run_engine(builder.build(), {codes({12, 9}), codes({5, 4})}, fuse)[0].to_int64() ==
            wanted);
  }
}

TEST_CASE("QLinearSigmoid and QLinearLeakyRelu work on real values", "[engine]") {
  // sigmoid(0) = 0.5 is 50 steps of 0.01; sigmoid of 100 saturates at 1.
  CHECK(run_unary("QLinearSigmoid", {1.0F, 10}, {0.01F, 0}, codes({10, 110})) ==
        std::vector<int64_t>{50, 100});
  // 0.01 * -100 = -1 is two steps below 7; 20 is 40 steps above.
  CHECK(run_unary("QLinearLeakyRelu", {1.0F, 100}, {0.5F, 7}, codes({0, 120})) ==
        std::vector<int64_t>{5, 47});
}

TEST_CASE("quantized pools average real values", "[engine]") {
  // (1 + 2 + 3 + 6) / 4 = 3 is six steps of 0.5 above 1.
  const Tensor image = Tensor::from<uint8_t>({1, 1, 2, 2}, {11, 12, 13, 16});
  CHECK(run_unary("QLinearGlobalAveragePool", {1.0F, 10}, {0.5F, 1}, image) ==
        std::vector<int64_t>{7});
  ModelBuilder builder = builder_with_microsoft();
  add_parameters(builder, {1, 1, 2, 2}, {1.0F, 10}, {0.5F, 1});
  builder.node("QLinearAveragePool", {"x", "x_scale", "x_zero", "y_scale", "y_zero"}, {"y"})
      .in_domain("com.microsoft")
      .with("kernel_shape", std::vector<int64_t>{1, 2});
  builder.output("y", DataType::kUint8);
  for (const bool fuse : {false, true})
    CHECK(run_engine(builder.build(), {image}, fuse)[0].to_int64() == std::vector<int64_t>{4, 10});
}

TEST_CASE("QLinearConcat requantizes every input", "[engine]") {
  // 2 steps of 1 are 4 of 0.5; 3 steps of 0.5 stay 3.
  ModelBuilder builder = builder_with_microsoft();
  add_parameters(builder, {1, 1}, {1.0F, 10}, {0.5F, 20});
  builder.input("b", {1, 1}, DataType::kUint8);
  add_step(builder, "b", {0.5F, 20});
  builder
      .node("QLinearConcat",
            {"y_scale", "y_zero", "x", "x_scale", "x_zero", "b", "b_scale", "b_zero"}, {"y"})
      .in_domain("com.microsoft")
      .with("axis", 1);
  builder.output("y", DataType::kUint8);
  for (const bool fuse : {false, true})
    CHECK(run_engine(builder.build(), {codes({12}), codes({23})}, fuse)[0].to_int64() ==
          std::vector<int64_t>{24, 23});
}

TEST_CASE("dynamically quantized models sum integers exactly", "[engine]") {
  ModelBuilder conv(13);
  conv.input("x", {2, 6, 7, 7});
  conv.weight("w", code_noise(DataType::kInt8, {10, 6, 3, 3}, 1));
  conv.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  conv.node("ConvInteger", {"q", "w", "z"}, {"y"}).with("pads", std::vector<int64_t>{1, 1, 1, 1});
  conv.output("y", DataType::kInt32);
  const Model model = conv.build();
  EngineOptions options;
  CHECK(Engine::compile(model, options)->integer_mac_share() == 1.0);
  check_fused(model, {noise({2, 6, 7, 7}, 2)});

  ModelBuilder matmul(13);
  matmul.input("x", {4, 19});
  matmul.weight("w", code_noise(DataType::kInt8, {19, 21}, 1));
  matmul.weight("w_zero", code_noise(DataType::kInt8, {}, 1));
  matmul.node("DynamicQuantizeLinear", {"x"}, {"q", "s", "z"});
  matmul.node("MatMulInteger", {"q", "w", "z"}, {"y"});
  matmul.node("MatMulInteger", {"q", "w", "z", "w_zero"}, {"v"});
  matmul.output("y", DataType::kInt32).output("v", DataType::kInt32);
  check_fused(matmul.build(), {noise({4, 19}, 2)});
}

TEST_CASE("MaxPool and Concat of codes without conversions equal the plain kernels", "[engine]") {
  ModelBuilder builder(13);
  builder.input("x", {2, 6, 7, 7}, DataType::kUint8);
  builder.node("MaxPool", {"x"}, {"p"}).with("kernel_shape", std::vector<int64_t>{2, 2});
  builder.node("Concat", {"p", "p"}, {"y"}).with("axis", 1);
  builder.output("y", DataType::kUint8);
  check_fused(builder.build(), {code_noise(DataType::kUint8, {2, 6, 7, 7}, 1)});
}

}  // namespace limbeck::test
