// ONNX test data: folders of input_K.pb. Internal to lib/data.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lib/data/description.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// The inputs of one folder of test data, samples on the first axis.
struct TestCase {
  std::string place;
  std::vector<std::string> names;
  std::vector<Tensor> inputs;
  int64_t rows = 0;
};

/// The test_data_set_* folders by number; the folder itself when it has none. Raises kIo.
std::vector<std::filesystem::path> case_folders(const std::filesystem::path& folder);

/// Reads input_0.pb, input_1.pb, ... The inputs are named by the description or by the tensors.
/// Raises kIo and kData.
TestCase read_test_case(const std::filesystem::path& folder, const Description& description);

}  // namespace limbeck
