#include <catch2/catch_test_macros.hpp>

#include "lib/data/csv_rows.h"
#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;

namespace {

const nlohmann::json kDescription = {{"version", 1}, {"kind", "csv"}, {"path", "list/x.csv"}};

/// Images a.png (red 1) and "b, c.png" (red 2) beside the CSV file.
void write_images(const TemporaryFolder& folder) {
  write_file(folder / "list/a.png", flat_png(1, 1, 1, 0, 0));
  write_file(folder / "list/sub/b, \"c\".png", flat_png(1, 1, 2, 0, 0));
}

std::unique_ptr<Dataset> open_csv_text(const TemporaryFolder& folder, const std::string& text,
                                       const nlohmann::json& fields = nlohmann::json::object()) {
  write_images(folder);
  write_file(folder / "list/x.csv", text);
  auto description = kDescription;
  description.update(fields);
  return open_described(folder.path(), description);
}

ErrorInfo csv_error(const std::string& text,
                    const nlohmann::json& fields = nlohmann::json::object()) {
  const TemporaryFolder folder;
  return error_of([&] { open_csv_text(folder, text, fields); });
}

}  // namespace

TEST_CASE("rows give images beside the CSV file and their labels", "[data]") {
  const TemporaryFolder folder;
  for (const std::string text :
       {"path,label\na.png,3\n\"sub/b, \"\"c\"\".png\",0\n",
        "a.png,3\r\n\r\n\"sub/b, \"\"c\"\".png\",\"0\"\r\n",
        "\xEF\xBB\xBFpath,label\r\na.png,3\r\n\"sub/b, \"\"c\"\".png\",0"}) {
    const auto data = open_csv_text(folder, text);
    CHECK(data->size() == 2);
    CHECK(data->class_count() == 4);
    const Batch batch = read_all(*data);
    CHECK(batch.labels == std::vector<int64_t>{3, 0});
    const auto values = batch.inputs[0].to_float();
    CHECK(values[0] == 1 / 255.0F);
    CHECK(values[3] == 2 / 255.0F);
  }
}

TEST_CASE("labels may be names or indices of the class list", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "names.txt", "cat\ndog\nbird\n");
  const auto data = open_csv_text(folder, "a.png,dog\na.png,2\n", {{"classes", "names.txt"}});
  CHECK(read_all(*data).labels == std::vector<int64_t>{1, 2});
  CHECK(data->class_count() == 3);
}

TEST_CASE("labels that are no class are named with their line", "[data]") {
  const auto word = csv_error("a.png,0\na.png,dog\n");
  CHECK(word.category == Category::kData);
  CHECK(word.place.ends_with("x.csv, line 2 'a.png'"));
  CHECK(word.rule == "a label must be a class index from 0 on");
  CHECK(word.received == "'dog'");
  CHECK(csv_error("a.png,-1\n").received == "'-1'");
  CHECK(csv_error("a.png,1.5\n").received == "'1.5'");
  CHECK(csv_error("a.png,\n").received == "''");
  CHECK(csv_error("a.png,99999999999999999999\n").rule ==
        "a label must be a class index from 0 on");
  const TemporaryFolder folder;
  write_file(folder / "names.txt", "cat\n");
  CHECK(error_of([&] {
          open_csv_text(folder, "a.png,1\n", {{"classes", "names.txt"}});
        }).rule == "a label must be a name or line number of 'classes'");
}

TEST_CASE("a missing image is an input/output error with its line", "[data]") {
  const auto error = csv_error("path,label\na.png,0\nnone.png,1\n");
  CHECK(error.category == Category::kIo);
  CHECK(error.place.ends_with("x.csv, line 3"));
  CHECK(error.rule == "an image must exist at its path relative to the CSV file");
  CHECK(error.received == "'none.png'");
  CHECK(csv_error("sub,1\n").received == "'sub'");
}

TEST_CASE("paths that leave the folder of the CSV file are refused", "[data]") {
  for (const std::string path :
       {"../a.png", "sub/../../a.png", "sub/../a.png", "..", "/etc/passwd"}) {
    const auto error = csv_error("a.png,0\n" + path + ",0\n");
    CHECK(error.category == Category::kData);
    CHECK(error.place.ends_with("x.csv, line 2"));
    CHECK(error.rule == "a path must be relative to the CSV file and must not contain '..'");
    CHECK(error.received == "'" + path + "'");
  }
}

TEST_CASE("dots inside of names are no way out", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "list/..a..png", flat_png(1, 1, 9, 0, 0));
  CHECK(values_of(*open_csv_text(folder, "./..a..png,0\n"))[0] == 9 / 255.0F);
}

TEST_CASE("rows with other than two fields are refused", "[data]") {
  CHECK(csv_error("a.png\n").received == "1 fields");
  CHECK(csv_error("a.png,1,2\n").received == "3 fields");
  CHECK(csv_error(",1\n").rule == "each line must hold 'path,label'");
}

TEST_CASE("quotes that do not close are refused with their line", "[data]") {
  const auto open = csv_error("a.png,0\n\"a.png,0\n");
  CHECK(open.rule == "fields must be separated by commas, and quotes closed");
  CHECK(open.received == "a quote without end");
  CHECK(csv_error("\"a.png\" x,0\n").received == "text after a closing quote");
}

TEST_CASE("a CSV file without rows is refused", "[data]") {
  for (const std::string text : {"", "\n\n", "path,label\n"})
    CHECK(csv_error(text).rule == "a data set must hold at least one sample");
}

TEST_CASE("quoted fields may hold line breaks, and lines are still counted", "[data]") {
  const auto rows = parse_csv("\"a\nb\",1\nc,2", "x.csv");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].fields == std::vector<std::string>{"a\nb", "1"});
  CHECK(rows[1].line == 3);
}
