#include "lib/model/model_files.h"

#include <set>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/model/proto_walk.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> external_names(const fs::path& path) {
  onnx::ModelProto model;
  const auto file = MappedFile::open(path);
  if (!model.ParseFromArray(file->bytes().data(), static_cast<int>(file->bytes().size()))) {
    throw_error(Category::kInvalidModel, path.string(), "the file must be an ONNX protobuf",
                "bytes that do not parse", "export the model again");
  }
  std::set<std::string> names;
  const TensorVisit note = [&](onnx::TensorProto& tensor, const std::string&) {
    for (const auto& entry : tensor.external_data())
      if (entry.key() == "location") names.insert(entry.value());
  };
  for_each_external(model.mutable_graph(), note);
  for (auto& function : *model.mutable_functions())
    for (auto& node : *function.mutable_node()) for_each_external(&node, note);
  return {names.begin(), names.end()};
}

int64_t total_bytes(const fs::path& path, const std::vector<std::string>& external) {
  auto bytes = static_cast<int64_t>(fs::file_size(path));
  for (const std::string& name : external)
    bytes += static_cast<int64_t>(fs::file_size(path.parent_path() / name));
  return bytes;
}

}  // namespace

ModelFiles model_files(const fs::path& path) {
  ModelFiles files{external_names(path), sha256_file(path), 0};
  files.bytes = total_bytes(path, files.external);
  if (files.external.empty()) return files;
  std::string text = files.hash + "\n";
  for (const std::string& name : files.external)
    text += name + " " + sha256_file(path.parent_path() / name) + "\n";
  files.hash = sha256(text);
  return files;
}

std::vector<fs::path> external_files(const fs::path& path) {
  std::vector<fs::path> files;
  for (const std::string& name : external_names(path)) files.push_back(path.parent_path() / name);
  return files;
}

int64_t model_bytes(const fs::path& path) { return total_bytes(path, external_names(path)); }

}  // namespace limbeck
