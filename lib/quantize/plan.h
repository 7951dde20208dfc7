// The Plan: the one place where number formats are decided, tensor by tensor, with the reason.
//   make_plan(model, table, options) -> Plan        defaults, then the user's overrides
//   apply_plan(model, plan, table)   -> Model       lib/quantize/apply.h
// Saved as JSON (schemas/plan.schema.json, docs/formats/plan.md), readable, editable, and fed back.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "calibration/calibration.h"
#include "calibration/observer.h"
#include "lib/model/data_type.h"
#include "lib/model/model.h"

namespace limbeck {

/// What the emitted graph looks like.
enum class EmitFormat { kQdq, kQOperator, kDynamic };

/// An activation tensor that is stored in integers.
struct PlannedActivation {
  DataType type = DataType::kUint8;
  bool symmetric = false;
  /// Chosen clipping range in units of the tensor; both ends finite, low <= 0 <= high after
  /// widening.
  float low = 0;
  float high = 0;
  std::string observer;  ///< which observer chose the range
  /// Tensors of one group share scale and zero point; the name of its first tensor. Empty: alone.
  std::string group;
  std::string reason;
};

/// The name of the group that the tensor `name` belongs to, its own where it is alone.
const std::string& group_of(const std::string& name, const PlannedActivation& planned);

/// A weight tensor that is stored in integers, symmetric, one step size a channel.
struct PlannedWeight {
  /// kInt8, kInt4, or kUint8: the codes of kInt8 plus 128 and the zero point 128, which ONNX
  /// Runtime's kernels for x86 CPUs without VNNI multiply exactly (its default ones for uint8
  /// activations and int8 weights saturate in 16 bits).
  DataType type = DataType::kInt8;
  int64_t axis = 0;
  std::string algorithm;  ///< "minmax" or "mse"
  std::string reason;
  /// Codes are -limit..limit; 0: all that the type has, 127 (int8) or 7 (int4). 1 makes weights of
  /// 2 bits, which are stored in int4.
  int32_t limit = 0;
};
/// The limit that holds, at least 1.
int32_t code_limit(const PlannedWeight& planned);
/// Bits that the codes need: 8, 4 or 2 for the limits 127, 7 and 1.
int weight_bits(const PlannedWeight& planned);

/// A node and where it computes.
struct PlannedNode {
  std::string op_type;
  bool integer = false;
  std::string reason;
};

/// The samples that a plan's ranges were observed on. Zero samples: none (dynamic plans).
struct PlanSource {
  int64_t samples = 0;
  uint64_t seed = 0;
  std::string data_hash;
};

struct Plan {
  std::string model_hash;
  PlanSource calibration;
  EmitFormat format = EmitFormat::kQdq;
  bool correct_bias = true;  ///< shift each bias by the mean error that weight rounding causes
  std::map<std::string, PlannedNode> nodes;
  std::map<std::string, PlannedActivation> activations;
  std::map<std::string, PlannedWeight> weights;
  /// Constraints of a target device, handed through for later use.
  nlohmann::json target = nlohmann::json::object();
};

/// One user override: a glob over node names (`node:/stem/*`) or tensor names (`tensor:*`), and
/// what to do.
struct PlanOverride {
  bool is_node = true;
  std::string glob;
  std::string value;  ///< float, int8, int4 (nodes); or an observer name (tensors)
};
/// Parses `node:GLOB=VALUE` or `tensor:GLOB=VALUE`; raises kUsage.
PlanOverride parse_override(const std::string& text);

struct PlanOptions {
  EmitFormat format = EmitFormat::kQdq;
  DataType weights = DataType::kInt8;  ///< kInt8, kUint8 or kInt4
  int32_t weight_limit = 0;            ///< PlannedWeight::limit: 1 makes weights of 2 bits
  /// kUint8, kInt8, kUint16, kInt16, or kUint4: then the operands of weighted nodes have 4 bits,
  /// and what only sums and other element-wise operators read or write keeps 8.
  DataType activations = DataType::kUint8;
  /// The first and the last weighted nodes keep 8 bits, weights and operands: they hold few of the
  /// weights and most of the damage (S. Esser et al., LSQ, ICLR 2020, section 3).
  bool keep_ends = false;
  ObserverMethod observer = ObserverMethod::kMse;
  std::string weight_algorithm = "mse";
  bool correct_bias = true;
  std::vector<PlanOverride> overrides;
};

/// Decides for every node and tensor of a simplified model. Raises kUsage when an override matches
/// nothing.
Plan make_plan(const Model& model, const CalibrationTable& table, const PlanOptions& options);

/// Raises kUsage for an override whose glob matches no node or tensor of the model: told before the
/// long work, while make_plan tells whether it changes anything.
void require_matches(const Model& model, const std::vector<PlanOverride>& overrides);

/// Names of the activations that a plan for this model may need: what calibration has to observe.
std::vector<std::string> activations_to_observe(const Model& model);

nlohmann::ordered_json plan_to_json(const Plan& plan);
/// Raises kData for documents that are no plan: schema, or a range that is none. A node whose
/// `integer` is false keeps its weights in float, whatever `weights` says of it.
Plan plan_from_json(const nlohmann::json& document, const std::string& place);

}  // namespace limbeck
