#include "lib/evaluate/npz_writer.h"

#include <catch2/catch_test_macros.hpp>

#include "lib/base/file.h"
#include "lib/data/dataset.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;

TEST_CASE("an archive holds its arrays as the data set reader sees them", "[evaluate]") {
  const TemporaryFolder folder;
  const Tensor values = Tensor::from<float>({2, 3}, {1, 2, 3, 4, 5, 6});
  write_file_atomically(folder / "a.npz", npz_bytes({{"x", values}, {"y", ints({7, 8})}}));
  write_file_atomically(
      folder / "a.json",
      R"({"version": 1, "kind": "npz", "path": "a.npz", "inputs": ["x"], "label": "y"})");
  const auto dataset = open_dataset(folder / "a.json");
  const std::vector<int64_t> order = {1, 0};
  const Batch batch = dataset->read(order);
  CHECK(batch.inputs.at(0).dims() == Dims{2, 3});
  CHECK(batch.inputs[0].to_float() == std::vector<float>{4, 5, 6, 1, 2, 3});
  CHECK(batch.labels == std::vector<int64_t>{8, 7});
}

TEST_CASE("the same arrays give the same archive", "[evaluate]") {
  const Tensor values = noise({4, 4}, 3);
  CHECK(npz_bytes({{"x", values}}) == npz_bytes({{"x", values}}));
}

TEST_CASE("members start with the ZIP and NumPy magic and align their values", "[evaluate]") {
  const std::string bytes = npz_bytes({{"x", floats({1.5F})}});
  CHECK(bytes.substr(0, 4) == "PK\x03\x04");
  const size_t start = bytes.find("\x93NUMPY");
  REQUIRE(start == 30 + 5);  // local header, "x.npy"
  const size_t values = bytes.find('\n', start) + 1;
  CHECK((values - start) % 64 == 0);
  CHECK(bytes.find("'descr': '<f4', 'fortran_order': False, 'shape': (1,)") != std::string::npos);
}
