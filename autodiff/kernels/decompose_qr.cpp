// QR, by Eigen where the matrix is large.

// Before Eigen's own headers: it sets their switches.
#include "autodiff/kernels/eigen_compat.hpp"
// Then they.
#include <Eigen/Householder>
#include <Eigen/QR>

#include "autodiff/kernels/decompose.hpp"
#include "autodiff/kernels/householder.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {

namespace {

// Column by column, each of which lies in a row, where the matrix stays in the second-level cache; Eigen
// works on blocks of larger ones.
template <class T>
void small_qr(std::int64_t m, std::int64_t n, std::int64_t q_columns, const T* a, T* q, T* r) {
  const std::int64_t count = std::min(m, n);
  T top = 0;
  for (std::int64_t i = 0; i < m * n; ++i) top = std::max(top, std::abs(a[i]));
  const Scaling<T> scaling(top);
  const Padded<T> columns(n, m), v(count, m), qt(q_columns, m);
  const Scratch<T> factors(count);
  transpose_block(a, n, columns.data.get(), columns.stride, m, n);
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t k = 0; k < m; ++k) columns[i][k] = scaling.down(columns[i][k]);
  for (std::int64_t k = 0; k < count; ++k) {
    std::copy(columns[k] + k, columns[k] + m, v[k] + k);
    const auto reflection = Reflection<T>::of(m - k, v[k] + k);
    factors[k] = reflection.factor;
    reflect_rows(columns, k + 1, k, v[k], reflection.factor);
    columns[k][k] = reflection.value;
  }
  for (std::int64_t i = 0; i < q_columns; ++i)
    for (std::int64_t j = 0; j < n; ++j) r[i * n + j] = j >= i ? scaling.up(columns[j][i]) : T(0);
  multiply_reflections(v, factors.get(), count, 0, qt);
  transpose_block(qt.data.get(), qt.stride, q, q_columns, q_columns, m);
}

}  // namespace

template <class T>
void qr(std::int64_t m, std::int64_t n, std::int64_t q_columns, const T* a, T* q, T* r) {
  constexpr std::int64_t cached = 1 << 20;  // bytes
  if (m * n * static_cast<std::int64_t>(sizeof(T)) <= cached) return small_qr(m, n, q_columns, a, q, r);
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
