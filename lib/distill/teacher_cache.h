// The teacher's answers on every sample, computed once and kept on disk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/base/file.h"
#include "lib/data/dataset.h"
#include "lib/engine/engine.h"

namespace limbeck {

/// What a cache belongs to.
struct TeacherCacheKey {
  std::string teacher;               ///< hash of the model
  std::string data;                  ///< Dataset::hash()
  std::vector<std::string> outputs;  ///< Engine::output_names()
};

struct TeacherCacheOptions {
  std::filesystem::path folder;  ///< made when it is not there
  int threads = 0;               ///< 0: all cores; never changes the answers
  bool quiet = true;
};

/// One file a key, mapped and not read into memory. Immutable; read() is thread-safe. Format:
/// docs/formats/teacher_cache.md.
class TeacherCache {
 public:
  /// The file of the key in the folder, written first where there is none: whole or not at all.
  /// Raises kIo, kData (a damaged file, a sample that the teacher cannot answer), kUnsupported
  /// (answers that are not one row of floats for each sample).
  static std::shared_ptr<const TeacherCache> open(const Engine& teacher, const Dataset& dataset,
                                                  const TeacherCacheKey& key,
                                                  const TeacherCacheOptions& options);

  /// The outputs for samples of the data set, in the form of Engine::run.
  std::vector<Tensor> read(std::span<const int64_t> indices) const;

 private:
  TeacherCache(std::shared_ptr<const MappedFile> file, size_t start, std::vector<Dims> rows);

  std::shared_ptr<const MappedFile> file_;
  size_t start_;            ///< of the first sample in the file
  std::vector<Dims> rows_;  ///< of each output, without the sample's dimension
  size_t row_bytes_ = 0;    ///< of all outputs of one sample
};

}  // namespace limbeck
