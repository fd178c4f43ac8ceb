// Orthogonal decompositions of one row-major matrix, on copies of equal alignment: the bits depend on the
// numbers alone.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// A[m, n] = Q R by Householder reflections. Q is [m, q_columns] with q_columns = min(m, n) or m, R is
/// [q_columns, n].
/// @throws MemoryError
template <class T>
void qr(std::int64_t m, std::int64_t n, std::int64_t q_columns, const T* a, T* q, T* r);

/// A = V diag(values) V^T from A's lower triangle, values ascending, V's columns of length 1 (null: not
/// wanted).
/// @return false if the iteration did not converge @throws MemoryError
template <class T>
bool eigh(std::int64_t n, const T* a, T* values, T* vectors);

/// A[m, n] = U diag(S) Vh with k = min(m, n): U is [m, k], S descending, Vh [k, n]; U and Vh null: not
/// wanted. A must be finite.
/// @return false if the iteration did not converge @throws MemoryError
template <class T>
bool svd(std::int64_t m, std::int64_t n, const T* a, T* u, T* s, T* vh);

}  // namespace cadena::kernels
