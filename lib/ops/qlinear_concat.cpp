// com.microsoft QLinearConcat (version 1): scale and zero point of the result, then codes, scale
// and zero point of every input.
#include "lib/ops/qlinear_common.h"
#include "lib/ops/rows.h"

namespace limbeck {
namespace {

constexpr size_t kFirst = 2;
constexpr size_t kStep = 3;

}  // namespace

void qlinear_concat_shape(const ShapeContext& context) {
  const Value* zero = context.input(1);
  if (zero != nullptr) context.set_type(0, zero->type);
  const Node& node = context.node;
  std::optional<Shape> output;
  for (size_t i = kFirst; i < node.inputs().size(); i += kStep) {
    const Shape* shape = context.shape(i);
    if (shape == nullptr) return;
    const size_t axis = normal_axis(node.int_attribute("axis", 0), shape->size(), node.place());
    if (!output) {
      output = *shape;
      continue;
    }
    if (output->size() != shape->size())
      fail_model(node.place(), "inputs must agree in rank", shape_text(*shape));
    Dim& sum = (*output)[axis];
    sum = sum.known() && (*shape)[axis].known() ? Dim{sum.value + (*shape)[axis].value, ""} : Dim{};
  }
  if (output) context.set(0, DataType::kUndefined, std::move(*output));
}

std::unique_ptr<Kernel> qlinear_concat_kernel(const Node& node, int64_t opset) {
  QLinearInputs inputs{{}, 0};
  for (size_t i = kFirst; i < node.inputs().size(); i += kStep) inputs.data.push_back(i);
  check_model(!inputs.data.empty() && (node.inputs().size() - kFirst) % kStep == 0, node.place(),
              "inputs must be scale, zero point and then triples; inputs",
              static_cast<int64_t>(node.inputs().size()));
  return make_qlinear_kernel(node, concat_kernel(node, opset), std::move(inputs));
}

}  // namespace limbeck
