// The loops behind reduce(): contiguous rows, and columns of contiguous rows.
#pragma once

#include <cstdint>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/reduce.hpp"

namespace cadena::kernels {

// T = float, double, std::int64_t; `out` is contiguous, of T or, for argmax and argmin, i64. n >= 1.

/// out[i] = reduction of the n contiguous elements at x + (offset of the i-th index of `outer`)
template <class T>
void reduce_rows(ReduceOp op, const Loops<1>& outer, std::int64_t n, const T* x, void* out);

/// out[i, j] = reduction of x[(offset of i) + r * step + j] over r < n, for j < width
template <class T>
void reduce_columns(ReduceOp op, const Loops<1>& outer, std::int64_t n, std::int64_t step, std::int64_t width,
                    const T* x, void* out);

}  // namespace cadena::kernels
