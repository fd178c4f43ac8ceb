// Loops over contiguous rows, vector by vector. They are always inlined: what their functions refer to then
// stays in registers, where a call would load it again for every vector.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/unroll.hpp"

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
[[gnu::always_inline]] inline void for_vectors(std::int64_t n, T other, const F& f) {
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

// Sum of term(i, load, store) over the vectors of a row, in four interleaved chains, and in chunks: no chain
// of additions is longer than a quarter of the square root of a million.
template <class T, class F>
[[gnu::always_inline]] inline T row_sum_of(std::int64_t n, T other, const F& term) {
  constexpr std::int64_t chunk = 256 * width<T>;
  const auto load = [](const T* p) { return Batch<T>::load_unaligned(p); };
  const auto store = [](T* p, Batch<T> v) { v.store_unaligned(p); };
  Batch<T> total(T(0));
  for (std::int64_t i = 0; i < n;) {
    const std::int64_t end = std::min(n, i + chunk);
    Batch<T> sums[4];
    unroll<4>([&](auto u) { sums[u] = Batch<T>(T(0)); });
    for (; i + 4 * width<T> <= end; i += 4 * width<T>)
      unroll<4>([&](auto u) { sums[u] += term(i + u * width<T>, load, store); });
    for (; i + width<T> <= end; i += width<T>) sums[0] += term(i, load, store);
    if (i < end) {
      const Partial<T> some(end - i);
      sums[1] += term(
          i, [&](const T* p) { return some.load(p, Batch<T>(other)); },
          [&](T* p, Batch<T> v) { some.store(p, v); });
      i = end;
    }
    total += (sums[0] + sums[1]) + (sums[2] + sums[3]);
  }
  return sum_lanes(total);
}

// The largest of a row by `combine(a, v)`, in four interleaved chains; -inf if there is nothing.
template <class T, class F>
[[gnu::always_inline]] inline T row_largest(std::int64_t n, const T* x, const F& combine) {
  Batch<T> best[4];
  unroll<4>([&](auto u) { best[u] = Batch<T>(-infinity<T>); });
  std::int64_t i = 0;
  for (; i + 4 * width<T> <= n; i += 4 * width<T>)
    unroll<4>([&](auto u) { best[u] = combine(best[u], Batch<T>::load_unaligned(x + i + u * width<T>)); });
  for (; i + width<T> <= n; i += width<T>) best[0] = combine(best[0], Batch<T>::load_unaligned(x + i));
  if (i < n) best[1] = combine(best[1], Partial<T>(n - i).load(x + i, Batch<T>(-infinity<T>)));
  return fold_lanes<Max>(combine(combine(best[0], best[1]), combine(best[2], best[3])));
}
// NaN if there is one.
template <class T>
T row_max(std::int64_t n, const T* x) {
  return row_largest(n, x, [](Batch<T> a, Batch<T> v) { return Max::combine(a, v); });
}
// NaN may be overlooked, where the sum that follows shows it.
template <class T>
T row_top(std::int64_t n, const T* x) {
  return row_largest(n, x, [](Batch<T> a, Batch<T> v) { return xsimd::max(v, a); });
}

}  // namespace cadena::kernels
