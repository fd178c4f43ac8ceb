// Comparing tensors bit by bit.
#pragma once

#include <cstring>

#include "autodiff/autodiff.hpp"

namespace cadena {

inline bool same_bits(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() == b.defined();
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return false;
  NoGrad guard;
  const Tensor x = contiguous(a.detach()), y = contiguous(b.detach());
  return visit(x.dtype(), [&]<class T>(T) {
    return x.numel() == 0 ||
           std::memcmp(x.data<T>(), y.data<T>(), static_cast<std::size_t>(x.numel()) * sizeof(T)) == 0;
  });
}

}  // namespace cadena
