// Finding values in sorted sequences, counting them in bins. NaN is larger than any number, as in sort.hpp.
#pragma once

#include <cstdint>

#include "autodiff/dtype.hpp"

namespace cadena::kernels {

/// Sequences of n sorted elements, one for all rows of m values (rows == 1) or one for each, all of `dtype`
/// (f32, f64, i64) and contiguous.
struct Search {
  std::int64_t rows, n, m;
  DType dtype;
  const void* sorted;
  const void* values;
};

/// out[r][i]: the first position whose element is not below the value, or (`right`) is above it.
void searchsorted(const Search& s, bool right, std::int64_t* out);

/// Counts n values of f32 or f64, or adds their weights (null: 1 each), in the bins between `edges` (bins + 1
/// ascending numbers); the last bin includes its upper edge. Values outside, and NaN, are left out. If
/// `even`, the bins are equally wide, and a value's bin is computed instead of searched.
void histogram(DType dtype, std::int64_t n, const void* x, const void* weight, std::int64_t bins,
               const void* edges, bool even, void* out);

/// For n elements of `dtype`, values[order[0]], values[order[1]], ... (null: as they are): starts[u] is where
/// the u-th run of equal elements starts, inverse[order[i]] the run of the i-th. Every NaN is a run of its
/// own. `starts` (n + 1) ends with n.
/// @return the number of runs
std::int64_t find_runs(DType dtype, std::int64_t n, const void* values, const std::int64_t* order,
                       std::int64_t* starts, std::int64_t* inverse);

/// The different ones of n numbers in [low, low + range), ascending: `values` and `counts` (range), and
/// which of them each is. @return how many
std::int64_t unique_in_range(std::int64_t n, const std::int64_t* x, std::int64_t low, std::int64_t range,
                             std::int64_t* values, std::int64_t* counts, std::int64_t* inverse);

/// order = the rows of x (n, m; contiguous f32, f64 or i64) in lexicographic order; equal rows keep theirs.
void sort_rows(DType dtype, std::int64_t n, std::int64_t m, const void* x, std::int64_t* order);

}  // namespace cadena::kernels
