// QR and symmetric eigenvalues in one file: most of what Eigen makes of them is the same.

// Before Eigen's own headers: it sets their switches.
#include "autodiff/kernels/eigen_compat.hpp"
// Then they.
#include <Eigen/Eigenvalues>
#include <Eigen/Householder>
#include <Eigen/QR>

#include "autodiff/kernels/decompose.hpp"

namespace cadena::kernels {

template <class T>
bool eigh(std::int64_t n, const T* a, T* values, T* vectors) {
  return with_memory("eigh", [&] {
    const Eigen::SelfAdjointEigenSolver<ColumnMajor<T>> solver(
        row_major(a, n, n), vectors ? Eigen::ComputeEigenvectors : Eigen::EigenvaluesOnly);
    if (solver.info() != Eigen::Success) return false;
    row_major(values, n, 1) = solver.eigenvalues();
    if (vectors) row_major(vectors, n, n) = solver.eigenvectors();
    return true;
  });
}

template bool eigh(std::int64_t, const float*, float*, float*);
template bool eigh(std::int64_t, const double*, double*, double*);

template <class T>
void qr(std::int64_t m, std::int64_t n, std::int64_t q_columns, const T* a, T* q, T* r) {
  with_memory("qr", [&] {
    const Eigen::HouseholderQR<ColumnMajor<T>> decomposition(row_major(a, m, n));
    ColumnMajor<T> thin = ColumnMajor<T>::Identity(m, q_columns);
    thin.applyOnTheLeft(decomposition.householderQ());
    row_major(q, m, q_columns) = thin;
    auto upper = row_major(r, q_columns, n);
    upper.setZero();
    const auto& packed = decomposition.matrixQR();
    for (std::int64_t i = 0; i < q_columns && i < n; ++i)
      for (std::int64_t j = i; j < n; ++j) upper(i, j) = packed(i, j);
  });
}

template void qr(std::int64_t, std::int64_t, std::int64_t, const float*, float*, float*);
template void qr(std::int64_t, std::int64_t, std::int64_t, const double*, double*, double*);

}  // namespace cadena::kernels
