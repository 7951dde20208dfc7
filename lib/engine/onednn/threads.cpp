#include "lib/engine/onednn/threads.h"

#include <omp.h>

#include <algorithm>

namespace limbeck::onednn {

ThreadScope::ThreadScope(int threads) : former_(omp_get_max_threads()) {
  if (former_ != threads) omp_set_num_threads(std::max(1, threads));
}

ThreadScope::~ThreadScope() {
  if (omp_get_max_threads() != former_) omp_set_num_threads(former_);
}

}  // namespace limbeck::onednn
