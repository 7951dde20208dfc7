// The number of threads that oneDNN uses in the calling thread.
#pragma once

namespace limbeck::onednn {

/// While it lives, primitives made or run by this thread use `threads` threads; restores the former
/// number.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int former_;
};

}  // namespace limbeck::onednn
