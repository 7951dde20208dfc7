// A model compiled for training: forward and backward passes over the ONNX graph itself.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/autodiff/step.h"
#include "lib/model/model.h"

namespace limbeck {

/// Which statistics BatchNormalization uses.
enum class BatchNormMode {
  kBatch,   ///< those of the shard (ghost batch normalization, Hoffer et al. 2017)
  kFrozen,  ///< the stored running statistics
};

struct TrainOptions {
  /// Globs over the names of constants; see lib/autodiff/parameters.h for what else must hold.
  std::vector<std::string> trainable = {"*"};
  BatchNormMode batch_norm = BatchNormMode::kBatch;
  /// Whether Dropout nodes drop.
  bool dropout = true;
  /// Convolutions on oneDNN and channels-last; false: the reference kernels of the operator table.
  bool fast = true;
  /// Of these convolutions.
  Precision precision = Precision::kFloat;
  /// Parts into which the tape is cut. Above one, a pass keeps only what crosses from part to part,
  /// and backward() runs each part forward once more (gradient checkpointing, Chen et al. 2016):
  /// the memory of one part and of the crossings for about one more forward pass. Gradients are the
  /// same bits. The square root of the number of nodes is the usual optimum.
  size_t segments = 1;
  /// Values that forward() returns beside the graph outputs. Their gradients may enter backward().
  std::vector<std::string> taps = {};
  /// Inputs or inner values whose gradients backward() returns beside those of the parameters.
  std::vector<std::string> gradients_of = {};
};

struct Parameter {
  std::string name;
  Tensor initial;  ///< as stored in the model
};

/// One BatchNormalization that runs on batch statistics.
struct BatchNormSite {
  std::string node;
  std::string mean;       ///< name of the stored running mean
  std::string variance;   ///< name of the stored running variance
  double momentum = 0.9;  ///< running = momentum * running + (1 - momentum) * batch, as in ONNX
};

/// Statistics of one site in one pass. The variance is the population variance; frameworks that
/// update running statistics with the sample variance multiply by count / (count - 1).
struct BatchStatistics {
  Tensor mean;
  Tensor variance;
  int64_t count = 0;  ///< elements a channel
};

/// The inside of a pass.
struct PassState {
  std::vector<ForwardValue> values;
  std::vector<StepState> steps;
  uint64_t seed = 0;
};

/// What one forward pass leaves behind. Belongs to the tape that made it; a copy shares the
/// tensors.
struct Pass {
  std::vector<Tensor> outputs;              ///< in the order of Tape::output_names()
  std::vector<BatchStatistics> statistics;  ///< in the order of Tape::batch_norms()
  /// Bytes that are kept for the backward pass, without constants, parameters and inputs.
  size_t held_bytes = 0;
  PassState state;
};

struct Gradients {
  std::vector<Tensor> parameters;  ///< in the order of Tape::parameters(); zeros where none reached
  std::vector<Tensor> values;      ///< in the order of TrainOptions::gradients_of
};

/// Called while a backward pass runs, on its thread, once for every parameter, as soon as its
/// gradient is whole; in the order of Tape::completion_order().
using GradientReady = std::function<void(size_t parameter, const Tensor& gradient)>;

/// Immutable and thread-safe: any number of passes may run at once, each on the one thread that
/// calls. The same arguments give the same bits, whatever runs beside it.
class Tape {
 public:
  /// Copies what it needs of the model. Raises kUnsupported (an operator that limbeck lacks),
  /// kUsage (a tap or glob without match).
  static std::unique_ptr<const Tape> compile(const Model& model, const TrainOptions& options = {});
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  const std::vector<Parameter>& parameters() const;
  const std::vector<BatchNormSite>& batch_norms() const;
  /// Graph inputs, in order.
  const std::vector<std::string>& input_names() const;
  /// Graph outputs, then taps.
  const std::vector<std::string>& output_names() const;

  /// One value a parameter and a graph input, in order. `seed` decides what Dropout drops. Raises
  /// kData where an input does not fit.
  Pass forward(std::span<const Tensor> parameters, std::span<const Tensor> inputs,
               uint64_t seed) const;
  /// One gradient an output name; an empty tensor means zero. Memory of the pass is freed after its
  /// last use.
  Gradients backward(Pass pass, std::span<const Tensor> output_gradients,
                     const GradientReady& ready = {}) const;
  /// Parameters in the order in which backward passes complete their gradients: those of the last
  /// layers first.
  std::vector<size_t> completion_order() const;

  struct Program;  ///< lib/autodiff/program.h
  explicit Tape(std::unique_ptr<const Program> program);

 private:
  std::unique_ptr<const Program> program_;
};

}  // namespace limbeck
