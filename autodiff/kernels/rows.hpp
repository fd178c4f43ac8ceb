// Loops over contiguous rows, vector by vector.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/partial.hpp"

namespace cadena::kernels {

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
inline constexpr std::int64_t width = static_cast<std::int64_t>(Batch<T>::size);
template <class T>
inline constexpr T infinity = std::numeric_limits<T>::infinity();

// f(i, load, store) for every vector of a row; the last, partial one comes with masked access, where lanes
// beyond the row load as `other`.
template <class T, class F>
void for_vectors(std::int64_t n, T other, const F& f) {
  std::int64_t i = 0;
  for (; i + width<T> <= n; i += width<T>)
    f(
        i, [](const T* p) { return Batch<T>::load_unaligned(p); },
        [](T* p, Batch<T> v) { v.store_unaligned(p); });
  if (i == n) return;
  const Partial<T> some(n - i);
  f(
      i, [&](const T* p) { return some.load(p, Batch<T>(other)); },
      [&](T* p, Batch<T> v) { some.store(p, v); });
}

// f(row) for all rows, in blocks of fixed size.
template <class T, class F>
void for_rows(std::int64_t rows, std::int64_t n, const F& f) {
  const std::int64_t group = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(n, 1));
  const bool parallel = rows * n >= 4 * 16384;
  for_blocks((rows + group - 1) / group, parallel, [&](std::int64_t b) {
    for (std::int64_t r = b * group; r < std::min(rows, (b + 1) * group); ++r) f(r);
  });
}

// Sum of term(i, load, store) over the vectors of a row, in chunks: no chain of additions is longer than the
// square root of a million.
template <class T, class F>
T row_sum_of(std::int64_t n, T other, const F& term) {
  constexpr std::int64_t chunk = 256 * width<T>;
  Batch<T> total(T(0));
  for (std::int64_t start = 0; start < n; start += chunk) {
    Batch<T> sum(T(0));
    for_vectors<T>(std::min(chunk, n - start), other,
                   [&](std::int64_t i, auto load, auto store) { sum += term(start + i, load, store); });
    total += sum;
  }
  return sum_lanes(total);
}

// The largest of a row: NaN if there is one, -inf if there is nothing.
template <class T>
T row_max(std::int64_t n, const T* x) {
  Batch<T> best(-infinity<T>);
  for_vectors<T>(n, -infinity<T>,
                 [&](std::int64_t i, auto load, auto) { best = Max::combine(best, load(x + i)); });
  return fold_lanes<Max>(best);
}

}  // namespace cadena::kernels
