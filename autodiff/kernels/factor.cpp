#include "autodiff/kernels/factor.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t block = 32;  // extents up to which plain loops are as fast as products
constexpr std::int64_t narrow = 8;  // columns of a panel that is pivoted by plain loops

// C[m, n] -= A[m, k] B[k, n]
template <class T>
void subtract_product(std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c,
                      std::int64_t ldc) {
  if (m == 0 || n == 0 || k == 0) return;
  const Scratch<T> minus(m * k);
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t p = 0; p < k; ++p) minus[i * k + p] = -a.data[i * a.row + p * a.col];
  gemm<T>(m, n, k, {minus, k, 1}, b, c, ldc, {.accumulate = true});
}

// row[0 ... n) -= factor * other[0 ... n)
template <class T>
void subtract_row(std::int64_t n, T factor, const T* other, T* row) {
  for (std::int64_t j = 0; j < n; ++j) row[j] -= factor * other[j];
}

template <class T>
void exchange_rows(std::int64_t n, T* a, std::int64_t lda, std::int64_t from, std::int64_t to,
                   const std::int64_t* pivots) {
  for (std::int64_t i = from; i < to; ++i)
    if (pivots[i] != i) std::swap_ranges(a + i * lda, a + i * lda + n, a + pivots[i] * lda);
}

template <class T>
void lu_panel(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, std::int64_t* pivots) {
  for (std::int64_t j = 0; j < std::min(m, n); ++j) {
    std::int64_t pivot = j;
    for (std::int64_t i = j + 1; i < m; ++i)
      if (std::abs(a[i * lda + j]) > std::abs(a[pivot * lda + j])) pivot = i;
    pivots[j] = pivot;
    exchange_rows(n, a, lda, j, j + 1, pivots);
    const T top = a[j * lda + j];
    if (top == 0) continue;
    for (std::int64_t i = j + 1; i < m; ++i) {
      T& factor = a[i * lda + j];
      factor /= top;
      subtract_row(n - j - 1, factor, a + j * lda + j + 1, a + i * lda + j + 1);
    }
  }
}

// X U = B for rows of B, a row in each lane, with a small upper triangular U.
template <class T>
void solve_rows(std::int64_t rows, std::int64_t n, MatrixRef<T> u, T* b, std::int64_t ldb) {
  constexpr std::int64_t w = width<T>;
  T packed[block * block];
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = i; j < n; ++j) packed[i * n + j] = u.data[i * u.row + j * u.col];
  alignas(64) T x[block][w] = {};
  for (std::int64_t r = 0; r < rows; r += w) {
    const std::int64_t count = std::min(w, rows - r);
    transpose_block(b + r * ldb, ldb, x[0], w, count, n);
    for (std::int64_t j = 0; j < n; ++j) {
      const Batch<T> own = Batch<T>::load_aligned(x[j]) / Batch<T>(packed[j * n + j]);
      own.store_aligned(x[j]);
      for (std::int64_t k = j + 1; k < n; ++k)
        xsimd::fnma(own, Batch<T>(packed[j * n + k]), Batch<T>::load_aligned(x[k])).store_aligned(x[k]);
    }
    transpose_block(x[0], w, b + r * ldb, ldb, n, count);
  }
}

template <class T>
MatrixRef<T> at(MatrixRef<T> a, std::int64_t i, std::int64_t j) {
  return {a.data + i * a.row + j * a.col, a.row, a.col};
}

// X U = B, in place, for an upper triangular U.
template <class T>
void solve_from_right(std::int64_t rows, std::int64_t n, MatrixRef<T> u, T* b, std::int64_t ldb) {
  if (n <= block) return solve_rows(rows, n, u, b, ldb);
  const std::int64_t half = n / 2;
  solve_from_right(rows, half, u, b, ldb);
  subtract_product<T>(rows, n - half, half, {b, ldb, 1}, at(u, 0, half), b + half, ldb);
  solve_from_right(rows, n - half, at(u, half, half), b + half, ldb);
}

// The same order of divisions and subtractions as in a whole triangle, from the top or from the bottom.
template <class T>
void solve_small(std::int64_t n, std::int64_t k, MatrixRef<T> a, Triangle triangle, T* b, std::int64_t ldb) {
  for (std::int64_t step = 0; step < n; ++step) {
    const std::int64_t i = triangle.upper ? n - 1 - step : step;
    T* row = b + i * ldb;
    for (std::int64_t before = 0; before < step; ++before) {
      const std::int64_t j = triangle.upper ? n - 1 - before : before;
      subtract_row(k, a.data[i * a.row + j * a.col], b + j * ldb, row);
    }
    if (triangle.unit) continue;
    const T diagonal = a.data[i * (a.row + a.col)];
    for (std::int64_t c = 0; c < k; ++c) row[c] /= diagonal;
  }
}

constexpr std::int64_t tiny = 12;  // extents up to which a register is mostly empty

// Row by row.
template <class T>
std::int64_t cholesky_tiny(std::int64_t n, T* a, std::int64_t lda) {
  for (std::int64_t i = 0; i < n; ++i) {
    T* row = a + i * lda;
    for (std::int64_t j = 0; j <= i; ++j) {
      const T* other = a + j * lda;
      T rest = row[j];
      for (std::int64_t k = 0; k < j; ++k) rest -= row[k] * other[k];
      if (j < i) {
        row[j] = rest / other[j];
      } else {
        if (!(rest > 0)) return i + 1;
        row[i] = std::sqrt(rest);
      }
    }
  }
  return 0;
}

// Column by column, each subtracted from those behind it at once. The columns lie in registers' rows of their
// own; what is above the diagonal there means nothing.
template <class T>
std::int64_t cholesky_small(std::int64_t n, T* a, std::int64_t lda) {
  constexpr std::int64_t w = width<T>;
  alignas(64) T column[block][block] = {};
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) column[j][i] = a[i * lda + j];
  for (std::int64_t j = 0; j < n; ++j) {
    T* own = column[j];
    if (!(own[j] > 0)) return j + 1;
    const T root = std::sqrt(own[j]);
    const std::int64_t first = j / w * w;
    for (std::int64_t i = first; i < n; i += w)
      (Batch<T>::load_aligned(own + i) / Batch<T>(root)).store_aligned(own + i);
    own[j] = root;
    for (std::int64_t k = j + 1; k < n; ++k) {
      const Batch<T> factor(own[k]);
      T* other = column[k];
      for (std::int64_t i = k / w * w; i < n; i += w)
        xsimd::fnma(factor, Batch<T>::load_aligned(own + i), Batch<T>::load_aligned(other + i))
            .store_aligned(other + i);
    }
  }
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j <= i; ++j) a[i * lda + j] = column[j][i];
  return 0;
}

}  // namespace

template <class T>
void lu(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, std::int64_t* pivots) {
  if (n <= narrow || m <= 1) return lu_panel(m, n, a, lda, pivots);
  const std::int64_t half = std::min(m, n) / 2, rest = n - half;
  lu(m, half, a, lda, pivots);
  exchange_rows(rest, a + half, lda, 0, half, pivots);
  solve_triangular<T>(half, rest, {a, lda, 1}, {.upper = false, .unit = true}, a + half, lda);
  T* below = a + half * lda;
  subtract_product<T>(m - half, rest, half, {below, lda, 1}, {a + half, lda, 1}, below + half, lda);
  const std::int64_t more = std::min(m - half, rest);
  lu(m - half, rest, below + half, lda, pivots + half);
  exchange_rows(half, below, lda, 0, more, pivots + half);
  for (std::int64_t i = half; i < half + more; ++i) pivots[i] += half;
}

template <class T>
std::int64_t cholesky(std::int64_t n, T* a, std::int64_t lda) {
  if (n <= tiny) return cholesky_tiny(n, a, lda);
  if (n <= block) return cholesky_small(n, a, lda);
  const std::int64_t half = n / 2, rest = n - half;
  if (const auto minor = cholesky(half, a, lda)) return minor;
  T* below = a + half * lda;
  solve_from_right<T>(rest, half, {a, 1, lda}, below, lda);
  subtract_product<T>(rest, rest, half, {below, lda, 1}, {below, 1, lda}, below + half, lda);
  const auto minor = cholesky(rest, below + half, lda);
  return minor ? half + minor : 0;
}

template <class T>
void solve_triangular(std::int64_t n, std::int64_t k, MatrixRef<T> a, Triangle triangle, T* b,
                      std::int64_t ldb) {
  if (n <= block) return solve_small(n, k, a, triangle, b, ldb);
  const std::int64_t half = n / 2, rest = n - half;
  T* below = b + half * ldb;
  if (triangle.upper) {
    solve_triangular(rest, k, at(a, half, half), triangle, below, ldb);
    subtract_product<T>(half, k, rest, at(a, 0, half), {below, ldb, 1}, b, ldb);
    solve_triangular(half, k, a, triangle, b, ldb);
  } else {
    solve_triangular(half, k, a, triangle, b, ldb);
    subtract_product<T>(rest, k, half, at(a, half, 0), {b, ldb, 1}, below, ldb);
    solve_triangular(rest, k, at(a, half, half), triangle, below, ldb);
  }
}

template void lu(std::int64_t, std::int64_t, float*, std::int64_t, std::int64_t*);
template void lu(std::int64_t, std::int64_t, double*, std::int64_t, std::int64_t*);
template std::int64_t cholesky(std::int64_t, float*, std::int64_t);
template std::int64_t cholesky(std::int64_t, double*, std::int64_t);
template void solve_triangular(std::int64_t, std::int64_t, MatrixRef<float>, Triangle, float*, std::int64_t);
template void solve_triangular(std::int64_t, std::int64_t, MatrixRef<double>, Triangle, double*,
                               std::int64_t);

}  // namespace cadena::kernels
