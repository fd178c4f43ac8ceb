// Storage: a reference-counted buffer with a version that counts in-place writes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "autodiff/core/pool.hpp"
#include "autodiff/core/refcount.hpp"

namespace cadena::detail {

struct BatchPayload;

struct Storage : RefCounted {
  void* data;
  std::size_t bytes;
  std::uint32_t version = 0;           ///< in-place writes so far, through any view
  std::uint32_t recorded_version = 0;  ///< version after the last write that the graph recorded
  std::function<void(void*)>* deleter = nullptr;
  bool foreign = false;                   ///< memory belongs to the caller of from_blob
  BatchPayload* batch_payload = nullptr;  ///< of a tensor inside vmap, which has no memory

  /// Header and data in one block: the data start at the next 64-byte line.
  static Ref<Storage> create(std::size_t bytes) {
    auto* p = static_cast<Storage*>(pool_allocate(pool_alignment + bytes));
    new (p) Storage;
    p->data = reinterpret_cast<unsigned char*>(p) + pool_alignment;
    p->bytes = bytes;
    return Ref<Storage>::adopt(p);
  }
  static Ref<Storage> batch(BatchPayload* payload, void (*destroy)(BatchPayload*));
  static Ref<Storage> wrap(void* data, std::size_t bytes, std::function<void(void*)> deleter);
  static void dispose(Storage* p) noexcept {
    if (p->foreign)
      dispose_foreign(p);
    else
      pool_free(p, pool_alignment + p->bytes);
  }

 private:
  static void dispose_foreign(Storage* p) noexcept;
};
static_assert(sizeof(Storage) <= pool_alignment);

}  // namespace cadena::detail
