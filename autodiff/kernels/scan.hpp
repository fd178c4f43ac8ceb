// Running sums, products and extremes along the middle of contiguous memory. A line is scanned by one thread
// from one end to the other, so the bits do not depend on the number of threads. f32 is accumulated in
// double.
#pragma once

#include <cstdint>

#include "autodiff/dtype.hpp"

namespace cadena::kernels {

/// Contiguous memory of outer x n x inner elements; a line is n elements, `inner` apart.
struct Lines {
  std::int64_t outer, n, inner;
};

enum class ScanOp : std::uint8_t { sum, prod };

/// out[j] = x[0] op ... op x[j], or from the end if `reverse`. f32, f64 and i64, which wraps around.
void cumulate(ScanOp op, const Lines& lines, DType dtype, const void* x, void* out, bool reverse);

/// h[j] = a[j] h[j - 1] + b[j] with h[-1] = 0, or from the end if `reverse`: then h[j] = a[j] h[j + 1] +
/// b[j]. Where a[j] is exactly zero the past is forgotten, be it infinite. f32 and f64.
void linear_recurrence(const Lines& lines, DType dtype, const void* a, const void* b, void* h, bool reverse);

/// out[j] = log(exp(x[0]) + ... + exp(x[j])) without overflow. f32 and f64.
void logcumsumexp(const Lines& lines, DType dtype, const void* x, void* out);

/// indices[j]: where the largest (or smallest) of x[0] ... x[j] stands, the last of equals. NaN counts as
/// largest and as smallest. f32, f64 and i64.
void cumulative_extreme(bool largest, const Lines& lines, DType dtype, const void* x, std::int64_t* indices);

}  // namespace cadena::kernels
