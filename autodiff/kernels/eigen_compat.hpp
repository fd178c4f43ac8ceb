// Eigen as the kernels use it: without threads of its own, out of memory as MemoryError.
#pragma once

#define EIGEN_DONT_PARALLELIZE
#define EIGEN_MPL2_ONLY
#include <Eigen/Core>
#include <cstdint>
#include <new>
#include <string>

#include "autodiff/error.hpp"

namespace cadena::kernels {

template <class T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using ColumnMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;

template <class T>
auto row_major(const T* data, std::int64_t rows, std::int64_t columns) {
  return Eigen::Map<const RowMajor<T>>(data, rows, columns);
}
template <class T>
auto row_major(T* data, std::int64_t rows, std::int64_t columns) {
  return Eigen::Map<RowMajor<T>>(data, rows, columns);
}

/// f(), with Eigen's std::bad_alloc in our terms.
template <class F>
auto with_memory(const char* what, const F& f) {
  try {
    return f();
  } catch (const std::bad_alloc&) {
    throw MemoryError("[" + std::string(what) + "] expected memory for working copies, got none");
  }
}

}  // namespace cadena::kernels
