// The distill command by what it leaves on disk.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "lib/autodiff/parameters.h"
#include "lib/base/file.h"
#include "lib/base/schema.h"
#include "lib/model/model.h"
#include "tests/support/band_images.h"
#include "tests/support/model_builder.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;

const std::string kModel = "fashion_mnist_cnn";

void write_samples(const fs::path& folder) {
  write_band_images(folder, 160);
  write_file_atomically(folder / "bare.json",
                        R"({"version": 1, "kind": "idx", "path": "images.idx", "input": "image"})");
}

/// A folder with samples, models and a recipe of two short epochs.
void fill(const fs::path& folder, const std::string& recipe = "") {
  write_samples(folder);
  for (const char* name : {"t.onnx", "s.onnx"}) fs::copy(fixture(kModel + ".onnx"), folder / name);
  write_file_atomically(folder / "r.json",
                        recipe.empty()
                            ? R"({"epochs": 2, "batch": 32, "validation": {"samples": 32},
                          "schedule": {"learning_rate": 0.01}})"
                            : recipe);
}

const std::string kDistill =
    "distill --teacher t.onnx --student s.onnx --data data.json --recipe r.json --quiet ";

CommandResult run(const std::string& arguments, const TemporaryFolder& folder) {
  CommandResult result = run_program(arguments, folder.path());
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
  return result;
}

nlohmann::json read_json(const fs::path& path) {
  return parse_json(read_file(path), path.string());
}

nlohmann::json report_without_run(const fs::path& path) {
  nlohmann::json report = read_json(path);
  report.erase("run");
  return report;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

/// Starts the command and, `seconds` after its checkpoint is there, sends it a signal.
void run_and_kill(const std::string& arguments, const TemporaryFolder& folder, double seconds,
                  const std::string& signal) {
  const std::string script =
      "cd '" + folder.path().string() + "' && { '" + program().string() + "' " + arguments +
      " >/dev/null 2>&1 & pid=$!; while kill -0 $pid && [ ! -f killed/s.checkpoint ]; do "
      "sleep 0.02; done; sleep " +
      std::to_string(seconds) + "; kill -" + signal + " $pid; wait; } 2>/dev/null";
  std::ignore = std::system(script.c_str());
}

}  // namespace

TEST_CASE("distill leaves a student, a report, a log and no checkpoint", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  const CommandResult result = run(kDistill + "--baseline --json -o out", folder);
  const auto summary = nlohmann::json::parse(result.out);
  CHECK(summary.at("model") == "out/s.distilled.onnx");
  CHECK(names_in(folder / "out") == std::vector<std::string>{"baseline.jsonl", "report.html",
                                                             "report.json", "s.baseline.onnx",
                                                             "s.distilled.onnx", "train.jsonl"});
  const auto report = read_json(folder / "out/report.json");
  validate_json(report, "distill_report", "report.json");
  CHECK(report.at("evaluation").at("source") == "held-out samples of the training data");
  CHECK(report.at("evaluation").at("model").at("samples") == 32);
  CHECK(report.at("evaluation").at("paired").contains("baseline"));
  CHECK(report.at("recipe").at("epochs") == 2);
  CHECK(report.at("training").at("steps") == 8);
  CHECK(report.at("files").at("model").at("macs") == report.at("files").at("student").at("macs"));
  CHECK(report.at("run").at("command").get<std::string>().starts_with("limbeck distill "));
}

TEST_CASE("distill needs no recipe, and learns without a teacher", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  run("distill --student s.onnx --data data.json --eval data.json --epochs 6 --batch 40 --quiet "
      "-o out",
      folder);
  const auto report = read_json(folder / "out/report.json");
  CHECK_FALSE(report.at("files").contains("teacher"));
  CHECK(report.at("headline").at("top1").get<double>() > 90);
  CHECK(report.at("recipe").at("losses")[0].at("loss") == "label_cross_entropy");
}

TEST_CASE("distill follows a teacher on unlabelled data", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  run("distill --teacher t.onnx --student s.onnx --data bare.json --recipe r.json --quiet -o out",
      folder);
  const auto headline = read_json(folder / "out/report.json").at("headline");
  CHECK_FALSE(headline.contains("top1"));
  CHECK(headline.at("judgement") == "unknown");
}

TEST_CASE("distill trains on a domain and measures inside and outside", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  run(kDistill + "--domain classes=1,3 --teacher-cache cache -o held", folder);
  const auto held = read_json(folder / "held/report.json");
  CHECK(held.at("data").at("training_samples") == 80 - 32);
  CHECK(held.at("evaluation").at("domain").at("inside").at("samples") == 32);
  CHECK(held.at("evaluation").at("domain").at("outside").at("samples") == 32);
  CHECK(held.at("recipe").at("domain").at("classes") == nlohmann::json({1, 3}));
  run(kDistill + "--domain classes=3 --eval data.json --memory-budget 100M -o eval", folder);
  const auto domain = read_json(folder / "eval/report.json").at("evaluation").at("domain");
  CHECK(domain.at("inside").at("samples") == 40);
  CHECK(domain.at("outside").at("samples") == 120);
}

TEST_CASE("what training does not touch survives in the file", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  onnx::ModelProto proto;
  REQUIRE(proto.ParseFromString(read_file(folder / "s.onnx")));
  auto* entry = proto.add_metadata_props();
  entry->set_key("owner");
  entry->set_value("vision team");
  write_file_atomically(folder / "s.onnx", proto.SerializeAsString());
  run(kDistill + "-o out", folder);
  Model before = load_model(folder / "s.onnx");
  separate_parameters(before);  // the exporter merged equal constants, which train apart
  const Model after = load_model(folder / "out/s.distilled.onnx");
  CHECK(after.graph.dump() == before.graph.dump());
  CHECK(after.envelope.SerializeAsString() == before.envelope.SerializeAsString());
}

TEST_CASE("distill gives the same files on any number of threads", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  run(kDistill + "--threads 1 -o one", folder);
  run(kDistill + "--threads 3 -o three", folder);
  for (const char* file : {"s.distilled.onnx", "train.jsonl"})
    CHECK(read_file(folder / "one" / file) == read_file(folder / "three" / file));
  CHECK(report_without_run(folder / "one/report.json") ==
        report_without_run(folder / "three/report.json"));
}

/// Kills a run `kills` times at random moments, lets it end, and compares with one that was never
/// killed.
void check_kills(int kills, uint32_t seed) {
  const TemporaryFolder folder;
  fill(folder.path(), R"({"epochs": 20, "batch": 16, "validation": {"samples": 32},
        "checkpoint": {"minutes": 0}, "ema": {"decay": 0.9}, "augmentation": {"crop_padding": 2},
        "schedule": {"learning_rate": 0.01}})");
  const auto start = std::chrono::steady_clock::now();
  run(kDistill + "--baseline -o whole", folder);
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - start;
  // On average half of the run passes before the last kill, however fast the machine is.
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> moment(0.0, whole.count() / kills);
  for (int kill = 0; kill < kills; ++kill) {
    // Now and then it is asked to stop, which leaves a checkpoint of its own.
    run_and_kill(kDistill + "--baseline --resume -o killed", folder, moment(random),
                 kill % 7 == 2 ? "TERM" : "KILL");
  }
  const bool unfinished = fs::exists(folder / "killed/s.checkpoint") ||
                          fs::exists(folder / "killed/s.baseline.checkpoint");
  CHECK(unfinished);
  CHECK_FALSE(fs::exists(folder / "killed/report.json"));
  write_file_atomically(folder / "killed/.s.checkpoint.Ab12Cd", "half");
  run(kDistill + "--baseline --resume -o killed", folder);
  for (const char* file :
       {"s.distilled.onnx", "s.baseline.onnx", "train.jsonl", "baseline.jsonl"}) {
    INFO(file);
    CHECK(read_file(folder / "whole" / file) == read_file(folder / "killed" / file));
  }
  CHECK(report_without_run(folder / "whole/report.json") ==
        report_without_run(folder / "killed/report.json"));
  CHECK(names_in(folder / "killed") == names_in(folder / "whole"));
}

TEST_CASE("a run that is killed three times ends in the same bytes", "[cli]") { check_kills(3, 1); }

TEST_CASE("a run that is killed 23 times ends in the same bytes", "[cli][slow]") {
  check_kills(23, 2);  // 20 of them with SIGKILL
}

/// Four classes in place of the fixture's ten.
void save_linear(const fs::path& path, bool sigmoid) {
  ModelBuilder builder(13);
  builder.input("image", {-1, 1, 28, 28}).output("y");
  builder.weight("w", noise({784, 4}, 1)).weight("b", noise({4}, 2));
  builder.node("Flatten", {"image"}, {"f"});
  builder.node("Gemm", {"f", "w", "b"}, {sigmoid ? "z" : "y"});
  if (sigmoid) builder.node("Sigmoid", {"z"}, {"y"});
  save_model(builder.build(), path);
}

TEST_CASE("distill tells what is wrong before it trains", "[cli]") {
  const TemporaryFolder folder;
  fill(folder.path());
  write_file_atomically(folder / "typo.json", R"({"epoch": 3})");
  write_file_atomically(folder / "none.json", R"({"validation": {"share": 0}})");
  fs::create_directories(folder / "held");
  write_file_atomically(folder / "held/s.checkpoint", "what a killed run left");
  fs::create_directories(folder / "other");
  write_file_atomically(folder / "other/x.checkpoint", "what another killed run left");
  fs::copy(folder / "t.onnx", folder / "s.distilled.onnx");
  write_file_atomically(folder / "few.json",
                        R"({"losses": [{"loss": "relation_angle"}], "batch": 16})");
  save_linear(folder / "four.onnx", false);
  save_linear(folder / "sigmoid.onnx", true);
  write_file_atomically(folder / "tap.json",
                        R"({"losses": [{"loss": "hint", "student": "x", "teacher": "y"}]})");
  write_file_atomically(folder / "twice.json", R"({"epochs": 1, "batch": 8, "epochs": 2})");
  const std::string student = "distill --student s.onnx --data data.json --quiet ";
  struct Mistake {
    std::string arguments;
    int exit_code;
    std::string message;
  };
  const std::vector<Mistake> mistakes = {
      {"distill -o out", 2,
       "usage: limbeck distill: something must be trained: --student or \"student\"; training "
       "needs samples: --data or \"data\". Next: see limbeck distill --help"},
      {student + "--baseline -o out", 2,
       "usage: limbeck distill: --baseline trains without the teacher: it needs --teacher to "
       "compare with. Next: see limbeck distill --help"},
      {student + "--epochs 0 -o out", 2,
       "usage: limbeck distill: --epochs: Value 0 not in range 1 to 100000. Next: see limbeck "
       "distill --help"},
      {student + "--recipe typo.json -o out", 2,
       "usage: typo.json at /epoch: the option must exist; got epoch. Next: use one of version, "
       "teacher, student, data, losses, optimizer, schedule, augmentation, epochs, batch, shards, "
       "accumulation, seed, ema, batch_norm, domain, trainable, dropout, precision, validation, "
       "early_stopping, "
       "checkpoint"},
      {student + "--recipe none.json -o out", 2,
       "usage: limbeck distill: a report needs samples that were not trained on; got no --eval, "
       "none held out. Next: give --eval, or hold some out with \"validation\" in the recipe"},
      {student + "-o held", 2,
       "usage: held/s.checkpoint: the folder must not hold the checkpoint of an unfinished run; "
       "got one. Next: go on with it by --resume, or delete it to start anew"},
      {student + "--resume -o other", 2,
       "usage: other/x.checkpoint: the folder must not hold the checkpoint of an unfinished run; "
       "got one. Next: choose another output folder, or delete it"},
      {student + "--teacher s.distilled.onnx -o .", 2,
       "usage: ./s.distilled.onnx: an output must not replace what it is made from; got "
       "'s.distilled.onnx', which is read too. Next: choose another path to write"},
      {student + "--teacher t.onnx --recipe few.json -o out", 2,
       "usage: /losses: relations hold among the samples of a shard: at least 3 of them; got 16 "
       "samples of a step in 8 shards. Next: raise `batch`, or lower `shards`"},
      {student + "--teacher-cache c -o out", 2,
       "usage: limbeck distill: --teacher-cache keeps the answers of a teacher: it needs "
       "--teacher. "
       "Next: see limbeck distill --help"},
      {student + "--teacher four.onnx -o out", 2,
       "usage: limbeck distill: student and teacher must have equally many outputs of the same "
       "shape; got student 'logits' [batch,10]; teacher 'y' [N,4]. Next: export both with the same "
       "outputs"},
      {"distill --student sigmoid.onnx --data data.json --quiet -o out", 4,
       "unsupported: student: losses that take the softmax are for models that choose one class of "
       "many; got scores made by Sigmoid. Next: use logits_mse, or losses on intermediate tensors"},
      {student + "--teacher t.onnx --recipe tap.json -o out", 2,
       "usage: /losses: the tensor that a loss reads must exist in the teacher; got 'y'. Next: "
       "limbeck inspect --dump lists the names"},
      {student + "--recipe twice.json -o out", 5,
       "data: twice.json: an object has every key once; got \"epochs\" twice. Next: remove one of "
       "the two"},
      {student + "--resume -o held", 5,
       "data: held/s.checkpoint: the file must be an undamaged checkpoint; got bytes that do not "
       "parse. Next: delete it and train from the start"},
      {student + "--domain 3 -o out", 2,
       "usage: --domain: the form is classes=LIST; got '3'. Next: write for example --domain "
       "classes=3,5,7"},
      {student + "--domain classes=3,9 -o out", 2,
       "usage: domain: every class of the domain must have samples; got none of class 9. Next: "
       "name classes of the data set, counted from 0"},
      {"distill --student s.onnx --data bare.json --quiet --eval data.json -o out", 2,
       "usage: /losses: losses on labels need labelled data; got no labels. Next: give --teacher: "
       "soft_targets needs no labels"},
  };
  for (const Mistake& mistake : mistakes) {
    INFO("limbeck " << mistake.arguments);
    const CommandResult result = run_program(mistake.arguments, folder.path());
    CHECK(result.exit_code == mistake.exit_code);
    CHECK(result.err == "limbeck: " + mistake.message + "\n");
    CHECK_FALSE(fs::exists(folder / "out/s.distilled.onnx"));
  }
}

}  // namespace limbeck::test
