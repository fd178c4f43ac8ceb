// Linear algebra: factors, solutions, spectra, determinants and functions of matrices, (..., m, n) each.
// Names are those of torch.linalg.
//
// Everything is floating, works on every matrix of a batch and has derivatives of any order. Batch dimensions
// broadcast where two matrices meet. Matrices called symmetric are read in one triangle, and their gradient
// is symmetric. What must be regular and is not gives a ValueError that names the matrix. NaN and infinity
// pass through as in arithmetic, except that cholesky, eigh and svd refuse them (ValueError).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "autodiff/tensor.hpp"

namespace cadena {

// Factors and solutions.

struct CholeskyOptions {
  bool upper = false;  ///< give (or take) L^T instead of L
};
/// L with A = L L^T for a symmetric positive definite A, from its lower triangle (Murray, arXiv:1602.07527).
/// @throws ValueError naming the matrix and its first leading minor that is not positive
Tensor cholesky(const Tensor& a, const CholeskyOptions& options = {});
/// X with (L L^T) X = B, for L from cholesky. @param b (..., n, k)
Tensor cholesky_solve(const Tensor& b, const Tensor& l, const CholeskyOptions& options = {});

/// (L L^T)^-1 for L from cholesky.
Tensor cholesky_inverse(const Tensor& l, const CholeskyOptions& options = {});

struct SolveOptions {
  bool left = true;  ///< A X = B; otherwise X A = B
};
/// X with A X = B (Giles 2008). @param b (..., n, k), or vectors: (n), or of a's shape without its last axis
Tensor solve(const Tensor& a, const Tensor& b, const SolveOptions& options = {});
struct SolveTriangularOptions {
  bool upper;                  ///< which triangle of A is read
  bool left = true;            ///< A X = B; otherwise X A = B
  bool unitriangular = false;  ///< ones on the diagonal, which is not read
};
/// X with A X = B for a triangular A. Zeros on its diagonal divide, as in PyTorch: infinities or NaN.
Tensor solve_triangular(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options);
Tensor inv(const Tensor& a);
/// The inverse of a as the matrix of its first `ind` axes by the others, whose extents have the same product;
/// with the others first. @throws ShapeError, ValueError unless ind > 0
Tensor tensorinv(const Tensor& a, int ind = 2);
/// X with tensordot(A, X, axes of X) = B: a's first axes are b's, as many elements as the others, which are
/// X's.
Tensor tensorsolve(const Tensor& a, const Tensor& b);

struct LUFactor {
  Tensor LU;      ///< L below the diagonal (its own is ones), U on and above it
  Tensor pivots;  ///< i64, counted from 1 as in LAPACK: row i was exchanged with row pivots[i]
};
/// A = P L U with partial pivoting, packed. @param a (..., m, n), its first min(m, n) columns of full rank
LUFactor lu_factor(const Tensor& a);
struct PLU {
  Tensor P, L, U;
};
PLU lu(const Tensor& a);  ///< lu_factor spelled out: P (m, m), L (m, k), U (k, n), k = min(m, n)
/// X with A X = B, from A's lu_factor. @param b (..., n, k)
Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b);

enum class QRMode : std::uint8_t { reduced, complete };
struct QR {
  Tensor Q, R;
};
/// A = Q R by Householder reflections; R's diagonal has the signs that those give. Reduced: Q (m, k), R (k,
/// n) with k = min(m, n). Complete: Q (m, m), R (m, n), which has no derivative where m > n.
/// @throws GraphError if that derivative is asked for
QR qr(const Tensor& a, QRMode mode = QRMode::reduced);
struct Lstsq {
  Tensor solution;   ///< (..., n, k)
  Tensor residuals;  ///< (..., k): squared, where m > n; else (..., 0)
};
/// X of least |A X - B|, or of least |X| where m < n, through QR; A has full rank.
Lstsq lstsq(const Tensor& a, const Tensor& b);

// Spectra.

struct Eigh {
  Tensor eigenvalues;   ///< ascending
  Tensor eigenvectors;  ///< columns of length 1, each up to its sign
};
/// A = V diag(L) V^T for a symmetric A (Giles 2008). The gradient of V is infinite or NaN where eigenvalues
/// are equal, unless it vanishes there; that of L alone is always finite.
Eigh eigh(const Tensor& a, char UPLO = 'L');
Tensor eigvalsh(const Tensor& a, char UPLO = 'L');
struct SVD {
  Tensor U, S, Vh;  ///< (..., m, k), (..., k) descending, (..., k, n) with k = min(m, n)
};
/// A = U diag(S) Vh, reduced (PyTorch's full_matrices = false); columns of U and rows of Vh up to a common
/// sign (Townsend 2016). Gradients of U and Vh where singular values are equal, or zero in a matrix that is
/// not square: as for eigh.
SVD svd(const Tensor& a);
Tensor svdvals(const Tensor& a);
struct RankOptions {
  std::optional<double> atol = {};  ///< singular values up to max(atol, rtol * largest) count as zero
  std::optional<double> rtol = {};
};  // rtol: max(m, n) times the dtype's epsilon, or 0 if atol is given
/// Pseudo-inverse by the SVD (derivative: Golub & Pereyra 1973, for constant rank).
Tensor pinv(const Tensor& a, const RankOptions& options = {});
Tensor matrix_rank(const Tensor& a, const RankOptions& options = {});  ///< i64
/// "fro" or "nuc" of the matrices that the two axes span.
Tensor matrix_norm(const Tensor& x, std::string_view ord = "fro", const Axes& axes = {-2, -1},
                   bool keepdim = false);
/// 1, -1 (largest, smallest absolute column sum), 2, -2 (singular value), infinity, -infinity (row sum).
/// Equals share the gradient.
Tensor matrix_norm(const Tensor& x, double ord, const Axes& axes = {-2, -1}, bool keepdim = false);
/// norm(A) norm(A^-1), infinite for singular matrices; 2 and -2 also for matrices that are not square.
Tensor cond(const Tensor& a, double ord = 2);
Tensor cond(const Tensor& a, std::string_view ord);

// Determinants and functions.

/// The gradient is the cofactor matrix, exact at every rank and every order: near a singular matrix the
/// determinant lemma moves the small singular values away.
Tensor det(const Tensor& a);
struct Slogdet {
  Tensor sign, logabsdet;  ///< of a singular matrix: 0 and -inf. The sign has no gradient
};
Slogdet slogdet(const Tensor& a);
Tensor logdet(const Tensor& a);  ///< NaN for a negative determinant
/// A^n by repeated squaring; negative powers of the inverse.
Tensor matrix_power(const Tensor& a, std::int64_t n);
/// exp(A) by Pade approximants, scaling and squaring (Higham 2005); its derivative is a block of the
/// exponential of [[A, E], [0, A]] (Mathias 1996).
Tensor matrix_exp(const Tensor& a);

}  // namespace cadena
