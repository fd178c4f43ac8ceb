// What reductions, scans, sorts and scatters do to shapes and dtypes.
#pragma once

#include <cstdint>

#include "autodiff/kernels/scan.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::detail {

Shape reduced_shape(const Shape& in, const Axes& axes, bool keepdim);
/// Shape with the reduced axes as extents of 1, so that it broadcasts against the input.
Tensor restore_axes(const Tensor& reduced, const Shape& in, const Axes& axes);
/// Number of elements along `axes`.
std::int64_t count_along(const Shape& shape, const Axes& axes);
/// x with `axes` (sorted) moved last and flattened to one: (kept..., n).
Tensor flattened_last(const Tensor& x, const Axes& axes);
/// x with `axis` moved last, or back from there.
Tensor axis_last(const Tensor& x, int axis);
Tensor axis_back(const Tensor& x, int axis);
/// Contiguous memory of this shape as lines along `axis`; one line for rank 0.
kernels::Lines lines_of(const Shape& shape, int axis);

/// Axis of a tensor whose rank 0 counts as a vector of one element.
int axis_or_vector(const char* op, std::int64_t axis, int rank);

/// Refuses to look for the extreme of nothing. @throws ValueError
void check_not_empty(const char* op, const Tensor& x, const Axes& axes);
/// @throws DtypeError unless x is f32 or f64
void check_floating(const char* op, const Tensor& x);
/// i64 for bool, which has no sums or extremes of its own.
Tensor numeric(const Tensor& x);

/// sqrt for squares that are summed: its derivative is 0 at 0, in every order.
Tensor root(const Tensor& x);

/// src in x's dtype. @throws DtypeError naming `op` if that cannot hold it
Tensor cast_to(const char* op, const Tensor& x, const Tensor& src);

}  // namespace cadena::detail
