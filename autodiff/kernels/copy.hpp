// Strided copies, conversions, fills and sums. Source and target must not overlap, except that a stride-0
// source repeats.
#pragma once

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// to[i] = from[i] for all i; the shapes are equal, strides are arbitrary (0 and negative too; 0 not in
/// `to`). Other dtypes convert: to bool is != 0; NaN to i64 is 0, floating numbers beyond i64 saturate.
void copy(const View& from, const View& to);

/// to[i] += from[i] in f32 or f64; quick where the last dimension is contiguous in both.
void add(const View& from, const View& to);

/// to[i] = value, converted to its dtype.
void fill(const View& to, Scalar value);

}  // namespace cadena::kernels
