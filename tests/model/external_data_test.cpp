// Weights in files beside the model.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>

#include "lib/base/file.h"
#include "lib/model/model.h"
#include "tests/model/expect_error.h"
#include "tests/model/rich_model.h"
#include "tests/support/paths.h"

using namespace limbeck;
using test::check_error;
using test::error_of;
using test::ModelBuilder;
namespace fs = std::filesystem;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

onnx::TensorProto external_floats(const std::string& name, const Dims& dims,
                                  const Entries& entries) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(static_cast<int32_t>(DataType::kFloat));
  for (const int64_t dim : dims) tensor.add_dims(dim);
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  for (const auto& [key, value] : entries) {
    auto* entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  }
  return tensor;
}

/// A folder with `w.bin` (the floats 0, 1, ... 7) and a model y = x + w of two elements.
struct ExternalModel {
  test::TemporaryFolder folder;

  ExternalModel() {
    const Tensor numbers = test::floats({0, 1, 2, 3, 4, 5, 6, 7});
    write_file_atomically(folder / "w.bin", {reinterpret_cast<const char*>(numbers.raw()), 32});
  }
  void write(const onnx::TensorProto& tensor) const {
    ModelBuilder builder(13);
    builder.input("x", {2}).output("y");
    builder.node("Add", {"x", "w"}, {"y"});
    *builder.proto().mutable_graph()->add_initializer() = tensor;
    write_file_atomically(folder / "m.onnx", builder.bytes());
  }
  Model load(const Entries& entries) const {
    write(external_floats("w", {2}, entries));
    return load_model(folder / "m.onnx");
  }
  std::vector<float> weight(const Entries& entries) const {
    return load(entries).graph.find("w")->constant()->to_float();
  }
  ErrorInfo error(const Entries& entries) const {
    return error_of([&] { load(entries); });
  }
  std::string place() const { return (folder / "m.onnx").string() + ": tensor 'w'"; }
};

/// Resident memory of this process that belongs to no file.
int64_t anonymous_bytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    int64_t kib = 0;
    if (word == "RssAnon:" && status >> kib) return kib * 1024;
  }
  FAIL("no RssAnon in /proc/self/status");
  return 0;
}

}  // namespace

TEST_CASE("external data is read at its offset and length", "[model]") {
  const ExternalModel model;
  const std::vector<float> start{0, 1};
  const std::vector<float> middle{4, 5};
  CHECK(model.weight({{"location", "w.bin"}, {"length", "8"}}) == start);
  CHECK(model.weight({{"location", "w.bin"}, {"offset", "16"}, {"length", "8"}}) == middle);
  CHECK(model.weight({{"location", "w.bin"}, {"offset", "16"}}) == middle);
  CHECK(model.weight({{"location", "./w.bin"}, {"offset", "16"}, {"checksum", "x"}}) == middle);
}

TEST_CASE("external data may lie in a folder below the model", "[model]") {
  const ExternalModel model;
  fs::create_directory(model.folder / "data");
  fs::rename(model.folder / "w.bin", model.folder / "data/w.bin");
  CHECK(model.weight({{"location", "data/w.bin"}}) == std::vector<float>{0, 1});
}

TEST_CASE("an external path that leaves the model's folder is an error", "[model]") {
  const ExternalModel model;
  const std::string rule = "external data must lie inside the model's folder, by a relative path";
  for (const std::string path : {"/etc/passwd", "../w.bin", "data/../../w.bin", ""}) {
    check_error(model.error({{"location", path}}), Category::kInvalidModel, model.place(), rule,
                "'" + path + "'");
  }
}

TEST_CASE("a link that leaves the model's folder is an error", "[model]") {
  const ExternalModel model;
  const test::TemporaryFolder elsewhere;
  write_file_atomically(elsewhere / "secret", "12345678");
  fs::create_symlink(elsewhere / "secret", model.folder / "link");
  fs::create_directory_symlink(elsewhere.path(), model.folder / "dir");
  const std::string rule = "external data must lie inside the model's folder";
  check_error(model.error({{"location", "link"}}), Category::kInvalidModel, model.place(), rule,
              "'link', a link that leaves it");
  check_error(model.error({{"location", "dir/secret"}}), Category::kInvalidModel, model.place(),
              rule, "'dir/secret', a link that leaves it");
}

TEST_CASE("a link inside the model's folder is followed", "[model]") {
  const ExternalModel model;
  fs::create_symlink("w.bin", model.folder / "link");
  CHECK(model.weight({{"location", "link"}}) == std::vector<float>{0, 1});
}

TEST_CASE("external data that is no regular file is an error", "[model]") {
  const ExternalModel model;
  fs::create_directory(model.folder / "dir");
  check_error(model.error({{"location", "dir"}}), Category::kInvalidModel, model.place(),
              "external data must be a regular file", "'dir'");
}

TEST_CASE("a missing data file is an input error that names tensor and file", "[model]") {
  const ExternalModel model;
  check_error(model.error({{"location", "none.bin"}}), Category::kIo, model.place(),
              "the external data file must exist beside the model", "'none.bin'");
}

TEST_CASE("offsets and lengths outside the data file are errors", "[model]") {
  const ExternalModel model;
  const std::string rule = "external data must lie inside its file of 32 bytes";
  const auto check = [&](const std::string& offset, const std::string& length) {
    check_error(model.error({{"location", "w.bin"}, {"offset", offset}, {"length", length}}),
                Category::kInvalidModel, model.place(), rule,
                "offset " + offset + ", length " + length);
  };
  check("28", "8");
  check("33", "8");
  check("999999999999999999", "8");
  check("0", "999999999999999999");
}

TEST_CASE("an external length that does not fit the dimensions is an error", "[model]") {
  const ExternalModel model;
  check_error(model.error({{"location", "w.bin"}, {"length", "12"}}), Category::kInvalidModel,
              model.place(), "the stored size must equal that of float 2, 8 bytes", "12 bytes");
}

TEST_CASE("offsets that are no whole numbers are errors", "[model]") {
  const ExternalModel model;
  for (const std::string text : {"-8", "", "eight", "0x10", "8.0", "99999999999999999999"}) {
    check_error(model.error({{"location", "w.bin"}, {"offset", text}}), Category::kInvalidModel,
                model.place(), "external data offset and length must be whole numbers",
                "'" + text + "'");
  }
}

TEST_CASE("weights go to a data file when the model exceeds the threshold", "[model]") {
  const test::TemporaryFolder folder;
  const Model model = load_model(test::fixture("fashion_mnist_cnn.onnx"));
  SaveOptions options;
  options.external_data_threshold = 100000;
  save_model(model, folder / "big.onnx", options);
  // The graph and the weights below 1 KiB stay.
  CHECK(fs::file_size(folder / "big.onnx") < 30000);
  CHECK(fs::file_size(folder / "big.onnx.data") > 380000);
  const Model again = load_model(folder / "big.onnx");
  CHECK(again.graph.dump_details() == model.graph.dump_details());
  for (const Value* value : model.graph.values()) {
    if (value->is_initializer())
      CHECK(again.graph.find(value->name())->constant()->to_float() ==
            value->constant()->to_float());
  }
}

TEST_CASE("below the threshold external weights are saved inline, in one file", "[model]") {
  const ExternalModel source;
  const Model model = source.load({{"location", "w.bin"}, {"offset", "16"}});
  const test::TemporaryFolder folder;
  save_model(model, folder / "small.onnx");
  CHECK_FALSE(fs::exists(folder / "small.onnx.data"));
  const Model again = load_model(folder / "small.onnx");
  CHECK(again.graph.find("w")->constant()->to_float() == std::vector<float>{4, 5});
}

TEST_CASE("a model can be saved over the files that it is mapped from", "[model]") {
  const test::TemporaryFolder folder;
  SaveOptions options;
  options.external_data_threshold = 0;
  save_model(load_model(test::fixture("fashion_mnist_cnn.onnx")), folder / "m.onnx", options);
  const Model model = load_model(folder / "m.onnx");
  const std::string before = sha256_file(folder / "m.onnx.data");
  save_model(model, folder / "m.onnx", options);
  CHECK(sha256_file(folder / "m.onnx.data") == before);
  CHECK(load_model(folder / "m.onnx").graph.dump() == model.graph.dump());
}

TEST_CASE("external tensors in subgraphs, functions and attributes move with the model",
          "[model]") {
  const ExternalModel source;
  onnx::ModelProto proto = test::rich_model();
  const onnx::TensorProto external =
      external_floats("inner", {2}, {{"location", "w.bin"}, {"offset", "8"}});
  auto* branch = proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g();
  *branch->add_initializer() = external;
  *proto.mutable_graph()->mutable_node(3)->mutable_attribute(0)->mutable_t() = external;
  auto* attribute = proto.mutable_functions(0)->mutable_node(0)->add_attribute();
  attribute->set_name("table");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  *attribute->mutable_t() = external;
  const Model model = parse_model(proto.SerializeAsString(), source.folder.path());
  CHECK(model.graph.find("k")->constant()->to_float() == std::vector<float>{2, 3});
  const test::TemporaryFolder folder;
  save_model(copy_model(model), folder / "moved.onnx");
  onnx::ModelProto moved;
  REQUIRE(moved.ParseFromString(read_file(folder / "moved.onnx")));
  const auto values = [](const onnx::TensorProto& tensor) {
    return tensor_from_proto(tensor, "/nowhere", "tensor").to_float();
  };
  const std::vector<float> wanted{2, 3};
  CHECK(values(moved.graph().node(0).attribute(0).g().initializer(0)) == wanted);
  CHECK(values(moved.graph().node(3).attribute(0).t()) == wanted);
  CHECK(values(moved.functions(0).node(0).attribute(0).t()) == wanted);
}

TEST_CASE("an external path in a subgraph is checked when the model is loaded", "[model]") {
  onnx::ModelProto proto = test::rich_model();
  auto* branch = proto.mutable_graph()->mutable_node(0)->mutable_attribute(0)->mutable_g();
  *branch->add_initializer() = external_floats("inner", {2}, {{"location", "../../w.bin"}});
  check_error(error_of([&] { parse_model(proto.SerializeAsString(), "."); }),
              Category::kInvalidModel, "tensor 'inner'",
              "external data must lie inside the model's folder, by a relative path",
              "'../../w.bin'");
}

TEST_CASE("a model of 6 GiB loads by mapping, without copying its weights", "[model]") {
  const test::TemporaryFolder folder;
  constexpr int64_t kTensorBytes = int64_t{1} << 30;
  constexpr int kTensors = 6;
  std::ofstream(folder / "big.bin").close();
  REQUIRE(::truncate((folder / "big.bin").c_str(), kTensors * kTensorBytes) == 0);
  ModelBuilder builder(13);
  builder.input("x", {1}).output("y");
  for (int i = 0; i < kTensors; ++i) {
    const std::string name = "w" + std::to_string(i);
    builder.node("Add", {i == 0 ? "x" : "v" + std::to_string(i), name},
                 {i + 1 == kTensors ? "y" : "v" + std::to_string(i + 1)});
    *builder.proto().mutable_graph()->add_initializer() =
        external_floats(name, {kTensorBytes / 4},
                        {{"location", "big.bin"}, {"offset", std::to_string(i * kTensorBytes)}});
  }
  write_file_atomically(folder / "big.onnx", builder.bytes());
  const int64_t before = anonymous_bytes();
  const Model model = load_model(folder / "big.onnx");
  const Model copy = copy_model(model);
  CHECK(anonymous_bytes() - before < (int64_t{64} << 20));
  const Tensor& last = *copy.graph.find("w5")->constant();
  CHECK(last.count() == kTensorBytes / 4);
  CHECK(last.as<float>().back() == 0.0F);
}
