#include "lib/distill/checkpoint.h"

#include <catch2/catch_test_macros.hpp>
#include <stdexcept>

#include "checkpoint.pb.h"
#include "lib/base/file.h"
#include "lib/distill/trainer.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"
#include "tests/support/trainer_support.h"

namespace limbeck::test {
namespace {

using nlohmann::json;

const TrainIdentity kIdentity = {"recipe", "teacher", "student", "data"};

TrainState example_state() {
  TrainState state;
  state.step = 7;
  state.epochs = 3;
  state.values = {noise({2, 3}, 1), noise({4}, 2)};
  state.statistics = {noise({4}, 3), noise({4}, 4)};
  state.optimizer.steps = 7;
  state.optimizer.first = {noise({2, 3}, 5), noise({4}, 6)};
  state.average.steps = 7;
  state.average.values = {noise({2, 3}, 7), noise({4}, 8), noise({4}, 9), noise({4}, 10)};
  state.best = state.average.values;
  state.best_score = 91.25;
  state.best_epoch = 2;
  state.group = {1, 0.5, {0.25, 0.75}, 3};
  state.epoch = {2, 1.5, {0.5, 1}, 4};
  state.log_bytes = 123;
  return state;
}

/// What saving `state` writes.
std::string bytes_of(const TrainState& state, const TemporaryFolder& folder) {
  save_checkpoint(state, kIdentity, folder / "bytes");
  return read_file(folder / "bytes");
}

/// A run of six steps in two epochs with everything that a checkpoint must hold.
TrainJob full_job(const Model& student, const Model& teacher, const Dataset& data,
                  const TemporaryFolder& folder) {
  TrainJob job = small_job(student, &teacher, data);
  job.recipe.losses =
      json::array({{{"loss", "soft_targets"}},
                   {{"loss", "hint"}, {"student", "r"}, {"teacher", "r"}, {"ramp", 0.5}}});
  job.recipe.ema_decay = 0.9;
  job.recipe.patience = 2;
  job.recipe.optimizer.method = "adam";
  job.recipe.checkpoint_minutes = 0;
  job.training.resize(24);
  for (int64_t i = 24; i < data.size(); ++i) job.validation.push_back(i);
  job.checkpoint = folder / "checkpoint";
  job.log = folder / "log";
  return job;
}

}  // namespace

TEST_CASE("a checkpoint gives back every bit of the state", "[distill]") {
  const TemporaryFolder folder;
  const TrainState state = example_state();
  const std::string bytes = bytes_of(state, folder);
  const TrainState loaded = load_checkpoint(folder / "bytes", kIdentity, state);
  CHECK(loaded.step == 7);
  CHECK(loaded.values[0].to_float() == state.values[0].to_float());
  CHECK(loaded.average.values[3].to_float() == state.average.values[3].to_float());
  CHECK(loaded.group.terms == state.group.terms);
  CHECK(bytes_of(loaded, folder) == bytes);
}

TEST_CASE("a run that is stopped after any step goes on to the same bytes", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(40);
  const TemporaryFolder folder;
  const auto wanted = constants_of(train(full_job(student, teacher, data, folder)).student);
  const std::string checkpoint = read_file(folder / "checkpoint");
  const std::string log = read_file(folder / "log");
  for (int64_t last = 1; last <= 6; ++last) {
    INFO("stopped after step " << last);
    const TemporaryFolder other;
    TrainJob job = full_job(student, teacher, data, other);
    job.after_step = [last](int64_t step) {
      if (step == last) throw std::runtime_error("stop");
    };
    CHECK_THROWS_AS(train(job), std::runtime_error);
    job.after_step = {};
    job.resume = true;
    job.threads = 3;
    CHECK(constants_of(train(job).student) == wanted);
    CHECK(read_file(other / "checkpoint") == checkpoint);
    CHECK(read_file(other / "log") == log);
  }
}

TEST_CASE("a run goes on from an older checkpoint, whatever was logged since", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(40);
  const TemporaryFolder folder;
  TrainJob job = full_job(student, teacher, data, folder);
  std::string early;
  job.after_step = [&](int64_t step) {
    if (step == 2) early = read_file(job.checkpoint);
  };
  const auto wanted = constants_of(train(job).student);
  const std::string log = read_file(job.log);
  write_file_atomically(job.checkpoint, early);
  job.resume = true;
  CHECK(constants_of(train(job).student) == wanted);
  CHECK(read_file(job.log) == log);
  write_file_atomically(job.checkpoint, early);
  write_file_atomically(job.log, "short");
  CHECK(error_of([&] { train(job); }).received == "5 bytes");
}

TEST_CASE("a finished run that is resumed does nothing more", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(40);
  const TemporaryFolder folder;
  TrainJob job = full_job(student, teacher, data, folder);
  const auto wanted = constants_of(train(job).student);
  job.resume = true;
  job.after_step = [](int64_t) { throw std::runtime_error("a step"); };
  CHECK(constants_of(train(job).student) == wanted);
}

TEST_CASE("a damaged checkpoint is refused, whichever bit is wrong", "[distill]") {
  const TemporaryFolder folder;
  const TrainState state = example_state();
  const std::string bytes = bytes_of(state, folder);
  const auto load = [&](const std::string& text) {
    write_file_atomically(folder / "c", text);
    return error_of([&] { load_checkpoint(folder / "c", kIdentity, state); });
  };
  for (size_t length = 0; length < bytes.size(); length += 37) {
    INFO("cut to " << length);
    CHECK(load(bytes.substr(0, length)).category == Category::kData);
  }
  for (size_t i = 0; i < bytes.size(); i += 11) {
    INFO("byte " << i);
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    CHECK(load(flipped).category == Category::kData);
  }
  CHECK(load("hello").received == "bytes that do not parse");
  CHECK(load("").received == "bytes without a version");
  proto::CheckpointFile file;
  REQUIRE(file.ParseFromString(bytes));
  file.set_version(2);
  const ErrorInfo newer = load(file.SerializeAsString());
  CHECK(newer.rule == "a checkpoint must be of version 1, the newest that this limbeck knows");
  CHECK(newer.received == "version 2");
}

TEST_CASE("a checkpoint with a true checksum is still not trusted", "[distill]") {
  const TemporaryFolder folder;
  const TrainState state = example_state();
  proto::CheckpointFile file;
  REQUIRE(file.ParseFromString(bytes_of(state, folder)));
  const auto received = [&](const std::function<void(proto::Checkpoint&)>& change) {
    proto::Checkpoint message;
    message.ParseFromString(file.checkpoint());
    change(message);
    proto::CheckpointFile forged = file;
    forged.set_checkpoint(message.SerializeAsString());
    forged.set_sha256(sha256(forged.checkpoint()));
    write_file_atomically(folder / "c", forged.SerializeAsString());
    return error_of([&] { load_checkpoint(folder / "c", kIdentity, state); }).received;
  };
  CHECK(received([](auto& m) { m.mutable_values(0)->set_dims(0, 3); }) ==
        "a tensor of another shape");
  CHECK(received([](auto& m) { m.mutable_values(1)->set_values("abc"); }) ==
        "a tensor of another shape");
  CHECK(received([](auto& m) { m.mutable_first()->RemoveLast(); }) ==
        "1 tensors for 2 of the student");
  CHECK(received([](auto& m) { m.set_step(-1); }) == "counts below zero");
}

TEST_CASE("another recipe, model or data set does not go on with a checkpoint", "[distill]") {
  const TemporaryFolder folder;
  const TrainState state = example_state();
  save_checkpoint(state, kIdentity, folder / "c");
  const std::vector<std::pair<std::string, TrainIdentity>> others = {
      {"recipe", {"x", "teacher", "student", "data"}},
      {"teacher", {"recipe", "", "student", "data"}},
      {"student", {"recipe", "teacher", "x", "data"}},
      {"data", {"recipe", "teacher", "student", "x"}}};
  for (const auto& [what, identity] : others) {
    const ErrorInfo info =
        error_of([&, id = identity] { load_checkpoint(folder / "c", id, state); });
    CHECK(info.category == Category::kUsage);
    CHECK(info.rule == "a run goes on with the " + what + " that it began with, " + what);
    CHECK(info.received == (what == "teacher" ? "none" : "x"));
  }
  const std::string digits(64, 'a');
  save_checkpoint(state, {"recipe", digits + " cached", "student", "data"}, folder / "c");
  const ErrorInfo info = error_of([&] {
    load_checkpoint(folder / "c", {"recipe", digits, "student", "data"}, state);
  });
  CHECK(info.rule == "a run goes on with the teacher that it began with, aaaaaaaaaaaa cached");
  CHECK(info.received == "aaaaaaaaaaaa");
}

}  // namespace limbeck::test
