#include "lib/data/test_case.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

/// Sub-byte types cannot be cut into rows by bytes, and test data does not use them.
void check_tensor(const Tensor& tensor, const std::string& place) {
  const bool whole_bytes = bits_per_element(tensor.type()) % 8 == 0;
  if (tensor.rank() > 0 && tensor.dim(0) > 0 && whole_bytes) return;
  throw_error(Category::kData, place,
              "the first axis of an input counts the samples, and elements fill whole bytes",
              data_type_name(tensor.type()) + " of shape " + dims_text(tensor.dims()),
              "store inputs with shape [samples, ...]");
}

void add_input(TestCase* test_case, const std::filesystem::path& path, size_t number,
               const nlohmann::json& names) {
  const std::string place = path.string();
  onnx::TensorProto proto;
  if (!proto.ParseFromString(read_file(path)) || proto.data_type() == 0) {
    throw_error(Category::kData, place, "the file must hold one ONNX tensor", "other content",
                "store the input as a TensorProto");
  }
  const Tensor tensor = tensor_from_proto(proto, path.parent_path(), place);
  check_tensor(tensor, place);
  if (number == 0) test_case->rows = tensor.dim(0);
  if (tensor.dim(0) != test_case->rows) {
    throw_error(Category::kData, place,
                "all inputs of a test case must hold the same number of samples, " +
                    std::to_string(test_case->rows),
                std::to_string(tensor.dim(0)), "store inputs with the same first axis");
  }
  test_case->names.push_back(number < names.size() ? names.at(number).get<std::string>()
                                                   : proto.name());
  test_case->inputs.push_back(tensor);
}

/// Number after "test_data_set_", or -1.
long set_number(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::string prefix = "test_data_set_";
  const bool fits = name.starts_with(prefix) && name.size() > prefix.size() &&
                    name.size() < prefix.size() + 10 &&
                    name.find_first_not_of("0123456789", prefix.size()) == std::string::npos;
  return fits ? std::stol(name.substr(prefix.size())) : -1;
}

}  // namespace

std::vector<std::filesystem::path> case_folders(const std::filesystem::path& folder) {
  std::error_code failure;
  std::filesystem::directory_iterator entries(folder, failure);
  if (failure) {
    throw_error(Category::kIo, folder.string(), "a readable folder of ONNX test data is needed",
                failure.message(), "correct 'path' in the description");
  }
  std::vector<std::pair<long, std::filesystem::path>> found;
  for (const auto& entry : entries) {
    const long number = entry.is_directory(failure) ? set_number(entry.path()) : -1;
    if (number >= 0) found.emplace_back(number, entry.path());
  }
  std::sort(found.begin(), found.end());
  std::vector<std::filesystem::path> folders;
  for (const auto& [number, path] : found) folders.push_back(path);
  if (folders.empty()) folders.push_back(folder);
  return folders;
}

TestCase read_test_case(const std::filesystem::path& folder, const Description& description) {
  TestCase test_case;
  test_case.place = folder.string();
  const auto names = description.json.value("inputs", nlohmann::json::array());
  for (size_t number = 0;; ++number) {
    const auto path = folder / ("input_" + std::to_string(number) + ".pb");
    std::error_code failure;
    if (!std::filesystem::exists(path, failure)) break;
    add_input(&test_case, path, number, names);
  }
  if (test_case.inputs.empty() || (!names.empty() && names.size() != test_case.inputs.size())) {
    throw_error(Category::kData, test_case.place,
                names.empty() ? "a test case must hold input_0.pb"
                              : "there must be one input_K.pb for each name in 'inputs'",
                std::to_string(test_case.inputs.size()) + " files",
                "correct the path or 'inputs' in the description");
  }
  if (description.has("input") && test_case.inputs.size() == 1)
    test_case.names.front() = description.input();
  return test_case;
}

}  // namespace limbeck
