// A training run on disk (schemas/checkpoint.proto, docs/formats/checkpoint.md).
#pragma once

#include <filesystem>
#include <string>

#include "lib/distill/train_state.h"

namespace limbeck {

/// What a run was made of: SHA-256 each.
struct TrainIdentity {
  std::string recipe;   ///< recipe_hash()
  std::string teacher;  ///< of the file; empty without one
  std::string student;  ///< of the file
  std::string data;     ///< Dataset::hash()
};

/// Writes the file whole or not at all. Raises kIo, and kUnsupported above 2 GiB.
void save_checkpoint(const TrainState& state, const TrainIdentity& identity,
                     const std::filesystem::path& path);

/// Reads the state of a run whose initial state was `initial`. The file is untrusted. Raises kIo,
/// kData (damaged, of a newer version, tensors that do not fit the models) and kUsage (made with
/// another recipe, teacher, student or data).
TrainState load_checkpoint(const std::filesystem::path& path, const TrainIdentity& identity,
                           const TrainState& initial);

/// The bytes of such a file, which ranks also send each other; `place` names them in errors. Raise
/// what the functions above raise.
std::string encode_checkpoint(const TrainState& state, const TrainIdentity& identity,
                              const std::string& place);
TrainState decode_checkpoint(const std::string& bytes, const TrainIdentity& identity,
                             const TrainState& initial, const std::string& place);

}  // namespace limbeck
