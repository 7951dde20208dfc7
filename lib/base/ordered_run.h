// Work on threads, its results taken in order.
#pragma once

#include <cstdint>
#include <functional>

namespace limbeck {

/// Calls work(i) for i in [0, count) on `threads` threads (0: all cores), in any order, and
/// finish(i) in order on the caller. Work runs at most two units a thread ahead of what is
/// finished, so results in waiting stay few. The error of the first unit that failed is raised when
/// all threads have ended; a signal raises kInterrupted.
void run_in_order(int64_t count, int threads, const std::function<void(int64_t)>& work,
                  const std::function<void(int64_t)>& finish);

}  // namespace limbeck
