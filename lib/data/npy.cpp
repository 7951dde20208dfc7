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
  return open_array(description, map_npy, plain_column);
}

}  // namespace limbeck
