#include "lib/base/process_memory.h"

#include <malloc.h>

namespace limbeck {

void keep_freed_memory() {
  constexpr int kNever = 1 << 30;
  ::mallopt(M_MMAP_THRESHOLD, kNever);
  ::mallopt(M_TRIM_THRESHOLD, kNever);
  // Arenas of other threads hand back 64 MiB at a time, whatever the threshold: use the one heap.
  ::mallopt(M_ARENA_MAX, 1);
}

void hand_back_freed_memory() {
  // Set by hand, it no longer grows with the largest block that was freed.
  ::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
  ::mallopt(M_TRIM_THRESHOLD, 128 * 1024);
}

}  // namespace limbeck
