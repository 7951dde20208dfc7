#include "lib/base/file.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <filesystem>

#include "lib/base/error.h"

using namespace limbeck;
namespace fs = std::filesystem;

namespace {

struct TemporaryFolder {
  fs::path path;
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "limbeck-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~TemporaryFolder() { fs::remove_all(path); }
};

size_t entries(const fs::path& folder) {
  return static_cast<size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a file that is not committed leaves nothing behind", "[base]") {
  const TemporaryFolder folder;
  {
    AtomicFile file(folder.path / "a.bin");
    file.write("half");
    CHECK_FALSE(fs::exists(folder.path / "a.bin"));
  }
  CHECK(entries(folder.path) == 0);
}

TEST_CASE("a committed file holds all bytes and no temporary remains", "[base]") {
  const TemporaryFolder folder;
  write_file_atomically(folder.path / "a.bin", "whole");
  CHECK(read_file(folder.path / "a.bin") == "whole");
  CHECK(entries(folder.path) == 1);
}

TEST_CASE("SHA-256 of the empty string and of abc are the published ones", "[base]") {
  CHECK(sha256(std::string_view("")) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256(std::string_view("abc")) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("reading a missing file is an input/output error that names it", "[base]") {
  try {
    read_file("/nonexistent/file");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.category() == Category::kIo);
    CHECK(error.info().place == "/nonexistent/file");
  }
}
