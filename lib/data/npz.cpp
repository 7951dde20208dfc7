#include <unistd.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/format.h"
#include "lib/data/array_dataset.h"
#include "lib/data/kinds.h"
#include "lib/data/npy_array.h"
#include "lib/data/zip_archive.h"

namespace limbeck {
namespace {

/// Pairs of model input and array name.
using Mapping = std::vector<std::pair<std::string, std::string>>;

std::string array_name(const std::string& member) {
  return member.ends_with(".npy") ? member.substr(0, member.size() - 4) : member;
}

/// Arrays of an archive are inflated as a whole; more than the machine holds cannot work.
uint64_t physical_memory() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

/// An .npz file whose arrays are read by name.
class NpzFile {
 public:
  explicit NpzFile(const std::filesystem::path& path) : place_(path.string()), archive_(path) {
    for (const std::string& member : archive_.names()) names_.push_back(array_name(member));
  }

  const std::vector<std::string>& names() const { return names_; }
  std::string place(const std::string& name) const { return place_ + ", array '" + name + "'"; }

  Tensor read(const std::string& name) const {
    const auto found = std::find(names_.begin(), names_.end(), name);
    if (found == names_.end()) {
      throw_error(Category::kData, place_, "the array '" + name + "' must exist",
                  "the arrays " + joined_names(names_), "correct the names in the description");
    }
    const auto index = static_cast<size_t>(found - names_.begin());
    const auto bytes = std::make_shared<const std::string>(archive_.read(index, physical_memory()));
    return parse_npy(std::as_bytes(std::span(*bytes)), bytes, place(name));
  }

 private:
  std::string place_;
  ZipArchive archive_;
  std::vector<std::string> names_;
};

Mapping input_mapping(const Description& description, const NpzFile& file) {
  Mapping mapping;
  const auto inputs = description.json.value("inputs", nlohmann::json());
  if (inputs.is_object()) {
    for (const auto& [input, array] : inputs.items())
      mapping.emplace_back(input, array.get<std::string>());
  } else if (inputs.is_array()) {
    for (const auto& name : inputs) mapping.emplace_back(name, name);
  } else {
    for (const std::string& name : file.names()) {
      if (name != description.text("label")) mapping.emplace_back(name, name);
    }
  }
  if (description.has("input") && mapping.size() != 1) {
    throw_error(Category::kData, description.place,
                "'input' renames the input of a data set with one array",
                std::to_string(mapping.size()) + " arrays",
                "use 'inputs': {model input: array name} instead");
  }
  if (description.has("input")) mapping.front().first = description.input();
  return mapping;
}

}  // namespace

std::unique_ptr<Dataset> open_npz(const Description& description) {
  const auto path = description.file("path");
  const NpzFile file(path);
  DatasetParts parts;
  parts.place = path.string();
  parts.description = description.json;
  parts.files.push_back({"path", path});
  std::vector<Column> columns;
  for (const auto& [input, array] : input_mapping(description, file)) {
    parts.input_names.push_back(input);
    columns.push_back(plain_column(file.read(array), file.place(array)));
  }
  parts.size = columns.empty() ? 0 : columns.front().values.dim(0);
  if (description.has("label")) {
    const std::string name = description.text("label");
    parts.labels =
        labels_from_values(labels_from_array(file.read(name), file.place(name)), file.place(name));
  }
  return std::make_unique<ArrayDataset>(std::move(parts), std::move(columns));
}

}  // namespace limbeck
