// Matrix products over raw memory. The same bits for any number of threads and any buffer alignment: the
// order in which an element's products are added depends on the shape and the strides alone.
#pragma once

#include <cstdint>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// A matrix operand: element (i, j) lies at data[i * row + j * col]. If neither stride is 1 it is packed
/// first.
template <class T>
struct MatrixRef {
  const T* data;
  std::int64_t row, col;

  MatrixRef transposed() const { return {data, col, row}; }
};

template <class T>
struct GemmOptions {
  bool accumulate = false;  ///< C += A B instead of C = A B
  const T* bias = nullptr;  ///< n contiguous numbers added to every row of C
};

/// C[m, n] = A[m, k] B[k, n] (+ bias) for T = float, double. C is row-major with leading dimension `ldc` >= n
/// and must not overlap A or B. k == 0 gives zeros (+ bias).
/// @throws MemoryError if there is no memory for packing
template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c,
          std::int64_t ldc, const GemmOptions<T>& options = {});

/// One product per index of `batch`; operands move by their batch strides (0 repeats them), C is contiguous:
/// [batch..., m, n].
template <class T>
void gemm_batched(const Shape& batch, std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a,
                  const Strides& a_batch, MatrixRef<T> b, const Strides& b_batch, T* c,
                  const GemmOptions<T>& options = {});

}  // namespace cadena::kernels
