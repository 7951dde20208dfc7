#include "lib/quantize/quantize.h"

#include "lib/model/upgrade.h"
#include "lib/ops/op.h"
#include "lib/quantize/passes/simplify.h"

namespace limbeck {

Model prepare_model(const Model& model, const PlanOptions& options) {
  Model prepared = copy_model(model);
  const bool wide =
      options.weights == DataType::kInt4 || bits_per_element(options.activations) == 16;
  infer_shapes(prepared);
  simplify(prepared);
  const int64_t wanted = wide ? 21 : 13;
  if (prepared.opset() < wanted) upgrade_opset(prepared, wanted);
  infer_shapes(prepared);
  return prepared;
}

std::string format_suffix(const PlanOptions& options) {
  std::string suffix = "int8";
  if (options.weights == DataType::kInt4)
    suffix = "w4a" + std::to_string(bits_per_element(options.activations));
  if (options.weights == DataType::kInt8 && bits_per_element(options.activations) == 16)
    suffix = "w8a16";
  if (options.format == EmitFormat::kDynamic) suffix = "dynamic";
  return suffix;
}

}  // namespace limbeck
