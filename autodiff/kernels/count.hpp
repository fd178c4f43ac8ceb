// How many elements of a mask are true.
#pragma once

#include <cstdint>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// out[i] = number of true elements of the bool view along `axes` (sorted, unique), for the kept dimensions
/// in row-major order.
/// @throws MemoryError if there is no memory for scratch space
void count_true(const View& mask, const Axes& axes, std::int64_t* out);

}  // namespace cadena::kernels
