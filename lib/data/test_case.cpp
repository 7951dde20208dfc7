#include "lib/data/test_case.h"

#include <onnx/onnx_pb.h>

#include <algorithm>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/model.h"

namespace limbeck {
namespace {

/// To the model loader a bad tensor is an invalid model; here it is bad data.
Tensor data_tensor(const onnx::TensorProto& proto, const std::filesystem::path& path) {
  try {
    return tensor_from_proto(proto, path.parent_path(), path.string());
  } catch (const Error& error) {
    if (error.category() == Category::kIo) throw;
    throw_error(Category::kData, error.info().place, error.info().rule, error.info().received,
                "store the input as a whole TensorProto");
  }
}

/// Sub-byte types cannot be cut into rows by bytes, and test data does not use them.
void check_tensor(const Tensor& tensor, const std::string& place) {
  const int bits = bits_per_element(tensor.type());
  const bool whole_bytes = bits > 0 && bits % 8 == 0;
  if (tensor.rank() > 0 && tensor.dim(0) > 0 && whole_bytes) return;
  throw_error(Category::kData, place,
              "the first axis of an input counts the samples, and elements fill whole bytes",
              data_type_name(tensor.type()) + " of shape " + dims_text(tensor.dims()),
              "store inputs with shape [samples, ...]");
}

Tensor read_named_input(const std::filesystem::path& path, std::string* name) {
  onnx::TensorProto proto;
  if (!proto.ParseFromString(read_file(path)) || proto.data_type() == 0) {
    throw_error(Category::kData, path.string(), "the file must hold one ONNX tensor",
                "other content", "store the input as a TensorProto");
  }
  *name = proto.name();
  Tensor tensor = data_tensor(proto, path);
  check_tensor(tensor, path.string());
  return tensor;
}

void add_input(TestCase* test_case, const std::filesystem::path& path, size_t number,
               const nlohmann::json& names) {
  std::string name;
  const Tensor tensor = read_named_input(path, &name);
  if (number == 0) test_case->rows = tensor.dim(0);
  if (tensor.dim(0) != test_case->rows) {
    throw_error(Category::kData, path.string(),
                "all inputs of a test case must hold the same number of samples, " +
                    std::to_string(test_case->rows),
                std::to_string(tensor.dim(0)), "store inputs with the same first axis");
  }
  test_case->names.push_back(number < names.size() ? names.at(number).get<std::string>() : name);
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

std::filesystem::path input_path(const std::filesystem::path& folder, size_t number) {
  return folder / ("input_" + std::to_string(number) + ".pb");
}

Tensor read_case_input(const std::filesystem::path& path) {
  std::string name;
  return read_named_input(path, &name);
}

TestCase check_test_case(const std::filesystem::path& folder, const Description& description) {
  TestCase test_case;
  test_case.folder = folder;
  const auto names = description.json.value("inputs", nlohmann::json::array());
  size_t count = 0;
  std::error_code failure;
  for (; std::filesystem::exists(input_path(folder, count), failure); ++count)
    add_input(&test_case, input_path(folder, count), count, names);
  if (count == 0 || (!names.empty() && names.size() != count)) {
    throw_error(Category::kData, folder.string(),
                names.empty() ? "a test case must hold input_0.pb"
                              : "there must be one input_K.pb for each name in 'inputs'",
                std::to_string(count) + " files",
                "correct the path or 'inputs' in the description");
  }
  if (description.has("input") && count == 1) test_case.names.front() = description.input();
  return test_case;
}

}  // namespace limbeck
