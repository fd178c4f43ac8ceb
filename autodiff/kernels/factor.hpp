// Factors of one row-major matrix, in place, by recursive halving: below a block everything is a product, so
// threads, tiles and the promise of equal bits come from gemm. (Toledo 1997; Elmroth & Gustavson 2000.)
#pragma once

#include <cstdint>

#include "autodiff/kernels/gemm.hpp"

namespace cadena::kernels {

/// A[m, n] = P L U with partial pivoting: L (unit, below the diagonal) and U overwrite A, whose rows are
/// `lda` apart. `pivots[i]`: the row >= i that was exchanged with row i, for i < min(m, n). A column without
/// pivot leaves a zero on U's diagonal.
template <class T>
void lu(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, std::int64_t* pivots);

/// A = L L^T from A's lower triangle; L overwrites it, what is above stays.
/// @return 0, or the order of the first leading minor that is not positive (or NaN), where it stopped
template <class T>
std::int64_t cholesky(std::int64_t n, T* a, std::int64_t lda);

struct Triangle {
  bool upper;
  bool unit;  ///< ones on the diagonal, which is not read
};

/// B[n, k] = A^-1 B for a triangular A of any strides; the other triangle is not read. Zeros on the diagonal
/// divide.
template <class T>
void solve_triangular(std::int64_t n, std::int64_t k, MatrixRef<T> a, Triangle triangle, T* b,
                      std::int64_t ldb);

}  // namespace cadena::kernels
