// The JSON description: what it refuses, and that its documentation is true.
#include "lib/data/description.h"

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <set>
#include <sstream>

#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const nlohmann::json kImages = {{"version", 1}, {"kind", "images"}, {"path", "x"}};

ErrorInfo description_error(const nlohmann::json& fields) {
  auto description = kImages;
  description.update(fields);
  return error_of([&] { validate_json(description, "dataset", "data.json"); });
}

ErrorInfo text_error(const std::string& text) {
  const TemporaryFolder folder;
  test::write_file(folder / "data.json", text);
  return error_of([&] { open_dataset(folder / "data.json"); });
}

/// The JSON blocks of the documentation page.
std::vector<nlohmann::json> documented_examples() {
  std::istringstream page(limbeck::read_file(source_dir() / "docs/formats/dataset.md"));
  std::vector<nlohmann::json> examples;
  std::string line;
  std::string block;
  bool inside = false;
  while (std::getline(page, line)) {
    if (line == "```json") {
      inside = true;
      block.clear();
    } else if (line == "```" && inside) {
      inside = false;
      examples.push_back(nlohmann::json::parse(block));
    } else if (inside) {
      block += line + "\n";
    }
  }
  return examples;
}

/// Names in the first column of the page's tables.
std::set<std::string> documented_fields() {
  std::istringstream page(limbeck::read_file(source_dir() / "docs/formats/dataset.md"));
  std::set<std::string> fields;
  std::string line;
  while (std::getline(page, line)) {
    if (line.starts_with("| `")) fields.insert(line.substr(3, line.find('`', 3) - 3));
  }
  return fields;
}

nlohmann::json dataset_schema() {
  return nlohmann::json::parse(limbeck::read_file(source_dir() / "schemas/dataset.schema.json"));
}

}  // namespace

TEST_CASE("a missing description is an input/output error", "[data]") {
  CHECK(error_of([] { open_dataset("/nonexistent/data.json"); }).category == Category::kIo);
}

TEST_CASE("text that is no JSON is refused", "[data]") {
  const auto error = text_error("{\"version\": 1,");
  CHECK(error.category == Category::kData);
  CHECK(error.place.ends_with("data.json"));
  CHECK(error.rule == "the file must be valid JSON");
}

TEST_CASE("an unknown or missing kind lists the known ones", "[data]") {
  const std::string rule = "a data set's 'kind' must be one of csv, idx, images, npy, npz, pb";
  CHECK(text_error(R"({"version": 1, "kind": "tfrecord", "path": "x"})").rule == rule);
  CHECK(text_error(R"({"version": 1, "kind": "tfrecord", "path": "x"})").received == "'tfrecord'");
  CHECK(text_error(R"({"version": 1, "path": "x"})").received == "no kind");
  CHECK(text_error("[]").received == "no kind");
}

TEST_CASE("other versions, missing paths and unknown fields are refused", "[data]") {
  for (const nlohmann::json& fields : std::vector<nlohmann::json>{
           {{"version", 2}},
           {{"version", "1"}},
           {{"path", ""}},
           {{"path", 3}},
           {{"colour", "RGB"}},
           {{"labels", "y"}},
           {{"color", "rgb"}},
           {{"layout", "HWC"}},
           {{"crop", {224}}},
           {{"crop", {0, 224}}},
           {{"crop", {224.5, 224}}},
           {{"crop", {224, 65536}}},
           {{"resize", 256}},
           {{"resize", {{"short_side", 256}, {"size", {256, 256}}}}},
           {{"resize", {{"interpolation", "bicubic"}}}},
           {{"resize", {{"short_side", 256}, {"interpolation", "lanczos"}}}},
           {{"resize", {{"short_side", -1}}}},
           {{"mean", 0.5}},
           {{"mean", {0.1, 0.2, 0.3, 0.4}}},
           {{"mean", {1e300}}},
           {{"std", {0.0}}},
           {{"std", {-1}}},
           {{"std", {1e-50}}},
           {{"std", nlohmann::json::array()}},
       }) {
    INFO(fields);
    const auto error = description_error(fields);
    CHECK(error.category == Category::kData);
    CHECK(error.rule == "the document must follow the schema 'dataset'");
  }
}

TEST_CASE("fields of one kind are refused in another", "[data]") {
  for (const std::string text :
       {R"({"version": 1, "kind": "npy", "path": "x", "crop": [1, 1]})",
        R"({"version": 1, "kind": "idx", "path": "x", "mean": [0.1, 0.2, 0.3]})",
        R"({"version": 1, "kind": "npz", "path": "x", "labels": "y"})",
        R"({"version": 1, "kind": "npz", "path": "x", "inputs": []})",
        R"({"version": 1, "kind": "npz", "path": "x", "inputs": ["a", "a"]})",
        R"({"version": 1, "kind": "pb", "path": "x", "inputs": {"a": "b"}})",
        R"({"version": 1, "kind": "csv", "path": "x", "label": "y"})"}) {
    INFO(text);
    CHECK(text_error(text).rule == "the document must follow the schema 'dataset'");
  }
}

TEST_CASE("paths are relative to the description", "[data]") {
  const TemporaryFolder folder;
  test::write_file(folder / "sub/data/x.npy", npy_bytes("<f4", "(1,)", raw_bytes<float>({5})));
  const auto data =
      open_described(folder / "sub", {{"version", 1}, {"kind", "npy"}, {"path", "data/x.npy"}});
  CHECK(values_of(*data) == std::vector<float>{5});
}

TEST_CASE("the documented examples follow the schema and cover every kind", "[data]") {
  std::set<std::string> kinds;
  for (const auto& example : documented_examples()) {
    INFO(example);
    CHECK_NOTHROW(validate_json(example, "dataset", "docs/formats/dataset.md"));
    kinds.insert(example.at("kind").get<std::string>());
  }
  const auto schema = dataset_schema();
  CHECK(kinds == schema.at("properties").at("kind").at("enum").get<std::set<std::string>>());
}

TEST_CASE("every field of the schema is documented, and no other", "[data]") {
  const auto schema = dataset_schema();
  std::set<std::string> fields = {"resize.short_side", "resize.size", "resize.interpolation"};
  for (const auto& branch : schema.at("allOf")) {
    for (const auto& [name, rule] : branch.at("then").at("properties").items()) fields.insert(name);
  }
  CHECK(documented_fields() == fields);
}
