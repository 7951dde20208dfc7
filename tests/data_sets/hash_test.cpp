#include <catch2/catch_test_macros.hpp>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

/// A data set of two labelled images in a folder, and the ways to make it another one.
struct Variant {
  uint8_t red = 1;
  std::string second = "dog/b.png";
  nlohmann::json fields = nlohmann::json::object();
};

std::string folder_hash(const std::filesystem::path& folder, const Variant& variant = {}) {
  write_file(folder / "x/cat/a.png", flat_png(1, 1, variant.red, 0, 0));
  write_file(folder / ("x/" + variant.second), flat_png(1, 1, 9, 0, 0));
  nlohmann::json description = {{"version", 1}, {"kind", "images"}, {"path", "x"}};
  description.update(variant.fields);
  return open_described(folder, description)->hash();
}

std::string idx_hash(const TemporaryFolder& folder, const std::string& prefix,
                     const std::string& name, const std::string& labels) {
  write_file(folder / name, idx_bytes(8, {2, 1, 1}, "\1\2"));
  write_file(folder / "y", idx_bytes(8, {2}, labels));
  return open_described(
             folder.path(),
             {{"version", 1}, {"kind", "idx"}, {"path", prefix + name}, {"labels", prefix + "y"}})
      ->hash();
}

}  // namespace

TEST_CASE("the hash of a data set does not depend on where it lies", "[data]") {
  const TemporaryFolder one;
  const TemporaryFolder two;
  const auto hash = folder_hash(one.path());
  CHECK(hash.size() == 64);
  CHECK(folder_hash(two / "deeper") == hash);
  CHECK(folder_hash(two / "link", {.fields = {{"path", (one / "x").string()}}}) == hash);
}

TEST_CASE("absolute and relative paths to the same files give one hash", "[data]") {
  const TemporaryFolder folder;
  const auto hash = idx_hash(folder, "", "x", "\3\4");
  CHECK(idx_hash(folder, folder.path().string() + "/", "x", "\3\4") == hash);
  CHECK(idx_hash(folder, "", "renamed", "\3\4") == hash);
  CHECK(idx_hash(folder, "", "x", "\3\5") != hash);
}

TEST_CASE("the hash depends on pixels, class folders and preparation", "[data]") {
  const TemporaryFolder base;
  const auto hash = folder_hash(base.path());
  const auto differs = [&](const Variant& variant) {
    const TemporaryFolder folder;
    return folder_hash(folder.path(), variant) != hash;
  };
  CHECK(differs({.red = 2}));
  CHECK(differs({.second = "eel/b.png"}));
  CHECK(differs({.second = "dog/c.png"}));
  CHECK(differs({.fields = {{"color", "BGR"}}}));
  CHECK(differs({.fields = {{"input", "image"}}}));
  CHECK_FALSE(differs({}));
}

TEST_CASE("the order of fields and of files on disk does not change the hash", "[data]") {
  const TemporaryFolder folder;
  const auto hash = folder_hash(folder.path(), {.fields = {{"crop", {1, 1}}}});
  write_file(folder / "data.json", R"({"crop": [1, 1],  "path": "x", "kind": "images",
                                       "version": 1})");
  CHECK(open_dataset(folder / "data.json")->hash() == hash);
}

TEST_CASE("a file that vanished is an input/output error of the hash", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "x/a/1.png", flat_png(1, 1, 1, 0, 0));
  const auto data =
      open_described(folder.path(), {{"version", 1}, {"kind", "images"}, {"path", "x"}});
  std::filesystem::remove(folder / "x/a/1.png");
  CHECK(error_of([&] { data->hash(); }).category == Category::kIo);
  const int64_t first = 0;
  CHECK(error_of([&] { data->read(std::span(&first, 1)); }).category == Category::kIo);
}
