// Upgrades a small model the way a command does: shapes inferred, upgraded, saved, loaded.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <string>

#include "lib/model/upgrade.h"
#include "lib/ops/op.h"
#include "tests/model/expect_error.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"
#include "tests/support/reference_run.h"

namespace limbeck::test {

inline Model upgraded(const ModelBuilder& builder, int64_t target) {
  Model model = builder.build();
  infer_shapes(model);
  upgrade_opset(model, target);
  const TemporaryFolder folder;
  save_model(model, folder / "upgraded.onnx");
  Model saved = load_model(folder / "upgraded.onnx");
  CHECK(saved.opset() == target);
  return saved;
}

/// The upgraded model computes what it computed before; returns its dump.
inline std::string check_upgrade(const ModelBuilder& builder, int64_t target,
                                 const NamedTensors& inputs) {
  const Model after = upgraded(builder, target);
  check_same_outputs(builder.build(), after, inputs);
  return after.graph.dump();
}

inline ErrorInfo upgrade_error(const ModelBuilder& builder, int64_t target) {
  Model model = builder.build();
  infer_shapes(model);
  return error_of([&] { upgrade_opset(model, target); });
}

}  // namespace limbeck::test
