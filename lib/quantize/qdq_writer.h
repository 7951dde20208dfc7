// Writes a plan into a graph as QuantizeLinear/DequantizeLinear pairs. Internal to lib/quantize.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lib/quantize/affine.h"
#include "lib/quantize/apply.h"

namespace limbeck {

/// Where the pairs stand is decided here; how step sizes, weights and biases are stored may be
/// decided by a derived class. One object writes one graph.
class QdqWriter {
 public:
  /// All arguments outlive the writer.
  QdqWriter(const Model& model, const Plan& plan, const ChannelMeans& means,
            const KnownSteps& steps);
  virtual ~QdqWriter() = default;
  QdqWriter(const QdqWriter&) = delete;
  QdqWriter& operator=(const QdqWriter&) = delete;

  AppliedPlan run();

 protected:
  /// A weighted node about to be written.
  struct Weighted {
    Node* node = nullptr;
    const PlannedWeight* planned = nullptr;
    float input_scale = 1;
    std::vector<float> scales;       ///< step sizes of its weights
    std::vector<double> bias_shift;  ///< what its bias has to take back, one item a channel
  };

  Graph& graph() { return result_.model.graph; }
  /// Scale and zero point of a group of activations.
  virtual std::pair<Value*, Value*> store_params(const std::string& group,
                                                 const PlannedActivation& planned,
                                                 const AffineParams& params);
  /// What stands for the weights, of the same shape in float.
  virtual Value* store_weights(const Weighted& weighted);
  /// Only for nodes with a bias; runs after store_weights.
  virtual void store_bias(const Weighted& weighted);
  /// May a clamp be removed where saturation does the same at these parameters?
  virtual bool may_absorb(const Node& /*clamp*/) const { return true; }

  /// Scale and zero point of an activation, written once for every group.
  std::pair<Value*, Value*> param_values(const std::string& tensor);
  /// DequantizeLinear over constants, with an axis where it is not negative.
  Value* dequantized(const std::string& name, const std::vector<Value*>& inputs, int64_t axis);
  Value* zero_points(const std::string& name, DataType type, size_t channels);

 private:
  bool is_integer(const Node* node) const;
  void read_params();
  void quantize_activation(Value* value, bool written_by_integer);
  void visit_outputs(Node* node);
  bool is_absorbed_result(const Node* node) const;
  void remove_if_absorbed(Node* node);
  void quantize_constant_inputs(Node* node);
  Value* quantized_constant(const Value& value);
  void quantize_weighted(Node* node);
  std::vector<double> bias_shift(const Weighted& weighted) const;

  const Plan& plan_;
  const ChannelMeans& means_;
  const KnownSteps& steps_;
  AppliedPlan result_;
  std::map<std::string, AffineParams> params_;
  std::map<std::string, std::pair<Value*, Value*>> shared_;
};

}  // namespace limbeck
