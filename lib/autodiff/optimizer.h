// Updates weights from their gradients.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

struct OptimizerRow;

/// Weights whose name matches a glob (`*`, `?`, `[...]`) train differently.
struct ParameterGroup {
  std::string glob;
  double learning_rate_factor = 1;     ///< times the schedule's rate; 0 leaves the weights alone
  std::optional<double> weight_decay;  ///< instead of the optimizer's
};

struct OptimizerOptions {
  std::string method = "sgd";  ///< a name in the table below
  double momentum = 0.9;       ///< sgd: 0 to below 1
  bool nesterov = false;       ///< sgd: look ahead (needs momentum)
  double beta1 = 0.9;          ///< adam, adamw: decay of the mean, 0 to below 1
  double beta2 = 0.999;        ///< adam, adamw: decay of the mean square, 0 to below 1
  double epsilon = 1e-8;       ///< adam, adamw: added to the root, above 0
  double weight_decay = 0;     ///< 0 to 1; a part of the gradient (sgd, adam) or apart (adamw)
  double clip_norm = 0;        ///< largest length of the whole gradient; 0: any
  std::vector<ParameterGroup> groups = {};  ///< the first that matches holds
};

/// Reads {"method": "sgd", "momentum": 0.9, "groups": [{"glob": "*bias", "weight_decay": 0}], ...}.
/// Raises kUsage for unknown names and values out of range. `place` is its JSON pointer.
OptimizerOptions read_optimizer(const nlohmann::json& object, const std::string& place);

/// Everything that an optimizer remembers: saved and restored bit by bit, a run continues to the
/// same bytes. One tensor for each weight, in the weights' order; none where the method has none.
/// Updates write into the tensors, which copies of the state share: clone() gives a snapshot.
struct OptimizerState {
  int64_t steps = 0;           ///< updates done
  std::vector<Tensor> first;   ///< momentum (sgd), mean of the gradient (adam, adamw)
  std::vector<Tensor> second;  ///< mean of the squared gradient (adam, adamw)

  OptimizerState clone() const;
};

/// Immutable; updates are element by element in float, with factors computed in double, so the
/// result depends on neither threads nor instruction sets.
class Optimizer {
 public:
  /// `names` are the weights', in the order of all later calls. Raises kUsage for an unknown method
  /// and for a group that matches no weight.
  Optimizer(OptimizerOptions options, std::vector<std::string> names);

  /// Zeros.
  OptimizerState initial_state(std::span<const Tensor> values) const;
  /// One step. Clips the gradients (in place) when asked to, then changes the values, which must be
  /// float tensors that nobody shares. Returns the length of the whole gradient before clipping;
  /// when that is not finite nothing else has changed. Raises kInternal when values, gradients and
  /// state do not fit each other.
  double update(std::span<Tensor> values, std::span<Tensor> gradients, double learning_rate,
                OptimizerState& state) const;

 private:
  void check(std::span<Tensor> values, std::span<Tensor> gradients,
             const OptimizerState& state) const;

  struct Factors {
    double learning_rate = 1;
    double weight_decay = 0;
  };
  OptimizerOptions options_;
  const OptimizerRow* method_ = nullptr;
  std::vector<std::string> names_;
  std::vector<Factors> factors_;  ///< of each weight
};

}  // namespace limbeck
