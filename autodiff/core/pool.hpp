// The caching allocator behind every buffer, tensor and node: 64-byte aligned blocks in size classes, kept in
// a cache per thread (small) or shared (large), so that the steady state never asks the system for memory. A
// fresh page costs 0.3-0.4 ms per MB on first touch; a block from a list costs 3 ns.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define CADENA_ADDRESS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CADENA_ADDRESS_SANITIZER 1
#endif
#endif

namespace cadena::detail {

#ifdef CADENA_ADDRESS_SANITIZER
inline constexpr bool pool_enabled = false;  // it must see every block come and go
#else
inline constexpr bool pool_enabled = true;
#endif

inline constexpr std::size_t pool_alignment = 64;
inline constexpr int pool_classes = 160;
inline constexpr int pool_cached_classes = 49;  // up to 256 KiB

/// Size class of a request: multiples of 64 bytes up to 1 KiB + 64, then four classes per power of two, each
/// with 64 bytes on top: a buffer of 2^k bytes behind its header (Storage) fits without a gap.
constexpr int pool_class(std::size_t bytes) {
  const std::size_t units = (bytes + pool_alignment - 1) / pool_alignment;
  if (units <= 17) return units == 0 ? 0 : static_cast<int>(units) - 1;
  const std::size_t last = units - 2;  // of the units without the header's
  const int b = static_cast<int>(std::bit_width(last)) - 1;
  return 17 + (b - 4) * 4 + static_cast<int>(last >> (b - 2)) - 4;
}

/// Bytes of the blocks of a class.
constexpr std::size_t pool_class_bytes(int c) {
  if (c < 17) return (static_cast<std::size_t>(c) + 1) * pool_alignment;
  const auto b = static_cast<std::size_t>(c - 17) / 4 + 4, k = static_cast<std::size_t>(c - 17) % 4 + 4;
  return (((k + 1) << (b - 2)) + 1) * pool_alignment;
}
static_assert(pool_class_bytes(pool_class((1 << 20) + 64)) == (1 << 20) + 64);
static_assert([] {
  for (int c = 0; c < pool_cached_classes; ++c)
    if (pool_class(pool_class_bytes(c)) != c || pool_class(pool_class_bytes(c) + 1) != c + 1) return false;
  return true;
}());

/// Blocks of a class that a thread keeps to itself: about a megabyte, and at least eight.
inline constexpr auto pool_kept_blocks = [] {
  std::array<std::uint32_t, pool_cached_classes> kept{};
  for (int c = 0; c < pool_cached_classes; ++c)
    kept[static_cast<std::size_t>(c)] =
        static_cast<std::uint32_t>(8 + (std::size_t{1} << 20) / pool_class_bytes(c));
  return kept;
}();

struct FreeBlock {
  FreeBlock* next;
};

struct ThreadCache {
  FreeBlock* head[pool_cached_classes];
  std::uint32_t count[pool_cached_classes];
  std::int64_t live_bytes;  // may be negative: a block can be freed by another thread than its maker
  bool registered, closed;
};
extern constinit thread_local ThreadCache thread_cache;

void* pool_allocate_slow(int size_class);
void pool_free_slow(void* p, int size_class) noexcept;

/// @throws MemoryError when the system has no more memory, after giving back what the pool caches
inline void* pool_allocate(std::size_t bytes) {
  int c = pool_class(bytes);
  if (pool_enabled && c < pool_cached_classes) {
    ThreadCache& cache = thread_cache;
    if (FreeBlock* block = cache.head[c]) {
      cache.head[c] = block->next;
      --cache.count[c];
      cache.live_bytes += static_cast<std::int64_t>(pool_class_bytes(c));
      return block;
    }
  }
  return pool_allocate_slow(c);
}

inline void pool_free(void* p, std::size_t bytes) noexcept {
  int c = pool_class(bytes);
  if (pool_enabled && c < pool_cached_classes) {
    ThreadCache& cache = thread_cache;
    if (cache.registered && cache.count[c] < pool_kept_blocks[static_cast<std::size_t>(c)]) {
      auto* block = static_cast<FreeBlock*>(p);
      block->next = cache.head[c];
      cache.head[c] = block;
      ++cache.count[c];
      cache.live_bytes -= static_cast<std::int64_t>(pool_class_bytes(c));
      return;
    }
  }
  pool_free_slow(p, c);
}

/// Base for objects that live in the pool.
struct Pooled {
  static void* operator new(std::size_t bytes) { return pool_allocate(bytes); }
  static void operator delete(void* p, std::size_t bytes) noexcept { pool_free(p, bytes); }
};

}  // namespace cadena::detail
