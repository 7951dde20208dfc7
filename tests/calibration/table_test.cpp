#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>

#include "calibration.pb.h"
#include "calibration/calibration.h"
#include "lib/base/error.h"
#include "lib/base/file.h"
#include "tests/support/paths.h"

using namespace limbeck;
using namespace limbeck::test;
using Catch::Matchers::ContainsSubstring;

namespace {

/// What tests/data/calibration_v1.calib holds.
CalibrationTable small_table() {
  CalibrationTable table;
  table.model_hash = std::string(64, 'a');
  table.data_hash = std::string(64, 'b');
  table.samples = 2;
  table.seed = 7;
  const std::vector<float> first = {1.0F, 1.0009765625F};
  const std::vector<float> second = {1.0F};
  REQUIRE(table.tensors["image"].add(first));
  REQUIRE(table.tensors["image"].add(second));
  return table;
}

std::optional<Error> load_error(const std::filesystem::path& path) {
  try {
    load_table(path);
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

std::string saved_bytes() {
  const TemporaryFolder folder;
  save_table(small_table(), folder / "table.calib");
  return read_file(folder / "table.calib");
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The error of loading `bytes`; fails the test when they load.
Error error_of(const std::string& bytes) {
  const TemporaryFolder folder;
  write(folder / "table.calib", bytes);
  const auto error = load_error(folder / "table.calib");
  REQUIRE(error.has_value());
  return *error;
}

/// A file whose checksum is right around the message that `edit` makes of the small table.
template <typename Edit>
std::string edited(const Edit& edit) {
  proto::CalibrationFile file;
  REQUIRE(file.ParseFromString(saved_bytes()));
  proto::CalibrationTable table;
  REQUIRE(table.ParseFromString(file.table()));
  edit(table);
  file.set_table(table.SerializeAsString());
  file.set_sha256(sha256(file.table()));
  return file.SerializeAsString();
}

void check_same(const CalibrationTable& left, const CalibrationTable& right) {
  CHECK(left.model_hash == right.model_hash);
  CHECK(left.data_hash == right.data_hash);
  CHECK(left.samples == right.samples);
  CHECK(left.seed == right.seed);
  CHECK(left.tensors == right.tensors);
}

}  // namespace

TEST_CASE("a table is the same after saving and loading", "[calibration]") {
  const TemporaryFolder folder;
  CalibrationTable table = small_table();
  REQUIRE(table.tensors["zeros"].add(std::vector<float>(5, 0.0F)));
  REQUIRE(table.tensors["wide"].add(std::vector<float>{-3e38F, 1e-45F, 3e38F}));
  REQUIRE(table.tensors["negative"].add(std::vector<float>{-1.0F, -0.25F}));
  save_table(table, folder / "table.calib");
  check_same(load_table(folder / "table.calib"), table);
}

TEST_CASE("a table without tensors can be saved and loaded", "[calibration]") {
  const TemporaryFolder folder;
  save_table(CalibrationTable(), folder / "table.calib");
  check_same(load_table(folder / "table.calib"), CalibrationTable());
}

TEST_CASE("a file of version 1 keeps loading", "[calibration]") {
  check_same(load_table(fixture("calibration_v1.calib")), small_table());
}

TEST_CASE("tables are written as the format's page says", "[calibration]") {
  CHECK(saved_bytes() == read_file(fixture("calibration_v1.calib")));
}

TEST_CASE("a table with any bit flipped is refused", "[calibration]") {
  const TemporaryFolder folder;
  const std::string whole = saved_bytes();
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    INFO("bit " << bit);
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write(folder / std::to_string(bit), damaged);
    const auto error = load_error(folder / std::to_string(bit));
    REQUIRE(error.has_value());
    CHECK(error->category() == Category::kData);
  }
}

TEST_CASE("a table cut anywhere is refused", "[calibration]") {
  const TemporaryFolder folder;
  const std::string whole = saved_bytes();
  for (size_t length = 0; length < whole.size(); ++length) {
    INFO("length " << length);
    write(folder / std::to_string(length), whole.substr(0, length));
    const auto error = load_error(folder / std::to_string(length));
    REQUIRE(error.has_value());
    CHECK(error->category() == Category::kData);
    CHECK_THAT(error->what(), ContainsSubstring("undamaged calibration table"));
  }
}

TEST_CASE("a table of a newer version says so", "[calibration]") {
  proto::CalibrationFile file;
  REQUIRE(file.ParseFromString(saved_bytes()));
  file.set_version(2);
  const Error error = error_of(file.SerializeAsString());
  CHECK(error.category() == Category::kData);
  CHECK_THAT(error.what(), ContainsSubstring("version 2"));
  CHECK_THAT(error.what(), ContainsSubstring("use a newer limbeck"));
}

TEST_CASE("a table whose checksum hides nonsense is refused", "[calibration]") {
  const auto check = [](const auto& edit, const std::string& received) {
    const Error error = error_of(edited(edit));
    CHECK(error.category() == Category::kData);
    CHECK_THAT(error.what(), ContainsSubstring("tensor 'image'"));
    CHECK_THAT(error.what(), ContainsSubstring(received));
  };
  using Table = proto::CalibrationTable;
  check([](Table& t) { t.mutable_tensors(0)->set_first_bin(4094); }, "bins outside the grid");
  check([](Table& t) { t.mutable_tensors(0)->set_first_bin(-5000); }, "bins outside the grid");
  check([](Table& t) { t.mutable_tensors(0)->clear_counts(); }, "no values");
  check([](Table& t) { t.mutable_tensors(0)->set_counts(0, ~uint64_t{0}); },
        "more values than can be counted");
  check([](Table& t) { t.mutable_tensors(0)->set_exponent(117); }, "2^117");
  check([](Table& t) { t.mutable_tensors(0)->set_exponent(-127); }, "2^-127");
  check([](Table& t) { t.mutable_tensors(0)->set_min(2.0F); }, "no range");
  check([](Table& t) { t.mutable_tensors(0)->set_max(INFINITY); }, "no range");
  check([](Table& t) { t.mutable_tensors(0)->set_average_min(NAN); }, "no range");
  check([](Table& t) { *t.add_tensors() = t.tensors(0); }, "two sketches");
}

TEST_CASE("a table that does not exist is an input/output error", "[calibration]") {
  const TemporaryFolder folder;
  const auto error = load_error(folder / "missing.calib");
  REQUIRE(error.has_value());
  CHECK(error->category() == Category::kIo);
}

TEST_CASE("a table is refused for another model", "[calibration]") {
  const CalibrationTable table = small_table();
  CHECK_NOTHROW(require_model(table, std::string(64, 'a'), "t.calib"));
  try {
    require_model(table, std::string(64, 'c'), "t.calib");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kUsage);
    CHECK_THAT(error.what(), ContainsSubstring("t.calib"));
    CHECK_THAT(error.what(),
               ContainsSubstring("table of model aaaaaaaaaaaa for model cccccccccccc"));
  }
}
