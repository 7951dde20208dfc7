#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "tests/support/data_files.h"

using namespace limbeck;
using namespace limbeck::test;
namespace fs = std::filesystem;

namespace {

const nlohmann::json kFolder = {{"version", 1}, {"kind", "images"}, {"path", "x"}};
const nlohmann::json kArchive = {{"version", 1}, {"kind", "images"}, {"path", "x.zip"}};

/// Names and files of three classes; the red value tells them apart.
Members three_classes() {
  return {{"cat/2.png", flat_png(1, 1, 20, 0, 0)},
          {"ant/1.PNG", flat_png(1, 1, 10, 0, 0)},
          {"cat/1.jpeg", jpeg_bytes(8, 8, 1, std::string(64, '\x80'))},
          {"bee/deep/ignored.txt", "text"},
          {"bee/1.png", flat_png(1, 1, 15, 0, 0)},
          {"bee/.hidden.png", "hidden"},
          {"__MACOSX/._1.png", "resource fork"},
          {"__MACOSX/zoo/1.png", "resource fork"},
          {"__MACOSX/empty/", ""},
          {".git/1.png", "hidden folder"}};
}

void write_folder(const TemporaryFolder& folder, const Members& members) {
  for (const auto& [name, content] : members) write_file(folder / ("x/" + name), content);
}

std::vector<int64_t> labels_of(const Dataset& data) {
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < data.size(); ++i)
    labels.push_back(data.read(std::span(&i, 1)).labels.at(0));
  return labels;
}

nlohmann::json with(nlohmann::json description, const nlohmann::json& fields) {
  description.update(fields);
  return description;
}

}  // namespace

TEST_CASE("the folders of a zip file are classes in alphabetical order", "[data]") {
  const bool deflate = GENERATE(false, true);
  const TemporaryFolder folder;
  write_zip(folder / "x.zip", three_classes(), deflate);
  const auto data = open_described(folder.path(), kArchive);
  // ant/1, bee/1, cat/1, cat/2
  CHECK(data->size() == 4);
  CHECK(data->class_count() == 3);
  CHECK(data->numbered_folders() == 3);
  CHECK(labels_of(*data) == std::vector<int64_t>{0, 1, 2, 2});
  const int64_t last = 3;
  CHECK(data->read(std::span(&last, 1)).inputs[0].to_float()[0] == 20 / 255.0F);
}

TEST_CASE("a folder gives the same samples as a zip file of it", "[data]") {
  const TemporaryFolder folder;
  auto members = three_classes();
  std::erase_if(members, [](const auto& member) {
    return member.first.starts_with("__MACOSX") || member.first.ends_with(".txt");
  });
  write_folder(folder, members);
  write_zip(folder / "x.zip", members);
  const auto files = open_described(folder.path(), kFolder);
  const auto archive = open_described(folder.path(), kArchive);
  REQUIRE(files->size() == archive->size());
  CHECK(labels_of(*files) == labels_of(*archive));
  for (int64_t i = 0; i < files->size(); ++i) {
    CHECK(files->read(std::span(&i, 1)).inputs[0].to_float() ==
          archive->read(std::span(&i, 1)).inputs[0].to_float());
  }
}

TEST_CASE("a class list gives the order of classes, also of those without images", "[data]") {
  const TemporaryFolder folder;
  write_zip(folder / "x.zip", three_classes());
  write_file(folder / "names.txt", "dog  a friend\ncat\r\nbee\nant tiny\n\n");
  const auto data = open_described(folder.path(), with(kArchive, {{"classes", "names.txt"}}));
  CHECK(data->class_count() == 4);
  CHECK(data->numbered_folders() == 0);
  CHECK(labels_of(*data) == std::vector<int64_t>{3, 2, 1, 1});
}

TEST_CASE("folders need not be classes", "[data]") {
  const TemporaryFolder folder;
  write_zip(folder / "x.zip", three_classes());
  const auto data = open_described(folder.path(), with(kArchive, {{"labels", false}}));
  CHECK(data->size() == 4);
  CHECK_FALSE(data->has_labels());
  for (const nlohmann::json& wrong : {nlohmann::json{{"labels", true}},
                                      nlohmann::json{{"labels", false}, {"classes", "x.txt"}}}) {
    const auto error = error_of([&] { open_described(folder.path(), with(kArchive, wrong)); });
    CHECK(error.category == Category::kData);
  }
}

TEST_CASE("images without folders have no labels", "[data]") {
  const TemporaryFolder folder;
  write_folder(folder, {{"b.png", flat_png(1, 1, 2, 0, 0)}, {"a.png", flat_png(1, 1, 1, 0, 0)}});
  const auto data = open_described(folder.path(), kFolder);
  CHECK_FALSE(data->has_labels());
  CHECK(data->class_count() == 0);
  CHECK(read_all(*data).labels.empty());
  CHECK(values_of(*data)[0] == 1 / 255.0F);
}

TEST_CASE("classes may be links to folders elsewhere", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "elsewhere/1.png", flat_png(1, 1, 1, 0, 0));
  write_file(folder / "x/a/1.png", flat_png(1, 1, 2, 0, 0));
  fs::create_directory_symlink(folder / "elsewhere", folder / "x/b");
  const auto data = open_described(folder.path(), kFolder);
  CHECK(labels_of(*data) == std::vector<int64_t>{0, 1});
}

TEST_CASE("a circle of links ends in an error", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "x/a/1.png", flat_png(1, 1, 2, 0, 0));
  fs::create_directory_symlink(folder / "x", folder / "x/a/again");
  const auto error = error_of([&] { open_described(folder.path(), kFolder); });
  CHECK(error.rule == "folders of images must be nested at most 16 deep");
}

TEST_CASE("a class folder without images is refused, because it would shift the others", "[data]") {
  const std::string rule = "without 'classes' every folder is a class and must hold images";
  const TemporaryFolder folder;
  write_folder(folder,
               {{"a/1.png", flat_png(1, 1, 1, 0, 0)}, {"c/1.png", flat_png(1, 1, 1, 0, 0)}});
  fs::create_directories(folder / "x/b");
  const auto error = error_of([&] { open_described(folder.path(), kFolder); });
  CHECK(error.category == Category::kData);
  CHECK(error.place == (folder / "x").string() + ", folder 'b'");
  CHECK(error.rule == rule);
  write_zip(folder / "x.zip", {{"b/", ""}, {"a/1.png", flat_png(1, 1, 1, 0, 0)}});
  CHECK(error_of([&] { open_described(folder.path(), kArchive); }).rule == rule);
  write_file(folder / "names.txt", "a\nb\nc\n");
  const auto listed = open_described(folder.path(), with(kFolder, {{"classes", "names.txt"}}));
  CHECK(labels_of(*listed) == std::vector<int64_t>{0, 2});
}

TEST_CASE("an image outside of the listed classes is named", "[data]") {
  const TemporaryFolder folder;
  write_folder(folder, {{"a/1.png", ""}, {"b/1.png", ""}});
  write_file(folder / "names.txt", "a\n");
  const auto listed = with(kFolder, {{"classes", "names.txt"}});
  const auto error = error_of([&] { open_described(folder.path(), listed); });
  CHECK(error.place == (folder / "x").string() + ", sample 1 'b/1.png'");
  CHECK(error.rule == "the folder of an image must be the name of its class");
  CHECK(error.received == "the folder 'b'");
  write_file(folder / "x/0.png", "");
  CHECK(error_of([&] { open_described(folder.path(), listed); }).received ==
        "an image outside of a folder");
}

TEST_CASE("class lists with gaps, repetitions or nothing are refused", "[data]") {
  const TemporaryFolder folder;
  write_folder(folder, {{"a/1.png", ""}});
  const auto received = [&](const std::string& list) {
    write_file(folder / "names.txt", list);
    const auto error = error_of([&] {
      open_described(folder.path(), with(kFolder, {{"classes", "names.txt"}}));
    });
    CHECK(error.rule == "each line must name one class, all different");
    return error.place.substr(error.place.rfind(',') + 2) + ": " + error.received;
  };
  CHECK(received("a\n\nb\n") == "line 2: an empty line");
  CHECK(received("a\nb\na again\n") == "line 3: 'a' again");
  CHECK(received("") == "line 1: an empty file");
  CHECK(received("\n\n") == "line 1: an empty file");
}

TEST_CASE("folders and archives without images are refused", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "x/readme.txt", "text");
  write_zip(folder / "x.zip", {{"readme.txt", "text"}});
  const std::string rule = "a data set must hold at least one sample";
  CHECK(error_of([&] { open_described(folder.path(), kFolder); }).rule == rule);
  CHECK(error_of([&] { open_described(folder.path(), kArchive); }).rule == rule);
}

TEST_CASE("a missing image path is an input/output error", "[data]") {
  const TemporaryFolder folder;
  CHECK(error_of([&] { open_described(folder.path(), kArchive); }).category == Category::kIo);
}

TEST_CASE("member names that point out of an archive are left alone", "[data]") {
  const TemporaryFolder folder;
  write_file(folder / "secret/1.png", flat_png(1, 1, 99, 0, 0));
  write_zip(folder / "z/x.zip", {{"a/1.png", flat_png(1, 1, 1, 0, 0)},
                                 {"../secret/1.png", flat_png(1, 1, 2, 0, 0)},
                                 {"a/../../secret/1.png", flat_png(1, 1, 3, 0, 0)}});
  const auto data = open_described(folder / "z", kArchive);
  CHECK(data->size() == 1);
  CHECK(values_of(*data)[0] == 1 / 255.0F);
}

TEST_CASE("a damaged image is named with its sample", "[data]") {
  const TemporaryFolder folder;
  const auto png = flat_png(4, 4, 1, 2, 3);
  write_folder(
      folder,
      {{"a/1.png", png}, {"a/2.png", png.substr(0, 40)}, {"a/3.jpg", "text"}, {"a/4.png", ""}});
  const auto data = open_described(folder.path(), kFolder);
  const auto error = [&](int64_t sample) {
    return error_of([&] { data->read(std::span(&sample, 1)); });
  };
  CHECK(error(1).category == Category::kData);
  CHECK(error(1).place == (folder / "x").string() + ", sample 1 'a/2.png'");
  CHECK(error(1).rule == "the image must be a whole PNG file");
  CHECK(error(2).rule == "an image must be a JPEG or PNG file");
  CHECK(error(3).received == "an empty file");
}

TEST_CASE("images of different sizes cannot share a batch", "[data]") {
  const TemporaryFolder folder;
  write_folder(folder,
               {{"a/1.png", flat_png(2, 1, 1, 2, 3)}, {"a/2.png", flat_png(1, 2, 1, 2, 3)}});
  const auto error = error_of([&] { read_all(*open_described(folder.path(), kFolder)); });
  CHECK(error.place == (folder / "x").string() + ", sample 1 'a/2.png'");
  CHECK(error.rule == "all images of a batch must have the same size, 1 by 2 (height by width)");
  CHECK(error.received == "2 by 1");
}

TEST_CASE("an image smaller than the crop is refused", "[data]") {
  const TemporaryFolder folder;
  write_folder(folder, {{"a/1.png", flat_png(3, 2, 1, 2, 3)}});
  const auto error = error_of([&] {
    read_all(*open_described(folder.path(), with(kFolder, {{"crop", {3, 3}}})));
  });
  CHECK(error.rule == "an image must be at least as large as the crop, 3 by 3 (height by width)");
  CHECK(error.received == "2 by 3");
}
