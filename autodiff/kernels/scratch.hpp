// Temporary memory of a kernel, from the pool: 64-byte aligned and uninitialised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "autodiff/core/pool.hpp"

namespace cadena::kernels {

template <class T>
class Scratch {
 public:
  /// @throws MemoryError
  explicit Scratch(std::int64_t count)
      : bytes_(static_cast<std::size_t>(count) * sizeof(T)),
        data_(static_cast<T*>(detail::pool_allocate(bytes_))) {}
  Scratch(Scratch&& other) noexcept : bytes_(other.bytes_), data_(std::exchange(other.data_, nullptr)) {}
  Scratch& operator=(Scratch&& other) = delete;
  ~Scratch() {
    if (data_) detail::pool_free(data_, bytes_);
  }

  T* get() const { return data_; }
  operator T*() const { return data_; }  // NOLINT(google-explicit-constructor): it is used as the array

 private:
  std::size_t bytes_;
  T* data_;
};

}  // namespace cadena::kernels
