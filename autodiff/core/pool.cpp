#include "autodiff/core/pool.hpp"

#include <sys/mman.h>

#include <cstdlib>
#include <mutex>
#include <new>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/memory.hpp"

namespace cadena {
namespace detail {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t slab_bytes = std::size_t{64} << 10;

/// Blocks that no thread caches. Never destroyed: static tensors may be freed after any static destructor.
struct Central {
  std::mutex mutex;
  FreeBlock* head[pool_classes] = {};
  std::int64_t reserved = 0;
};
Central& central() {
  alignas(Central) static unsigned char place[sizeof(Central)];
  static Central* instance = new (place) Central;
  return *instance;
}

void* system_allocate(std::size_t bytes) {
  std::size_t align = bytes >= huge_page ? huge_page : pool_alignment;
  std::size_t rounded = (bytes + align - 1) / align * align;
  void* p = rounded < bytes ? nullptr : std::aligned_alloc(align, rounded);
  if (p && bytes >= huge_page) madvise(p, rounded, MADV_HUGEPAGE);
  return p;
}

void* system_allocate_or_throw(std::size_t bytes) {
  void* p = system_allocate(bytes);
  if (!p) {
    trim_memory();
    p = system_allocate(bytes);
  }
  if (!p) throw MemoryError("[allocate] the system refused " + std::to_string(bytes) + " bytes");
  return p;
}

/// Hands a finished thread's blocks to the others.
struct CacheFlusher {
  ~CacheFlusher() {
    ThreadCache& cache = thread_cache;
    cache.registered = false;
    cache.closed = true;
    std::lock_guard lock(central().mutex);
    for (int c = 0; c < pool_cached_classes; ++c) {
      while (FreeBlock* block = cache.head[c]) {
        cache.head[c] = block->next;
        block->next = central().head[c];
        central().head[c] = block;
      }
      cache.count[c] = 0;
    }
  }
};

void register_thread() {
  if (thread_cache.registered || thread_cache.closed) return;
  thread_local CacheFlusher flusher;
  thread_cache.registered = true;
}

/// Cuts a fresh slab into blocks: one to return, the others into the thread's cache.
void* carve_slab(int size_class) {
  const std::size_t bytes = pool_class_bytes(size_class);
  const std::size_t n = slab_bytes / bytes;
  auto* slab = static_cast<unsigned char*>(system_allocate_or_throw(n * bytes));
  {
    std::lock_guard lock(central().mutex);
    central().reserved += static_cast<std::int64_t>(n * bytes);
  }
  ThreadCache& cache = thread_cache;
  for (std::size_t i = n - 1; i > 0; --i) {
    auto* block = reinterpret_cast<FreeBlock*>(slab + i * bytes);
    block->next = cache.head[size_class];
    cache.head[size_class] = block;
    ++cache.count[size_class];
  }
  return slab;
}

FreeBlock* take_central(int size_class) {
  std::lock_guard lock(central().mutex);
  FreeBlock* block = central().head[size_class];
  if (block) central().head[size_class] = block->next;
  return block;
}

}  // namespace

constinit thread_local ThreadCache thread_cache{};

void* pool_allocate_slow(int size_class) {
  const auto bytes = pool_class_bytes(size_class);
  void* p = nullptr;
  if (pool_enabled) {
    register_thread();
    p = take_central(size_class);
    if (!p && thread_cache.registered && bytes <= slab_bytes / 8) p = carve_slab(size_class);
  }
  if (!p) {
    p = system_allocate_or_throw(bytes);
    std::lock_guard lock(central().mutex);
    central().reserved += static_cast<std::int64_t>(bytes);
  }
  thread_cache.live_bytes += static_cast<std::int64_t>(bytes);
  return p;
}

void pool_free_slow(void* p, int size_class) noexcept {
  const auto bytes = static_cast<std::int64_t>(pool_class_bytes(size_class));
  thread_cache.live_bytes -= bytes;
  std::lock_guard lock(central().mutex);
  if (pool_enabled) {
    auto* block = static_cast<FreeBlock*>(p);
    block->next = central().head[size_class];
    central().head[size_class] = block;
  } else {
    std::free(p);
    central().reserved -= bytes;
  }
}

}  // namespace detail

MemoryStats memory_stats() {
  std::lock_guard lock(detail::central().mutex);
  return {detail::thread_cache.live_bytes, detail::central().reserved};
}

void trim_memory() noexcept {
  auto& central = detail::central();
  std::lock_guard lock(central.mutex);
  // Smaller blocks are parts of slabs and stay.
  for (int c = 0; c < detail::pool_classes; ++c) {
    const auto bytes = detail::pool_class_bytes(c);
    if (bytes <= detail::slab_bytes / 8) continue;
    while (auto* block = central.head[c]) {
      central.head[c] = block->next;
      central.reserved -= static_cast<std::int64_t>(bytes);
      std::free(block);
    }
  }
}

}  // namespace cadena
