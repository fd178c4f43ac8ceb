// Before Eigen's own headers: it sets their switches.
#include "autodiff/kernels/eigen_compat.hpp"
// Then they.
#include <Eigen/Eigenvalues>

#include "autodiff/kernels/decompose.hpp"

namespace cadena::kernels {

template <class T>
bool eigh(std::int64_t n, const T* a, T* values, T* vectors) {
  return with_memory("eigh", [&] {
    const Eigen::SelfAdjointEigenSolver<ColumnMajor<T>> solver(row_major(a, n, n));
    if (solver.info() != Eigen::Success) return false;
    row_major(values, n, 1) = solver.eigenvalues();
    row_major(vectors, n, n) = solver.eigenvectors();
    return true;
  });
}

template bool eigh(std::int64_t, const float*, float*, float*);
template bool eigh(std::int64_t, const double*, double*, double*);

}  // namespace cadena::kernels
