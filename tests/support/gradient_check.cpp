#include "tests/support/gradient_check.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <numeric>

#include "lib/ops/gradient.h"
#include "tests/support/vectors.h"
#include "tests/support/worst.h"

namespace limbeck::test {
namespace {

constexpr double kStep = 0x1p-12;

/// Reproducible 32-bit numbers (Knuth's multiplicative generator is enough here).
class Random {
 public:
  explicit Random(unsigned seed) : state_(seed * 2654435761U + 12345U) {}
  unsigned next() {
    state_ = state_ * 1664525U + 1013904223U;
    return state_ >> 8;
  }
  double symmetric() { return static_cast<double>(next()) * 0x1p-23 - 1.0; }

 private:
  unsigned state_;
};

Tensor to_type(const Tensor& tensor, DataType type) {
  if (tensor.type() == type || tensor.type() != DataType::kDouble) return tensor;
  const auto values = tensor.as<double>();
  return Tensor::from<float>(tensor.dims(), {values.begin(), values.end()});
}

std::vector<double> values_of(const Tensor& tensor) {
  if (tensor.type() == DataType::kDouble) {
    const auto values = tensor.as<double>();
    return {values.begin(), values.end()};
  }
  const std::vector<float> values = tensor.to_float();
  return {values.begin(), values.end()};
}

/// The node, bound to its kernel and gradient.
class Bound {
 public:
  Bound(const NodeCase& node_case, DataType type) : type_(type) {
    ModelBuilder builder(node_case.opset);
    std::vector<std::string> inputs;
    std::vector<std::string> outputs;
    for (size_t i = 0; i < node_case.inputs.size(); ++i) {
      data_.push_back(to_type(node_case.inputs[i], type));
      const bool absent = data_[i].type() == DataType::kUndefined;
      inputs.push_back(absent ? "" : "i" + std::to_string(i));
      if (!absent) builder.input(inputs.back(), data_[i].dims(), data_[i].type());
    }
    for (size_t i = 0; i < node_case.outputs; ++i) {
      outputs.push_back("o" + std::to_string(i));
      builder.output(outputs.back(), DataType::kUndefined);
    }
    NodeBuilder node = builder.node(node_case.op, inputs, outputs);
    node_case.attributes(node);
    model_ = builder.build();
    const Node& bound = *model_.graph.nodes().front();
    const OpRow* row = find_op("", node_case.op, node_case.opset);
    REQUIRE(row != nullptr);
    REQUIRE(row->gradient != nullptr);
    kernel_ = row->kernel(bound, node_case.opset);
    gradient_ = row->gradient(bound, node_case.opset);
    outputs_ = run(data_);
  }

  const std::vector<Tensor>& data() const { return data_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  bool differentiable(const Tensor& tensor) const { return tensor.type() == type_; }

  std::vector<Tensor> run(const std::vector<Tensor>& data) const {
    std::vector<const Tensor*> inputs;
    for (const Tensor& tensor : data)
      inputs.push_back(tensor.type() == DataType::kUndefined ? nullptr : &tensor);
    std::vector<Tensor> outputs(model_.graph.nodes().front()->outputs().size());
    KernelContext context(inputs, outputs);
    kernel_->run(context);
    return outputs;
  }

  /// Gradients of the inputs in `wanted`, one item an input. Hands over nothing undeclared.
  std::vector<Tensor> backward(const std::vector<Tensor>& cotangents,
                               const std::vector<uint8_t>& wanted) const {
    const GradientReads reads = gradient_->reads();
    std::vector<ForwardValue> values;
    std::vector<const ForwardValue*> inputs;
    std::vector<const ForwardValue*> outputs;
    std::vector<const Tensor*> dy;
    values.reserve(data_.size() + outputs_.size());
    for (size_t i = 0; i < data_.size(); ++i) {
      values.push_back({data_[i].type(), data_[i].dims(), reads.input(i) ? data_[i] : Tensor{}});
      inputs.push_back(data_[i].type() == DataType::kUndefined ? nullptr : &values.back());
    }
    for (size_t i = 0; i < outputs_.size(); ++i) {
      values.push_back(
          {outputs_[i].type(), outputs_[i].dims(), reads.output(i) ? outputs_[i] : Tensor{}});
      outputs.push_back(&values.back());
      dy.push_back(cotangents[i].type() == DataType::kUndefined ? nullptr : &cotangents[i]);
    }
    std::vector<Tensor> gradients(data_.size());
    GradientContext context({inputs, outputs, dy, wanted, gradients});
    gradient_->run(context);
    return gradients;
  }

  std::vector<uint8_t> all_wanted() const {
    std::vector<uint8_t> wanted;
    for (const Tensor& tensor : data_) wanted.push_back(differentiable(tensor) ? 1 : 0);
    return wanted;
  }

 private:
  DataType type_;
  Model model_;
  std::vector<Tensor> data_;
  std::vector<Tensor> outputs_;
  std::unique_ptr<Kernel> kernel_;
  std::unique_ptr<Gradient> gradient_;
};

struct Weighted {
  double sum = 0;
  double magnitude = 0;
};

Weighted weigh(const std::vector<Tensor>& cotangents, const std::vector<Tensor>& outputs) {
  Weighted result;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (cotangents[i].type() == DataType::kUndefined) continue;
    const auto v = cotangents[i].as<double>();
    const auto y = outputs[i].as<double>();
    for (size_t k = 0; k < y.size(); ++k) {
      result.sum += v[k] * y[k];
      result.magnitude += std::fabs(v[k] * y[k]);
    }
  }
  return result;
}

double moved_sum(const Bound& bound, const std::vector<Tensor>& cotangents, size_t input,
                 size_t element, double step) {
  std::vector<Tensor> data = bound.data();
  data[input] = data[input].clone();
  data[input].mutable_as<double>()[element] += step;
  return weigh(cotangents, bound.run(data)).sum;
}

/// Central differences with h and 2h; their h^2 terms cancel.
double numeric(const Bound& bound, const std::vector<Tensor>& cotangents, size_t input,
               size_t element) {
  const auto central = [&](double h) {
    return (moved_sum(bound, cotangents, input, element, h) -
            moved_sum(bound, cotangents, input, element, -h)) /
           (2 * h);
  };
  return (4 * central(kStep) - central(2 * kStep)) / 3;
}

double largest(const std::vector<double>& values) {
  double result = 0;
  for (const double value : values) result = std::max(result, std::fabs(value));
  return result;
}

void check_numeric(const Bound& bound, const std::vector<Tensor>& cotangents, size_t input,
                   const Tensor& gradient) {
  const double magnitude = weigh(cotangents, bound.outputs()).magnitude;
  std::vector<double> expected(static_cast<size_t>(bound.data()[input].count()));
  for (size_t k = 0; k < expected.size(); ++k) expected[k] = numeric(bound, cotangents, input, k);
  // An unset gradient means zero.
  std::vector<double> actual(expected.size(), 0.0);
  if (gradient.type() != DataType::kUndefined) {
    REQUIRE(gradient.dims() == bound.data()[input].dims());
    actual = values_of(gradient);
  }
  const double bound_of_error = 1e-7 * largest(expected) + 1e-11 * magnitude;
  double worst = 0;
  for (size_t k = 0; k < expected.size(); ++k)
    worst = worse(worst, std::fabs(expected[k] - actual[k]));
  INFO("input " << input << ", largest gradient " << largest(expected));
  CHECK(worst <= bound_of_error);
}

std::vector<Tensor> random_cotangents(const Bound& bound, bool last_only) {
  std::vector<Tensor> cotangents;
  Random random(7);
  for (size_t i = 0; i < bound.outputs().size(); ++i) {
    const Tensor& y = bound.outputs()[i];
    const bool taken = bound.differentiable(y) && (!last_only || i + 1 == bound.outputs().size());
    cotangents.emplace_back();
    if (!taken) continue;
    cotangents.back() = Tensor::allocate(y.type(), y.dims());
    for (double& item : cotangents.back().mutable_as<double>()) item = random.symmetric();
  }
  return cotangents;
}

void check_single_inputs(const Bound& bound, const std::vector<Tensor>& cotangents,
                         const std::vector<Tensor>& together) {
  const std::vector<uint8_t> all = bound.all_wanted();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i] == 0) continue;
    std::vector<uint8_t> one(all.size(), 0);
    one[i] = 1;
    const std::vector<Tensor> alone = bound.backward(cotangents, one);
    INFO("only input " << i << " wanted");
    REQUIRE(alone[i].type() == together[i].type());
    if (alone[i].type() == DataType::kUndefined) continue;
    CHECK((values_of(alone[i]) == values_of(together[i])));
    for (size_t k = 0; k < all.size(); ++k)
      if (k != i) CHECK(alone[k].type() == DataType::kUndefined);
  }
}

void check_float(const NodeCase& node_case, const std::vector<Tensor>& cotangents,
                 const std::vector<Tensor>& expected) {
  const Bound bound(node_case, DataType::kFloat);
  std::vector<Tensor> narrow;
  for (const Tensor& v : cotangents) narrow.push_back(to_type(v, DataType::kFloat));
  const std::vector<uint8_t> wanted = Bound(node_case, DataType::kDouble).all_wanted();
  const std::vector<Tensor> gradients = bound.backward(narrow, wanted);
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (wanted[i] == 0 || expected[i].type() == DataType::kUndefined) continue;
    INFO("input " << i << " in float");
    REQUIRE(gradients[i].type() == DataType::kFloat);
    const std::vector<double> exact = values_of(expected[i]);
    const std::vector<double> rough = values_of(gradients[i]);
    double worst = 0;
    for (size_t k = 0; k < exact.size(); ++k) worst = worse(worst, std::fabs(exact[k] - rough[k]));
    CHECK(worst <= 1e-4 * largest(exact) + 1e-6);
  }
}

}  // namespace

Tensor spread(const Dims& dims, unsigned seed, double low, double high) {
  Tensor result = Tensor::allocate(DataType::kDouble, dims);
  auto items = result.mutable_as<double>();
  std::vector<size_t> order(items.size());
  std::iota(order.begin(), order.end(), size_t{0});
  Random random(seed);
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
  for (size_t i = 0; i < items.size(); ++i) {
    const double share = (static_cast<double>(order[i]) + 0.37) / static_cast<double>(items.size());
    items[i] = low + (high - low) * share;
  }
  return result;
}

void check_gradient(const GradientCase& gradient_case) {
  const NodeCase& node_case = gradient_case.node;
  INFO(node_case.op << " " << node_case.opset << ": " << gradient_case.what);
  const Bound bound(node_case, DataType::kDouble);
  for (const bool last_only : {false, true}) {
    if (last_only && bound.outputs().size() < 2) break;
    const std::vector<Tensor> cotangents = random_cotangents(bound, last_only);
    if (!bound.differentiable(bound.outputs().back()) && last_only) break;
    const std::vector<Tensor> gradients = bound.backward(cotangents, bound.all_wanted());
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (bound.all_wanted()[i] != 0) check_numeric(bound, cotangents, i, gradients[i]);
    }
    check_single_inputs(bound, cotangents, gradients);
    check_float(node_case, cotangents, gradients);
  }
}

const std::vector<GradientCase>& gradient_cases() {
  static const std::vector<GradientCase> kCases = [] {
    std::vector<GradientCase> all;
    for (const GradientCases& family :
         {unary_gradient_cases(), arithmetic_gradient_cases(), movement_gradient_cases(),
          resize_gradient_cases(), reduction_gradient_cases(), window_gradient_cases(),
          matmul_gradient_cases(), normalization_gradient_cases()}) {
      all.insert(all.end(), family.begin(), family.end());
    }
    return all;
  }();
  return kCases;
}

}  // namespace limbeck::test
