// The ONNX backend test vectors of the Debian package libonnx-testdata.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/model/model.h"

namespace limbeck::test {

/// One test case: a model with inputs and the outputs that every runtime must give.
struct Vector {
  std::string name;  ///< suite and folder, "node/test_abs"
  std::filesystem::path folder;
  std::string owner;                ///< operator of the last node: the case is run under its name
  std::vector<std::string> rows;    ///< operators in the table, subgraphs included, sorted
  std::vector<std::string> absent;  ///< operators that the table lacks at this opset, sorted
  std::string barrier;              ///< another reason that rules the case out, or empty
};

/// Every case, sorted by name; empty where the package is not installed.
const std::vector<Vector>& vectors();
/// Whether the operators, opset and value types of the case are within the table's scope.
bool in_scope(const Vector& vector);
/// Why the table's kernels do not run a case that is in scope, or nothing. The list is short and
/// every entry is checked: an entry that runs, or names no case, fails a test.
std::optional<std::string> known_gap(const std::string& name);
/// The names in that list.
std::vector<std::string> known_gaps();

/// The model. One older than opset 7 is read as opset 7 where that means the same, without the
/// attributes that became the rule there.
Model load_vector_model(const Vector& vector);
/// The tensors `prefix`_0.pb, `prefix`_1.pb ... of one test_data_set folder, for `values` of the
/// model in order.
std::vector<Tensor> load_vector_tensors(const std::filesystem::path& set, const std::string& prefix,
                                        const std::vector<Value*>& values);
/// The test_data_set_* folders of the case.
std::vector<std::filesystem::path> vector_sets(const Vector& vector);

/// What differs between two tensors: type, shape, or the first element beyond the tolerances of the
/// ONNX backend runner (floating point: |a - b| <= 1e-7 + 1e-3 * |b|; other types: exact). Empty
/// when nothing does.
std::string tensor_difference(const Tensor& got, const Tensor& wanted);

}  // namespace limbeck::test
