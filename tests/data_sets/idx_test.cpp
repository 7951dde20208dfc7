#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <filesystem>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const nlohmann::json kDescription = {{"version", 1}, {"kind", "idx"}, {"path", "x"}};

/// Two images of one row and three pixels.
std::string two_images() { return idx_bytes(8, {2, 1, 3}, {"\0\x33\xFF\x66\x99\xCC", 6}); }

std::unique_ptr<Dataset> open_idx_bytes(const TemporaryFolder& folder, const std::string& bytes,
                                        const nlohmann::json& fields = nlohmann::json::object()) {
  write_file(folder / "x", bytes);
  auto description = kDescription;
  description.update(fields);
  return open_described(folder.path(), description);
}

ErrorInfo idx_error(const std::string& bytes) {
  const TemporaryFolder folder;
  return error_of([&] { open_idx_bytes(folder, bytes); });
}

}  // namespace

TEST_CASE("plain and gzip byte images become one-channel floats", "[data]") {
  const bool gzip = GENERATE(false, true);
  const TemporaryFolder folder;
  const auto data =
      open_idx_bytes(folder, gzip ? gzip_bytes(two_images()) : two_images(), {{"input", "image"}});
  CHECK(data->input_names() == std::vector<std::string>{"image"});
  const Batch batch = read_all(*data);
  CHECK(batch.inputs[0].dims() == Dims{2, 1, 1, 3});
  // 0x33 = 51 = 255 / 5 and so on.
  const auto values = batch.inputs[0].to_float();
  const std::vector<float> wanted = {0.0F,         51 / 255.0F,  1.0F,
                                     102 / 255.0F, 153 / 255.0F, 204 / 255.0F};
  CHECK(values == wanted);
}

TEST_CASE("IDX images are normalised as (pixel / 255 - mean) / std", "[data]") {
  const TemporaryFolder folder;
  const auto data = open_idx_bytes(folder, two_images(), {{"mean", {0.5}}, {"std", {0.25}}});
  const auto values = values_of(*data);
  CHECK(values[0] == -2.0F);
  CHECK(values[2] == 2.0F);
  CHECK(values[1] == (51 / 255.0F - 0.5F) / 0.25F);
}

TEST_CASE("IDX arrays that are no images are read as they are", "[data]") {
  const TemporaryFolder folder;
  const auto bytes = open_idx_bytes(folder, idx_bytes(8, {2, 2}, {"\1\2\3\xFF", 4}));
  CHECK(read_all(*bytes).inputs[0].dims() == Dims{2, 2});
  CHECK(values_of(*bytes) == std::vector<float>{1, 2, 3, 255});
}

TEST_CASE("every IDX element type is read from big-endian", "[data]") {
  struct Case {
    int code;
    std::string data;
  };
  const auto one_minus_two =
      GENERATE(values<Case>({{0x09, {"\1\xFE", 2}},
                             {0x0B, {"\0\1\xFF\xFE", 4}},
                             {0x0C, {"\0\0\0\1\xFF\xFF\xFF\xFE", 8}},
                             {0x0D, {"\x3F\x80\0\0\xC0\0\0\0", 8}},
                             {0x0E, {"\x3F\xF0\0\0\0\0\0\0\xC0\0\0\0\0\0\0\0", 16}}}));
  const TemporaryFolder folder;
  const auto data = open_idx_bytes(folder, idx_bytes(one_minus_two.code, {2}, one_minus_two.data));
  CHECK(values_of(*data) == std::vector<float>{1, -2});
}

TEST_CASE("IDX labels are read plain and gzip", "[data]") {
  const bool gzip = GENERATE(false, true);
  const TemporaryFolder folder;
  const auto labels = idx_bytes(8, {2}, "\x07\x02");
  write_file(folder / "y", gzip ? gzip_bytes(labels) : labels);
  const auto data = open_idx_bytes(folder, two_images(), {{"labels", "y"}});
  CHECK(data->has_labels());
  CHECK(read_all(*data).labels == std::vector<int64_t>{7, 2});
  CHECK(data->class_count() == 8);
}

TEST_CASE("a label file of another length is refused", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "y", idx_bytes(8, {3}, "\1\2\3"));
  const auto error = error_of([&] { open_idx_bytes(folder, two_images(), {{"labels", "y"}}); });
  CHECK(error.category == Category::kData);
  CHECK(error.rule == "there must be one label a sample, 2 in all");
  CHECK(error.received == "3 labels");
}

TEST_CASE("a bad IDX magic number or type code is refused", "[data]") {
  CHECK(idx_error("PNG and more").received == "another magic number");
  CHECK(idx_error("").received == "another magic number");
  CHECK(idx_error(idx_bytes(7, {1}, "1")).received == "the unknown type code 7");
  CHECK(idx_error(idx_bytes(8, {}, "1")).received == "a header that ends early");
}

TEST_CASE("a truncated IDX file says what is missing", "[data]") {
  const auto bytes = two_images();
  const auto error = idx_error(bytes.substr(0, bytes.size() - 1));
  CHECK(error.category == Category::kData);
  CHECK(error.rule == "the file must be a whole IDX array");
  CHECK(error.received == "5 bytes of data where shape 2x1x3 needs 6");
  CHECK(idx_error(bytes + "x").received == "more bytes of data where shape 2x1x3 needs 6");
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK(idx_error(bytes.substr(0, size)).category == Category::kData);
}

TEST_CASE("a truncated or damaged gzip stream is refused", "[data]") {
  const auto bytes = gzip_bytes(two_images());
  for (size_t size = 0; size < bytes.size(); ++size)
    CHECK(idx_error(bytes.substr(0, size)).category == Category::kData);
  CHECK(idx_error(bytes.substr(0, bytes.size() - 1)).rule ==
        "the file must be a whole gzip stream");
  auto changed = bytes;
  changed[changed.size() - 6] = static_cast<char>(changed[changed.size() - 6] ^ 1);
  CHECK(idx_error(changed).received == "incorrect data check");
}

TEST_CASE("a gzip stream of several members is one array", "[data]") {
  const TemporaryFolder folder;
  const auto bytes = two_images();
  const auto data =
      open_idx_bytes(folder, gzip_bytes(bytes.substr(0, 9)) + gzip_bytes(bytes.substr(9)));
  CHECK(values_of(*data)[2] == 1.0F);
}

TEST_CASE("a gzip bomb is inflated no further than its header announces", "[data]") {
  // 64 MiB of zeros behind a header that announces six bytes.
  const auto bytes = gzip_bytes(idx_bytes(8, {2, 1, 3}, std::string(size_t{64} << 20U, '\0')));
  CHECK(idx_error(bytes).received == "more bytes of data where shape 2x1x3 needs 6");
}

TEST_CASE("IDX dimensions that overflow are refused", "[data]") {
  const auto error = idx_error(idx_bytes(14, {0xFFFFFFFFU, 0xFFFFFFFFU, 0xFFFFFFFFU}, "1"));
  CHECK(error.rule == "the dimensions must describe an array that fits memory");
}

TEST_CASE("an IDX file without samples is refused", "[data]") {
  CHECK(idx_error(idx_bytes(8, {0, 2, 2}, "")).rule == "a data set must hold at least one sample");
}

TEST_CASE("the packaged Fashion-MNIST is read", "[data]") {
  const std::filesystem::path packaged = "/usr/share/datasets/fashion-mnist";
  if (!std::filesystem::exists(packaged)) {
    note_not_run("needs the package dataset-fashion-mnist");
    return;
  }
  const auto data = open_dataset(fixture("fashion_mnist_test.json"));
  CHECK(data->size() == 10000);
  CHECK(data->class_count() == 10);
  const std::vector<int64_t> first = {0, 1, 2};
  // Ankle boot, pullover, trouser.
  CHECK(data->read(first).labels == std::vector<int64_t>{9, 2, 1});
}
