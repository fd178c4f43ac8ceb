// The same elements in another shape, order, type or place.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

// Shape. Views where the layout allows it (always, except for reshape, pad, cat and stack).
Tensor reshape(const Tensor& x, const Shape& shape);  ///< one extent may be -1
/// As reshape, but always of the same memory. @throws ShapeError where that would need a copy
Tensor view(const Tensor& x, const Shape& shape);
Tensor flatten(const Tensor& x, int start = 0, int end = -1);
Tensor permute(const Tensor& x, const Axes& axes);
Tensor transpose(const Tensor& x, int a, int b);
Tensor t(const Tensor& x);  ///< matrix transpose; vectors and numbers stay
Tensor expand(const Tensor& x,
              const Shape& shape);  ///< repeats extents of 1 without copying; -1 keeps an extent
Tensor squeeze(const Tensor& x, const Axes& axes = {});
Tensor unsqueeze(const Tensor& x, int axis);
Tensor flip(const Tensor& x, const Axes& axes);

// Type and memory.
Tensor to(const Tensor& x, DType dtype);  ///< x itself if it has the dtype; gradients are cast back
Tensor contiguous(const Tensor& x);       ///< x itself if it is contiguous
Tensor clone(const Tensor& x);            ///< a contiguous copy, recorded
Tensor alias(const Tensor& x);            ///< the same storage under a graph node of its own

}  // namespace cadena
