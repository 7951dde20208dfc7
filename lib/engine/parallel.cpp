#include "lib/engine/parallel.h"

#include <omp.h>

#include <algorithm>

namespace limbeck {

int thread_count() { return omp_get_max_threads(); }

void parallel_ranges(int64_t count, int64_t grain,
                     const std::function<void(int64_t, int64_t)>& body) {
  const int64_t most = (count + grain - 1) / std::max<int64_t>(1, grain);
  const auto parts = static_cast<int>(std::min<int64_t>(thread_count(), most));
  if (parts <= 1) {
    if (count > 0) body(0, count);
    return;
  }
#pragma omp parallel for num_threads(parts) schedule(static)
  for (int part = 0; part < parts; ++part) body(count * part / parts, count * (part + 1) / parts);
}

void parallel_items(int64_t count, const std::function<void(int64_t)>& body) {
  const auto parts = static_cast<int>(std::min<int64_t>(thread_count(), count));
  if (parts <= 1) {
    for (int64_t i = 0; i < count; ++i) body(i);
    return;
  }
#pragma omp parallel for num_threads(parts) schedule(dynamic)
  for (int64_t i = 0; i < count; ++i) body(i);
}

}  // namespace limbeck
