#include "lib/engine/batch_split.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_map>

namespace limbeck {
namespace {

/// What a value depends on.
enum class Origin {
  kConstant,
  kSize,    ///< shapes of inputs, as integers: right for whatever part they are computed from
  kSample,  ///< sample i depends on sample i only
};

constexpr std::array<std::string_view, 37> kPointwise = {"Abs",
                                                         "Add",
                                                         "BatchNormalization",
                                                         "Cast",
                                                         "Ceil",
                                                         "Clip",
                                                         "Div",
                                                         "Dropout",
                                                         "Elu",
                                                         "Erf",
                                                         "Exp",
                                                         "Floor",
                                                         "HardSigmoid",
                                                         "HardSwish",
                                                         "Identity",
                                                         "LeakyRelu",
                                                         "Log",
                                                         "Max",
                                                         "Min",
                                                         "Mul",
                                                         "Neg",
                                                         "PRelu",
                                                         "Pow",
                                                         "Relu",
                                                         "Round",
                                                         "Selu",
                                                         "Sigmoid",
                                                         "Softplus",
                                                         "Softsign",
                                                         "Sqrt",
                                                         "Sub",
                                                         "Sum",
                                                         "Tanh",
                                                         "QLinearAdd",
                                                         "QLinearLeakyRelu",
                                                         "QLinearMul",
                                                         "QLinearSigmoid"};
/// The first input holds the samples, everything else is the same for all.
constexpr std::array<std::string_view, 21> kFirstInput = {"AveragePool",
                                                          "Conv",
                                                          "ConvInteger",
                                                          "ConvTranspose",
                                                          "DepthToSpace",
                                                          "DequantizeLinear",
                                                          "GlobalAveragePool",
                                                          "GlobalMaxPool",
                                                          "InstanceNormalization",
                                                          "LRN",
                                                          "MatMulInteger",
                                                          "MaxPool",
                                                          "QLinearAveragePool",
                                                          "QLinearConv",
                                                          "QLinearGlobalAveragePool",
                                                          "QLinearMatMul",
                                                          "QuantizeLinear",
                                                          "SpaceToDepth",
                                                          "QGemm",
                                                          "Gemm",
                                                          "MatMul"};
/// The first input holds the samples; the others may be sizes. Row-major order and an equal first
/// dimension keep samples apart.
constexpr std::array<std::string_view, 6> kReshaping = {"Reshape",   "Flatten", "Squeeze",
                                                        "Unsqueeze", "Resize",  "Upsample"};

template <size_t kSize>
bool contains(const std::array<std::string_view, kSize>& list, const std::string& op) {
  return std::find(list.begin(), list.end(), op) != list.end();
}

class Analysis {
 public:
  explicit Analysis(const Model& model) : model_(model) {}

  bool run(const std::vector<const Value*>& returned) {
    for (const Value* input : model_.graph.inputs()) {
      if (!begins_with_batch(input)) return false;
      origins_[input] = Origin::kSample;
    }
    for (const auto& node : model_.graph.nodes()) {
      if (!visit(*node)) return false;
    }
    return !returned.empty() &&
           std::all_of(returned.begin(), returned.end(), [this](const Value* value) {
             return origin(value) == Origin::kSample && begins_with_batch(value);
           });
  }

 private:
  Origin origin(const Value* value) const {
    const auto found = origins_.find(value);
    return found == origins_.end() ? Origin::kConstant : found->second;
  }

  /// The first dimension is the batch and no other one is.
  bool begins_with_batch(const Value* value) {
    if (!value->shape || value->shape->empty()) return false;
    const Dim& first = value->shape->front();
    if (first.known() || first.symbol.empty()) return false;
    if (symbol_.empty()) symbol_ = first.symbol;
    if (first.symbol != symbol_) return false;
    return std::none_of(value->shape->begin() + 1, value->shape->end(),
                        [this](const Dim& dim) { return dim.symbol == symbol_; });
  }

  bool visit(const Node& node) {
    Origin strongest = Origin::kConstant;
    for (const Value* input : node.inputs()) strongest = std::max(strongest, origin(input));
    if (strongest == Origin::kConstant) return true;
    Origin result = Origin::kSample;
    if (node.op_type() == "Shape" && node.domain().empty()) {
      result = Origin::kSize;
    } else if (strongest == Origin::kSize) {
      if (!is_integer(node)) return false;
      result = Origin::kSize;
    } else if (!keeps_samples(node)) {
      return false;
    }
    for (const Value* output : node.outputs()) {
      if (output == nullptr) continue;
      if (result == Origin::kSample && !begins_with_batch(output)) return false;
      origins_[output] = result;
    }
    return true;
  }

  static bool is_integer(const Node& node) {
    return std::all_of(node.outputs().begin(), node.outputs().end(), [](const Value* output) {
      return output == nullptr || output->type == DataType::kInt64 ||
             output->type == DataType::kInt32;
    });
  }

  bool keeps_samples(const Node& node) {
    const std::string& op = node.op_type();
    if (!node.domain().empty() && node.domain() != "com.microsoft") return false;
    if (contains(kPointwise, op)) return pointwise(node);
    if (op == "QLinearConcat" || op == "Concat")
      return pointwise(node) && node.int_attribute("axis", 0) > 0;
    if (!first_input_only(node, contains(kReshaping, op))) return false;
    if (contains(kReshaping, op)) return true;
    if (op == "Gemm" || op == "QGemm") return node.int_attribute("transA", 0) == 0;
    if (op == "MatMul" || op == "MatMulInteger" || op == "QLinearMatMul") return matrix_rows(node);
    if (op == "QuantizeLinear" || op == "DequantizeLinear") return true;
    if (contains(kFirstInput, op)) return true;
    if (op == "Softmax" || op == "LogSoftmax")
      return node.int_attribute("axis", model_.opset() < 13 ? 1 : -1) != 0 &&
             -node.int_attribute("axis", 1) != rank(node.input(0));
    if (op == "Transpose") {
      const auto order = node.ints_attribute("perm", {});
      return !order.empty() && order[0] == 0;
    }
    if (op == "Pad") return pads_no_samples(node);
    if (op.starts_with("Reduce")) return reduces_no_samples(node);
    return false;
  }

  static int64_t rank(const Value* value) {
    return value->shape ? static_cast<int64_t>(value->shape->size()) : -1;
  }

  /// Samples meet samples; whatever is the same for all broadcasts over the batch.
  bool pointwise(const Node& node) {
    const Value* output = node.output(0);
    for (const Value* input : node.inputs()) {
      if (input == nullptr) continue;
      if (origin(input) == Origin::kSize) return false;
      const bool aligned = input->shape && rank(input) == rank(output);
      if (origin(input) == Origin::kSample) {
        if (!aligned || !begins_with_batch(input)) return false;
      } else if (!input->shape || rank(input) > rank(output) ||
                 (aligned && input->shape->front().value != 1 && rank(input) > 1)) {
        return false;
      }
    }
    return rank(output) > 1;
  }

  bool first_input_only(const Node& node, bool sizes) {
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Origin found = origin(node.input(i));
      if (i == 0 && (found != Origin::kSample || !begins_with_batch(node.input(0)))) return false;
      if (i > 0 && found == Origin::kSample) return false;
      if (i > 0 && found == Origin::kSize && !sizes) return false;
    }
    return true;
  }

  /// Rows of the left side are what is multiplied: the batch must be one of them.
  static bool matrix_rows(const Node& node) {
    const Value* right = node.input(node.op_type() == "QLinearMatMul" ? 3 : 1);
    return rank(node.input(0)) > 1 && right != nullptr && rank(right) == 2;
  }

  static bool pads_no_samples(const Node& node) {
    std::vector<int64_t> pads = node.ints_attribute("pads", {});
    if (node.input(1) != nullptr) {
      if (node.input(1)->constant() == nullptr) return false;
      pads = node.input(1)->constant()->to_int64();
    }
    const size_t half = pads.size() / 2;
    return half > 0 && node.input(3) == nullptr && pads[0] == 0 && pads[half] == 0;
  }

  static bool reduces_no_samples(const Node& node) {
    std::vector<int64_t> axes = node.ints_attribute("axes", {});
    if (node.input(1) != nullptr) {
      if (node.input(1)->constant() == nullptr) return false;
      axes = node.input(1)->constant()->to_int64();
    }
    return !axes.empty() && std::none_of(axes.begin(), axes.end(), [&](int64_t axis) {
      return axis == 0 || axis == -rank(node.input(0));
    });
  }

  const Model& model_;
  std::string symbol_;
  std::unordered_map<const Value*, Origin> origins_;
};

/// Bytes of one sample; unknown dimensions count as 1.
double sample_bytes(const Value& value) {
  double bytes = static_cast<double>(bits_per_element(value.type)) / 8;
  for (size_t i = 1; i < value.shape->size(); ++i) {
    const Dim& dim = (*value.shape)[i];
    if (dim.known()) bytes *= static_cast<double>(dim.value);
  }
  return bytes;
}

}  // namespace

bool samples_are_independent(const Model& model, const std::vector<const Value*>& returned) {
  return !model.graph.inputs().empty() && Analysis(model).run(returned);
}

int64_t samples_together(const Model& model) {
  constexpr double kCacheBytes = 524288;
  constexpr double kMost = 16;
  double largest = 1;
  for (const Value* value : model.graph.values()) {
    const bool computed = value->producer() != nullptr || value->is_graph_input();
    if (!computed || value->constant() != nullptr || !value->shape || value->shape->empty() ||
        value->shape->front().known() || value->type == DataType::kUndefined)
      continue;
    largest = std::max(largest, sample_bytes(*value));
  }
  return static_cast<int64_t>(std::clamp(kCacheBytes / largest, 1.0, kMost));
}

}  // namespace limbeck
