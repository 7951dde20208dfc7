#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <cmath>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const nlohmann::json kDescription = {{"version", 1}, {"kind", "npy"}, {"path", "x.npy"}};

std::unique_ptr<Dataset> open_npy_bytes(const TemporaryFolder& folder, const std::string& bytes) {
  write_file(folder / "x.npy", bytes);
  return open_described(folder.path(), kDescription);
}

ErrorInfo npy_error(const std::string& bytes) {
  const TemporaryFolder folder;
  return error_of([&] { open_npy_bytes(folder, bytes); });
}

/// One value a sample, 0 to 3, in each of NumPy's number types.
struct Numbers {
  std::string descr;
  std::string data;
  DataType type;
};

std::vector<Numbers> all_numbers() {
  return {
      {"<f2", raw_bytes<uint16_t>({0, 0x3C00, 0x4000, 0x4200}), DataType::kFloat},
      {"<f4", raw_bytes<float>({0, 1, 2, 3}), DataType::kFloat},
      {"<f8", raw_bytes<double>({0, 1, 2, 3}), DataType::kFloat},
      {"|i1", raw_bytes<int8_t>({0, 1, 2, 3}), DataType::kInt8},
      {"|u1", raw_bytes<uint8_t>({0, 1, 2, 3}), DataType::kUint8},
      {"<i2", raw_bytes<int16_t>({0, 1, 2, 3}), DataType::kInt16},
      {"<u2", raw_bytes<uint16_t>({0, 1, 2, 3}), DataType::kUint16},
      {"<i4", raw_bytes<int32_t>({0, 1, 2, 3}), DataType::kInt32},
      {"<u4", raw_bytes<uint32_t>({0, 1, 2, 3}), DataType::kUint32},
      {"<i8", raw_bytes<int64_t>({0, 1, 2, 3}), DataType::kInt64},
      {"<u8", raw_bytes<uint64_t>({0, 1, 2, 3}), DataType::kUint64},
      {">i2", {"\0\0\0\1\0\2\0\3", 8}, DataType::kInt16},
      {">f4", {"\0\0\0\0\x3F\x80\0\0\x40\0\0\0\x40\x40\0\0", 16}, DataType::kFloat},
  };
}

}  // namespace

TEST_CASE("every number type that NumPy writes is read", "[data]") {
  const Numbers numbers = GENERATE(from_range(all_numbers()));
  INFO(numbers.descr);
  const TemporaryFolder folder;
  const auto data = open_npy_bytes(folder, npy_bytes(numbers.descr, "(4,)", numbers.data));
  const Batch batch = read_all(*data);
  CHECK(batch.inputs[0].type() == numbers.type);
  CHECK(batch.inputs[0].dims() == Dims{4});
  CHECK(batch.inputs[0].to_float() == std::vector<float>{0, 1, 2, 3});
}

TEST_CASE("booleans stay booleans", "[data]") {
  const TemporaryFolder folder;
  const auto data = open_npy_bytes(folder, npy_bytes("|b1", "(2, 1)", {"\1\0", 2}));
  const Batch batch = read_all(*data);
  CHECK(batch.inputs[0].type() == DataType::kBool);
  CHECK(batch.inputs[0].raw()[0] == std::byte{1});
  CHECK(batch.inputs[0].raw()[1] == std::byte{0});
}

TEST_CASE("half precision subnormals, infinities and signs survive", "[data]") {
  const TemporaryFolder folder;
  const auto half = raw_bytes<uint16_t>({0x0001, 0x8000, 0xFC00, 0x3555});
  const auto values = values_of(*open_npy_bytes(folder, npy_bytes("<f2", "(1, 4)", half)));
  CHECK(values[0] == std::ldexp(1.0F, -24));
  CHECK(std::signbit(values[1]));
  CHECK(values[2] == -INFINITY);
  CHECK(values[3] == 0.333251953125F);
}

TEST_CASE("Fortran order is put in C order", "[data]") {
  const TemporaryFolder folder;
  // Columns 0 3 / 1 4 / 2 5 of the array [[0 1 2] [3 4 5]].
  const auto columns = raw_bytes<float>({0, 3, 1, 4, 2, 5});
  const auto data = open_npy_bytes(folder, npy_bytes("<f4", "(2, 3)", columns, 1, true));
  CHECK(values_of(*data) == std::vector<float>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("Fortran order works for three axes and big-endian values", "[data]") {
  const TemporaryFolder folder;
  // Value of [i][j][k] is 100 i + 10 j + k; the first axis is the fastest.
  std::string data;
  for (int k = 0; k < 2; ++k) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) data += {'\0', static_cast<char>(100 * i + 10 * j + k)};
    }
  }
  const auto set = open_npy_bytes(folder, npy_bytes(">u2", "(2, 3, 2)", data, 1, true));
  CHECK(values_of(*set) == std::vector<float>{0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121});
}

TEST_CASE("versions 1, 2 and 3 of the header are read", "[data]") {
  const int version = GENERATE(1, 2, 3);
  const TemporaryFolder folder;
  const auto bytes = npy_bytes("<i4", "(2, 2)", raw_bytes<int32_t>({1, 2, 3, 4}), version);
  CHECK(values_of(*open_npy_bytes(folder, bytes)) == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("samples can be read in any order and more than once", "[data]") {
  const TemporaryFolder folder;
  const auto data = open_npy_bytes(
      folder, npy_bytes("<i2", "(3, 2)", raw_bytes<int16_t>({0, 1, 10, 11, 20, 21})));
  const std::vector<int64_t> order = {2, 0, 2};
  const Batch batch = data->read(order);
  CHECK(batch.indices == order);
  CHECK(batch.labels.empty());
  CHECK_FALSE(data->has_labels());
  CHECK(data->class_count() == 0);
  CHECK(batch.inputs[0].to_float() == std::vector<float>{20, 21, 0, 1, 20, 21});
}

TEST_CASE("labels of an array are class indices", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "x.npy", npy_bytes("<f4", "(3,)", raw_bytes<float>({1, 2, 3})));
  write_file(folder / "y.npy", npy_bytes("<i8", "(3, 1)", raw_bytes<int64_t>({4, 0, 2})));
  auto description = kDescription;
  description["labels"] = "y.npy";
  description["input"] = "image";
  const auto data = open_described(folder.path(), description);
  CHECK(data->input_names() == std::vector<std::string>{"image"});
  CHECK(read_all(*data).labels == std::vector<int64_t>{4, 0, 2});
  CHECK(data->class_count() == 5);
}

TEST_CASE("labels that are not class indices are refused", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "x.npy", npy_bytes("<f4", "(2,)", raw_bytes<float>({1, 2})));
  auto description = kDescription;
  description["labels"] = "y.npy";
  const auto error = [&](const std::string& labels) {
    write_file(folder / "y.npy", labels);
    return error_of([&] { open_described(folder.path(), description); });
  };
  const auto negative = error(npy_bytes("<i4", "(2,)", raw_bytes<int32_t>({0, -1})));
  CHECK(negative.place == (folder / "y.npy").string() + ", sample 1");
  CHECK(negative.rule == "a label must be a class index from 0 on");
  CHECK(negative.received == "-1");
  const auto floats = error(npy_bytes("<f2", "(2,)", raw_bytes<uint16_t>({0, 0})));
  CHECK(floats.rule == "labels must be integers of shape [samples]");
  CHECK(floats.received == "float16 of shape 2");
  const auto few = error(npy_bytes("<i4", "(1,)", raw_bytes<int32_t>({0})));
  CHECK(few.rule == "there must be one label a sample, 2 in all");
  CHECK(few.received == "1 labels");
}

TEST_CASE("a truncated array is refused", "[data]") {
  const auto error = npy_error(npy_bytes("<f4", "(2, 3)", std::string(23, '\0')));
  CHECK(error.category == Category::kData);
  CHECK(error.rule == "the file must be a whole .npy array");
  CHECK(error.received == "23 bytes of data where shape 2x3 needs 24");
}

TEST_CASE("an array with bytes behind its end is refused", "[data]") {
  const auto error = npy_error(npy_bytes("<f4", "(2, 3)", std::string(25, '\0')));
  CHECK(error.received == "25 bytes of data where shape 2x3 needs 24");
}

TEST_CASE("every prefix of an array file is an error, never a crash", "[data]") {
  const TemporaryFolder folder;
  const auto bytes = npy_bytes("<f4", "(1, 2)", raw_bytes<float>({1, 2}));
  for (size_t size = 0; size < bytes.size(); ++size) {
    CHECK(error_of([&] { open_npy_bytes(folder, bytes.substr(0, size)); }).category ==
          Category::kData);
  }
}

TEST_CASE("absurd headers are refused", "[data]") {
  const std::string rule =
      "the .npy header must be a dictionary of 'descr', 'fortran_order' and 'shape'";
  const std::string good = "'descr': '<f4', 'fortran_order': False, 'shape': (1,)";
  for (const std::string header :
       {"", "{", "{}", "42", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'fortran_order': maybe, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': [1]}", "{'descr': '<f4",
        "{'descr': '<f4', 'descr': '<f4', 'descr': '<f4'}"}) {
    INFO(header);
    CHECK(npy_error(npy_with_header(header, "1234")).rule == rule);
  }
  CHECK(npy_error(npy_with_header("{" + good + ", 'color': 'red'}", "1234")).received ==
        "the key 'color'");
}

TEST_CASE("a header that claims more than there is, is refused", "[data]") {
  CHECK(npy_error(std::string("\x93NUMPY\1\0\xFF\xFF{}", 12)).received ==
        "a header that ends early");
  CHECK(npy_error(std::string("\x93NUMPY\4\0\2\0{}  ", 14)).received == "version 4");
  CHECK(npy_error("GIF89a and more").received == "another format");
}

TEST_CASE("dimensions whose product overflows are refused", "[data]") {
  const auto error =
      npy_error(npy_bytes("<f4", "(4294967296, 4294967296, 4294967296)", std::string(16, '\0')));
  CHECK(error.rule == "the dimensions must describe an array that fits memory");
  CHECK(error.received == "4294967296x4294967296x4294967296");
}

TEST_CASE("types that are no numbers are refused by name", "[data]") {
  for (const std::string descr : {"|O", "<U5", "|S3", "<c8", "<c16", "<M8[ns]", "|V4", "f4", ""}) {
    const auto error = npy_error(npy_bytes(descr, "(1,)", "1234"));
    CHECK(error.rule == "the elements must be bool, integers, float16, float32 or float64");
    CHECK(error.received == "the type '" + descr + "'");
  }
  const auto fields = npy_error(
      npy_with_header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "1234"));
  CHECK(fields.received == "a structured type with named fields");
}

TEST_CASE("an array without samples or without axes is refused", "[data]") {
  const auto none = npy_error(npy_bytes("<f4", "(0, 3)", ""));
  CHECK(none.rule == "a data set must hold at least one sample");
  CHECK(none.received == "no sample");
  const auto scalar = npy_error(npy_bytes("<f4", "()", "1234"));
  CHECK(scalar.rule == "the first axis of an array counts the samples");
}

TEST_CASE("a missing array is an input/output error that names the file", "[data]") {
  const TemporaryFolder folder;
  const auto error = error_of([&] { open_described(folder.path(), kDescription); });
  CHECK(error.category == Category::kIo);
  CHECK(error.place == (folder / "x.npy").string());
}

TEST_CASE("an index outside of the data set is refused", "[data]") {
  const TemporaryFolder folder;
  const auto data = open_npy_bytes(folder, npy_bytes("<f4", "(1,)", "1234"));
  const std::vector<int64_t> beyond = {1};
  CHECK(error_of([&] { data->read(beyond); }).rule == "a sample index must lie in 0 to 0");
  const std::vector<int64_t> negative = {-1};
  CHECK(error_of([&] { data->read(negative); }).received == "-1");
}
