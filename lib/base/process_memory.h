// What the C library does with freed memory: settings of the whole process, for blocks that are
// allocated later. The last call counts, but for the number of arenas, which only sinks.
#pragma once

namespace limbeck {

/// Keeps freed memory for the next allocation instead of handing it back to the system, for
/// programs that train: a pass allocates and frees the same tensors as the one before, and fresh
/// pages cost a page fault each (13 to 40 percent of a training step of small networks).
void keep_freed_memory();

/// Hands back what is freed, from 64 KiB on, for programs that stream data of any length: their
/// peak would grow a little with the samples, by what is left between living blocks. Undoes
/// keep_freed_memory() as far as it matters, so that a recipe may train first.
void hand_back_freed_memory();

}  // namespace limbeck
