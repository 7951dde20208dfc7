#include "lib/data/data_hash.h"

#include "lib/base/file.h"

namespace limbeck {

std::string DataHash::get() const {
  std::call_once(once_, [this] { value_ = compute(); });
  return value_;
}

std::string DataHash::compute() const {
  std::string manifest = description_ + "\n";
  for (const NamedFile& file : files_) {
    const auto mapping = MappedFile::open(file.path);
    manifest += file.name + '\0' + std::to_string(mapping->bytes().size()) + '\0' +
                sha256(mapping->bytes()) + '\n';
  }
  return sha256(manifest);
}

}  // namespace limbeck
