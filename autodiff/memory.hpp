// What the memory pool holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cadena {

struct MemoryStats {
  std::int64_t live_bytes;  ///< in use by tensors and graph nodes of this thread's making, rounded to blocks
  std::int64_t reserved_bytes;  ///< obtained from the system by the whole process, in use or cached
};
MemoryStats memory_stats();

/// Returns cached large blocks to the system.
void trim_memory() noexcept;

}  // namespace cadena
