#include "lib/model/external_data.h"

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "lib/base/error.h"

namespace limbeck {
namespace {

struct Location {
  std::string file;
  int64_t offset = 0;
  int64_t length = -1;  ///< absent: as long as the tensor
};

int64_t parse_size(const std::string& text, const std::string& place) {
  const bool digits =
      !text.empty() && text.size() < 19 &&
      std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) {
    throw_error(Category::kInvalidModel, place,
                "external data offset and length must be whole numbers", "'" + text + "'",
                "export the model again");
  }
  return std::stoll(text);
}

Location location_of(const onnx::TensorProto& proto, const std::string& place) {
  Location location;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") location.file = entry.value();
    if (entry.key() == "offset") location.offset = parse_size(entry.value(), place);
    if (entry.key() == "length") location.length = parse_size(entry.value(), place);
  }
  return location;
}

/// The resolved path must stay inside the model's folder, symbolic links included.
std::filesystem::path resolve_inside(const std::filesystem::path& folder, const std::string& file,
                                     const std::string& place) {
  const std::filesystem::path relative(file);
  const bool climbs =
      std::any_of(relative.begin(), relative.end(), [](const auto& part) { return part == ".."; });
  if (file.empty() || relative.is_absolute() || climbs || file.find('\0') != std::string::npos) {
    throw_error(Category::kInvalidModel, place,
                "external data must lie inside the model's folder, by a relative path",
                "'" + file + "'", "move the data file beside the model and export again");
  }
  std::error_code failure;
  const auto root = std::filesystem::canonical(folder, failure);
  const auto target = std::filesystem::canonical(root / relative, failure);
  if (failure) {
    throw_error(Category::kIo, place, "the external data file must exist beside the model",
                "'" + file + "'", "copy the data file into the model's folder");
  }
  const auto mismatch = std::mismatch(root.begin(), root.end(), target.begin(), target.end());
  if (mismatch.first != root.end()) {
    throw_error(Category::kInvalidModel, place, "external data must lie inside the model's folder",
                "'" + file + "', a link that leaves it", "replace the link by the file");
  }
  if (!std::filesystem::is_regular_file(target, failure)) {
    throw_error(Category::kInvalidModel, place, "external data must be a regular file",
                "'" + file + "'", "copy the data file into the model's folder");
  }
  return target;
}

}  // namespace

ExternalData::ExternalData(const std::filesystem::path& folder)
    : folder_(std::filesystem::absolute(folder.empty() ? "." : folder)) {}

std::shared_ptr<const MappedFile> ExternalData::map(const std::string& file,
                                                    const std::string& place) {
  auto& mapping = files_[file];
  if (mapping == nullptr) mapping = MappedFile::open(resolve_inside(folder_, file, place));
  return mapping;
}

Tensor ExternalData::read(const onnx::TensorProto& proto, const std::string& place) {
  const Dims dims(proto.dims().begin(), proto.dims().end());
  const auto type = static_cast<DataType>(proto.data_type());
  const Location location = location_of(proto, place);
  const auto needed =
      static_cast<int64_t>(storage_bytes(type, static_cast<size_t>(element_count(dims, place))));
  const int64_t length = location.length < 0 ? needed : location.length;
  const auto mapping = map(location.file, place);
  const auto size = static_cast<int64_t>(mapping->bytes().size());
  if (location.offset > size || length > size - location.offset) {
    throw_error(Category::kInvalidModel, place,
                "external data must lie inside its file of " + std::to_string(size) + " bytes",
                "offset " + std::to_string(location.offset) + ", length " + std::to_string(length),
                "copy the data file again; it is truncated");
  }
  const auto bytes =
      mapping->bytes().subspan(static_cast<size_t>(location.offset), static_cast<size_t>(length));
  return Tensor::view(type, dims, bytes, mapping, place);
}

}  // namespace limbeck
