#include "autodiff/kernels/bidiagonal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"
#include "autodiff/kernels/unroll.hpp"

namespace cadena::kernels {
namespace {

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

/// 1 - factor v v^T with v[0] = 1.
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

// w = factor * sum of v[i] a[i] over rows i >= row, from column `column` on
template <class T>
void row_products(const Padded<T>& a, std::int64_t row, std::int64_t column, const T* v, T factor, T* w) {
  const std::int64_t first = column / width<T> * width<T>;
  std::fill(w + first, w + a.stride, T(0));
  by_fours(row, a.rows, [&](std::int64_t i, auto count) {
    Batch<T> part[count];
    unroll<count>([&](auto r) { part[r] = Batch<T>(factor * v[i + r]); });
    for (std::int64_t k = first; k < a.stride; k += width<T>) {
      Batch<T> sum = Batch<T>::load_aligned(w + k);
      unroll<count>([&](auto r) { sum = xsimd::fma(part[r], Batch<T>::load_aligned(a[i + r] + k), sum); });
      sum.store_aligned(w + k);
    }
  });
}

// Rows i > row: a[i] -= v[i] w, and then a[i] -= factor (a[i] . u) u. w and u are zero before column
// `column`.
template <class T>
void reflect_both_ways(const Padded<T>& a, std::int64_t row, std::int64_t column, const T* v, const T* w,
                       const T* u, T factor) {
  const std::int64_t first = column / width<T> * width<T>;
  by_fours(row, a.rows, [&](std::int64_t i, auto count) {
    Batch<T> left[count], dot[count];
    unroll<count>([&](auto r) { left[r] = Batch<T>(v[i + r]), dot[r] = Batch<T>(T(0)); });
    for (std::int64_t k = first; k < a.stride; k += width<T>) {
      const Batch<T> by = Batch<T>::load_aligned(w + k), along = Batch<T>::load_aligned(u + k);
      unroll<count>([&](auto r) {
        const Batch<T> x = xsimd::fnma(left[r], by, Batch<T>::load_aligned(a[i + r] + k));
        x.store_aligned(a[i + r] + k);
        dot[r] = xsimd::fma(x, along, dot[r]);
      });
    }
    unroll<count>([&](auto r) { dot[r] = Batch<T>(factor * sum_lanes(dot[r])); });
    for (std::int64_t k = first; k < a.stride; k += width<T>) {
      const Batch<T> along = Batch<T>::load_aligned(u + k);
      unroll<count>([&](auto r) {
        xsimd::fnma(dot[r], along, Batch<T>::load_aligned(a[i + r] + k)).store_aligned(a[i + r] + k);
      });
    }
  });
}

/// The reflections that made a matrix bidiagonal, v of each in a row; and what they left.
template <class T>
struct Bidiagonal {
  Padded<T> left, right;
  Scratch<T> left_factors, right_factors;
  Scratch<double> diagonal, above;

  explicit Bidiagonal(const Padded<T>& a)
      : left(a.columns, a.rows),
        right(a.columns, a.columns),
        left_factors(a.columns),
        right_factors(a.columns),
        diagonal(a.columns),
        above(a.columns) {
    const std::int64_t m = a.rows, n = a.columns;
    Padded<T> w(1, n);
    for (std::int64_t k = 0; k < n; ++k) {
      T *v = left[k], *u = right[k];
      for (std::int64_t i = k; i < m; ++i) v[i] = a[i][k];
      const auto from_left = Reflection<T>::of(m - k, v + k);
      left_factors[k] = from_left.factor, diagonal[k] = from_left.value;
      right_factors[k] = 0, above[k] = 0;
      if (k + 1 == n) break;
      row_products(a, k, k + 1, v, from_left.factor, w[0]);
      std::fill(w[0] + (k + 1) / width<T> * width<T>, w[0] + k + 1, T(0));
      for (std::int64_t j = k + 1; j < n; ++j) u[j] = a[k][j] - w[0][j];
      const auto from_right = Reflection<T>::of(n - k - 1, u + k + 1);
      right_factors[k] = from_right.factor, above[k] = from_right.value;
      reflect_both_ways(a, k + 1, k + 1, v, w[0], u, from_right.factor);
    }
  }
};

// The first columns of the product of reflections, the k-th of which leaves the first k + shift rows alone,
// transposed to `to`.
template <class T>
void multiply_reflections(const Padded<T>& v, const T* factors, std::int64_t shift, T* to) {
  const std::int64_t n = v.rows, m = v.columns;
  Padded<T> q(m, n), w(1, n);
  for (std::int64_t i = 0; i < n; ++i) q[i][i] = 1;
  for (std::int64_t k = n - 1 - shift; k >= 0; --k) {
    if (factors[k] == 0) continue;
    const std::int64_t row = k + shift, first = row / width<T> * width<T>;
    row_products(q, row, row, v[k], factors[k], w[0]);
    by_fours(row, m, [&](std::int64_t i, auto count) {
      Batch<T> left[count];
      unroll<count>([&](auto r) { left[r] = Batch<T>(v[k][i + r]); });
      for (std::int64_t j = first; j < q.stride; j += width<T>) {
        const Batch<T> by = Batch<T>::load_aligned(w[0] + j);
        unroll<count>([&](auto r) {
          xsimd::fnma(left[r], by, Batch<T>::load_aligned(q[i + r] + j)).store_aligned(q[i + r] + j);
        });
      }
    });
  }
  transpose_block(q.data.get(), q.stride, to, m, m, n);
}

struct Rotation {
  double cosine, sine, length;

  /// Turns (f, g) into (length, 0).
  static Rotation of(double f, double g) {
    if (g == 0) return {1, 0, f};
    if (f == 0) return {0, 1, g};
    const double top = std::max(std::abs(f), std::abs(g));
    const double length =
        top > 1e-140 && top < 1e140 ? std::sqrt(f * f + g * g) : std::hypot(f, g);  // far slower
    return {f / length, g / length, length};
  }
};

// The smaller singular value of [f, g; 0, h], to rounding.
double smaller_singular_value(double f, double g, double h) {
  f = std::abs(f), g = std::abs(g), h = std::abs(h);
  const double low = std::min(f, h), high = std::max(f, h);
  if (low == 0) return 0;
  const double sum = 1 + low / high, gap = (high - low) / high;
  if (g < high) {
    const double ratio = g / high * (g / high);
    return 2 * low / (std::sqrt(sum * sum + ratio) + std::sqrt(gap * gap + ratio));
  }
  const double ratio = high / g;
  if (ratio == 0) return low * high / g;
  const double a = sum * ratio, b = gap * ratio;
  return 2 * low * ratio / (std::sqrt(1 + a * a) + std::sqrt(1 + b * b));
}

/// Rotations of rows i and i + 1, one after the other.
template <class T>
struct Sweep {
  explicit Sweep(std::int64_t n) : cosines(n), sines(n) {}
  void set(std::int64_t i, const Rotation& r) const {
    cosines[i] = static_cast<T>(r.cosine), sines[i] = static_cast<T>(r.sine);
  }
  // Every row is read and written once: what two rotations share stays in registers.
  void apply(std::int64_t first, std::int64_t last, std::int64_t columns, T* rows) const {
    constexpr int at_once = 4;
    std::int64_t j = 0;
    for (; j + at_once * width<T> <= columns; j += at_once * width<T>) {
      Batch<T> carry[at_once];
      const auto at = [&](std::int64_t i, int u) { return rows + i * columns + j + u * width<T>; };
      unroll<at_once>([&](auto u) { carry[u] = Batch<T>::load_unaligned(at(first, u)); });
      for (std::int64_t i = first; i < last; ++i) {
        const Batch<T> c(cosines[i]), s(sines[i]);
        unroll<at_once>([&](auto u) {
          const Batch<T> next = Batch<T>::load_unaligned(at(i + 1, u));
          xsimd::fma(c, carry[u], s * next).store_unaligned(at(i, u));
          carry[u] = xsimd::fms(c, next, s * carry[u]);
        });
      }
      unroll<at_once>([&](auto u) { carry[u].store_unaligned(at(last, u)); });
    }
    for (; j < columns; j += width<T>) {
      const Partial<T> some(std::min(width<T>, columns - j));
      Batch<T> carry = some.load(rows + first * columns + j);
      for (std::int64_t i = first; i < last; ++i) {
        const Batch<T> c(cosines[i]), s(sines[i]), next = some.load(rows + (i + 1) * columns + j);
        some.store(rows + i * columns + j, xsimd::fma(c, carry, s * next));
        carry = xsimd::fms(c, next, s * carry);
      }
      some.store(rows + last * columns + j, carry);
    }
  }

  Scratch<T> cosines, sines;
};

/// One sweep over d[first ... last], e[first ... last - 1].
template <class T>
void sweep_down(double* d, double* e, std::int64_t first, std::int64_t last, double shift,
                const Sweep<T>& left, const Sweep<T>& right) {
  double f = (std::abs(d[first]) - shift) * (std::copysign(1.0, d[first]) + shift / d[first]), g = e[first];
  for (std::int64_t i = first; i < last; ++i) {
    const Rotation r = Rotation::of(f, g);
    right.set(i, r);
    if (i > first) e[i - 1] = r.length;
    f = r.cosine * d[i] + r.sine * e[i];
    e[i] = r.cosine * e[i] - r.sine * d[i];
    g = r.sine * d[i + 1];
    d[i + 1] *= r.cosine;
    const Rotation l = Rotation::of(f, g);
    left.set(i, l);
    d[i] = l.length;
    f = l.cosine * e[i] + l.sine * d[i + 1];
    d[i + 1] = l.cosine * d[i + 1] - l.sine * e[i];
    if (i + 1 < last) {
      g = l.sine * e[i + 1];
      e[i + 1] *= l.cosine;
    }
  }
  e[last - 1] = f;
}

template <class T>
void sweep_down_unshifted(double* d, double* e, std::int64_t first, std::int64_t last, const Sweep<T>& left,
                          const Sweep<T>& right) {
  Rotation r{1, 0, 0}, l{1, 0, 0};
  for (std::int64_t i = first; i < last; ++i) {
    r = Rotation::of(d[i] * r.cosine, e[i]);
    right.set(i, r);
    if (i > first) e[i - 1] = l.sine * r.length;
    l = Rotation::of(l.cosine * r.length, d[i + 1] * r.sine);
    left.set(i, l);
    d[i] = l.length;
  }
  const double h = d[last] * r.cosine;
  d[last] = h * l.cosine;
  e[last - 1] = h * l.sine;
}

/// Makes (d, e) diagonal. @return false if there were too many sweeps
template <class T>
bool diagonalize(std::int64_t n, double* d, double* e, std::int64_t m, T* ut, T* vt) {
  constexpr double epsilon = std::numeric_limits<T>::epsilon() / 4;
  const Sweep<T> left(n), right(n);
  std::int64_t sweeps = 0;
  for (std::int64_t last = n - 1; last > 0;) {
    std::int64_t first = last;  // of the block without a zero beside the diagonal that ends at `last`
    for (; first > 0; --first)
      if (std::abs(e[first - 1]) <= epsilon * (std::abs(d[first - 1]) + std::abs(d[first]))) {
        e[first - 1] = 0;
        break;
      }
    if (first == last) {
      --last;
      continue;
    }
    if (++sweeps > 40 * n) return false;
    const double shift = smaller_singular_value(d[last - 1], e[last - 1], d[last]);
    const double ratio = shift / std::abs(d[first]);
    if (d[first] == 0 || ratio * ratio < std::numeric_limits<T>::epsilon())
      sweep_down_unshifted(d, e, first, last, left, right);
    else
      sweep_down(d, e, first, last, shift, left, right);
    if (ut) left.apply(first, last, m, ut);
    if (vt) right.apply(first, last, n, vt);
  }
  return true;
}

// Positive values in descending order, and the rows that belong to them.
template <class T>
void put_in_order(std::int64_t n, const double* d, std::int64_t m, T* ut, T* s, T* vt) {
  const Scratch<std::int64_t> order(n);
  std::iota(order.get(), order.get() + n, std::int64_t{0});
  std::stable_sort(order.get(), order.get() + n,
                   [&](std::int64_t i, std::int64_t j) { return std::abs(d[i]) > std::abs(d[j]); });
  for (std::int64_t i = 0; i < n; ++i) s[i] = static_cast<T>(std::abs(d[order[i]]));
  if (!ut) return;
  const Scratch<T> rows(n * m);
  std::copy_n(ut, n * m, rows.get());
  for (std::int64_t i = 0; i < n; ++i) std::copy_n(rows + order[i] * m, m, ut + i * m);
  std::copy_n(vt, n * n, rows.get());
  for (std::int64_t i = 0; i < n; ++i) {
    const T sign = std::signbit(d[order[i]]) ? T(-1) : T(1);
    for (std::int64_t k = 0; k < n; ++k) vt[i * n + k] = sign * rows[order[i] * n + k];
  }
}

}  // namespace

template <class T>
bool bidiagonal_svd(std::int64_t m, std::int64_t n, const T* a, T* ut, T* s, T* vt) {
  Padded<T> rows(m, n);
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(a + i * n, n, rows[i]);
  const Bidiagonal<T> b(rows);
  if (ut) {
    multiply_reflections(b.left, b.left_factors.get(), 0, ut);
    multiply_reflections(b.right, b.right_factors.get(), 1, vt);
  }
  if (!diagonalize(n, b.diagonal.get(), b.above.get(), m, ut, vt)) return false;
  put_in_order(n, b.diagonal.get(), m, ut, s, vt);
  return true;
}

template bool bidiagonal_svd(std::int64_t, std::int64_t, const float*, float*, float*, float*);
template bool bidiagonal_svd(std::int64_t, std::int64_t, const double*, double*, double*, double*);

}  // namespace cadena::kernels
