#include <algorithm>
#include <optional>
#include <set>

#include "lib/base/error.h"
#include "lib/data/class_names.h"
#include "lib/data/image_dataset.h"
#include "lib/data/kinds.h"

namespace limbeck {
namespace {

/// A class without images would shift the indices of all classes after it.
void check_no_empty_folder(const ImageList& images, const std::string& place) {
  for (const std::string& folder : images.folders) {
    const std::string prefix = folder + "/";
    const auto next = std::lower_bound(images.names.begin(), images.names.end(), prefix);
    if (next != images.names.end() && next->starts_with(prefix)) continue;
    throw_error(Category::kData, std::string(place).append(", folder '").append(folder).append("'"),
                "without 'classes' every folder is a class and must hold images", "no image in it",
                "remove the folder, or name the order of all classes with 'classes'");
  }
}

/// Without a class list the folders are the classes, in alphabetical order.
ClassNames classes_from_folders(const ImageList& images, const std::string& place) {
  check_no_empty_folder(images, place);
  std::set<std::string> folders;
  for (const std::string& name : images.names) folders.insert(last_folder(name));
  ClassNames classes;
  for (const std::string& folder : folders) {
    const auto index = static_cast<int64_t>(classes.size());
    classes.emplace(folder, index);
  }
  return classes;
}

Labels folder_labels(const std::vector<std::string>& names, const ClassNames& classes,
                     const std::string& place) {
  Labels labels;
  labels.class_count = static_cast<int64_t>(classes.size());
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string folder = last_folder(names[i]);
    const auto found = classes.find(folder);
    if (folder.empty() || found == classes.end()) {
      throw_error(Category::kData, place + ", sample " + std::to_string(i) + " '" + names[i] + "'",
                  "the folder of an image must be the name of its class",
                  folder.empty() ? "an image outside of a folder" : "the folder '" + folder + "'",
                  "move the image into a class folder, or correct 'classes'");
    }
    labels.values.push_back(found->second);
  }
  return labels;
}

std::optional<Labels> image_labels(const Description& description, const ImageList& images,
                                   const std::string& place) {
  if (description.has("labels")) return std::nullopt;  // false: the schema allows nothing else
  if (description.has("classes"))
    return folder_labels(images.names, read_class_names(description.file("classes")), place);
  const bool flat = std::all_of(images.names.begin(), images.names.end(),
                                [](const std::string& name) { return last_folder(name).empty(); });
  if (flat) return std::nullopt;
  const ClassNames classes = classes_from_folders(images, place);
  // One class would tell nothing: a folder of photos, not a class.
  if (classes.size() == 1) return std::nullopt;
  Labels labels = folder_labels(images.names, classes, place);
  labels.numbered_folders = true;
  return labels;
}

}  // namespace

std::unique_ptr<Dataset> open_images(const Description& description) {
  const auto path = description.file("path");
  ImageList images = list_images(path);
  DatasetParts parts;
  parts.place = path.string();
  parts.size = static_cast<int64_t>(images.names.size());
  parts.description = description.json;
  parts.input_names = {description.input()};
  parts.labels = image_labels(description, images, parts.place);
  parts.files = images.files;
  if (description.has("classes")) parts.files.push_back({"classes", description.file("classes")});
  return std::make_unique<ImageDataset>(std::move(parts), std::move(images),
                                        ImagePreparation(description.json, description.place));
}

}  // namespace limbeck
