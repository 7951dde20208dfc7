// The log of a run: one JSON object a line, written while the run goes on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

namespace limbeck {

/// Unlike results, a log grows in place. A run that goes on from a checkpoint cuts off what was
/// logged after it, so the file ends up as that of an uninterrupted run. Not thread-safe.
class TrainLog {
 public:
  /// Keeps the first `bytes` bytes of an existing file (0: none). An empty path logs nothing.
  /// Raises kIo, and kData when the file is shorter.
  TrainLog(std::filesystem::path path, uint64_t bytes);
  /// Raises kIo.
  void append(const nlohmann::ordered_json& line);
  uint64_t bytes() const { return bytes_; }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
  uint64_t bytes_ = 0;
};

/// The lines of a log. Raises kIo, kData.
std::vector<nlohmann::json> read_train_log(const std::filesystem::path& path);

}  // namespace limbeck
