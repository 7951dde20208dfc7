#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lib/base/error.h"
#include "lib/quantize/affine.h"
#include "lib/quantize/check_plan.h"
#include "lib/quantize/emit.h"
#include "lib/quantize/passes/rewrite.h"
#include "lib/quantize/qoperator_nodes.h"

namespace limbeck {
namespace {

constexpr int32_t kLargestCode = 127;

/// [k,n] from [n,k].
Tensor transposed(const Tensor& matrix) {
  Tensor result = Tensor::allocate(DataType::kFloat, {matrix.dim(1), matrix.dim(0)});
  const auto source = matrix.as<float>();
  const auto target = result.mutable_as<float>();
  const auto rows = static_cast<size_t>(matrix.dim(0));
  const auto columns = static_cast<size_t>(matrix.dim(1));
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < columns; ++j) target[j * rows + i] = source[i * columns + j];
  }
  return result;
}

Tensor scaled(const Tensor& tensor, float factor) {
  if (factor == 1.0F) return tensor;
  Tensor result = tensor.clone();
  for (float& item : result.mutable_as<float>()) item *= factor;
  return result;
}

class DynamicWriter {
 public:
  DynamicWriter(const Model& model, const Plan& plan) : plan_(plan) {
    result_.model = copy_model(model);
    check_plan(result_.model, plan);
  }

  AppliedPlan run() {
    for (Node* node : snapshot(graph())) {
      const auto planned = plan_.weights.find(node->name());
      if (planned != plan_.weights.end()) rewrite(node, planned->second);
    }
    graph().remove_dead();
    graph().sort();
    return std::move(result_);
  }

 private:
  Graph& graph() { return result_.model.graph; }

  Node* add(const std::string& op_type, const std::string& name, const std::vector<Value*>& inputs,
            const std::vector<std::string>& outputs, const Node* before) {
    return graph().add_node(op_type, "", name, inputs, outputs, before);
  }

  Value* add_one(const std::string& op_type, const std::string& name,
                 const std::vector<Value*>& inputs, const Node* before) {
    return add(op_type, name, inputs, {name}, before)->output(0);
  }

  /// Codes, scale and zero point of a tensor, computed once for all its readers. Nodes come in
  /// topological order, so the first reader's place is early enough.
  Node* quantized_input(Value* value, const Node* before) {
    Node*& node = quantized_[value];
    const std::string& name = value->name();
    if (node == nullptr) {
      node = add("DynamicQuantizeLinear", name + "_DynamicQuantizeLinear", {value},
                 {name + "_quantized", name + "_scale", name + "_zero_point"}, before);
    }
    return node;
  }

  static void check_weights(const Node& node, const PlannedWeight& planned) {
    const bool known = node.op_type() == "Conv" || node.op_type() == "MatMul" ||
                       (node.op_type() == "Gemm" && node.int_attribute("transA", 0) == 0);
    if (known && planned.type == DataType::kInt8) return;
    throw_error(Category::kUsage, "plan weights of " + node.place(),
                "dynamic quantization needs int8 weights of Conv, MatMul or Gemm (input not "
                "transposed)",
                data_type_name(planned.type), "leave the node in float or choose format qdq");
  }

  /// The weights as the integer operator wants them: Gemm's factors and transposition are gone.
  static Tensor plain_weights(const Node& node) {
    const Tensor& stored = *node.input(1)->constant();
    if (node.op_type() != "Gemm") return stored;
    const Tensor factored = scaled(stored, node.float_attribute("alpha", 1.0F));
    return node.int_attribute("transB", 0) != 0 ? transposed(factored) : factored;
  }

  void rewrite(Node* node, const PlannedWeight& planned) {
    check_weights(*node, planned);
    const Tensor weights = plain_weights(*node);
    const bool conv = node->op_type() == "Conv";
    const int64_t axis = conv ? 0 : static_cast<int64_t>(weights.rank()) - 1;
    const std::vector<float> scales =
        channel_scales(weights, axis, kLargestCode, planned.algorithm == "mse");
    const std::string name = node->input(1)->name();
    Value* codes = graph().add_initializer(
        name + "_quantized", pack_codes(DataType::kInt8, weights.dims(),
                                        quantize_channels(weights, axis, scales, kLargestCode)));
    const Node* input = quantized_input(node->input(0), node);
    Node* integer = add(conv ? "ConvInteger" : "MatMulInteger", node->name() + "_quant",
                        {input->output(0), codes, input->output(2)},
                        {node->output(0)->name() + "_int32"}, node);
    if (conv) copy_attributes(*node, integer);
    const Tensor steps = Tensor::from<float>(channel_dims(scales.size(), weights, conv), scales);
    finish(node, integer->output(0), input->output(1),
           graph().add_initializer(name + "_scale", steps));
  }

  /// One number a channel, shaped to line up with the result.
  static Dims channel_dims(size_t count, const Tensor& weights, bool conv) {
    Dims dims = {static_cast<int64_t>(count)};
    if (conv) dims.resize(weights.rank() - 1, 1);
    return dims;
  }

  /// Accumulators to real values, under the name of the node's result.
  void finish(Node* node, Value* accumulators, Value* input_scale, Value* weight_scales) {
    const std::string& name = node->name();
    Node* cast = add("Cast", name + "_cast", {accumulators}, {name + "_cast"}, node);
    cast->set_attribute("to", static_cast<int64_t>(DataType::kFloat));
    Value* factor = add_one("Mul", name + "_factor", {input_scale, weight_scales}, node);
    Value* result = add_one("Mul", name + "_real", {cast->output(0), factor}, node);
    if (node->input(2) != nullptr)
      result = add_one("Add", name + "_biased", {result, plain_bias(*node)}, node);
    const std::string output = node->output(0)->name();
    take_over(graph(), node->output(0), result);
    result_.layers.emplace_back(output, output);
  }

  Value* plain_bias(const Node& node) {
    const Value* stored = node.input(2);
    const bool conv = node.op_type() == "Conv";
    Tensor bias = scaled(*stored->constant(), conv ? 1.0F : node.float_attribute("beta", 1.0F));
    if (conv)
      bias = bias.reshaped(
          channel_dims(static_cast<size_t>(bias.count()), *node.input(1)->constant(), true));
    return graph().add_initializer(stored->name() + "_real", bias);
  }

  const Plan& plan_;
  AppliedPlan result_;
  std::map<const Value*, Node*> quantized_;
};

}  // namespace

AppliedPlan apply_dynamic(const Model& model, const Plan& plan) {
  return DynamicWriter(model, plan).run();
}

}  // namespace limbeck
