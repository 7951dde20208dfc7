// What the vectors cover, counted, so that nothing passes by not being run.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "lib/base/error.h"
#include "lib/engine/engine.h"
#include "lib/ops/op.h"
#include "tests/support/paths.h"
#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

/// Lower only together with a reason; raise when operators come in.
constexpr size_t kLeastNodeCases = 640;
constexpr size_t kLeastModelCases = 100;

bool runs(const Vector& vector) { return in_scope(vector) && !known_gap(vector.name); }

std::string reason_of(const Vector& vector) {
  if (!vector.absent.empty()) return "operator " + vector.absent.front();
  if (!vector.barrier.empty()) return vector.barrier;
  return known_gap(vector.name).value_or("");
}

/// Whether the plain kernels give what the vector wants; a gap that starts to is no gap any more.
bool passes(const Vector& vector) {
  const Model model = load_vector_model(vector);
  const auto set = vector_sets(vector).front();
  EngineOptions options;
  options.fuse = false;
  try {
    const auto got = Engine::compile(model, options)
                         ->run(load_vector_tensors(set, "input", model.graph.inputs()));
    const auto wanted = load_vector_tensors(set, "output", model.graph.outputs());
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (!tensor_difference(got.at(i), wanted[i]).empty()) return false;
    }
    return true;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

TEST_CASE("conformance counts what ran and says why the rest did not", "[conformance]") {
  if (vectors().empty()) return note_not_run("conformance coverage: needs libonnx-testdata");
  size_t node_cases = 0;
  size_t model_cases = 0;
  std::map<std::string, size_t> reasons;
  for (const Vector& vector : vectors()) {
    if (runs(vector)) ++(vector.name.starts_with("node/") ? node_cases : model_cases);
    if (!runs(vector)) ++reasons[reason_of(vector)];
  }
  std::cout << "ONNX test vectors: " << vectors().size() << ", run " << node_cases
            << " of one operator and " << model_cases << " of several\n";
  for (const auto& [reason, count] : reasons) {
    std::cout << "  not run: " << count << " for " << reason << "\n";
  }
  CHECK(node_cases >= kLeastNodeCases);
  CHECK(model_cases >= kLeastModelCases);
  CHECK(!reasons.contains(""));
}

TEST_CASE("every case that is run belongs to an operator of the table", "[conformance]") {
  if (vectors().empty()) return note_not_run("conformance coverage: needs libonnx-testdata");
  std::set<std::string> names;
  for (const OpRow& row : op_table()) names.emplace(row.name);
  for (const Vector& vector : vectors()) {
    if (!runs(vector)) continue;
    INFO(vector.name << " of " << vector.owner);
    CHECK(names.contains(vector.owner));
    CHECK(!vector_sets(vector).empty());
  }
}

TEST_CASE("every known gap still is one", "[conformance]") {
  if (vectors().empty()) return note_not_run("conformance gaps: needs libonnx-testdata");
  for (const std::string& name : known_gaps()) {
    INFO(name);
    const auto found = std::find_if(vectors().begin(), vectors().end(),
                                    [&](const Vector& vector) { return vector.name == name; });
    REQUIRE(found != vectors().end());
    CHECK(in_scope(*found));
    CHECK_FALSE(passes(*found));
  }
}

}  // namespace limbeck::test
