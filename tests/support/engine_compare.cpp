#include "tests/support/engine_compare.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <random>

namespace limbeck::test {

std::vector<Tensor> run_engine(const Model& model, const std::vector<Tensor>& inputs, bool fuse,
                               const std::vector<std::string>& taps, int threads) {
  EngineOptions options;
  options.fuse = fuse;
  options.taps = taps;
  options.threads = threads;
  return Engine::compile(model, options)->run(inputs);
}

namespace {

void check_floats(const Tensor& wanted, const Tensor& got, float tolerance) {
  const auto a = wanted.as<float>();
  const auto b = got.as<float>();
  float largest = 0;
  float difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(std::isfinite(b[i]));
    largest = std::max(largest, std::fabs(a[i]));
    difference = std::max(difference, std::fabs(a[i] - b[i]));
  }
  CAPTURE(largest, difference);
  CHECK(largest > 0);
  CHECK(difference <= tolerance * largest);
}

}  // namespace

void check_close(const std::vector<Tensor>& wanted, const std::vector<Tensor>& got,
                 float tolerance) {
  REQUIRE(wanted.size() == got.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    CAPTURE(i);
    REQUIRE(got[i].type() == wanted[i].type());
    REQUIRE(got[i].dims() == wanted[i].dims());
    if (wanted[i].type() == DataType::kFloat) {
      check_floats(wanted[i], got[i], tolerance);
    } else {
      CHECK(got[i].to_int64() == wanted[i].to_int64());
    }
  }
}

void check_fused(const Model& model, const std::vector<Tensor>& inputs,
                 const std::vector<std::string>& taps, float tolerance) {
  const auto wanted = run_engine(model, inputs, false, taps);
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    check_close(wanted, run_engine(model, inputs, true, taps, threads), tolerance);
  }
}

void check_codes(const Tensor& wanted, const Tensor& got) {
  REQUIRE(got.type() == wanted.type());
  REQUIRE(got.dims() == wanted.dims());
  const auto a = wanted.to_int64();
  const auto b = got.to_int64();
  size_t off = 0;
  int64_t worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    off += a[i] != b[i] ? 1 : 0;
    worst = std::max(worst, std::abs(a[i] - b[i]));
  }
  CAPTURE(off, worst, a.size());
  CHECK(worst <= 1);
  CHECK(off <= 1 + a.size() / 1000);
  CHECK(std::adjacent_find(a.begin(), a.end(), std::not_equal_to<>()) != a.end());
}

double check_fused_codes(const Model& model, const std::vector<Tensor>& inputs) {
  const auto wanted = run_engine(model, inputs, false);
  double share = 0;
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    EngineOptions options;
    options.threads = threads;
    const auto engine = Engine::compile(model, options);
    const auto got = engine->run(inputs);
    REQUIRE(got.size() == wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      if (wanted[i].type() == DataType::kFloat) {
        check_close({wanted[i]}, {got[i]});
      } else {
        check_codes(wanted[i], got[i]);
      }
    }
    share = engine->integer_mac_share();
  }
  return share;
}

Tensor code_noise(DataType type, const Dims& dims, unsigned seed) {
  std::mt19937 generator(seed);
  Tensor tensor = Tensor::allocate(type, dims);
  std::byte* bytes = tensor.mutable_raw();
  const auto size = static_cast<int64_t>(storage_bytes(type, static_cast<size_t>(tensor.count())));
  for (int64_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(generator() >> 24U);
  return tensor;
}

Tensor filled_codes(DataType type, const Dims& dims, int value) {
  Tensor tensor = Tensor::allocate(type, dims);
  std::byte* bytes = tensor.mutable_raw();
  std::fill(bytes, bytes + tensor.count(), static_cast<std::byte>(value));
  return tensor;
}

void add_step(ModelBuilder& builder, const std::string& name, const Step& step) {
  builder.weight(name + "_scale", Tensor::scalar(step.scale));
  builder.weight(name + "_zero", filled_codes(step.type, {}, step.zero));
}

std::string add_qdq(ModelBuilder& builder, const std::string& from, const Step& step) {
  add_step(builder, from, step);
  builder.node("QuantizeLinear", {from, from + "_scale", from + "_zero"}, {from + "_q"});
  builder.node("DequantizeLinear", {from + "_q", from + "_scale", from + "_zero"}, {from + "_dq"});
  return from + "_dq";
}

std::string add_code_input(ModelBuilder& builder, const std::string& name, const Dims& dims,
                           const Step& step) {
  builder.input(name, dims, step.type);
  add_step(builder, name, step);
  builder.node("DequantizeLinear", {name, name + "_scale", name + "_zero"}, {name + "_dq"});
  return name + "_dq";
}

void add_code_output(ModelBuilder& builder, const std::string& from, const Step& step) {
  add_step(builder, from, step);
  builder.node("QuantizeLinear", {from, from + "_scale", from + "_zero"}, {from + "_q"});
  builder.output(from + "_q", step.type);
}

std::string add_weights(ModelBuilder& builder, const std::string& name, const Tensor& codes,
                        const std::vector<float>& scales, int64_t axis) {
  builder.weight(name, codes);
  builder.weight(name + "_scale", scales.size() == 1 ? Tensor::scalar(scales[0]) : floats(scales));
  builder.node("DequantizeLinear", {name, name + "_scale"}, {name + "_dq"}).with("axis", axis);
  return name + "_dq";
}

std::string add_bias(ModelBuilder& builder, const std::string& name,
                     const std::vector<int32_t>& codes, float input_scale,
                     const std::vector<float>& scales) {
  std::vector<float> steps;
  for (const float scale : scales) steps.push_back(input_scale * scale);
  builder.weight(name, Tensor::from<int32_t>({static_cast<int64_t>(codes.size())}, codes));
  builder.weight(name + "_scale", steps.size() == 1 ? Tensor::scalar(steps[0]) : floats(steps));
  builder.node("DequantizeLinear", {name, name + "_scale"}, {name + "_dq"})
      .with("axis", int64_t{0});
  return name + "_dq";
}

}  // namespace limbeck::test
