// Arrays read through an index for each axis: margins of an array's own elements.
#pragma once

#include <vector>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// to[i, j, ...] = from[index[0][i], index[1][j], ...]. Both are contiguous, of one dtype and of rank >= 1;
/// `index` has as many entries for each axis as `to`, all of them positions in `from`.
void read_by_axes(const View& from, const std::vector<std::vector<std::int64_t>>& index, const View& to);

}  // namespace cadena::kernels
