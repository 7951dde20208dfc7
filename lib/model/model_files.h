// All of a model on disk: the ONNX file and the files that hold its external data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace limbeck {

struct ModelFiles {
  /// External data, relative to the model's folder, sorted, each once.
  std::vector<std::string> external;
  /// The SHA-256 of the ONNX file; with external data that of the text "HASH\n" followed by
  /// "NAME HASH\n" for each file of it, so that other weights make another model.
  std::string hash;
  int64_t bytes = 0;  ///< of all files
};

/// Reads `path` and hashes everything. The file must be one that load_model accepts: names of
/// external files are not checked again. Raises kIo and kInvalidModel.
ModelFiles model_files(const std::filesystem::path& path);

/// The files of a model's external data, as paths. Raises as model_files does.
std::vector<std::filesystem::path> external_files(const std::filesystem::path& path);

/// ModelFiles::bytes without reading what the files hold. Raises as model_files does.
int64_t model_bytes(const std::filesystem::path& path);

}  // namespace limbeck
