#include "lib/engine/buffer_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "lib/base/error.h"

namespace limbeck {
namespace {

constexpr size_t kAlignment = 64;

/// Sizes are rounded up to one of eight steps per power of two, so that slightly different batches
/// share buffers.
size_t bucket_size(size_t bytes) {
  size_t step = kAlignment;
  while (step * 16 <= bytes) step *= 2;
  return std::max(kAlignment, (bytes + step - 1) / step * step);
}

std::byte* allocate_bytes(size_t bytes) {
  void* memory = std::aligned_alloc(kAlignment, bytes);
  if (memory == nullptr) {
    throw_error(Category::kData, "engine", "the activations must fit into memory",
                std::to_string(bytes) + " bytes",
                "use a smaller batch or a machine with more memory");
  }
  return static_cast<std::byte*>(memory);
}

}  // namespace

BufferPool::~BufferPool() {
  for (auto& [bytes, list] : idle_) {
    for (std::byte* memory : list) std::free(memory);
  }
}

std::byte* BufferPool::take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  used_bytes_ += bytes;
  peak_bytes_ = std::max(peak_bytes_, used_bytes_);
  const auto found = idle_.find(bytes);
  if (found == idle_.end() || found->second.empty()) return nullptr;
  std::byte* memory = found->second.back();
  found->second.pop_back();
  idle_bytes_ -= bytes;
  return memory;
}

void BufferPool::give_back(std::byte* memory, size_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    used_bytes_ -= bytes;
    if (idle_bytes_ + bytes <= peak_bytes_) {
      idle_[bytes].push_back(memory);
      idle_bytes_ += bytes;
      return;
    }
  }
  std::free(memory);
}

WritableTensor BufferPool::allocate(DataType type, Dims dims) {
  const auto count = static_cast<size_t>(element_count(dims, "activation"));
  const size_t bytes = storage_bytes(type, count);
  const size_t rounded = bucket_size(bytes);
  std::byte* memory = take(rounded);
  if (memory == nullptr) memory = allocate_bytes(rounded);
  std::shared_ptr<const void> owner(memory, [pool = shared_from_this(), memory, rounded](
                                                const void*) { pool->give_back(memory, rounded); });
  return {Tensor::view(type, std::move(dims), {memory, bytes}, std::move(owner), "activation"),
          memory};
}

size_t BufferPool::bytes_in_use() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

size_t BufferPool::peak_bytes() const {
  const std::lock_guard lock(mutex_);
  return peak_bytes_;
}

}  // namespace limbeck
