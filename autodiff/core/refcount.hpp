// Intrusive reference counts. While the process has one thread (glibc tells) counting is plain arithmetic,
// which halves the cost of a recorded scalar op; from the first second thread on it is atomic.
#pragma once

#include <cstdint>
#include <utility>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define CADENA_SINGLE_THREADED (__libc_single_threaded)
#else
#define CADENA_SINGLE_THREADED false
#endif

namespace cadena::detail {

struct RefCounted {
  std::uint32_t count = 1;

  void retain() noexcept {
    if (CADENA_SINGLE_THREADED)
      ++count;
    else
      __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED);
  }
  /// True when this was the last reference.
  [[nodiscard]] bool release() noexcept {
    if (CADENA_SINGLE_THREADED) return --count == 0;
    return __atomic_fetch_sub(&count, 1, __ATOMIC_ACQ_REL) == 1;
  }
  bool unique() const noexcept { return __atomic_load_n(&count, __ATOMIC_ACQUIRE) == 1; }

 protected:
  RefCounted() = default;
  ~RefCounted() = default;
};

/// Owning pointer to a RefCounted T; the last one calls `T::dispose(T*)`.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}  // NOLINT(google-explicit-constructor)
  static Ref adopt(T* p) noexcept { return Ref(p); }
  static Ref share(T* p) noexcept {
    if (p) p->retain();
    return Ref(p);
  }
  Ref(const Ref& o) noexcept : p_(o.p_) {
    if (p_) p_->retain();
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_ && p_->release()) T::dispose(p_);
  }

  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }

 private:
  explicit Ref(T* p) noexcept : p_(p) {}
  T* p_ = nullptr;
};

}  // namespace cadena::detail
