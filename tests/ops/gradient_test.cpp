// Walks the table of gradient cases, and the operator table against it.
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>
#include <string>

#include "lib/base/file.h"
#include "lib/ops/op.h"
#include "tests/support/gradient_check.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

using Names = std::set<std::string>;

/// Rows whose gradient is a stated surrogate, which differences of the kernel cannot show -> the
/// test file that redoes it by hand.
const std::map<std::string, std::string>& surrogates() {
  static const std::map<std::string, std::string> kSurrogates = {
      {"QuantizeLinear", "tests/ops/quantize_gradient_test.cpp"},
      {"DequantizeLinear", "tests/ops/quantize_gradient_test.cpp"},
  };
  return kSurrogates;
}

/// Why an operator of the default domain has no gradient.
const std::map<std::string, Names>& without_gradient() {
  static const std::map<std::string, Names> kReasons = {
      {"the output is boolean",
       {"And", "Equal", "Greater", "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not",
        "Or", "Xor"}},
      {"the output is an index, a shape or a constant",
       {"ArgMax", "ArgMin", "Constant", "ConstantOfShape", "Range", "Shape", "Size"}},
      {"the derivative is zero almost everywhere", {"Ceil", "Floor", "Round", "Sign"}},
      {"integer arithmetic",
       {"ConvInteger", "DynamicQuantizeLinear", "MatMulInteger", "QLinearConv", "QLinearMatMul"}},
      {"used for integer shape arithmetic", {"Mod"}},
      {"no network that limbeck trains uses it", {"ReduceProd", "TopK"}},
  };
  return kReasons;
}

Names excused() {
  Names names;
  for (const auto& [reason, operators] : without_gradient())
    names.insert(operators.begin(), operators.end());
  return names;
}

Names checked() {
  Names names;
  for (const GradientCase& one : gradient_cases()) names.insert(one.node.op);
  return names;
}

}  // namespace

TEST_CASE("every gradient agrees with differences of its kernel in double", "[ops][gradient]") {
  for (const GradientCase& one : gradient_cases()) check_gradient(one);
}

TEST_CASE("every row of the operator table has a checked gradient or a reason", "[ops][gradient]") {
  const Names cases = checked();
  const Names without = excused();
  for (const OpRow& row : op_table()) {
    const std::string name(row.name);
    INFO(name);
    if (!row.domain.empty()) {
      CHECK(row.gradient == nullptr);  // the quantized operators of ONNX Runtime
      continue;
    }
    const bool tested = cases.contains(name) || surrogates().contains(name);
    CHECK((row.gradient != nullptr) == tested);
    CHECK((row.gradient == nullptr) == without.contains(name));
  }
  for (const auto& [name, file] : surrogates())
    CHECK(read_file(source_dir() / file).find(name) != std::string::npos);
}

}  // namespace limbeck::test
