// One test case an operator of the table, so that CTest names the operator that fails.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/interfaces/catch_interfaces_test_invoker.hpp>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "lib/base/error.h"
#include "lib/engine/engine.h"
#include "lib/ops/op.h"
#include "tests/support/paths.h"
#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

void check_outputs(const std::vector<Tensor>& got, const std::vector<Tensor>& wanted) {
  REQUIRE(got.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    INFO("output " << i);
    CHECK(tensor_difference(got[i], wanted[i]) == "");
  }
}

/// The plain kernels, then the fused engine.
void run_vector(const Vector& vector) {
  INFO(vector.name);
  const Model model = load_vector_model(vector);
  for (const bool fuse : {false, true}) {
    INFO("fuse: " << fuse);
    EngineOptions options;
    options.fuse = fuse;
    const auto engine = Engine::compile(model, options);
    for (const auto& set : vector_sets(vector)) {
      check_outputs(engine->run(load_vector_tensors(set, "input", model.graph.inputs())),
                    load_vector_tensors(set, "output", model.graph.outputs()));
    }
  }
}

void run_operator(const std::string& op) {
  if (vectors().empty()) return note_not_run("conformance of " + op + ": needs libonnx-testdata");
  for (const Vector& vector : vectors()) {
    if (vector.owner != op || !in_scope(vector) || known_gap(vector.name)) continue;
    try {
      run_vector(vector);
    } catch (const Error& error) {
      FAIL_CHECK(vector.name << ": " << error.what());
    }
  }
}

class OperatorCase : public Catch::ITestInvoker {
 public:
  explicit OperatorCase(std::string op) : op_(std::move(op)) {}
  void invoke() const override { run_operator(op_); }

 private:
  std::string op_;
};

/// Catch2's own registration, spelled out because the names come from the table.
std::vector<std::unique_ptr<Catch::AutoReg>> register_operators() {
  std::set<std::string> names;
  for (const OpRow& row : op_table()) names.emplace(row.name);
  std::vector<std::unique_ptr<Catch::AutoReg>> cases;
  for (const std::string& name : names) {
    const std::string title = name + " gives what the ONNX test vectors want";
    cases.push_back(std::make_unique<Catch::AutoReg>(
        Catch::Detail::make_unique<OperatorCase>(name), Catch::SourceLineInfo(__FILE__, __LINE__),
        Catch::StringRef(), Catch::NameAndTags{title, "[conformance][operator]"}));
  }
  return cases;
}

const auto kOperatorCases = register_operators();

}  // namespace
}  // namespace limbeck::test
