#include "autodiff/kernels/bidiagonal.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "autodiff/kernels/householder.hpp"
#include "autodiff/kernels/rotation.hpp"

namespace cadena::kernels {
namespace {

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
bool diagonalize(std::int64_t n, double* d, double* e, const Padded<T>* ut, const Padded<T>* vt) {
  const Sweep<T> left(n), right(n);
  return deflate<T>(n, d, e, [&](std::int64_t first, std::int64_t last) {
    const double shift = smaller_singular_value(d[last - 1], e[last - 1], d[last]);
    const double ratio = shift / std::abs(d[first]);
    if (d[first] == 0 || ratio * ratio < std::numeric_limits<T>::epsilon())
      sweep_down_unshifted(d, e, first, last, left, right);
    else
      sweep_down(d, e, first, last, shift, left, right);
    if (ut) left.apply(first, last, *ut);
    if (vt) right.apply(first, last, *vt);
  });
}

// The order of descending values.
std::vector<std::int64_t> order_of(std::int64_t n, const double* d) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::int64_t i, std::int64_t j) { return std::abs(d[i]) > std::abs(d[j]); });
  return order;
}

}  // namespace

template <class T>
bool bidiagonal_svd(std::int64_t m, std::int64_t n, const T* a, T* ut, T* s, T* vt) {
  const Padded<T> rows(m, n);
  for (std::int64_t i = 0; i < m; ++i) std::copy_n(a + i * n, n, rows[i]);
  const Bidiagonal<T> b(rows);
  const Padded<T> left(ut ? n : 0, m), right(ut ? n : 0, n);
  if (ut) {
    multiply_reflections(b.left, b.left_factors.get(), n, 0, left);
    multiply_reflections(b.right, b.right_factors.get(), n - 1, 1, right);
  }
  const double* d = b.diagonal.get();
  if (!diagonalize(n, b.diagonal.get(), b.above.get(), ut ? &left : nullptr, ut ? &right : nullptr))
    return false;
  const auto order = order_of(n, d);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t from = order[static_cast<std::size_t>(i)];
    s[i] = static_cast<T>(std::abs(d[from]));
    if (!ut) continue;
    const T sign = std::signbit(d[from]) ? T(-1) : T(1);
    std::copy_n(left[from], m, ut + i * m);
    for (std::int64_t k = 0; k < n; ++k) vt[i * n + k] = sign * right[from][k];
  }
  return true;
}

template bool bidiagonal_svd(std::int64_t, std::int64_t, const float*, float*, float*, float*);
template bool bidiagonal_svd(std::int64_t, std::int64_t, const double*, double*, double*, double*);

}  // namespace cadena::kernels
