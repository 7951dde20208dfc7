#include "lib/data/zip_archive.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <thread>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

constexpr uint64_t kAny = UINT64_MAX;
const std::string kCentralMagic("PK\1\2", 4);
const std::string kLocalMagic("PK\3\4", 4);

/// Overwrites the 32-bit little-endian number `offset` bytes behind a magic.
void patch(std::string* bytes, const std::string& magic, size_t offset, uint32_t value) {
  const size_t at = bytes->find(magic);
  REQUIRE(at != std::string::npos);
  for (size_t i = 0; i < 4; ++i)
    (*bytes)[at + offset + i] = static_cast<char>(value >> (8 * i) & 0xFFU);
}

/// Sizes stand at 18 and 22 in the local header and at 20 and 24 in the directory.
void claim_sizes(std::string* bytes, uint32_t compressed, uint32_t size) {
  patch(bytes, kLocalMagic, 18, compressed);
  patch(bytes, kLocalMagic, 22, size);
  patch(bytes, kCentralMagic, 20, compressed);
  patch(bytes, kCentralMagic, 24, size);
}

std::string archive_bytes(const std::string& content, bool deflate) {
  const TemporaryFolder folder;
  write_zip(folder / "a.zip", {{"a.bin", content}}, deflate);
  return limbeck::read_file(folder / "a.zip");
}

ErrorInfo read_error(const std::string& bytes, uint64_t largest = kAny) {
  const TemporaryFolder folder;
  test::write_file(folder / "a.zip", bytes);
  return error_of([&] { ZipArchive(folder / "a.zip").read(0, largest); });
}

}  // namespace

TEST_CASE("stored and deflated members come back as they went in", "[data]") {
  const bool deflate = GENERATE(false, true);
  const TemporaryFolder folder;
  const std::string text(5000, 'x');
  write_zip(folder / "a.zip", {{"f/", ""}, {"f/a.bin", text}, {"empty", ""}}, deflate);
  const ZipArchive archive(folder / "a.zip");
  CHECK(archive.names() == std::vector<std::string>{"f/", "f/a.bin", "empty"});
  CHECK(archive.read(1, kAny) == text);
  CHECK(archive.read(2, kAny).empty());
}

TEST_CASE("many threads read one archive at the same time", "[data]") {
  const TemporaryFolder folder;
  Members members;
  for (int i = 0; i < 64; ++i)
    members.emplace_back(std::to_string(i), std::string(100, static_cast<char>(i)));
  write_zip(folder / "a.zip", members, true);
  const ZipArchive archive(folder / "a.zip");
  std::vector<int> wrong(4, 0);
  {
    std::vector<std::jthread> pool;
    for (size_t t = 0; t < wrong.size(); ++t) {
      pool.emplace_back([&, t] {
        for (size_t i = 0; i < 256; ++i) {
          const size_t member = (i * 7 + t) % 64;
          if (archive.read(member, kAny) != members[member].second) ++wrong[t];
        }
      });
    }
  }
  CHECK(wrong == std::vector<int>(4, 0));
}

TEST_CASE("a member whose bytes changed fails its checksum", "[data]") {
  auto bytes = archive_bytes("0123456789", false);
  bytes[bytes.find("0123456789") + 4] = 'X';
  const auto error = read_error(bytes);
  CHECK(error.category == Category::kData);
  CHECK(error.place.ends_with("a.zip, member 'a.bin'"));
  CHECK(error.rule == "the file must be a whole ZIP archive");
  CHECK(error.received == "CRC error");
}

TEST_CASE("a size beyond what deflate can do is refused before memory is taken", "[data]") {
  auto bytes = archive_bytes(std::string(1000, 'a'), true);
  const auto compressed =
      static_cast<uint32_t>(static_cast<unsigned char>(bytes[bytes.find(kCentralMagic) + 20]));
  claim_sizes(&bytes, compressed, 0xFFFFFFF0U);
  CHECK(read_error(bytes).received ==
        "a size of 4294967280 bytes in " + std::to_string(compressed) + " compressed ones");
}

TEST_CASE("a stored member cannot claim more bytes than the archive has", "[data]") {
  auto bytes = archive_bytes("0123456789", false);
  claim_sizes(&bytes, 4000000000U, 4000000000U);
  CHECK(read_error(bytes).received == "a size of 4000000000 bytes in 4000000000 compressed ones");
}

TEST_CASE("a member longer or shorter than its size is refused", "[data]") {
  auto longer = archive_bytes(std::string(1000, 'a'), true);
  const auto compressed =
      static_cast<uint32_t>(static_cast<unsigned char>(longer[longer.find(kCentralMagic) + 20]));
  auto shorter = longer;
  claim_sizes(&longer, compressed, 999);
  CHECK(read_error(longer).rule == "the file must be a whole ZIP archive");
  claim_sizes(&shorter, compressed, 1001);
  CHECK(read_error(shorter).rule == "the file must be a whole ZIP archive");
}

TEST_CASE("a member above the caller's limit is refused", "[data]") {
  const auto error = read_error(archive_bytes("0123456789", false), 9);
  CHECK(error.rule == "a member must have at most 9 bytes");
  CHECK(error.received == "a size of 10 bytes in 10 compressed ones");
}

TEST_CASE("a truncated archive is refused when it is opened", "[data]") {
  const auto bytes = archive_bytes("0123456789", false);
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK(read_error(bytes.substr(0, size)).category == Category::kData);
  CHECK(read_error("").received == "an empty file");
  CHECK(read_error("no archive").rule == "the file must be a whole ZIP archive");
}
