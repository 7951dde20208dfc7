#include "lib/data/image_list.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <numeric>
#include <string_view>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/data/zip_archive.h"

namespace limbeck {
namespace {

bool is_image_name(const std::string& name) {
  constexpr std::array<std::string_view, 3> kEndings = {".jpg", ".jpeg", ".png"};
  std::string ending = std::filesystem::path(name).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

bool is_hidden(const std::string& name) {
  return name.starts_with('.') || name.find("/.") != std::string::npos;
}

bool is_wanted(const std::string& name) { return is_image_name(name) && !is_hidden(name); }

ImageList list_folder(const std::filesystem::path& folder) {
  ImageList list;
  std::error_code failure;
  auto entry = std::filesystem::recursive_directory_iterator(folder, failure);
  for (; !failure && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(failure)) {
    const std::string name = entry->path().lexically_relative(folder).generic_string();
    if (is_wanted(name) && entry->is_regular_file(failure)) list.names.push_back(name);
  }
  if (failure) {
    throw_error(Category::kIo, folder.string(), "the folder must be readable", failure.message(),
                "check the permissions of the folder and its subfolders");
  }
  std::sort(list.names.begin(), list.names.end());
  for (const std::string& name : list.names) list.files.push_back({name, folder / name});
  list.read = [files = list.files](size_t index) { return read_file(files.at(index).path); };
  return list;
}

ImageList list_zip(const std::filesystem::path& path, const std::string& name) {
  const auto archive = std::make_shared<const ZipArchive>(path);
  std::vector<size_t> members;
  for (size_t i = 0; i < archive->names().size(); ++i) {
    if (is_wanted(archive->names()[i])) members.push_back(i);
  }
  std::sort(members.begin(), members.end(),
            [&](size_t a, size_t b) { return archive->names()[a] < archive->names()[b]; });
  ImageList list;
  for (const size_t member : members) list.names.push_back(archive->names()[member]);
  list.files.push_back({name, path});
  list.read = [archive, members](size_t index) { return archive->read(members.at(index)); };
  return list;
}

}  // namespace

ImageList list_images(const std::filesystem::path& path, const std::string& name) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return list_folder(path);
  return list_zip(path, name);
}

std::string last_folder(const std::string& name) {
  return std::filesystem::path(name).parent_path().filename().string();
}

}  // namespace limbeck
