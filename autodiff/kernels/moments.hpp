// Mean and spread of rows.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// For every one of `rows` contiguous rows of n >= 1 elements: the mean, and the sum of the squared distances
/// from it. Two passes over distances from the row's first element, so that rows of one value have exactly
/// that mean and no spread; sums are combined in pairs. T = float, double.
/// @throws MemoryError
template <class T>
void moments(std::int64_t rows, std::int64_t n, const T* x, T* mean, T* squares);

}  // namespace cadena::kernels
