#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/emit.h"
#include "lib/quantize/passes/rewrite.h"
#include "lib/quantize/pattern.h"
#include "lib/quantize/qoperator_nodes.h"

namespace limbeck {
namespace {

constexpr const char* kContrib = "com.microsoft";

/// An integer tensor and how it is read.
struct Codes {
  Value* codes = nullptr;
  Value* scale = nullptr;
  Value* zero = nullptr;
  bool per_tensor() const { return scale->constant()->count() == 1; }
  bool is_8_bit() const {
    return codes->type == DataType::kInt8 || codes->type == DataType::kUint8;
  }
};

std::optional<Codes> read_codes(const Node* node, Value* codes) {
  Value* scale = node->input(1);
  Value* zero = node->input(2);
  const bool constant = scale != nullptr && scale->constant() != nullptr;
  if (!constant || codes == nullptr) return std::nullopt;
  return Codes{codes, scale, zero};
}

std::optional<Codes> dequantized(const Value* value) {
  if (value == nullptr || !is_op(value->producer(), "DequantizeLinear")) return std::nullopt;
  return read_codes(value->producer(), value->producer()->input(0));
}

/// 8-bit codes with one scale.
std::optional<Codes> activation(const Value* value) {
  const auto found = dequantized(value);
  if (!found || found->zero == nullptr || !found->is_8_bit() || !found->per_tensor())
    return std::nullopt;
  return found;
}

/// The QuantizeLinear that alone reads `value`.
Node* quantizer(const Value* value) {
  if (value == nullptr || !is_private(value)) return nullptr;
  Node* reader = value->uses()[0].node;
  return is_op(reader, "QuantizeLinear") && value->uses()[0].index == 0 ? reader : nullptr;
}

std::optional<Codes> quantized(const Value* value) {
  const Node* node = quantizer(value);
  if (node == nullptr) return std::nullopt;
  const auto found = read_codes(node, node->output(0));
  if (!found || found->zero == nullptr || !found->is_8_bit() || !found->per_tensor())
    return std::nullopt;
  return found;
}

/// A Relu or Clip between a result and its QuantizeLinear: one that saturation does not repeat.
const Node* clamp_after(const Value* value) {
  if (value == nullptr || !is_private(value)) return nullptr;
  const Node* reader = value->uses()[0].node;
  return is_absorbed(*reader) ? reader : nullptr;
}

std::optional<Codes> quantized_result(const Node& node) {
  const Node* clamp = clamp_after(node.output(0));
  return quantized(clamp != nullptr ? clamp->output(0) : node.output(0));
}

Tensor code_scalar(DataType type, int32_t code) {
  if (type == DataType::kInt8) return Tensor::scalar(static_cast<int8_t>(code));
  return Tensor::scalar(static_cast<uint8_t>(code));
}

bool same_constant(const Value* a, const Value* b) {
  if (a == b) return true;
  if (a->constant() == nullptr || b->constant() == nullptr) return false;
  return a->constant()->type() == b->constant()->type() &&
         a->constant()->to_float() == b->constant()->to_float();
}

bool same_params(const Codes& a, const Codes& b) {
  return same_constant(a.scale, b.scale) && same_constant(a.zero, b.zero);
}

class QOperatorWriter {
 public:
  explicit QOperatorWriter(Model* model) : model_(*model), graph_(model->graph) {}

  void run() {
    std::vector<Node*> nodes = snapshot(graph_);
    // Rewriting removes them.
    std::erase_if(nodes, [](const Node* node) { return is_op(node, "QuantizeLinear"); });
    for (Node* node : nodes) {
      if (node->domain().empty()) rewrite(*node);
    }
    graph_.remove_dead();
    graph_.sort();
    if (uses_contrib_ && model_.opset(kContrib) == 0) model_.set_opset(kContrib, 1);
  }

 private:
  void rewrite(Node& node) {
    const std::string& op = node.op_type();
    if (op == "Conv") return rewrite_conv(node);
    if (op == "MatMul") return rewrite_matmul(node);
    if (op == "Gemm") return rewrite_gemm(node);
    if (op == "Concat") return rewrite_concat(node);
    if (const std::string_view name = binary_name(op); !name.empty())
      return rewrite_elementwise(node, name, 2);
    if (const std::string_view name = unary_name(op); !name.empty())
      return rewrite_elementwise(node, name, 1);
    if (moves_integers(node)) rewrite_mover(node);
  }

  /// `result` of the new operator stands for `replaced` from now on, under its name.
  void replace(Node& node, std::string_view op_type, const char* domain,
               const std::vector<Value*>& inputs, Value* replaced) {
    Node* fresh = graph_.add_node(std::string(op_type), domain, node.name() + "_quant", inputs,
                                  {replaced->name()}, &node);
    copy_attributes(node, fresh);
    const Node* clamp = clamp_after(node.output(0));
    const bool clamps = clamp != nullptr && replaced != node.output(0);
    Value* result = clamps ? clamped(fresh->output(0), *clamp, *replaced, &node) : fresh->output(0);
    take_over(graph_, replaced, result);
    uses_contrib_ = uses_contrib_ || *domain != '\0';
  }

  /// Quantizing is monotonous, so clamping codes at the codes of the bounds is exact.
  Value* clamped(Value* codes, const Node& clamp, const Value& stored, const Node* before) {
    const Node& quantizer = *stored.producer();
    const AffineParams params{
        quantizer.input(1)->constant()->to_float().at(0),
        static_cast<int32_t>(quantizer.input(2)->constant()->to_int64().at(0))};
    const int32_t high = quantize_value(upper_bound(clamp), params, integer_range(stored.type));
    codes->type = stored.type;
    codes->shape = stored.shape;
    Value* lowest =
        graph_.add_initializer(clamp.name() + "_low", code_scalar(stored.type, params.zero_point));
    Value* highest = graph_.add_initializer(clamp.name() + "_high", code_scalar(stored.type, high));
    return graph_
        .add_node("Clip", "", clamp.name() + "_quant", {codes, lowest, highest}, {stored.name()},
                  before)
        ->output(0);
  }

  /// Int32 codes in units of input scale times weight scale, or nothing when the bias is stored
  /// otherwise. Null: no bias.
  static std::optional<Value*> integer_bias(const Node& node, const Codes& input,
                                            const Codes& weights) {
    if (node.input(2) == nullptr) return nullptr;
    const auto bias = dequantized(node.input(2));
    if (!bias || bias->codes->type != DataType::kInt32) return std::nullopt;
    const std::vector<float> units = bias->scale->constant()->to_float();
    const std::vector<float> steps = weights.scale->constant()->to_float();
    const float input_scale = input.scale->constant()->to_float().at(0);
    for (size_t i = 0; i < units.size(); ++i) {
      const float wanted = input_scale * steps[steps.size() == 1 ? 0 : i % steps.size()];
      if (std::fabs(units[i] - wanted) > 1e-6F * wanted) return std::nullopt;
    }
    return bias->codes;
  }

  static std::optional<Codes> constant_weights(const Value* value) {
    const auto found = dequantized(value);
    const bool usable =
        found && found->is_8_bit() && found->zero != nullptr && found->codes->constant() != nullptr;
    return usable ? found : std::nullopt;
  }

  void rewrite_conv(Node& node) {
    const auto x = activation(node.input(0));
    const auto w = constant_weights(node.input(1));
    const auto y = quantized_result(node);
    if (!x || !w || !y) return;
    const auto bias = integer_bias(node, *x, *w);
    if (!bias) return;
    std::vector<Value*> inputs = {x->codes, x->scale, x->zero,  w->codes,
                                  w->scale, w->zero,  y->scale, y->zero};
    if (*bias != nullptr) inputs.push_back(*bias);
    replace(node, "QLinearConv", "", inputs, y->codes);
  }

  void rewrite_matmul(Node& node) {
    const auto a = activation(node.input(0));
    auto b = constant_weights(node.input(1));
    if (!b) b = activation(node.input(1));
    const auto y = quantized_result(node);
    if (!a || !b || !y) return;
    replace(node, "QLinearMatMul", "",
            {a->codes, a->scale, a->zero, b->codes, b->scale, b->zero, y->scale, y->zero},
            y->codes);
  }

  /// QGemm has a float result where no output parameters are given.
  void rewrite_gemm(Node& node) {
    const auto a = activation(node.input(0));
    const auto b = constant_weights(node.input(1));
    const auto y = quantized_result(node);
    const bool plain =
        node.float_attribute("alpha", 1.0F) == 1.0F && node.float_attribute("beta", 1.0F) == 1.0F;
    if (!a || !b || !plain || (!y && !can_replace(node.output(0)))) return;
    const auto bias = integer_bias(node, *a, *b);
    if (!bias) return;
    std::vector<Value*> inputs = {a->codes, a->scale, a->zero, b->codes, b->scale, b->zero};
    if (*bias != nullptr || y) inputs.push_back(*bias);
    node.remove_attribute("beta");  // QGemm has none
    if (y) inputs.insert(inputs.end(), {y->scale, y->zero});
    replace(node, "QGemm", kContrib, inputs, y ? y->codes : node.output(0));
  }

  static bool can_replace(const Value* value) {
    return value != nullptr && !value->captured_by_subgraph();
  }

  void rewrite_concat(Node& node) {
    const auto y = quantized_result(node);
    if (!y) return;
    std::vector<Value*> inputs = {y->scale, y->zero};
    for (const Value* input : node.inputs()) {
      const auto x = activation(input);
      if (!x) return;
      inputs.insert(inputs.end(), {x->codes, x->scale, x->zero});
    }
    replace(node, "QLinearConcat", kContrib, inputs, y->codes);
  }

  void rewrite_elementwise(Node& node, std::string_view name, size_t operands) {
    const auto y = quantized_result(node);
    if (!y || node.inputs().size() != operands) return;
    std::vector<Value*> inputs;
    for (const Value* input : node.inputs()) {
      const auto x = activation(input);
      if (!x) return;
      inputs.insert(inputs.end(), {x->codes, x->scale, x->zero});
    }
    inputs.insert(inputs.end(), {y->scale, y->zero});
    replace(node, name, kContrib, inputs, y->codes);
  }

  /// Reshape and friends read the codes themselves; every result must be stored with the
  /// parameters of the input.
  void rewrite_mover(Node& node) {
    const auto x = activation(node.input(0));
    if (!x) return;
    const auto is_same = [&](const Value* output) {
      const auto y = quantized(output);
      return y && same_params(*x, *y);
    };
    if (!std::all_of(node.outputs().begin(), node.outputs().end(), is_same)) return;
    graph_.set_input(&node, 0, x->codes);
    for (Value* output : std::vector<Value*>(node.outputs()))
      take_over(graph_, quantizer(output)->output(0), output);
  }

  Model& model_;
  Graph& graph_;
  bool uses_contrib_ = false;
};

/// The codes that `value` is dequantized from; they keep their name. Empty where there are none.
std::string codes_behind(const Graph& graph, const std::string& value) {
  const Value* found = graph.find(value);
  if (found == nullptr || !is_op(found->producer(), "DequantizeLinear")) return "";
  return found->producer()->input(0)->name();
}

}  // namespace

void to_qoperator(AppliedPlan* applied) {
  Graph& graph = applied->model.graph;
  for (const auto& node : graph.nodes()) {
    if (!is_op(node.get(), "QuantizeLinear") && !is_op(node.get(), "DequantizeLinear")) continue;
    const Value* zero = node->input(2);
    if (zero == nullptr || bits_per_element(zero->type) == 8) continue;
    throw_error(Category::kUsage, "format qoperator", "it needs 8-bit activations and weights",
                data_type_name(zero->type) + " at " + node->place(), "choose format qdq");
  }
  std::vector<std::string> codes;
  for (const auto& layer : applied->layers) codes.push_back(codes_behind(graph, layer.second));
  QOperatorWriter(&applied->model).run();
  for (size_t i = 0; i < codes.size(); ++i) {
    std::string& value = applied->layers[i].second;
    if (graph.find(value) == nullptr) value = codes[i];
  }
  std::erase_if(applied->layers,
                [&](const auto& layer) { return graph.find(layer.second) == nullptr; });
}

}  // namespace limbeck
