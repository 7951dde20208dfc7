#include "lib/data/data_hash.h"

#include <utility>

#include "lib/base/file.h"
#include "lib/data/described_files.h"

namespace limbeck {

DataHash::DataHash(nlohmann::json description, std::vector<NamedFile> files)
    : files_(std::move(files)) {
  for (const char* field : kPathFields) description.erase(field);
  description_ = description.dump();
}

std::string DataHash::get() const {
  std::call_once(once_, [this] { value_ = compute(); });
  return value_;
}

std::string DataHash::compute() const {
  std::string manifest = description_ + "\n";
  for (const NamedFile& file : files_) {
    const std::string hash = sha256_file(file.path);  // raises where the file has vanished
    manifest += file.name + '\0' + std::to_string(std::filesystem::file_size(file.path)) + '\0' +
                hash + '\n';
  }
  return sha256(manifest);
}

}  // namespace limbeck
