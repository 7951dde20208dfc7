// Tensors whose bytes lie in files beside the model. Internal to lib/model.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "lib/base/file.h"
#include "lib/model/tensor.h"

namespace limbeck {

/// Maps each data file once, however many tensors lie in it. The files are untrusted like the model
/// is.
class ExternalData {
 public:
  /// Files must lie in `folder` or below it, symbolic links included.
  explicit ExternalData(const std::filesystem::path& folder);
  const std::filesystem::path& folder() const { return folder_; }
  /// A view of the mapping. Raises kInvalidModel or kIo, naming `place`.
  Tensor read(const onnx::TensorProto& proto, const std::string& place);

 private:
  std::shared_ptr<const MappedFile> map(const std::string& file, const std::string& place);
  std::filesystem::path folder_;
  std::map<std::string, std::shared_ptr<const MappedFile>> files_;
};

/// As tensor_from_proto, but takes the bytes out of the proto instead of copying them.
Tensor take_tensor(onnx::TensorProto* proto, ExternalData* external, const std::string& place);

}  // namespace limbeck
