#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const nlohmann::json kDescription = {{"version", 1}, {"kind", "npz"}, {"path", "x.npz"}};

Members three_arrays() {
  return {{"ids.npy", npy_bytes("<i8", "(2, 3)", raw_bytes<int64_t>({1, 2, 3, 4, 5, 6}))},
          {"mask.npy", npy_bytes("<f4", "(2, 1)", raw_bytes<float>({1, 0}))},
          {"y.npy", npy_bytes("<i4", "(2,)", raw_bytes<int32_t>({7, 3}))}};
}

ErrorInfo npz_error(const Members& members, const nlohmann::json& fields) {
  const TemporaryFolder folder;
  write_zip(folder / "x.npz", members);
  auto description = kDescription;
  description.update(fields);
  return error_of([&] { open_described(folder.path(), description); });
}

}  // namespace

TEST_CASE("stored and deflated archives of arrays are read", "[data]") {
  const bool deflate = GENERATE(false, true);
  const TemporaryFolder folder;
  write_zip(folder / "x.npz", three_arrays(), deflate);
  auto description = kDescription;
  description["label"] = "y";
  const auto data = open_described(folder.path(), description);
  CHECK(data->input_names() == std::vector<std::string>{"ids", "mask"});
  CHECK(data->class_count() == 8);
  const Batch batch = read_all(*data);
  CHECK(batch.labels == std::vector<int64_t>{7, 3});
  CHECK(batch.inputs[0].type() == DataType::kInt64);
  CHECK(batch.inputs[0].dims() == Dims{2, 3});
  CHECK(batch.inputs[0].to_int64() == std::vector<int64_t>{1, 2, 3, 4, 5, 6});
  CHECK(batch.inputs[1].to_float() == std::vector<float>{1, 0});
}

TEST_CASE("inputs may list the arrays or map model inputs to them", "[data]") {
  const TemporaryFolder folder;
  write_zip(folder / "x.npz", three_arrays());
  auto description = kDescription;
  description["inputs"] = {"mask"};
  CHECK(open_described(folder.path(), description)->input_names() ==
        std::vector<std::string>{"mask"});
  description["inputs"] = {{"attention_mask", "mask"}, {"input_ids", "ids"}};
  const auto data = open_described(folder.path(), description);
  CHECK(data->input_names() == std::vector<std::string>{"attention_mask", "input_ids"});
  CHECK(values_of(*data, 0) == std::vector<float>{1, 0});
  CHECK_FALSE(data->has_labels());
}

TEST_CASE("input renames the one array of an archive", "[data]") {
  const TemporaryFolder folder;
  write_zip(folder / "x.npz", {three_arrays()[1]});
  auto description = kDescription;
  description["input"] = "image";
  CHECK(open_described(folder.path(), description)->input_names().front() == "image");
}

TEST_CASE("input cannot rename several arrays", "[data]") {
  const auto error = npz_error(three_arrays(), {{"input", "image"}});
  CHECK(error.rule == "'input' renames the input of a data set with one array");
  CHECK(error.received == "3 arrays");
}

TEST_CASE("an array that the archive lacks is named with those it has", "[data]") {
  const auto error = npz_error(three_arrays(), {{"inputs", {"pixels"}}});
  CHECK(error.category == Category::kData);
  CHECK(error.rule == "the array 'pixels' must exist");
  CHECK(error.received == "the arrays ids, mask, y");
}

TEST_CASE("arrays with different numbers of samples are refused", "[data]") {
  auto members = three_arrays();
  members[1].second = npy_bytes("<f4", "(3, 1)", raw_bytes<float>({1, 0, 1}));
  const auto error = npz_error(members, {{"label", "y"}});
  CHECK(error.place.ends_with("x.npz, input 'mask'"));
  CHECK(error.rule == "all inputs must hold the same number of samples, 2");
  CHECK(error.received == "3");
}

TEST_CASE("a damaged array in an archive is named", "[data]") {
  const auto error = npz_error({{"a.npy", "no array at all"}}, nlohmann::json::object());
  CHECK(error.place.ends_with("x.npz, array 'a'"));
  CHECK(error.rule == "the file must be a whole .npy array");
}

TEST_CASE("an archive without arrays is refused", "[data]") {
  const auto error = npz_error({{"folder/", ""}}, {{"inputs", {"a"}}});
  CHECK(error.rule == "the array 'a' must exist");
}
