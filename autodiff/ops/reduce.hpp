// Sums, extremes and their positions.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

// Reductions over `axes` (all when empty). `keepdim` leaves extents of 1 behind.
Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< 0 for empty; integers give i64
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< NaN for empty
/// Product; 1 for empty, integers give i64. Derivatives are exact where factors are 0.
Tensor prod(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
Tensor nansum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);   ///< NaN counts as 0
Tensor nanmean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< of what is not NaN
Tensor count_nonzero(const Tensor& x, const Axes& axes = {});                  ///< i64; NaN is not zero
Tensor any(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< bool; NaN is true, empty false
Tensor all(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< bool; NaN and empty are true
/// Largest value; ties share the gradient evenly. @throws ValueError on an empty axis
Tensor amax(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
Tensor amin(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
struct MinMax {
  Tensor min, max;
};
MinMax aminmax(const Tensor& x, const Axes& axes = {}, bool keepdim = false);  ///< amin and amax
Tensor max(const Tensor& x);                                                   ///< amax over everything
Tensor min(const Tensor& x);
struct ValuesIndices {
  Tensor values, indices;
};
/// Largest value along `axis` and where it stands (the first of equals, which alone gets the gradient).
ValuesIndices max(const Tensor& x, int axis, bool keepdim = false);
ValuesIndices min(const Tensor& x, int axis, bool keepdim = false);
/// Position (i64) of the first largest value; NaN counts as largest. Without an axis, in the flattened
/// tensor.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, int axis, bool keepdim = false);
/// Sums over broadcast dimensions, so that the result has `shape`: the transpose of expand.
Tensor sum_to(const Tensor& x, const Shape& shape);

}  // namespace cadena
