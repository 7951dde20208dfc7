// ONNX test data: folders of input_K.pb. Internal to lib/data.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/data/description.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// One folder of test data. The tensors stay on disk until they are needed.
struct TestCase {
  std::filesystem::path folder;
  std::vector<std::string> names;
  /// Samples, the first axis of every input.
  int64_t rows = 0;
};

/// The test_data_set_* folders by number; the folder itself when it has none. Raises kIo.
std::vector<std::filesystem::path> case_folders(const std::filesystem::path& folder);

/// Checks input_0.pb, input_1.pb, ... The inputs are named by the description or by the tensors.
/// Raises kIo and kData.
TestCase check_test_case(const std::filesystem::path& folder, const Description& description);

/// Path of one input of a folder.
std::filesystem::path input_path(const std::filesystem::path& folder, size_t number);
/// The tensor in input_K.pb, samples on the first axis. Raises kIo and kData.
Tensor read_case_input(const std::filesystem::path& path);

}  // namespace limbeck
