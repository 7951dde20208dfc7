// Reuse of freed memory between passes.
#pragma once

namespace limbeck {

/// Makes the C library keep freed memory for the next allocation instead of handing it back to the
/// system: a pass allocates and frees the same tensors as the one before, and fresh pages cost a
/// page fault each (13 to 40 percent of a training step of small networks). A setting of the whole
/// process; call it once, before threads start, in programs that train.
void keep_freed_memory();

}  // namespace limbeck
