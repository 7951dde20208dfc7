#include "lib/distill/teacher_cache.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>
#include <nlohmann/json.hpp>

#include "lib/base/file.h"
#include "lib/distill/trainer.h"
#include "tests/model/expect_error.h"
#include "tests/support/paths.h"
#include "tests/support/trainer_support.h"

namespace limbeck::test {
namespace {

using Catch::Matchers::WithinAbs;
using nlohmann::json;

std::filesystem::path only_file(const TemporaryFolder& folder) {
  std::filesystem::path path;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) path = entry.path();
  return path;
}

/// The last bits of an answer depend on the batch that it was computed in.
void check_close(const std::vector<float>& values, const std::vector<float>& wanted) {
  REQUIRE(values.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) CHECK_THAT(values[i], WithinAbs(wanted[i], 1e-4));
}

}  // namespace

TEST_CASE("cached answers are those of the teacher, on any number of threads", "[distill]") {
  EngineOptions options;
  options.taps = {"r"};
  const auto teacher = Engine::compile(small_teacher(), options);
  const MemoryDataset data = separable_samples(100);
  const TeacherCacheKey key = {"teacher", "data", teacher->output_names()};
  const TemporaryFolder one;
  const TemporaryFolder three;
  const auto cache = TeacherCache::open(*teacher, data, key, {.folder = one.path(), .threads = 1});
  TeacherCache::open(*teacher, data, key, {.folder = three.path(), .threads = 3});
  CHECK(read_file(only_file(one)) == read_file(only_file(three)));
  const std::vector<int64_t> some = {99, 0, 31, 32};
  const auto wanted = teacher->run(data.read(some).inputs);
  const auto found = cache->read(some);
  REQUIRE(found.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(found[i].dims() == wanted[i].dims());
    check_close(found[i].to_float(), wanted[i].to_float());
  }
}

TEST_CASE("a damaged cache of answers is refused, whichever byte is wrong", "[distill]") {
  const auto teacher = Engine::compile(small_teacher());
  const MemoryDataset data = separable_samples(10);
  const TeacherCacheKey key = {"teacher", "data", teacher->output_names()};
  const TemporaryFolder folder;
  const auto open = [&] {
    return TeacherCache::open(*teacher, data, key, {.folder = folder.path()});
  };
  open();
  const auto path = only_file(folder);
  const std::string bytes = read_file(path);
  for (size_t i = 0; i < bytes.size(); i += 7) {
    INFO("byte " << i);
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    write_file_atomically(path, flipped);
    CHECK(error_of(open).category == Category::kData);
    write_file_atomically(path, bytes.substr(0, i));
    CHECK(error_of(open).category == Category::kData);
  }
  // A file of another teacher under this name.
  const TemporaryFolder other;
  TeacherCache::open(*teacher, data, {"else", "data", key.outputs}, {.folder = other.path()});
  write_file_atomically(path, read_file(only_file(other)));
  CHECK(error_of(open).received == "a header of other models or data");
}

TEST_CASE("a student learns from cached answers without running the teacher again", "[distill]") {
  const Model student = small_student();
  const Model teacher = small_teacher();
  const MemoryDataset data = separable_samples(64);
  const TemporaryFolder folder;
  TrainJob job = small_job(student, &teacher, data);
  job.recipe.losses = json::array(
      {{{"loss", "soft_targets"}}, {{"loss", "hint"}, {"student", "r"}, {"teacher", "r"}}});
  job.training.erase(job.training.begin(), job.training.begin() + 10);
  const auto uncached = constants_of(train(job).student);
  job.teacher_cache = folder.path();
  const auto wanted = constants_of(train(job).student);
  for (const auto& [name, values] : uncached) check_close(wanted.at(name), values);
  const auto time = std::filesystem::last_write_time(only_file(folder));
  job.threads = 1;
  CHECK(constants_of(train(job).student) == wanted);
  CHECK(std::filesystem::last_write_time(only_file(folder)) == time);
  job.recipe.augmentation.flip = 0.5;
  const ErrorInfo info = error_of([&] { train(job); });
  CHECK(info.category == Category::kUsage);
  CHECK(info.rule == "answers are cached for images as they are, and augmentation changes them");
}

}  // namespace limbeck::test
