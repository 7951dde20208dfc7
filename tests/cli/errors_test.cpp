// Wrong input and what the user reads about it: one row a mistake.
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "tests/support/paths.h"

using namespace limbeck;

namespace {

namespace fs = std::filesystem;

struct Mistake {
  std::string arguments;
  int exit_code;
  std::string message;  ///< the whole line without "limbeck: "
};

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

/// A folder with a valid model `m.onnx`, valid data `train.json` and everything that is wrong.
void fill(const fs::path& folder) {
  const std::string model = read_file(test::fixture("fashion_mnist_cnn.onnx"));
  write(folder / "m.onnx", model);
  write(folder / "cut.onnx", model.substr(0, 100000));
  write(folder / "empty.onnx", "");
  write(folder / "text.onnx", "hello world, this is no model");
  fs::create_directories(folder / "nothing");
  // 16 samples of 28x28 in IDX, and labels for them.
  std::string images("\0\0\x08\x03\0\0\0\x10\0\0\0\x1c\0\0\0\x1c", 16);
  for (int i = 0; i < 16 * 784; ++i) images += static_cast<char>(i * 7 % 251);
  write(folder / "images.idx", images);
  write(folder / "few.idx", images.substr(0, 5000));
  write(folder / "labels.idx", std::string("\0\0\x08\x01\0\0\0\x10", 8) + std::string(16, '\3'));
  write(folder / "labels8.idx", std::string("\0\0\x08\x01\0\0\0\x08", 8) + std::string(8, '\3'));
  const auto idx = [&](const std::string& name, const std::string& members) {
    write(folder / name, R"({"version": 1, "kind": "idx", )" + members + "}");
  };
  idx("train.json", R"("path": "images.idx", "labels": "labels.idx", "input": "image")");
  idx("wrong_input.json", R"("path": "images.idx", "input": "picture")");
  idx("missing.json", R"("path": "absent.idx")");
  idx("not_idx.json", R"("path": "m.onnx")");
  idx("cut_idx.json", R"("path": "few.idx")");
  idx("labels8.json", R"("path": "images.idx", "labels": "labels8.idx")");
  idx("mean.json", R"("path": "images.idx", "mean": ["a"])");
  idx("extra.json", R"("path": "images.idx", "colour": "RGB")");
  write(folder / "cut.json", R"({"version": 1,)");
  write(folder / "v2.json", R"({"version": 2, "kind": "idx", "path": "images.idx"})");
  write(folder / "kind.json", R"({"version": 1, "kind": "movies", "path": "x"})");
  write(folder / "no_images.json", R"({"version": 1, "kind": "images", "path": "nothing"})");
  write(folder / "no_steps.json", R"({"version": 1, "steps": []})");
  write(folder / "bad_step.json", R"({"version": 1, "steps": [{"command": "destroy"}]})");
  write(folder / "nested.json", R"({"version": 1, "steps": [{"command": "apply"}]})");
  write(folder / "failing.json",
        R"({"version": 1, "steps": [{"command": "inspect", "arguments": ["absent.onnx"]}]})");
  write(
      folder / "plan.json",
      R"({"version": 1, "model_hash": "0123", "format": "qdq", "nodes": {}, "activations": {}, "weights": {}})");
  write(folder / "range.json",
        R"({"version": 1, "model_hash": "0123", "format": "qdq", "nodes": {}, "activations": )"
        R"({"image": {"type": "uint8", "low": 3, "high": -2.5}}, "weights": {}})");
}

const std::string kModel = "quantize m.onnx -o out --quiet --no-report ";

const std::vector<Mistake> kMistakes = {
    // Usage.
    {"", 2, "usage: limbeck: A subcommand is required. Next: see limbeck --help"},
    {"quantise m.onnx", 2,
     "usage: limbeck: the command must be one of quantize, calibrate, distill, evaluate, "
     "compare, inspect, bench, apply; got 'quantise'. Next: see limbeck --help"},
    {"quantize", 2,
     "usage: limbeck quantize: model is required. Next: see limbeck quantize --help"},
    {"quantize m.onnx --data train.json", 2,
     "usage: limbeck quantize: --output is required. Next: see limbeck quantize --help"},
    {"quantize m.onnx -o out", 2,
     "usage: limbeck quantize: calibration needs real inputs: --data, --calibration or --plan "
     "(limbeck never invents inputs); a report needs --eval or --data, or pass --no-report. Next: "
     "see limbeck quantize --help"},
    {kModel + "--data train.json --eval train.json", 2,
     "usage: limbeck quantize: --no-report measures nothing: leave --eval out. Next: see limbeck "
     "quantize --help"},
    {kModel + "--plan plan.json --set 'node:*=float'", 2,
     "usage: limbeck quantize: --plan decides formats and ranges: edit it instead of giving --set. "
     "Next: see limbeck quantize --help"},
    {kModel + "--plan plan.json --weights int4 --observer mse", 2,
     "usage: limbeck quantize: --plan decides formats and ranges: edit it instead of giving "
     "--weights, --observer. Next: see limbeck quantize --help"},
    {kModel + "--calibration t.calib --samples 8", 2,
     "usage: limbeck quantize: --calibration holds its samples already: leave --samples out. Next: "
     "see limbeck quantize --help"},
    {kModel + "--plan range.json", 5,
     "data: range.json, activation 'image': a range must be finite, low at most high; got [3, "
     "-2.5]. "
     "Next: correct low and high in the plan"},
    {kModel + "--data train.json --samples 0", 2,
     "usage: limbeck quantize: --samples: Value 0 not in range 1 to 100000000. Next: see limbeck "
     "quantize --help"},
    {kModel + "--data train.json --threads -3", 2,
     "usage: limbeck quantize: --threads: Value -3 not in range 0 to 1024. Next: see limbeck "
     "quantize --help"},
    {kModel + "--data train.json --weights int3", 2,
     "usage: limbeck quantize: --weights: int3 not in {int8,uint8,int4}. Next: see limbeck "
     "quantize "
     "--help"},
    {kModel + "--data train.json --observer magic", 2,
     "usage: observer: the observer must be one of minmax, moving-average, percentile, entropy, "
     "mse; got 'magic'. Next: choose one of these names"},
    {kModel + "--data train.json --set node:x", 2,
     "usage: --set: the form is node:GLOB=float|int8|int4 or tensor:GLOB=OBSERVER; got 'node:x'. "
     "Next: write for example --set 'node:/stem/*=float'"},
    {kModel + "--data train.json --set 'node:*=int3'", 2,
     "usage: --set node:*=int3: a node is set to float, int8 or int4; got 'int3'. Next: correct "
     "the value after the equals sign"},
    {kModel + "--data train.json --set 'node:absent*=float'", 2,
     "usage: --set node:absent*: an override must match something in the plan; got no match. Next: "
     "list the names with limbeck quantize --save-plan or limbeck inspect"},
    {kModel + "--plan plan.json", 2,
     "usage: plan.json: a plan belongs to the model it was made for; got a plan for the model with "
     "SHA-256 0123. Next: make a plan from this model with --save-plan"},
    {"evaluate m.onnx", 2,
     "usage: limbeck evaluate: --data is required. Next: see limbeck evaluate --help"},
    // Models.
    {"quantize cut.onnx -o out --data train.json --quiet", 3,
     "invalid model: cut.onnx: model: the file must be an ONNX protobuf below 2 GiB; got 100000 "
     "bytes that do not parse. Next: export the model again; the file is truncated or not ONNX"},
    {"inspect text.onnx", 3,
     "invalid model: text.onnx: model: the file must be an ONNX protobuf below 2 GiB; got 29 bytes "
     "that do not parse. Next: export the model again; the file is truncated or not ONNX"},
    {"inspect empty.onnx", 3,
     "invalid model: empty.onnx: model: the file must hold a graph; got none. Next: check that the "
     "file is an ONNX model"},
    // Data.
    {kModel + "--data cut.json", 5,
     "data: cut.json: the file must be valid JSON; got parse error at line 1, column 15: syntax "
     "error while parsing object key - unexpected end of input; expected string literal. Next: "
     "correct the file at that position"},
    {kModel + "--data v2.json", 5,
     "data: v2.json at /version: the document must follow the schema 'dataset'; got Failed to "
     "match expected value set by 'const' constraint: 2. Next: see docs/formats/dataset.md for the "
     "fields and their types"},
    {kModel + "--data kind.json", 5,
     "data: kind.json: a data set's 'kind' must be one of csv, idx, images, npy, npz, pb; got "
     "'movies'. Next: correct the field 'kind'"},
    {kModel + "--data mean.json", 5,
     "data: mean.json at /mean/0: the document must follow the schema 'dataset'; got Value type "
     "not permitted by 'type' constraint: \"a\". Next: see docs/formats/dataset.md for the fields "
     "and their types"},
    {kModel + "--data extra.json", 5,
     "data: extra.json at the top level: the document must follow the schema 'dataset'; got Object "
     "contains a property that could not be validated using 'properties' or 'additionalProperties' "
     "constraints: 'colour'. Next: see docs/formats/dataset.md for the fields and their types"},
    {kModel + "--data not_idx.json", 5,
     "data: m.onnx: the file must be a whole IDX array; got another magic number. Next: download "
     "or copy the file again"},
    {kModel + "--data no_images.json", 5,
     "data: nothing: a data set must hold at least one sample; got no sample. Next: check the path "
     "in the description"},
    {kModel + "--data wrong_input.json", 5,
     "data: data set: it must feed the model's input 'image'; got inputs 'picture'. Next: set "
     "\"input\" in the data set's description"},
    {kModel + "--calibration cut.json", 5,
     "data: cut.json: the file must be an undamaged calibration table; got bytes that do not "
     "parse. Next: calibrate again with limbeck calibrate"},
    {"apply no_steps.json", 5,
     "data: no_steps.json at /steps: the document must follow the schema 'recipe'; got Array "
     "should contain no fewer than 1 elements. Next: see docs/formats/recipe.md for the fields and "
     "their types"},
    {"apply bad_step.json", 5,
     "data: bad_step.json at /steps/0/command: the document must follow the schema 'recipe'; got "
     "Failed to match against any enum values: \"destroy\". Next: see docs/formats/recipe.md for "
     "the fields and their types"},
    {"apply nested.json", 5,
     "data: nested.json at /steps/0/command: the document must follow the schema 'recipe'; got "
     "Failed to match against any enum values: \"apply\". Next: see docs/formats/recipe.md for the "
     "fields and their types"},
    // Files.
    {"inspect absent.onnx", 6,
     "input/output: absent.onnx: the file must be readable; got No such file or directory. Next: "
     "check the path and its permissions"},
    {"inspect nothing", 6,
     "input/output: nothing: a regular file is needed; got a folder or a device. Next: name a "
     "file"},
    {kModel + "--data absent.json", 6,
     "input/output: absent.json: the file must be readable; got No such file or directory. Next: "
     "check the path and its permissions"},
    {kModel + "--data missing.json", 6,
     "input/output: absent.idx: the file must be readable; got No such file or directory. Next: "
     "check the path and its permissions"},
    {"quantize m.onnx -o m.onnx --quiet --no-report --data train.json", 6,
     "input/output: m.onnx: the output folder must be one that can be made; got Not a directory. "
     "Next: choose another folder"},
    {"apply failing.json --quiet", 6,
     "input/output: absent.onnx: the file must be readable; got No such file or directory. Next: "
     "check the path and its permissions"},
};

}  // namespace

TEST_CASE("every mistake gets its exit code and one line that says what to do", "[cli]") {
  const test::TemporaryFolder folder;
  fill(folder.path());
  for (const Mistake& mistake : kMistakes) {
    INFO("limbeck " << mistake.arguments);
    const test::CommandResult result = test::run_program(mistake.arguments, folder.path());
    CHECK(result.exit_code == mistake.exit_code);
    CHECK(result.err == "limbeck: " + mistake.message + "\n");
    CHECK(result.out.empty());
  }
  CHECK(kMistakes.size() >= 30);
}

TEST_CASE("a failed command leaves no model behind", "[cli]") {
  const test::TemporaryFolder folder;
  fill(folder.path());
  for (const char* data : {"cut_idx.json", "labels8.json", "wrong_input.json"}) {
    const auto result = test::run_program(kModel + "--data " + data, folder.path());
    CHECK(result.exit_code == 5);
    const fs::path out = folder / "out";
    CHECK((!fs::exists(out) || fs::is_empty(out)));
  }
}
