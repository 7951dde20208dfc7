// Recycles activation memory between the steps of a run and between runs.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "lib/model/tensor.h"

namespace limbeck {

/// A tensor under construction: `data` points to the writable bytes of `tensor`.
struct WritableTensor {
  Tensor tensor;
  std::byte* data = nullptr;
};

/// Thread-safe. A buffer returns to the pool when the last Tensor on it dies, also after the engine
/// itself is gone.
class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  ~BufferPool();
  /// Uninitialised, 64-byte aligned.
  WritableTensor allocate(DataType type, Dims dims);
  /// Bytes lent out at this moment, and the most ever lent out at once.
  size_t bytes_in_use() const;
  size_t peak_bytes() const;

 private:
  std::byte* take(size_t bytes);
  void give_back(std::byte* memory, size_t bytes);

  mutable std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> idle_;
  size_t idle_bytes_ = 0;
  size_t used_bytes_ = 0;
  size_t peak_bytes_ = 0;
};

}  // namespace limbeck
