// The contract of an operator: one row of the operator table.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/model/graph.h"
#include "lib/model/model.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// What quantization does around an operator.
enum class QuantRole {
  kNone,         ///< stays in float; its inputs are not quantized for its sake
  kWeighted,     ///< Conv, Gemm, MatMul, ConvTranspose: integer kernel over activations and weights
  kElementwise,  ///< Add, Mul, activations, pooling that averages: quantized input and output, own
                 ///< output scale
  kSameScale,    ///< Reshape, MaxPool, Transpose ...: output takes the input's scale and zero point
  kSharedScale,  ///< Concat: all inputs and the output share one scale and zero point
  kQuantizer,    ///< QuantizeLinear, DequantizeLinear and integer operators: already quantized
};

class KnownValues;

/// Shape and type inference of one node. Outputs' type and shape are written in place; unknown
/// stays unknown.
struct ShapeContext {
  const Node& node;
  int64_t opset;
  const KnownValues* values = nullptr;  ///< what infer_shapes computed so far; may be null
  const Value* input(size_t index) const { return node.input(index); }
  Value* output(size_t index) const { return node.output(index); }
  /// Known shape of input `index`, or null.
  const Shape* shape(size_t index) const;
  /// Constant of input `index` (stored, or computed by infer_shapes from constants and known
  /// shapes), or null.
  const Tensor* constant(size_t index) const;
  /// The integers of input `index` where some may be unknown dimensions, as in Shape -> Concat ->
  /// Reshape.
  std::optional<Shape> shape_values(size_t index) const;
  void set(size_t output, DataType type, Shape shape) const;
  void set_type(size_t output, DataType type) const;
};
using ShapeRule = void (*)(const ShapeContext&);

/// What a kernel sees when it runs. Row-major tensors.
class KernelContext {
 public:
  KernelContext(std::span<const Tensor* const> inputs, std::span<Tensor> outputs)
      : inputs_(inputs), outputs_(outputs) {}
  size_t input_count() const { return inputs_.size(); }
  size_t output_count() const { return outputs_.size(); }
  bool has_input(size_t index) const { return index < inputs_.size() && inputs_[index] != nullptr; }
  /// Raises kInternal when absent.
  const Tensor& input(size_t index) const;
  /// Null when absent.
  const Tensor* optional_input(size_t index) const {
    return has_input(index) ? inputs_[index] : nullptr;
  }
  /// Allocates output `index`.
  Tensor& allocate(size_t index, DataType type, Dims dims);
  /// Hands an existing tensor over as output `index` (Reshape and friends).
  void set_output(size_t index, Tensor tensor);

 private:
  std::span<const Tensor* const> inputs_;
  std::span<Tensor> outputs_;
};

/// An operator bound to one node. run() is const: one kernel may run on many threads at once, each
/// with its own context. Raises kUnsupported (attribute or type), kInvalidModel (shapes that do not
/// fit).
class Kernel {
 public:
  virtual ~Kernel() = default;
  virtual void run(KernelContext& context) const = 0;
};
/// `opset` is that of the node's domain.
using KernelFactory = std::unique_ptr<Kernel> (*)(const Node& node, int64_t opset);

/// The vector-Jacobian product of a node (lib/ops/gradient.h).
class Gradient;
using GradientFactory = std::unique_ptr<Gradient> (*)(const Node& node, int64_t opset);

/// One operator, one row. `until` is inclusive; kNoEnd for "still current".
struct OpRow {
  static constexpr int64_t kNoEnd = 1 << 20;
  std::string_view name;
  std::string_view domain;
  int64_t since = 1;
  int64_t until = kNoEnd;
  ShapeRule infer = nullptr;
  KernelFactory kernel = nullptr;
  GradientFactory gradient = nullptr;  ///< null: not differentiable
  QuantRole role = QuantRole::kNone;
};

/// Every operator that limbeck knows, sorted by domain and name. Walked by tests.
std::span<const OpRow> op_table();

/// The row for an operator at an opset, or null.
const OpRow* find_op(std::string_view domain, std::string_view name, int64_t opset);

/// The operators of newer opsets of the default domain were not reviewed.
inline constexpr int64_t kNewestOpset = 26;

/// Raises kUnsupported for a model of a newer opset, whose operators may mean something else.
void require_known_opset(const Model& model);

/// Raises kInvalidModel for a model without outputs: nothing would be computed.
void require_outputs(const Model& model);

/// Runs every shape rule in topological order. Never fails on unknown operators: their outputs stay
/// unknown. Raises kInvalidModel where declared shapes contradict.
void infer_shapes(Model& model);

}  // namespace limbeck
