// Householder reflections of small matrices, whose rows lie in whole registers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/unroll.hpp"

namespace cadena::kernels {

/// Brings the largest element to about 1, so that squares neither overflow nor vanish; a power of two costs
/// no bits. In two factors: one might overflow.
template <class T>
struct Scaling {
  explicit Scaling(T largest)
      : power(largest > 0 && std::isfinite(largest) ? std::ilogb(largest) : 0),
        half(std::scalbn(T(1), -power / 2)),
        rest(std::scalbn(T(1), -power - -power / 2)) {}
  T down(T v) const { return v * half * rest; }
  T up(T v) const { return v / half / rest; }

  int power;
  T half, rest;
};

/// Rows filled up with zeros to whole registers, so that loops need no ends.
template <class T>
struct Padded {
  Padded(std::int64_t n_rows, std::int64_t n_columns)
      : rows(n_rows),
        columns(n_columns),
        stride((n_columns + width<T> - 1) / width<T> * width<T>),
        data(n_rows * stride) {
    std::fill_n(data.get(), rows * stride, T(0));
  }
  T* operator[](std::int64_t i) const { return data.get() + i * stride; }

  std::int64_t rows, columns, stride;
  Scratch<T> data;
};

/// 1 - factor v v^T with v[0] = 1, in a matrix that is scaled.
template <class T>
struct Reflection {
  T factor, value;  ///< `value`: what becomes of the first element, the others being 0

  /// Makes v of the vector x of n elements, in its place.
  static Reflection of(std::int64_t n, T* x) {
    const T first = x[0];
    const T rest = row_sum_of<T>(n - 1, T(0), [&](std::int64_t i, auto load, auto) {
      const Batch<T> v = load(x + 1 + i);
      return v * v;
    });
    x[0] = 1;
    // What rounding has left of nothing is far below the rounding of the largest elements, which are about 1;
    // its squares begin to vanish, and v would not be what the factor takes it for.
    if (rest < std::numeric_limits<T>::min() / std::numeric_limits<T>::epsilon()) return {0, first};
    const T value = -std::copysign(std::sqrt(first * first + rest), first), scale = 1 / (first - value);
    for (std::int64_t i = 1; i < n; ++i) x[i] *= scale;
    return {(value - first) / value, value};
  }
};

// f(first row, how many as a constant) for all rows from `from` on, four at a time.
template <class F>
void by_fours(std::int64_t from, std::int64_t to, const F& f) {
  for (; from + 4 <= to; from += 4) f(from, std::integral_constant<int, 4>());
  for (; from < to; ++from) f(from, std::integral_constant<int, 1>());
}

// Rows i >= row: a[i] -= factor (a[i] . v) v. v is zero before column `column`.
template <class T>
void reflect_rows(const Padded<T>& a, std::int64_t row, std::int64_t column, const T* v, T factor) {
  if (factor == 0) return;
  const std::int64_t first = column / width<T> * width<T>;
  by_fours(row, a.rows, [&](std::int64_t i, auto count) {
    Batch<T> dot[count];
    unroll<count>([&](auto r) { dot[r] = Batch<T>(T(0)); });
    for (std::int64_t k = first; k < a.stride; k += width<T>) {
      const Batch<T> along = Batch<T>::load_aligned(v + k);
      unroll<count>(
          [&](auto r) { dot[r] = xsimd::fma(Batch<T>::load_aligned(a[i + r] + k), along, dot[r]); });
    }
    T sums[4];
    if constexpr (count == 4)
      sum_lanes_of_four(dot[0], dot[1], dot[2], dot[3], sums);
    else
      sums[0] = sum_lanes(dot[0]);
    unroll<count>([&](auto r) { dot[r] = Batch<T>(factor * sums[r]); });
    for (std::int64_t k = first; k < a.stride; k += width<T>) {
      const Batch<T> along = Batch<T>::load_aligned(v + k);
      unroll<count>([&](auto r) {
        xsimd::fnma(dot[r], along, Batch<T>::load_aligned(a[i + r] + k)).store_aligned(a[i + r] + k);
      });
    }
  });
}

/// Rows of qt = the first columns of the product of `count` reflections, v of the k-th of which is row k and
/// begins at k + shift.
template <class T>
void multiply_reflections(const Padded<T>& v, const T* factors, std::int64_t count, std::int64_t shift,
                          const Padded<T>& qt) {
  for (std::int64_t i = 0; i < std::min(qt.rows, qt.columns); ++i) qt[i][i] = 1;
  for (std::int64_t k = count - 1; k >= 0; --k) reflect_rows(qt, k + shift, k + shift, v[k], factors[k]);
}

}  // namespace cadena::kernels
