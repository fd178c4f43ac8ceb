// From tensors to the typed memory of a kernel.
#pragma once

#include "autodiff/core/node.hpp"

namespace cadena::detail {

/// A contiguous tensor to be written; the extents come from tensors that exist.
inline Tensor fresh(const Shape& shape, DType dtype) { return make_tensor(shape, shape.numel(), dtype); }

/// f(T) for the type of f32 or f64.
template <class F>
void in_type(DType dtype, const F& f) {
  dtype == f32 ? f(float{}) : f(double{});
}

template <class T>
const T* data_or_null(const Tensor& t) {
  return t.defined() ? t.data<T>() : nullptr;
}
/// Memory of a fresh tensor; null if undefined.
template <class T>
T* written(const Tensor& t) {
  return t.defined() ? static_cast<T*>(raw_data(t)) : nullptr;
}

}  // namespace cadena::detail
