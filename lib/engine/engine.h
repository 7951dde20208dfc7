// Executes a Model on the CPU.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/model/model.h"
#include "lib/model/tensor.h"

namespace limbeck {

struct EngineOptions {
  /// Threads inside one run(). 1 gives results that do not depend on the machine's number of cores;
  /// callers that stream many batches parallelise over batches instead (lib/engine/stream.h).
  int threads = 1;
  /// Fuse Conv+BatchNorm+activation+residual and run QDQ patterns as integer kernels. false: one
  /// kernel a node.
  bool fuse = true;
  /// Names of values to return beside the graph outputs. A tapped value is never fused away.
  std::vector<std::string> taps;
  /// Names of values that watch() hands over. Never fused away; their memory is not held longer
  /// than without watching.
  std::vector<std::string> watched;
};

/// Receives the value of EngineOptions::watched[index]. Rows of the first axis are in order and
/// whole; the elements of one row are row-major, or pixel by pixel where `channels_last` says so.
using WatchFunction = std::function<void(size_t index, const Tensor& value, bool channels_last)>;

/// A compiled model. run() is const and thread-safe: weights are packed once and shared,
/// activations belong to the call.
class Engine {
 public:
  /// Raises kUnsupported naming the first operator without a kernel, kUsage for an unknown tap.
  static std::shared_ptr<const Engine> compile(const Model& model,
                                               const EngineOptions& options = {});
  virtual ~Engine() = default;

  /// Inputs in the order of input_names(); any batch size that the model allows. Returns row-major
  /// tensors in the order of output_names(): graph outputs, then taps. Raises kData for wrong types
  /// or shapes, naming the input.
  virtual std::vector<Tensor> run(const std::vector<Tensor>& inputs) const = 0;
  /// Computes as run() does, and calls `on_value` for every watched value right after it was
  /// computed, in the order of computation, so that all of them need not exist at once.
  virtual void watch(const std::vector<Tensor>& inputs, const WatchFunction& on_value) const = 0;
  virtual const std::vector<std::string>& input_names() const = 0;
  virtual const std::vector<std::string>& output_names() const = 0;
  /// Share in [0, 1] of the multiply-accumulates that run as integer kernels (per-sample MACs of
  /// nodes with known shapes).
  virtual double integer_mac_share() const = 0;
  /// The most bytes of activations and scratch memory that all runs so far held at once.
  virtual size_t peak_activation_bytes() const = 0;
};

}  // namespace limbeck
