// The SVD of matrices with rows or columns of very different length by one-sided Jacobi rotations of the rows
// of R in A = Q R (Hestenes 1958; de Rijk 1989; Drmac & Veselic 2008): accurate to the last bits also for
// small singular values. Other matrices become bidiagonal, which is several times faster.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/kernels/bidiagonal.hpp"
#include "autodiff/kernels/decompose.hpp"
#include "autodiff/kernels/gemm.hpp"
#include "autodiff/kernels/householder.hpp"
#include "autodiff/kernels/lane.hpp"
#include "autodiff/kernels/scratch.hpp"

namespace cadena::kernels {
namespace {

constexpr int most_sweeps = 64;  // six to ten are usual

/// n rows of n numbers, each filled up with zeros to whole registers.
template <class T>
struct Rows {
  using L = Lane<T>;

  explicit Rows(std::int64_t count)
      : n(count), stride((count + L::size - 1) / L::size * L::size), data(n * stride) {
    std::fill_n(data.get(), n * stride, T(0));
  }
  T* operator[](std::int64_t i) const { return data.get() + i * stride; }
  T dot(std::int64_t i, std::int64_t j) const {
    const T *x = (*this)[i], *y = (*this)[j];
    L even = 0, odd = 0;
    std::int64_t k = 0;
    for (; k + 2 * L::size <= stride; k += 2 * L::size) {
      even = even + L::load(x + k) * L::load(y + k);
      odd = odd + L::load(x + k + L::size) * L::load(y + k + L::size);
    }
    if (k < stride) even = even + L::load(x + k) * L::load(y + k);
    return xsimd::hadd((even + odd).v);
  }
  /// Cosine and sine as corrections of the rows (Rutishauser 1966): small angles then round next to nothing.
  void rotate(std::int64_t i, std::int64_t j, T sine, T half_tangent) const {
    T *x = (*this)[i], *y = (*this)[j];
    for (std::int64_t k = 0; k < stride; k += L::size) {
      const L a = L::load(x + k), b = L::load(y + k);
      (a - sine * (b + half_tangent * a)).store(x + k);
      (b + sine * (a - half_tangent * b)).store(y + k);
    }
  }
  void exchange(std::int64_t i, std::int64_t j) const {
    if (i != j) std::swap_ranges((*this)[i], (*this)[i] + stride, (*this)[j]);
  }

  std::int64_t n, stride;
  Scratch<T> data;
};

/// W = J R with rows that are orthogonal to each other, and J orthogonal.
template <class T>
struct Rotated {
  Rows<T> w, j;
  Scratch<T> squares;  // of the lengths of w's rows

  explicit Rotated(std::int64_t n) : w(n), j(n), squares(n) {
    for (std::int64_t i = 0; i < n; ++i) j[i][i] = 1;
  }

  void exchange(std::int64_t a, std::int64_t b) {
    w.exchange(a, b);
    j.exchange(a, b);
    std::swap(squares[a], squares[b]);
  }

  /// Makes rows p and q orthogonal. @return whether they were not
  bool rotate(std::int64_t p, std::int64_t q, T tolerance) {
    const T product = w.dot(p, q);
    if (!(std::abs(product) > tolerance * std::sqrt(squares[p]) * std::sqrt(squares[q]))) return false;
    const T ratio = (squares[q] - squares[p]) / (2 * product);
    const T tangent = std::copysign(1 / (std::abs(ratio) + std::hypot(T(1), ratio)), ratio);
    const T cosine = 1 / std::sqrt(1 + tangent * tangent), sine = cosine * tangent;
    w.rotate(p, q, sine, sine / (1 + cosine));
    j.rotate(p, q, sine, sine / (1 + cosine));
    squares[p] = std::max(squares[p] - tangent * product, T(0));
    squares[q] = std::max(squares[q] + tangent * product, T(0));
    return true;
  }

  /// Once over all pairs, the longest of the remaining rows first. @return whether anything was rotated
  bool sweep(T tolerance) {
    bool any = false;
    for (std::int64_t i = 0; i < w.n; ++i) squares[i] = w.dot(i, i);
    for (std::int64_t p = 0; p < w.n; ++p) {
      exchange(p, std::max_element(squares.get() + p, squares.get() + w.n) - squares.get());
      for (std::int64_t q = p + 1; q < w.n; ++q) any |= rotate(p, q, tolerance);
    }
    return any;
  }
};

/// Gives row i, which is zero, a direction at right angles to all rows that have one.
template <class T>
void complete_row(const Rows<T>& z, std::int64_t i) {
  std::int64_t best = 0;
  T least = std::numeric_limits<T>::infinity();
  for (std::int64_t k = 0; k < z.n; ++k) {  // the axis that the others cover least
    T covered = 0;
    for (std::int64_t r = 0; r < z.n; ++r) covered += z[r][k] * z[r][k];
    if (covered < least) least = covered, best = k;
  }
  z[i][best] = 1;
  for (int twice = 0; twice < 2; ++twice) {
    for (std::int64_t r = 0; r < z.n; ++r) {
      if (r == i) continue;
      const T part = z.dot(i, r);
      for (std::int64_t k = 0; k < z.n; ++k) z[i][k] -= part * z[r][k];
    }
    const T length = std::sqrt(z.dot(i, i));
    for (std::int64_t k = 0; k < z.n; ++k) z[i][k] /= length;
  }
}

/// Where a matrix is written.
template <class T>
struct Target {
  T* data;
  std::int64_t row, col;

  void write(std::int64_t rows, std::int64_t columns, MatrixRef<T> from) const {
    for (std::int64_t i = 0; i < rows; ++i)
      for (std::int64_t k = 0; k < columns; ++k)
        data[i * row + k * col] = from.data[i * from.row + k * from.col];
  }
};

/// By rotations, of R in A = Q R. @return false if there were too many sweeps
template <class T>
bool jacobi_svd(std::int64_t m, std::int64_t n, const T* a, T* s, const Target<T>* out_u,
                const Target<T>* out_vh) {
  Scratch<T> q(m * n), r(n * n);
  qr<T>(m, n, n, a, q, r);
  Rotated<T> rotated(n);
  for (std::int64_t i = 0; i < n; ++i) std::copy_n(r + i * n, n, rotated.w[i]);
  const T tolerance = std::numeric_limits<T>::epsilon() * std::sqrt(static_cast<T>(n));
  int sweeps = 0;
  while (rotated.sweep(tolerance))
    if (++sweeps == most_sweeps) return false;
  auto& z = rotated.w;
  for (std::int64_t i = 0; i < n; ++i) {
    const T length = std::sqrt(z.dot(i, i));
    s[i] = length;
    for (std::int64_t k = 0; length > 0 && k < n; ++k) z[i][k] /= length;
  }
  if (!out_u) return true;
  for (std::int64_t i = 0; i < n; ++i)
    if (s[i] == 0) complete_row(z, i);
  const Scratch<T> u(m * n);
  gemm<T>(m, n, n, {q, n, 1}, {rotated.j.data, 1, rotated.j.stride}, u, n);
  out_u->write(m, n, {u, n, 1});
  out_vh->write(n, n, {z.data, z.stride, 1});
  return true;
}

/// By a bidiagonal matrix: of R, if A has many more rows than columns. @return false if there were too many
/// sweeps
template <class T>
bool reduced_svd(std::int64_t m, std::int64_t n, const T* a, T* s, const Target<T>* out_u,
                 const Target<T>* out_vh) {
  const bool tall = m >= 2 * n;
  const std::int64_t rows = tall ? n : m;
  const Scratch<T> q(tall ? m * n : 0), r(tall ? n * n : 0), ut(out_u ? rows * n : 0), vt(out_u ? n * n : 0);
  if (tall) qr<T>(m, n, n, a, q, r);
  if (!bidiagonal_svd<T>(rows, n, tall ? r.get() : a, out_u ? ut.get() : nullptr, s,
                         out_u ? vt.get() : nullptr))
    return false;
  if (!out_u) return true;
  out_vh->write(n, n, {vt, n, 1});
  if (!tall) {
    out_u->write(m, n, {ut, 1, m});
    return true;
  }
  const Scratch<T> u(m * n);
  gemm<T>(m, n, n, {q, n, 1}, {ut, 1, n}, u, n);
  out_u->write(m, n, {u, n, 1});
  return true;
}

/// Whether rows and columns are about equally long. Where they are not, rotations keep digits of the small
/// singular values that come of it; elsewhere they know them no better than a bidiagonal matrix does.
template <class T>
bool is_balanced(std::int64_t m, std::int64_t n, const T* a) {
  const Scratch<T> columns(n);
  std::fill_n(columns.get(), n, T(0));
  T least = std::numeric_limits<T>::max(), most = 0;
  for (std::int64_t i = 0; i < m; ++i) {
    T row = 0;
    for (std::int64_t k = 0; k < n; ++k) {
      const T square = a[i * n + k] * a[i * n + k];
      columns[k] += square, row += square;
    }
    least = std::min(least, row), most = std::max(most, row);
  }
  const auto [low, high] = std::minmax_element(columns.get(), columns.get() + n);
  constexpr T far = 16 * 16;  // of squares
  return most <= far * least && *high <= far * *low && *low > 0 && least > 0;
}

constexpr std::int64_t few_columns = 4;  // up to which a few rotations are all

/// A[m, n], m >= n, transposed or not as its strides say.
template <class T>
bool tall_svd(std::int64_t m, std::int64_t n, MatrixRef<T> a, T* s, const Target<T>* out_u,
              const Target<T>* out_vh) {
  Scratch<T> scaled(m * n);
  T top = 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t k = 0; k < n; ++k) top = std::max(top, std::abs(a.data[i * a.row + k * a.col]));
  const Scaling<T> scaling(top);
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t k = 0; k < n; ++k) scaled[i * n + k] = scaling.down(a.data[i * a.row + k * a.col]);
  const bool reduced = n > few_columns && is_balanced<T>(m, n, scaled);
  if (!(reduced && reduced_svd<T>(m, n, scaled, s, out_u, out_vh)) &&
      !jacobi_svd<T>(m, n, scaled, s, out_u, out_vh))
    return false;
  for (std::int64_t i = 0; i < n; ++i) s[i] = scaling.up(s[i]);
  return true;
}

}  // namespace

template <class T>
bool svd(std::int64_t m, std::int64_t n, const T* a, T* u, T* s, T* vh) {
  const Target<T> left = m >= n ? Target<T>{u, n, 1} : Target<T>{vh, 1, n},
                  right = m >= n ? Target<T>{vh, n, 1} : Target<T>{u, 1, m};
  const Target<T>*out_u = u ? &left : nullptr, *out_vh = u ? &right : nullptr;
  if (m >= n) return tall_svd<T>(m, n, {a, n, 1}, s, out_u, out_vh);
  return tall_svd<T>(n, m, {a, 1, n}, s, out_u, out_vh);  // of the transpose: U and V change places
}

template bool svd(std::int64_t, std::int64_t, const float*, float*, float*, float*);
template bool svd(std::int64_t, std::int64_t, const double*, double*, double*, double*);

}  // namespace cadena::kernels
