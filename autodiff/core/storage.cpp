#include "autodiff/core/storage.hpp"

#include <memory>
#include <new>

namespace cadena::detail {

Ref<Storage> Storage::wrap(void* data, std::size_t bytes, std::function<void(void*)> deleter) {
  auto owned = deleter ? std::make_unique<std::function<void(void*)>>(std::move(deleter)) : nullptr;
  auto storage = create(0);
  storage->data = data;
  storage->bytes = bytes;
  storage->deleter = owned.release();
  storage->foreign = true;
  return storage;
}

Ref<Storage> Storage::batch(BatchPayload* payload, void (*destroy)(BatchPayload*)) {
  auto storage = wrap(nullptr, 0, [payload, destroy](void*) { destroy(payload); });
  storage->batch_payload = payload;
  return storage;
}

void Storage::dispose_foreign(Storage* p) noexcept {
  if (p->deleter) (*p->deleter)(p->data);
  delete p->deleter;
  pool_free(p, pool_alignment);
}

}  // namespace cadena::detail
