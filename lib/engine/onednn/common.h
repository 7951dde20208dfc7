// What every oneDNN kernel shares: descriptors, post-operations, execution, the cache of primitives
// per shape. Only files of this folder include it.
#pragma once

#include <array>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <oneapi/dnnl/dnnl.hpp>
#include <shared_mutex>
#include <string>
#include <utility>
#include <vector>

#include "lib/engine/parallel.h"
#include "lib/engine/post_op.h"
#include "lib/engine/step.h"

namespace limbeck::onednn {

const dnnl::engine& cpu();

dnnl::memory::data_type element_type(DataType type, const std::string& place);

/// Dense, in one of our two orders.
dnnl::memory::desc dense_desc(const Dims& dims, DataType type, Layout layout,
                              const std::string& place);
/// Dense row-major strides of dims.
Dims row_major_strides(const Dims& dims);

/// Appends `unary` for values stored in multiples of `unit` (1 for real values). kAdd takes no
/// unit: see append_post_ops.
void append_unary(dnnl::post_ops& ops, const Unary& unary, float unit);
/// Appends all of them for real values; additions read a tensor described by `result`.
void append_post_ops(dnnl::post_ops& ops, const PostOps& list, const dnnl::memory::desc& result);

/// User-managed scratchpad, so that one primitive may run on many threads at once.
dnnl::primitive_attr base_attributes();

/// Turns an exception of oneDNN into an Error that names the place.
[[noreturn]] void rethrow(const dnnl::error& error, const std::string& place);

/// Whether what oneDNN takes this CPU for is one of them.
bool is_one_of(std::initializer_list<dnnl::cpu_isa> known);

/// True for the slow fallback implementations of oneDNN.
bool is_slow(const char* implementation);

/// A weight in the order that one primitive wants. Thread-safe.
class PackedWeights {
 public:
  /// `data` must outlive this object; `desc` describes it.
  PackedWeights(const dnnl::memory::desc& desc, const void* data) : desc_(desc), data_(data) {}
  dnnl::memory get(const dnnl::memory::desc& wanted) const;

 private:
  dnnl::memory::desc desc_;
  const void* data_;
  mutable std::mutex mutex_;
  mutable std::vector<dnnl::memory> packed_;
};

/// One execution of a primitive.
class Call {
 public:
  void bind(int argument, const dnnl::memory::desc& desc, const void* data);
  void bind(int argument, const dnnl::memory& memory);
  void run(const dnnl::primitive& primitive, const StepContext& context,
           const dnnl::memory::desc& scratchpad);

 private:
  static constexpr size_t kMaxArguments = 16;
  std::array<dnnl::memory, kMaxArguments> memories_;
  std::array<dnnl_exec_arg_t, kMaxArguments> arguments_{};
  size_t count_ = 0;
};

/// Held while primitives are made. On AVX-512, oneDNN 2.6 keeps a block size of the convolution
/// that it is making in a static variable (jit_brgemm_conv_utils.cpp; per thread since 3.0): two
/// that are made at once, of different types, could spoil each other. Empty where that cannot be.
std::unique_lock<std::mutex> creation_lock();

/// Keeps what was made for the most recent shapes. Thread-safe; entries in use outlive their
/// eviction.
template <typename Entry>
class ShapeCache {
 public:
  template <typename Make>
  std::shared_ptr<const Entry> get(Dims key, const Make& make) const {
    key.push_back(thread_count());  // primitives are made for a number of threads
    {
      const std::shared_lock lock(mutex_);
      for (const auto& [known, entry] : entries_) {
        if (known == key) return entry;
      }
    }
    const std::unique_lock lock(mutex_);
    for (const auto& [known, entry] : entries_) {
      if (known == key) return entry;
    }
    std::shared_ptr<const Entry> fresh;
    {
      const auto one_at_a_time = creation_lock();
      fresh = make();
    }
    if (entries_.size() >= kMaxEntries) entries_.erase(entries_.begin());
    entries_.emplace_back(key, fresh);
    return fresh;
  }

 private:
  static constexpr size_t kMaxEntries = 32;
  mutable std::shared_mutex mutex_;
  mutable std::vector<std::pair<Dims, std::shared_ptr<const Entry>>> entries_;
};

}  // namespace limbeck::onednn
