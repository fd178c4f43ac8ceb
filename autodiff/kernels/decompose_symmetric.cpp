// Symmetric eigenvalues by a tridiagonal matrix: Householder reflections from both sides, each of which reads
// and writes the rest of the matrix once, then implicit QR sweeps (Golub & Van Loan, 8.3).
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "autodiff/kernels/decompose.hpp"
#include "autodiff/kernels/householder.hpp"
#include "autodiff/kernels/rotation.hpp"

namespace cadena::kernels {
namespace {

// Rows i >= row of a symmetric matrix: a[i] -= v[i] w + w[i] v, and then products[i] = a[i] . u.
template <class T>
void update_and_multiply(const Padded<T>& a, std::int64_t row, const T* v, const T* w, const T* u,
                         T* products) {
  const std::int64_t first = row / width<T> * width<T>;
  by_fours(row, a.rows, [&](std::int64_t i, auto count) {
    Batch<T> of_v[count], of_w[count], dot[count];
    unroll<count>(
        [&](auto r) { of_v[r] = Batch<T>(v[i + r]), of_w[r] = Batch<T>(w[i + r]), dot[r] = Batch<T>(T(0)); });
    for (std::int64_t k = first; k < a.stride; k += width<T>) {
      const Batch<T> by_v = Batch<T>::load_aligned(v + k), by_w = Batch<T>::load_aligned(w + k),
                     along = Batch<T>::load_aligned(u + k);
      unroll<count>([&](auto r) {
        const Batch<T> x =
            xsimd::fnma(of_v[r], by_w, xsimd::fnma(of_w[r], by_v, Batch<T>::load_aligned(a[i + r] + k)));
        x.store_aligned(a[i + r] + k);
        dot[r] = xsimd::fma(x, along, dot[r]);
      });
    }
    unroll<count>([&](auto r) { products[i + r] = sum_lanes(dot[r]); });
  });
}

/// The reflections that made a matrix tridiagonal, v of each in a row; and what they left.
template <class T>
struct Tridiagonal {
  Padded<T> v;
  Scratch<T> factors;
  Scratch<double> diagonal, beside;

  explicit Tridiagonal(const Padded<T>& a)
      : v(a.rows, a.rows), factors(a.rows), diagonal(a.rows), beside(a.rows) {
    const std::int64_t n = a.rows;
    const Padded<T> zero(1, n), w(1, n);
    const T* last = zero[0];  // v of the step before, whose update is still to be done
    for (std::int64_t k = 0; k < n; ++k) {
      T* row = a[k];
      for (std::int64_t j = k; j < n; ++j) row[j] -= last[k] * w[0][j] + w[0][k] * last[j];
      diagonal[k] = static_cast<double>(row[k]);
      factors[k] = 0, beside[k] = 0;
      if (k + 1 == n) break;
      T* u = v[k];
      std::copy(row + k + 1, row + n, u + k + 1);
      const auto reflection = Reflection<T>::of(n - k - 1, u + k + 1);
      factors[k] = reflection.factor, beside[k] = static_cast<double>(reflection.value);
      const Padded<T> p(1, n);
      update_and_multiply(a, k + 1, last, w[0], u, p[0]);
      // w = factor (p - factor / 2 (p . v) v)
      T along = 0;
      for (std::int64_t j = k + 1; j < n; ++j) along += p[0][j] * u[j];
      along *= reflection.factor / 2;
      std::fill_n(w[0], k + 1, T(0));
      for (std::int64_t j = k + 1; j < n; ++j) w[0][j] = reflection.factor * (p[0][j] - along * u[j]);
      last = u;
    }
  }
};

// One sweep over d[first ... last], e[first ... last - 1], shifted by the eigenvalue of the last two rows
// that is nearer to d[last] (Wilkinson 1968).
template <class T>
void sweep_down(double* d, double* e, std::int64_t first, std::int64_t last, const Sweep<T>& sweep) {
  const double half = (d[last - 1] - d[last]) / 2, beside = e[last - 1];
  const double shift = d[last] - beside * (beside / (half + std::copysign(std::hypot(half, beside), half)));
  double x = d[first] - shift, z = e[first];
  for (std::int64_t k = first; k < last; ++k) {
    const Rotation r = Rotation::of(x, z);
    sweep.set(k, r);
    if (k > first) e[k - 1] = r.length;
    const double c = r.cosine, s = r.sine, upper = d[k], lower = d[k + 1], mixed = e[k];
    d[k] = c * c * upper + 2 * c * s * mixed + s * s * lower;
    d[k + 1] = s * s * upper - 2 * c * s * mixed + c * c * lower;
    e[k] = c * s * (lower - upper) + (c * c - s * s) * mixed;
    if (k + 1 < last) {
      x = e[k], z = s * e[k + 1];
      e[k + 1] *= c;
    }
  }
}

/// Makes (d, e) diagonal and turns the rows of vt. @return false if there were too many sweeps
template <class T>
bool diagonalize(std::int64_t n, double* d, double* e, const Padded<T>* vt) {
  const Sweep<T> sweep(n);
  return deflate<T>(n, d, e, [&](std::int64_t first, std::int64_t last) {
    sweep_down(d, e, first, last, sweep);
    if (vt) sweep.apply(first, last, *vt);
  });
}

}  // namespace

template <class T>
bool eigh(std::int64_t n, const T* a, T* values, T* vectors) {
  const Padded<T> rows(n, n);
  T top = 0;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) top = std::max(top, std::abs(a[i * n + j]));
  const Scaling<T> scaling(top);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) rows[i][j] = rows[j][i] = scaling.down(a[i * n + j]);
  const Tridiagonal<T> t(rows);
  const Padded<T> vt(vectors ? n : 0, n);
  if (vectors) multiply_reflections(t.v, t.factors.get(), n - 1, 1, vt);
  double* d = t.diagonal.get();
  if (!diagonalize(n, d, t.beside.get(), vectors ? &vt : nullptr)) return false;
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) { return d[i] < d[j]; });
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t from = order[static_cast<std::size_t>(i)];
    values[i] = static_cast<T>(std::scalbn(d[from], scaling.power));
    for (std::int64_t k = 0; vectors && k < n; ++k) vectors[k * n + i] = vt[from][k];
  }
  return true;
}

template bool eigh(std::int64_t, const float*, float*, float*);
template bool eigh(std::int64_t, const double*, double*, double*);

}  // namespace cadena::kernels
