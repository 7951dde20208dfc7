// Jobs of several ranks on this machine, over TCP, by what they leave on disk.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "lib/base/file.h"
#include "lib/distributed/world.h"
#include "tests/support/band_images.h"
#include "tests/support/paths.h"

namespace limbeck::test {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::ContainsSubstring;

std::string launcher(int ranks) {
  return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 mpirun -np " +
         std::to_string(ranks) + " --oversubscribe --bind-to none --mca btl tcp,self ";
}

/// Whether jobs of several ranks can run here; notes it where they cannot.
bool ranks_run() {
  if (!built_with_mpi()) {
    note_not_run("needs limbeck built with MPI (LIMBECK_MPI)");
    return false;
  }
  static const bool starts = std::system((launcher(2) + "true >/dev/null 2>&1").c_str()) == 0;
  if (!starts) note_not_run("needs an mpirun that starts processes on this machine");
  return starts;
}

void fill(const fs::path& folder, const std::string& recipe) {
  write_band_images(folder, 64);
  for (const char* name : {"t.onnx", "s.onnx"})
    fs::copy(fixture("fashion_mnist_cnn.onnx"), folder / name);
  write_file_atomically(folder / "r.json", recipe);
}

/// 12 samples of 56 and 8 shards: neither divides evenly among 3 ranks.
const std::string kRecipe = R"({"epochs": 2, "batch": 12, "validation": {"samples": 8},
    "checkpoint": {"minutes": 0}, "augmentation": {"crop_padding": 2, "mixup": 0.5},
    "ema": {"decay": 0.9}, "early_stopping": {"patience": 2}, "optimizer": {"clip_norm": 1},
    "schedule": {"learning_rate": 0.01}})";
const std::string kDistill =
    "distill --teacher t.onnx --student s.onnx --data data.json --recipe r.json --quiet ";

std::string in(const TemporaryFolder& folder) { return "cd '" + folder.path().string() + "' && "; }

CommandResult run_ranks(int ranks, const std::string& arguments, const TemporaryFolder& folder) {
  const std::string command = in(folder) + launcher(ranks) + "'" + program().string() + "' " +
                              arguments + " >stdout 2>stderr </dev/null";
  const int status = std::system(command.c_str());
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.out = read_file(folder / "stdout");
  result.err = read_file(folder / "stderr");
  return result;
}

void require_success(const CommandResult& result) {
  INFO(result.err);
  REQUIRE(result.exit_code == 0);
}

/// Starts the job, and ends one rank by a signal once it has written a checkpoint.
CommandResult run_and_kill(int ranks, int victim, const std::string& signal,
                           const std::string& arguments, const TemporaryFolder& folder) {
  const std::string rank = "'echo $$ >pid.$OMPI_COMM_WORLD_RANK; exec \"$@\"'";
  const std::string command =
      in(folder) + "rm -f pid.*; touch started; { " + launcher(ranks) + "sh -c " + rank +
      " rank '" + program().string() + "' " + arguments +
      " >stdout 2>stderr </dev/null & job=$!; while kill -0 $job && "
      "[ -z \"$(find killed -name s.checkpoint -newer started)\" ]; do sleep 0.02; done; kill -" +
      signal + " $(cat pid." + std::to_string(victim) + "); wait $job; } 2>/dev/null";
  const int status = std::system(command.c_str());
  CommandResult result;
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.err = read_file(folder / "stderr");
  return result;
}

void check_same_files(const fs::path& a, const fs::path& b) {
  for (const char* file : {"s.distilled.onnx", "train.jsonl"}) {
    INFO(file);
    CHECK(read_file(a / file) == read_file(b / file));
  }
}

}  // namespace

TEST_CASE("distill gives the same files on any number of ranks", "[cli][ranks]") {
  if (!ranks_run()) return;
  const TemporaryFolder folder;
  fill(folder.path(), kRecipe);
  require_success(run_program(kDistill + "-o alone", folder.path()));
  for (const int ranks : {1, 2, 3, 4}) {
    INFO(ranks << " ranks");
    const std::string output = "out" + std::to_string(ranks);
    require_success(run_ranks(ranks, kDistill + "-o " + output, folder));
    check_same_files(folder / "alone", folder / output);
  }
  // Threads and a budget of memory change who computes, never what.
  require_success(run_ranks(2, kDistill + "--threads 3 --memory-budget 8M -o threads", folder));
  check_same_files(folder / "alone", folder / "threads");
}

TEST_CASE("cached teachers, adapters and students that are made train on ranks", "[cli][ranks]") {
  if (!ranks_run()) return;
  const TemporaryFolder folder;
  fill(folder.path(), R"({"epochs": 1, "batch": 16, "validation": {"samples": 8},
       "schedule": {"learning_rate": 0.01}})");
  const std::string cached = kDistill + "--baseline --teacher-cache ";
  require_success(run_program(cached + "cache1 -o alone", folder.path()));
  require_success(run_ranks(2, cached + "cache2 -o ranks", folder));
  check_same_files(folder / "alone", folder / "ranks");
  CHECK(read_file(folder / "alone/s.baseline.onnx") == read_file(folder / "ranks/s.baseline.onnx"));
  const auto made = [&](const std::string& student, const std::vector<std::string>& files) {
    const std::string command = "distill --teacher t.onnx --student " + student +
                                " --data data.json --recipe r.json --quiet -o " + files.front();
    require_success(run_program(command, folder.path()));
    require_success(run_ranks(2, command + "-ranks", folder));
    for (size_t i = 1; i < files.size(); ++i) {
      INFO(student << " " << files[i]);
      CHECK(read_file(folder / files[0] / files[i]) ==
            read_file(folder / (files[0] + "-ranks") / files[i]));
    }
  };
  made("quantized:int8", {"quantized", "t.int8.onnx", "plan.json", "train.jsonl"});
  made("shrink:macs=0.5,samples=16",
       {"shrunk", "t.shrunk.distilled.onnx", "t.shrunk.onnx", "train.jsonl"});
  write_file_atomically(folder / "r.json",
                        R"({"epochs": 1, "batch": 16, "validation": {"samples": 8},
       "schedule": {"learning_rate": 0.01}, "losses": [{"loss": "soft_targets"},
       {"loss": "hint", "student": "/1/Relu_output_0", "teacher": "/1/Relu_output_0"}]})");
  made("s.onnx", {"hint", "s.distilled.onnx", "train.jsonl"});
}

TEST_CASE("a rank that is killed ends the job, which goes on to the same bytes",
          "[cli][ranks][slow]") {
  if (!ranks_run()) return;
  const TemporaryFolder folder;
  std::string recipe = kRecipe;
  recipe.replace(recipe.find("\"epochs\": 2"), 11, "\"epochs\": 60");
  recipe.replace(recipe.find("\"patience\": 2"), 13, "\"patience\": 60");
  fill(folder.path(), recipe);
  require_success(run_program(kDistill + "-o whole", folder.path()));
  const std::string resumed = kDistill + "--resume -o killed";
  // Rank 0 is the one that writes; another one leaves it the time to say what happened.
  struct Kill {
    int ranks;
    int victim;
    const char* signal;
  };
  for (const Kill& kill : {Kill{2, 1, "KILL"}, Kill{4, 3, "TERM"}, Kill{2, 0, "KILL"}}) {
    INFO("rank " << kill.victim << " of " << kill.ranks << " by " << kill.signal);
    const CommandResult result =
        run_and_kill(kill.ranks, kill.victim, kill.signal, resumed, folder);
    INFO(result.err);
    CHECK(result.exit_code != 0);
    REQUIRE(fs::exists(folder / "killed/s.checkpoint"));
    if (kill.victim == 0) continue;
    CHECK_THAT(result.err, ContainsSubstring("limbeck: interrupted: "));
    CHECK_THAT(result.err, ContainsSubstring("when another of the " + std::to_string(kill.ranks) +
                                             " ranks has ended"));
    CHECK_THAT(result.err, ContainsSubstring("--resume, on any number of ranks"));
  }
  require_success(run_ranks(3, resumed, folder));
  check_same_files(folder / "whole", folder / "killed");
}

TEST_CASE("calibrate gives the same table on any number of ranks", "[cli][ranks]") {
  if (!ranks_run()) return;
  const TemporaryFolder folder;
  fill(folder.path(), "{}");
  const std::string command = "calibrate t.onnx --data data.json --samples 61 --seed 5 --quiet ";
  require_success(run_program(command + "-o alone.calib", folder.path()));
  for (const int ranks : {1, 2, 3, 4}) {
    INFO(ranks << " ranks");
    require_success(run_ranks(ranks, command + "-o ranks.calib", folder));
    CHECK(read_file(folder / "alone.calib") == read_file(folder / "ranks.calib"));
  }
}

TEST_CASE("what all ranks complain of is told once", "[cli][ranks]") {
  if (!ranks_run()) return;
  const TemporaryFolder folder;
  fill(folder.path(), kRecipe);
  const auto fails = [&](int ranks, const std::string& arguments, int code,
                         const std::string& text) {
    const CommandResult result = run_ranks(ranks, arguments, folder);
    INFO(result.err);
    CHECK(result.exit_code == code);
    const size_t found = result.err.find(text);
    REQUIRE(found != std::string::npos);
    CHECK(result.err.find("limbeck: ", result.err.find("limbeck: ") + 1) == std::string::npos);
  };
  fails(2, "calibrate t.onnx --data none.json -o t.calib", 6, "none.json: the file must be");
  fails(2, "inspect t.onnx", 2, "only distill and calibrate run on several ranks; got 2 ranks");
  write_file_atomically(folder / "r.json", R"({"epochs": 1, "batch": 12, "shards": 2,
      "validation": {"samples": 8}})");
  fails(3, kDistill + "-o out", 2, "got 3 ranks for 2 shards");
  write_file_atomically(folder / "r.json", R"({"epochs": 1, "batch": 4,
      "validation": {"samples": 8}, "schedule": {"kind": "constant", "learning_rate": 1000}})");
  fails(2, kDistill + "-o out", 5, "every value must stay finite");
}

TEST_CASE("a failure of one rank alone names the rank and ends the job", "[cli][ranks]") {
  if (!ranks_run()) return;
  const TemporaryFolder folder;
  fill(folder.path(), kRecipe);
  const std::string script =
      "[ $OMPI_COMM_WORLD_RANK = 1 ] && data=none.json || data=data.json; exec '" +
      program().string() + "' calibrate t.onnx --quiet --data $data -o t.calib\n";
  write_file_atomically(folder / "job", script);
  const int status = std::system((in(folder) + launcher(2) + "sh job >stdout 2>stderr").c_str());
  const std::string err = read_file(folder / "stderr");
  INFO(err);
  CHECK(WEXITSTATUS(status) == 6);
  CHECK_THAT(err, ContainsSubstring("rank 1: limbeck: input/output: none.json"));
  CHECK_FALSE(fs::exists(folder / "t.calib"));
}

}  // namespace limbeck::test
