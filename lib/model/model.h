// An ONNX model: one graph plus the envelope (opsets, functions, metadata) that limbeck hands
// through.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/model/graph.h"

namespace limbeck {

/// How save_model stores weights.
struct SaveOptions {
  /// Weights go to one file `<name>.data` beside the model when the model would exceed this many
  /// bytes (protobuf's own limit is 2^31 - 1).
  int64_t external_data_threshold = int64_t{1} << 30;
};

/// Move-only. Const access is thread-safe.
struct Model {
  Graph graph;
  /// Everything of the ModelProto but the graph, unknown fields included.
  onnx::ModelProto envelope;
  /// Where the model was loaded from; empty for models built in memory.
  std::filesystem::path path;

  /// Opset of a domain ("" is ai.onnx); 0 when the model does not import it.
  int64_t opset(const std::string& domain = "") const;
  /// Imports a domain or changes its version.
  void set_opset(const std::string& domain, int64_t version);
};

/// Reads and checks a model. The file is untrusted: sizes, dimension products, names, cycles and
/// external-data paths are checked before use. External data is mapped, not copied. Opset 7 and
/// later of the default domain. Raises kIo (unreadable), kInvalidModel (with the node or tensor
/// named), kUnsupported (opset below 7).
Model load_model(const std::filesystem::path& path);

/// Same from bytes in memory; `folder` is where external data would lie.
Model parse_model(const std::string& bytes, const std::filesystem::path& folder);

/// Writes the model whole or not at all, deterministic bytes. Raises kIo.
void save_model(const Model& model, const std::filesystem::path& path,
                const SaveOptions& options = {});

/// A deep copy whose weights share their bytes with the original.
Model copy_model(const Model& model);

/// ONNX TensorProto to Tensor (raw_data or typed fields); string tensors raise kUnsupported.
/// `folder` for external data.
Tensor tensor_from_proto(const onnx::TensorProto& proto, const std::filesystem::path& folder,
                         const std::string& place);
/// Tensor to TensorProto with raw_data.
onnx::TensorProto tensor_to_proto(const Tensor& tensor, const std::string& name);

}  // namespace limbeck
