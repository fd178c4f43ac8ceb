// Running sums, products and extremes along an axis.
#pragma once

#include "autodiff/ops/reduce.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

Tensor cumsum(const Tensor& x, int axis);   ///< integers give i64
Tensor cumprod(const Tensor& x, int axis);  ///< derivatives are exact where factors are 0, in every order
Tensor logcumsumexp(const Tensor& x, int axis);  ///< f32 or f64, without overflow. @throws DtypeError
/// Largest value so far and where it stands: the last of equals, which alone gets the gradient. NaN counts as
/// largest.
ValuesIndices cummax(const Tensor& x, int axis);
ValuesIndices cummin(const Tensor& x, int axis);  ///< NaN counts as smallest
/// h[j] = a[j] h[j - 1] + b[j] with h[-1] = 0, or from the end if `reverse`: then h[j] = a[j] h[j + 1] +
/// b[j]. a and b broadcast. Where a[j] is exactly zero the past is forgotten, be it infinite.
Tensor linear_recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse = false);
/// Differences of neighbours, `n` times over, after joining `prepend`, x and `append` (undefined: nothing).
Tensor diff(const Tensor& x, int n = 1, int axis = -1, const Tensor& prepend = {}, const Tensor& append = {});

}  // namespace cadena
