// Splits a loop over the threads of the running engine.
#pragma once

#include <cstdint>
#include <functional>

namespace limbeck {

/// Threads that the running engine may use in the calling thread.
int thread_count();

/// Calls body(first, last) on disjoint ranges that cover [0, count); ranges hold at least `grain`
/// items. How the range is split depends on the number of threads, so bodies must compute every
/// item alone.
void parallel_ranges(int64_t count, int64_t grain,
                     const std::function<void(int64_t, int64_t)>& body);

/// Calls body(i) for every i in [0, count), each on one thread, the next free one. Bodies must not
/// throw.
void parallel_items(int64_t count, const std::function<void(int64_t)>& body);

}  // namespace limbeck
