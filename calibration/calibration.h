// calibrate(model, dataset) -> CalibrationTable: one streaming pass that keeps a fixed-size sketch
// of every activation.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "calibration/sketch.h"
#include "lib/data/dataset.h"
#include "lib/distributed/communicator.h"
#include "lib/model/model.h"

namespace limbeck {

/// Mean of every channel (axis 1) of an activation over all samples, by tensor name.
using ChannelMeans = std::map<std::string, std::vector<double>>;

struct CalibrationOptions {
  int64_t samples = 512;  ///< how many samples to read; all when the data set holds fewer
  uint64_t seed = 0;      ///< 0: dataset order; otherwise a seeded permutation
  int threads = 0;        ///< worker threads, 0 for all cores; does not change the result
  bool quiet = false;     ///< no progress
  /// Tensors to observe; empty: every float activation.
  std::vector<std::string> tensors;
  /// Samples computed together; 0: 8, fewer where activations are large. Models with a fixed batch
  /// size have their own.
  int64_t micro_batch = 0;
  /// Processes that share the samples, each calling calibrate() with the same arguments; null: this
  /// one alone. Never changes the result.
  Communicator* ranks = nullptr;
};

/// What one pass over the data saw. A value: copy, save, load. Keys are tensor names of the
/// (folded) model.
struct CalibrationTable {
  std::string model_hash;  ///< SHA-256 of the model file
  std::string data_hash;   ///< Dataset::hash()
  int64_t samples = 0;
  uint64_t seed = 0;
  std::map<std::string, Sketch> tensors;
  ChannelMeans means;  ///< of activations with a channel axis
};

/// Collects sketches of every float activation of `model` (graph inputs included, constants not),
/// whose types and shapes are inferred. Memory does not depend on the number of samples; the result
/// does not depend on threads. Nor does it on the micro-batch, but for the last bit of matrix
/// products, which oneDNN sums in an order that depends on their size. A model with a fixed batch
/// size leaves out the samples of an incomplete last batch. Raises kData at the first sample that
/// causes a NaN or infinity, naming it and the first such tensor. `model_hash` is stored in the
/// table. With ranks the table is that of one process, to the last bit, on rank 0; that of another
/// rank holds what it has seen alone. Raises kUsage when ranks have different models or data.
CalibrationTable calibrate(const Model& model, const Dataset& dataset,
                           const std::string& model_hash, const CalibrationOptions& options);

/// Versioned Protobuf file (schemas/calibration.proto, docs/formats/calibration.md), written whole
/// or not at all.
void save_table(const CalibrationTable& table, const std::filesystem::path& path);
/// Raises kIo, kData (damaged in any bit, or of a newer version).
CalibrationTable load_table(const std::filesystem::path& path);
/// The bytes of such a file, which ranks also send each other; `place` names them in errors.
std::string encode_table(const CalibrationTable& table);
CalibrationTable decode_table(const std::string& bytes, const std::string& place);
/// Raises kUsage when the table was made from another model.
void require_model(const CalibrationTable& table, const std::string& model_hash,
                   const std::filesystem::path& table_path);

}  // namespace limbeck
