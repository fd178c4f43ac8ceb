// Reductions over any set of axes of a strided view. The order of additions is a fixed tree that depends on
// the shape only: the same bits for any number of threads, and sums as accurate as if accumulated in double.
#pragma once

#include <cstdint>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

enum class ReduceOp : std::uint8_t {
  sum,
  prod,    ///< f32 and f64 only
  max,     ///< NaN if any element is
  min,     ///< NaN if any element is
  argmax,  ///< first position of the largest in the row-major order of the reduced axes; NaN counts as
           ///< largest
  argmin   ///< first position of the smallest; NaN counts as smallest
};

/// Reduces `in` (f32, f64 or i64) over `axes` (sorted, unique; none of them: a copy) into `out`, which holds
/// the kept dimensions contiguously: elements of in's dtype, i64 for argmax and argmin. i64 sums wrap around.
/// Over nothing a sum is 0 and a product 1; the others must not be called then.
/// @throws MemoryError if there is no memory for scratch space
void reduce(ReduceOp op, const View& in, const Axes& axes, void* out);

}  // namespace cadena::kernels
