// Walks the operator table: a missing cell, a duplicate or an untested row fails here.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "lib/base/file.h"
#include "lib/ops/op.h"
#include "tests/support/paths.h"
#include "tests/support/vectors.h"

namespace limbeck::test {
namespace {

using RowName = std::pair<std::string, std::string>;  // domain, name

/// Rows that no vector of libonnx-testdata reaches -> the test file that runs their kernels.
const std::map<RowName, std::string>& tested_elsewhere() {
  static const std::map<RowName, std::string> kTested = {
      {{"", "Gelu"}, "tests/ops/activations_test.cpp"},
      {{"", "Mish"}, "tests/ops/activations_test.cpp"},
      {{"com.microsoft", "QGemm"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearAdd"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearAveragePool"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearConcat"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearGlobalAveragePool"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearLeakyRelu"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearMul"}, "tests/engine/qoperator_test.cpp"},
      {{"com.microsoft", "QLinearSigmoid"}, "tests/engine/qoperator_test.cpp"},
  };
  return kTested;
}

RowName name_of(const OpRow& row) { return {std::string(row.domain), std::string(row.name)}; }

std::set<RowName> reached_by_vectors() {
  std::set<RowName> reached;
  for (const Vector& vector : vectors()) {
    if (!in_scope(vector) || known_gap(vector.name)) continue;
    for (const std::string& name : vector.rows) reached.emplace("", name);
  }
  return reached;
}

}  // namespace

TEST_CASE("the operator table is sorted by domain and name, without overlapping opsets", "[ops]") {
  const auto table = op_table();
  for (size_t i = 0; i < table.size(); ++i) {
    INFO(table[i].name);
    CHECK(table[i].since >= 1);
    CHECK(table[i].since <= table[i].until);
    if (i == 0) continue;
    const RowName before = name_of(table[i - 1]);
    CHECK(before <= name_of(table[i]));
    if (before == name_of(table[i])) CHECK(table[i - 1].until < table[i].since);
  }
}

TEST_CASE("every row of the operator table has a shape rule and a kernel", "[ops]") {
  for (const OpRow& row : op_table()) {
    INFO(row.name);
    CHECK(!row.name.empty());
    CHECK(row.infer != nullptr);
    CHECK(row.kernel != nullptr);
  }
}

TEST_CASE("find_op gives the row at both ends of its range and nothing outside", "[ops]") {
  for (const OpRow& row : op_table()) {
    INFO(row.name);
    CHECK(find_op(row.domain, row.name, row.since) == &row);
    CHECK(find_op(row.domain, row.name, row.until) == &row);
  }
  CHECK(find_op("", "Resize", 9) == nullptr);
  CHECK(find_op("", "NoSuchOperator", 13) == nullptr);
  CHECK(find_op("elsewhere", "Conv", 13) == nullptr);
  CHECK(find_op("ai.onnx", "Conv", 13) == find_op("", "Conv", 13));
}

TEST_CASE("every row of the operator table is run by a vector or by a named test", "[ops]") {
  if (vectors().empty()) return note_not_run("operator coverage: needs libonnx-testdata");
  const std::set<RowName> reached = reached_by_vectors();
  std::set<RowName> rows;
  for (const OpRow& row : op_table()) rows.insert(name_of(row));
  for (const RowName& row : rows) {
    INFO(row.first << " " << row.second);
    CHECK((reached.contains(row) || tested_elsewhere().contains(row)));
  }
  for (const auto& [row, file] : tested_elsewhere()) {
    INFO(row.second << " in " << file);
    CHECK(rows.contains(row));
    CHECK(!reached.contains(row));
    CHECK(read_file(source_dir() / file).find(row.second) != std::string::npos);
  }
}

}  // namespace limbeck::test
