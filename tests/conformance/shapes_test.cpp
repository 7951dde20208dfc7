// Shape and type inference against the outputs of the vectors.
#include <catch2/catch_test_macros.hpp>
#include <iostream>
#include <string>

#include "lib/base/error.h"
#include "lib/ops/op.h"
#include "tests/support/paths.h"
#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

/// Lower only together with a reason. What stays unknown depends on values fed at run time.
constexpr size_t kLeastKnownShapes = 780;

struct Tally {
  size_t outputs = 0;
  size_t known = 0;
};

/// The rules must find out by themselves what the model declares of everything computed.
void forget_declarations(Model* model) {
  for (Value* value : model->graph.values()) {
    if (value->producer() == nullptr || value->constant() != nullptr) continue;
    value->type = DataType::kUndefined;
    value->shape.reset();
  }
}

void check_value(const Value& value, const Tensor& wanted, Tally* tally) {
  INFO(value.name() << " should be " << dims_text(wanted.dims()));
  ++tally->outputs;
  CHECK(data_type_name(value.type) == data_type_name(wanted.type()));
  if (!value.shape) return;
  INFO("inferred " << shape_text(*value.shape));
  REQUIRE(value.shape->size() == wanted.rank());
  bool known = true;
  for (size_t i = 0; i < wanted.rank(); ++i) {
    known = known && (*value.shape)[i].known();
    if ((*value.shape)[i].known()) CHECK((*value.shape)[i].value == wanted.dim(i));
  }
  if (known) ++tally->known;
}

void check_vector(const Vector& vector, Tally* tally) {
  INFO(vector.name);
  Model model = load_vector_model(vector);
  forget_declarations(&model);
  infer_shapes(model);
  const auto& outputs = model.graph.outputs();
  // Types come from the declarations of the file: bfloat16 is stored as uint16 there.
  const Model declared = load_vector_model(vector);
  for (const auto& set : vector_sets(vector)) {
    const auto wanted = load_vector_tensors(set, "output", declared.graph.outputs());
    REQUIRE(wanted.size() == outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) check_value(*outputs[i], wanted[i], tally);
  }
}

}  // namespace

TEST_CASE("inferred types and shapes agree with the outputs of every vector", "[conformance]") {
  if (vectors().empty()) return note_not_run("shape conformance: needs libonnx-testdata");
  Tally tally;
  for (const Vector& vector : vectors()) {
    if (!in_scope(vector)) continue;
    try {
      check_vector(vector, &tally);
    } catch (const Error& error) {
      FAIL_CHECK(vector.name << ": " << error.what());
    }
  }
  std::cout << "shape inference: " << tally.known << " of " << tally.outputs
            << " output shapes wholly known\n";
  CHECK(tally.known >= kLeastKnownShapes);
}

}  // namespace limbeck::test
