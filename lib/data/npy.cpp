#include "lib/base/file.h"
#include "lib/data/array_dataset.h"
#include "lib/data/kinds.h"
#include "lib/data/npy_array.h"

namespace limbeck {
namespace {

Tensor map_npy(const std::filesystem::path& path) {
  const auto mapping = MappedFile::open(path);
  return parse_npy(mapping->bytes(), mapping, path.string());
}

}  // namespace

std::unique_ptr<Dataset> open_npy(const Description& description) {
  const auto path = description.file("path");
  DatasetParts parts;
  parts.place = path.string();
  parts.description = description.json;
  parts.input_names = {description.input()};
  parts.files.push_back({"path", path});
  Column column = plain_column(map_npy(path), parts.place);
  parts.size = column.values.dim(0);
  if (description.has("labels")) {
    const auto file = description.file("labels");
    parts.labels =
        labels_from_values(labels_from_array(map_npy(file), file.string()), file.string());
    parts.files.push_back({"labels", file});
  }
  return std::make_unique<ArrayDataset>(std::move(parts), std::vector<Column>{std::move(column)});
}

}  // namespace limbeck
