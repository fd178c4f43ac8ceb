// What a kernel sees of a tensor: raw strided memory.
#pragma once

#include "autodiff/dtype.hpp"
#include "autodiff/shape.hpp"

namespace cadena::kernels {

/// Memory of dtype `dtype`, shape `shape`, strides in elements; `data` points at the element of index 0.
struct View {
  void* data;
  DType dtype;
  Shape shape;
  Strides strides;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

}  // namespace cadena::kernels
