#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/format.h"
#include "lib/base/schema.h"
#include "lib/evaluate/npz_writer.h"
#include "tests/support/data_files.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;
using Catch::Matchers::WithinAbs;

namespace {

/// A folder with 8 samples of 6 scores, a model that hands them on, one that adds 1 to the first
/// class, and labels that the first model gets right but for the last.
struct Example {
  TemporaryFolder folder;

  Example() {
    Tensor scores = Tensor::zeros(DataType::kFloat, {8, 6});
    for (size_t i = 0; i < 8; ++i) scores.mutable_as<float>()[i * 6 + i % 6] = i < 6 ? 2.0F : 0.5F;
    write_file_atomically(folder / "data.npz",
                          npz_bytes({{"x", scores}, {"label", ints({0, 1, 2, 3, 4, 5, 0, 2})}}));
    write_file_atomically(
        folder / "data.json",
        R"({"version": 1, "kind": "npz", "path": "data.npz", "inputs": ["x"], "label": "label"})");
    write_file_atomically(folder / "plain.json",
                          R"({"version": 1, "kind": "npz", "path": "data.npz", "inputs": ["x"]})");
    save("fp32.onnx", {0, 0, 0, 0, 0, 0});
    save("shifted.onnx", {1, 0, 0, 0, 0, 0});
  }

  void save(const std::string& name, const std::vector<float>& shift) const {
    ModelBuilder builder(13);
    builder.input("x", {-1, 6}).output("scores").weight("shift", floats(shift));
    builder.node("Add", {"x", "shift"}, {"scores"});
    write_file_atomically(folder / name, builder.bytes());
  }

  CommandResult run(const std::string& arguments) const {
    return run_program("evaluate " + arguments, folder.path());
  }
  nlohmann::json json(const std::string& arguments) const {
    const CommandResult result = run(arguments + " --json --quiet");
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    nlohmann::json document = nlohmann::json::parse(result.out);
    validate_json(document, "evaluation", "standard output");
    return document;
  }
};

}  // namespace

TEST_CASE("evaluate --json with a reference follows its schema", "[cli][evaluate]") {
  const Example example;
  const auto document =
      example.json("shifted.onnx --reference fp32.onnx --data data.json --layers");
  const auto& metrics = document.at("metrics");
  CHECK(metrics.at("samples") == 8);
  // Sample 7 scores 0.5 for class 1: the shift makes it class 0, as labels say neither.
  CHECK(metrics.at("top1") == 87.5);
  CHECK(document.at("reference").at("top1") == 87.5);
  CHECK(metrics.at("agreement") == 87.5);
  CHECK(metrics.at("top5") == 100.0);
  // signal 6 * 4 + 2 / 4, noise 8
  CHECK(metrics.at("sqnr_db") == tidy(10 * std::log10(24.5 / 8)));
  CHECK(metrics.at("kl").get<double>() > 0);
  CHECK(metrics.at("cosine").get<double>() < 1);
  CHECK(document.at("paired").at("p_value") == 1.0);
  CHECK(document.at("integer_mac_share") == 0.0);
  CHECK(document.at("layers").size() == 2);
  CHECK(document.at("layers")[1].at("op") == "Add");
}

TEST_CASE("evaluate works without a reference, and without labels where there is one",
          "[cli][evaluate]") {
  const Example example;
  const auto labelled = example.json("fp32.onnx --data data.json").at("metrics");
  CHECK(labelled.at("top1") == 87.5);
  CHECK_FALSE(labelled.contains("agreement"));
  CHECK(example.run("fp32.onnx --data plain.json").exit_code == 2);
  const auto bare = example.json("fp32.onnx --reference fp32.onnx --data plain.json").at("metrics");
  CHECK(bare.at("agreement") == 100.0);
  CHECK_FALSE(bare.contains("top1"));
}

TEST_CASE("evaluate prints a table", "[cli][evaluate]") {
  const Example example;
  const CommandResult result =
      example.run("shifted.onnx --reference fp32.onnx --data data.json --layers");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("model        shifted.onnx\n"));
  CHECK_THAT(result.out, ContainsSubstring("top-1             87.50 %      87.50 %   95 % interval "
                                           "52.91 to 97.76\n"));
  CHECK_THAT(result.out, ContainsSubstring("top-1 is the same: every sample"));
  CHECK_THAT(result.out, ContainsSubstring("layers of least SQNR (2 of 2)"));
  CHECK_THAT(result.err, ContainsSubstring("evaluating: 8 in "));
}

TEST_CASE("evaluate says that one sample's difference is noise", "[cli][evaluate]") {
  const Example example;
  example.save("lowered.onnx", {-1, 0, 0, 0, 0, 0});  // sample 6 is lost: -0.5 for its class
  const CommandResult result = example.run("lowered.onnx --reference fp32.onnx --data data.json");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("top-1 changes by -12.50 points"));
  CHECK_THAT(result.out, ContainsSubstring("the difference is noise"));
}

TEST_CASE("evaluate --quiet prints nothing but the result", "[cli][evaluate]") {
  const Example example;
  CHECK(example.run("fp32.onnx --data data.json --quiet").err.empty());
}

TEST_CASE("evaluate --samples limits the samples, --seed draws others", "[cli][evaluate]") {
  const Example example;
  CHECK(example.json("fp32.onnx --data data.json --samples 3").at("metrics").at("samples") == 3);
  CHECK(example.json("fp32.onnx --data data.json --samples 7 --seed 0").at("metrics").at("top1") ==
        100.0);
  const auto drawn = example.json("fp32.onnx --data data.json --samples 7 --seed 2");
  CHECK(drawn.at("metrics").at("samples") == 7);
}

TEST_CASE("evaluate prints the same bytes for any number of threads", "[cli][evaluate]") {
  const Example example;
  const std::string arguments = "shifted.onnx --reference fp32.onnx --data data.json --layers";
  const std::string first = example.run(arguments + " --json --threads 1").out;
  CHECK(example.run(arguments + " --json --threads 2").out == first);
  CHECK(example.run(arguments + " --json --threads 4").out == first);
}

TEST_CASE("numbers of a metric command enter the result", "[cli][evaluate]") {
  const Example example;
  const std::string command = R"(--metric-command 'cat >/dev/null; echo "{\"map\": 41.5}"')";
  const auto document = example.json("fp32.onnx --reference fp32.onnx --data data.json " + command);
  CHECK(document.at("metrics").at("user").at("map") == 41.5);
  CHECK(document.at("reference").at("user").at("map") == 41.5);
  CHECK_THAT(example.run("fp32.onnx --data data.json " + command).out,
             ContainsSubstring("map                  41.5\n"));
}

TEST_CASE("evaluate names what is wrong and exits with its category", "[cli][evaluate]") {
  const Example example;
  const auto check = [&example](const std::string& arguments, Category category,
                                const std::string& text) {
    const CommandResult result = example.run(arguments + " --quiet");
    CHECK(result.exit_code == exit_code(category));
    CHECK_THAT(result.err, ContainsSubstring(text));
    CHECK(result.out.empty());
  };
  check("fp32.onnx --data data.json --layers", Category::kUsage,
        "limbeck: usage: limbeck evaluate: --layers compares with a reference model");
  check("fp32.onnx", Category::kUsage, "--data is required");
  check("fp32.onnx --data data.json --samples -3", Category::kUsage, "--samples");
  check("nowhere.onnx --data data.json", Category::kIo, "nowhere.onnx");
  check("fp32.onnx --data nowhere.json", Category::kIo, "nowhere.json");
  check("fp32.onnx --data data.json --metric-command 'exit 9'", Category::kData,
        "limbeck: data: metric command: it must end with exit status 0; got exit status 9");
  check("fp32.onnx --data data.json --metric-command 'echo good'", Category::kData, "got 'good '");
  check("fp32.onnx --data data.json --metric-command 'exec sleep 1000' --metric-patience 1",
        Category::kData, "no sign of life");
}

TEST_CASE("evaluate runs images of different sizes one by one", "[cli][evaluate]") {
  const TemporaryFolder folder;
  ModelBuilder builder(13);
  builder.input("x", {-1, 3, -1, -1}).output("scores");
  auto* shape = builder.proto()
                    .mutable_graph()
                    ->mutable_input(0)
                    ->mutable_type()
                    ->mutable_tensor_type()
                    ->mutable_shape();
  shape->mutable_dim(2)->set_dim_param("height");
  shape->mutable_dim(3)->set_dim_param("width");
  builder.node("GlobalAveragePool", {"x"}, {"mean"});
  builder.node("Flatten", {"mean"}, {"scores"});
  write_file_atomically(folder / "m.onnx", builder.bytes());
  Members members;
  for (int i = 0; i < 10; ++i) {
    const auto level = static_cast<uint8_t>(200);
    members.emplace_back(
        i < 5 ? "a/" + std::to_string(i) + ".png" : "b/" + std::to_string(i) + ".png",
        flat_png(4 + i % 3, 5, i < 5 ? level : 0, i < 5 ? 0 : level, 0));
  }
  write_zip(folder / "x.zip", members, true);
  write_file_atomically(folder / "data.json",
                        R"({"version": 1, "kind": "images", "path": "x.zip"})");
  const std::string command = "evaluate m.onnx --data data.json --json --quiet";
  const CommandResult two_folders = run_program(command, folder.path());
  CHECK(two_folders.exit_code == 5);
  CHECK(two_folders.err.find("got 2 folders") != std::string::npos);
  write_file_atomically(folder / "names.txt", "a\nb\nc\n");
  write_file_atomically(
      folder / "data.json",
      R"({"version": 1, "kind": "images", "path": "x.zip", "classes": "names.txt"})");
  const CommandResult result = run_program(
      "evaluate m.onnx --reference m.onnx --data data.json --json --quiet --layers", folder.path());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const auto document = nlohmann::json::parse(result.out);
  CHECK(document.at("metrics").at("samples") == 10);
  CHECK(document.at("metrics").at("top1") == 100.0);
  CHECK(document.at("metrics").at("agreement") == 100.0);
}

TEST_CASE("lines of progress that are not for a terminal end without spaces", "[cli][evaluate]") {
  const CommandResult result = Example().run("fp32.onnx --data data.json");
  CHECK_THAT(result.err, StartsWith("evaluating: 8 in "));
  CHECK_THAT(result.err, Catch::Matchers::EndsWith(" s\n"));
  CHECK_THAT(result.err, !ContainsSubstring(" \n"));
}

TEST_CASE("evaluate --help shows examples", "[cli][evaluate]") {
  const CommandResult result = run_program("evaluate --help");
  CHECK(result.exit_code == 0);
  CHECK_THAT(result.out, ContainsSubstring("Examples:"));
  CHECK_THAT(result.out, ContainsSubstring("--metric-command"));
}

TEST_CASE("the Fashion-MNIST fixture agrees with itself and is right in 92.33 %",
          "[cli][evaluate][slow]") {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    return note_not_run("needs the package dataset-fashion-mnist");
  }
  const std::string model = fixture("fashion_mnist_cnn.onnx").string();
  const CommandResult result =
      run_program("evaluate '" + model + "' --reference '" + model + "' --data '" +
                  fixture("fashion_mnist_test.json").string() + "' --json --quiet");
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  const auto metrics = nlohmann::json::parse(result.out).at("metrics");
  CHECK(metrics.at("samples") == 10000);
  CHECK_THAT(metrics.at("top1").get<double>(), WithinAbs(92.33, 1e-9));
  CHECK(metrics.at("agreement") == 100.0);
  CHECK(metrics.at("sqnr_db") == 200.0);
  CHECK(metrics.at("cosine").get<double>() == 1.0);
}
