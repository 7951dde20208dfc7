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

/// No picture that can be decoded comes near; what claims more is hostile.
constexpr uint64_t kLargestImageFile = uint64_t{1} << 30U;

/// Links are followed, so that a class can be a link; this ends circles of them.
constexpr int kDeepest = 16;

bool is_image_name(const std::string& name) {
  constexpr std::array<std::string_view, 3> kEndings = {".jpg", ".jpeg", ".png"};
  std::string ending = name.substr(std::min(name.size(), name.rfind('.')));
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

/// Also what macOS adds to the ZIP files that it makes.
bool is_hidden(const std::string& name) {
  return name.starts_with('.') || name.find("/.") != std::string::npos ||
         name.starts_with("__MACOSX/");
}

void check_depth(int depth, const std::filesystem::path& path) {
  if (depth <= kDeepest) return;
  throw_error(Category::kData, path.string(),
              "folders of images must be nested at most " + std::to_string(kDeepest) + " deep",
              std::to_string(depth), "remove symbolic links that lead back to a parent folder");
}

ImageList list_folder(const std::filesystem::path& folder) {
  ImageList list;
  std::error_code failure;
  auto entry = std::filesystem::recursive_directory_iterator(
      folder, std::filesystem::directory_options::follow_directory_symlink, failure);
  for (; !failure && entry != std::filesystem::recursive_directory_iterator();
       entry.increment(failure)) {
    const std::string name = entry->path().lexically_relative(folder).generic_string();
    check_depth(entry.depth(), entry->path());
    if (is_hidden(name)) {
      entry.disable_recursion_pending();
    } else if (entry->is_directory(failure)) {
      list.folders.push_back(name);
    } else if (is_image_name(name) && entry->is_regular_file(failure)) {
      list.names.push_back(name);
    }
  }
  if (failure) {
    throw_error(Category::kIo, folder.string(), "the folder must be readable", failure.message(),
                "check the permissions of the folder and its subfolders");
  }
  std::sort(list.names.begin(), list.names.end());
  std::sort(list.folders.begin(), list.folders.end());
  for (const std::string& name : list.names) list.files.push_back({name, folder / name});
  list.read = [files = list.files](size_t index) { return read_file(files.at(index).path); };
  return list;
}

ImageList list_zip(const std::filesystem::path& path) {
  const auto archive = std::make_shared<const ZipArchive>(path);
  const auto& names = archive->names();
  ImageList list;
  std::vector<size_t> members;
  for (size_t i = 0; i < names.size(); ++i) {
    if (is_hidden(names[i])) continue;
    if (names[i].ends_with('/')) list.folders.push_back(names[i].substr(0, names[i].size() - 1));
    if (is_image_name(names[i])) members.push_back(i);
  }
  std::sort(list.folders.begin(), list.folders.end());
  std::sort(members.begin(), members.end(),
            [&](size_t a, size_t b) { return names[a] < names[b]; });
  for (const size_t member : members) list.names.push_back(names[member]);
  list.files.push_back({"path", path});
  list.read = [archive, members](size_t index) {
    return archive->read(members.at(index), kLargestImageFile);
  };
  return list;
}

}  // namespace

ImageList list_images(const std::filesystem::path& path) {
  std::error_code failure;
  if (std::filesystem::is_directory(path, failure)) return list_folder(path);
  return list_zip(path);
}

std::string last_folder(const std::string& name) {
  const size_t end = name.rfind('/');
  if (end == std::string::npos) return {};
  const size_t start = name.substr(0, end).rfind('/');
  return start == std::string::npos ? name.substr(0, end) : name.substr(start + 1, end - start - 1);
}

}  // namespace limbeck
