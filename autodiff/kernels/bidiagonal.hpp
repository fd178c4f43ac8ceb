// The SVD by a bidiagonal matrix: Householder reflections from both sides (Golub & Kahan 1965), then implicit
// QR sweeps, without a shift where that keeps digits (Demmel & Kahan 1990). Singular values are exact to
// rounding of the largest.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// A[m, n] = U diag(s) V^T, m >= n >= 1, s descending, of a matrix whose largest element is about 1.
/// `ut` (n, m) is U^T and `vt` (n, n) V^T, or both are null: not wanted.
/// @return false if the sweeps did not converge @throws MemoryError
template <class T>
bool bidiagonal_svd(std::int64_t m, std::int64_t n, const T* a, T* ut, T* s, T* vt);

}  // namespace cadena::kernels
