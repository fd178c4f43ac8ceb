// The order of the elements of contiguous rows. Elements are ordered by value and, among equals, by position:
// a total order, so that every algorithm gives the same result. NaN is the largest value; -0 equals 0.
#pragma once

#include <cstdint>

#include "autodiff/dtype.hpp"

namespace cadena::kernels {

/// `rows` contiguous rows of n elements of f32, f64 or i64.
struct Rows {
  std::int64_t rows, n;
  DType dtype;
  const void* data;
};

/// indices[r][j], j < k: where the j-th element of row r in ascending (or descending) order stands; k <= n.
/// @throws MemoryError
void argsort(const Rows& x, bool descending, std::int64_t k, std::int64_t* indices);

/// indices[r]: where the k[r]-th element (from 0) of row r in ascending order stands. @throws MemoryError
void arg_kth(const Rows& x, const std::int64_t* k, std::int64_t* indices);

/// indices[r]: where the most frequent value of row r stands first; the smallest of several. NaN counts as
/// one value. `order` is what argsort gave.
void arg_mode(const Rows& x, const std::int64_t* order, std::int64_t* indices);

}  // namespace cadena::kernels
