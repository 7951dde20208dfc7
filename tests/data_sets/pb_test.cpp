#include <onnx/onnx_pb.h>

#include <catch2/catch_test_macros.hpp>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const nlohmann::json kDescription = {{"version", 1}, {"kind", "pb"}, {"path", "."}};

onnx::TensorProto float_tensor(const std::string& name, const Dims& dims,
                               const std::vector<float>& values) {
  onnx::TensorProto proto;
  proto.set_name(name);
  proto.set_data_type(onnx::TensorProto::FLOAT);
  for (const int64_t dim : dims) proto.add_dims(dim);
  proto.set_raw_data(raw_bytes(values));
  return proto;
}

void write_input(const TemporaryFolder& folder, const std::string& name,
                 const onnx::TensorProto& proto) {
  write_file(folder / name, proto.SerializeAsString());
}

ErrorInfo pb_error(const TemporaryFolder& folder,
                   const nlohmann::json& fields = nlohmann::json::object()) {
  auto description = kDescription;
  description.update(fields);
  return error_of([&] { read_all(*open_described(folder.path(), description)); });
}

}  // namespace

TEST_CASE("test data folders are read in the order of their numbers", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "test_data_set_10/input_0.pb", float_tensor("x", {1, 2}, {5, 6}));
  write_input(folder, "test_data_set_2/input_0.pb", float_tensor("x", {2, 2}, {1, 2, 3, 4}));
  write_input(folder, "test_data_set_2/output_0.pb", float_tensor("y", {1}, {0}));
  write_file(folder / "test_data_set_x/input_0.pb", "no number, not read");
  const auto data = open_described(folder.path(), kDescription);
  CHECK(data->size() == 3);
  CHECK(data->input_names() == std::vector<std::string>{"x"});
  CHECK_FALSE(data->has_labels());
  CHECK(values_of(*data) == std::vector<float>{1, 2, 3, 4, 5, 6});
  const std::vector<int64_t> order = {2, 0, 2, 1};
  CHECK(data->read(order).inputs[0].to_float() == std::vector<float>{5, 6, 1, 2, 5, 6, 3, 4});
}

TEST_CASE("a folder without numbered folders is one test case", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "input_0.pb", float_tensor("", {1, 1}, {7}));
  auto description = kDescription;
  description["input"] = "image";
  const auto data = open_described(folder.path(), description);
  CHECK(data->input_names() == std::vector<std::string>{"image"});
  CHECK(values_of(*data) == std::vector<float>{7});
}

TEST_CASE("several inputs are named by the tensors or by the description", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "input_0.pb", float_tensor("a", {2}, {1, 2}));
  onnx::TensorProto typed;
  typed.set_name("b");
  typed.set_data_type(onnx::TensorProto::INT64);
  typed.add_dims(2);
  typed.add_int64_data(30);
  typed.add_int64_data(40);
  write_input(folder, "input_1.pb", typed);
  const auto data = open_described(folder.path(), kDescription);
  CHECK(data->input_names() == std::vector<std::string>{"a", "b"});
  CHECK(read_all(*data).inputs[1].to_int64() == std::vector<int64_t>{30, 40});
  auto named = kDescription;
  named["inputs"] = {"ids", "mask"};
  CHECK(open_described(folder.path(), named)->input_names() ==
        std::vector<std::string>{"ids", "mask"});
}

TEST_CASE("a folder without inputs is refused", "[data]") {
  const TemporaryFolder folder;
  const auto error = pb_error(folder);
  CHECK(error.category == Category::kData);
  CHECK(error.rule == "a test case must hold input_0.pb");
  CHECK(error.received == "0 files");
  const auto missing = pb_error(folder, {{"path", "nowhere"}});
  CHECK(missing.category == Category::kIo);
  CHECK(missing.rule == "a readable folder of ONNX test data is needed");
}

TEST_CASE("a name list of another length is refused", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "input_0.pb", float_tensor("a", {1}, {1}));
  CHECK(pb_error(folder, {{"inputs", {"a", "b"}}}).rule ==
        "there must be one input_K.pb for each name in 'inputs'");
}

TEST_CASE("a file that is no tensor is refused", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "input_0.pb", "no tensor");
  const auto error = pb_error(folder);
  CHECK(error.place == (folder / "./input_0.pb").string());
  CHECK(error.rule == "the file must hold one ONNX tensor");
}

TEST_CASE("a tensor whose bytes do not fit its shape is bad data", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "input_0.pb", float_tensor("a", {3}, {1, 2}));
  CHECK(pb_error(folder).category == Category::kData);
  write_input(folder, "input_0.pb", float_tensor("a", {-1}, {1, 2}));
  CHECK(pb_error(folder).category == Category::kData);
}

TEST_CASE("scalars, empty tensors and strings hold no samples", "[data]") {
  const std::string rule =
      "the first axis of an input counts the samples, and elements fill whole bytes";
  const TemporaryFolder folder;
  write_input(folder, "input_0.pb", float_tensor("a", {}, {1}));
  CHECK(pb_error(folder).rule == rule);
  write_input(folder, "input_0.pb", float_tensor("a", {0, 2}, {}));
  CHECK(pb_error(folder).rule == rule);
  onnx::TensorProto strings;
  strings.set_data_type(onnx::TensorProto::STRING);
  strings.add_dims(1);
  strings.add_string_data("text");
  write_input(folder, "input_0.pb", strings);
  CHECK(pb_error(folder).category == Category::kData);
}

TEST_CASE("inputs of one case must agree on the number of samples", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "input_0.pb", float_tensor("a", {2}, {1, 2}));
  write_input(folder, "input_1.pb", float_tensor("b", {1}, {1}));
  const auto error = pb_error(folder);
  CHECK(error.rule == "all inputs of a test case must hold the same number of samples, 2");
  CHECK(error.received == "1");
}

TEST_CASE("cases with other inputs are refused", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "test_data_set_0/input_0.pb", float_tensor("a", {1}, {1}));
  write_input(folder, "test_data_set_1/input_0.pb", float_tensor("b", {1}, {1}));
  CHECK(pb_error(folder).rule == "all test cases must feed the same inputs in the same order");
}

TEST_CASE("samples of different shapes cannot share a batch but can be read alone", "[data]") {
  const TemporaryFolder folder;
  write_input(folder, "test_data_set_0/input_0.pb", float_tensor("a", {1, 2}, {1, 2}));
  write_input(folder, "test_data_set_1/input_0.pb", float_tensor("a", {1, 3}, {1, 2, 3}));
  const auto error = pb_error(folder);
  CHECK(error.rule ==
        "all samples of a batch must have the type and shape of the first, float 1x2");
  CHECK(error.received == "float 1x3");
  const std::vector<int64_t> last = {1};
  CHECK(open_described(folder.path(), kDescription)->read(last).inputs[0].dims() == Dims{1, 3});
}
