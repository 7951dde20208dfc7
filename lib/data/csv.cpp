#include <algorithm>
#include <charconv>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/data/class_names.h"
#include "lib/data/csv_rows.h"
#include "lib/data/image_dataset.h"
#include "lib/data/kinds.h"

namespace limbeck {
namespace {

std::string row_place(const std::string& place, const CsvRow& row) {
  return place + ", line " + std::to_string(row.line);
}

void check_fields(const CsvRow& row, const std::string& place) {
  if (row.fields.size() == 2 && !row.fields[0].empty()) return;
  throw_error(Category::kData, row_place(place, row), "each line must hold 'path,label'",
              std::to_string(row.fields.size()) + " fields", "correct the line");
}

/// A CSV file may come from anywhere; it must not make limbeck read files outside of its folder.
void check_inside(const CsvRow& row, const std::string& place) {
  const std::filesystem::path path = row.fields[0];
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (!climbs && path.is_relative()) return;
  throw_error(Category::kData, row_place(place, row),
              "a path must be relative to the CSV file and must not contain '..'",
              "'" + row.fields[0] + "'", "move the CSV file above the images");
}

/// A class name when there is a class list and it is in it, else a number.
int64_t row_label(const CsvRow& row, const ClassNames& classes, const std::string& place) {
  const std::string& text = row.fields[1];
  const auto found = classes.find(text);
  if (found != classes.end()) return found->second;
  int64_t label = -1;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, label);
  const bool number = parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
  const bool known = classes.empty() || label < static_cast<int64_t>(classes.size());
  if (!number || label < 0 || !known) {
    throw_error(Category::kData, row_place(place, row) + " '" + row.fields[0] + "'",
                classes.empty() ? "a label must be a class index from 0 on"
                                : "a label must be a name or line number of 'classes'",
                "'" + text + "'",
                classes.empty() ? "correct the label, or name the class list as 'classes'"
                                : "correct the label or the class list");
  }
  return label;
}

std::vector<CsvRow> read_rows(const std::filesystem::path& path) {
  const std::string place = path.string();
  std::vector<CsvRow> rows = parse_csv(read_file(path), place);
  const std::vector<std::string> header = {"path", "label"};
  if (!rows.empty() && rows.front().fields == header) rows.erase(rows.begin());
  for (const CsvRow& row : rows) {
    check_fields(row, place);
    check_inside(row, place);
  }
  return rows;
}

ImageList csv_images(const std::vector<CsvRow>& rows, const std::filesystem::path& folder) {
  ImageList images;
  for (const CsvRow& row : rows) {
    images.names.push_back(row.fields[0]);
    images.files.push_back({row.fields[0], folder / row.fields[0]});
  }
  images.read = [files = images.files](size_t index) { return read_file(files.at(index).path); };
  return images;
}

Labels csv_labels(const std::vector<CsvRow>& rows, const ClassNames& classes,
                  const std::string& place) {
  std::vector<int64_t> values;
  values.reserve(rows.size());
  for (const CsvRow& row : rows) values.push_back(row_label(row, classes, place));
  Labels labels = labels_from_values(std::move(values), place);
  if (!classes.empty()) labels.class_count = static_cast<int64_t>(classes.size());
  return labels;
}

void check_images_exist(const std::vector<CsvRow>& rows, const ImageList& images,
                        const std::string& place) {
  std::error_code failure;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (std::filesystem::is_regular_file(images.files[i].path, failure)) continue;
    throw_error(Category::kIo, row_place(place, rows[i]),
                "an image must exist at its path relative to the CSV file",
                "'" + rows[i].fields[0] + "'", "correct the path");
  }
}

}  // namespace

std::unique_ptr<Dataset> open_csv(const Description& description) {
  const auto path = description.file("path");
  const std::vector<CsvRow> rows = read_rows(path);
  ClassNames classes;
  if (description.has("classes")) classes = read_class_names(description.file("classes"));
  ImageList images = csv_images(rows, path.parent_path());
  DatasetParts parts;
  parts.place = path.string();
  parts.size = static_cast<int64_t>(rows.size());
  parts.description = description.json;
  parts.input_names = {description.input()};
  if (!description.has("labels")) parts.labels = csv_labels(rows, classes, parts.place);
  check_images_exist(rows, images, parts.place);
  parts.files = images.files;
  parts.files.push_back({"path", path});
  if (description.has("classes")) parts.files.push_back({"classes", description.file("classes")});
  return std::make_unique<ImageDataset>(std::move(parts), std::move(images),
                                        ImagePreparation(description.json, description.place));
}

}  // namespace limbeck
