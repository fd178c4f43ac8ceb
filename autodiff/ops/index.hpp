// Reading and adding at positions that a tensor holds.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace cadena {

// Indexing with i64 tensors (not broadcast; indices must lie in [0, extent)).
/// out[i][j][k] = x[i][index[i][j][k]][k] for axis 1; `index` has x's rank and its extents are at most x's
/// outside `axis`.
Tensor gather(const Tensor& x, int axis, const Tensor& index);
/// Adds `src` into a copy of x at gather's positions; repeated positions add up.
Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src);
/// Whole slices of x along `axis`, picked by a vector of indices.
Tensor index_select(const Tensor& x, int axis, const Tensor& index);
/// Adds whole slices of `src` into a copy of x; the transpose of index_select.
Tensor index_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src);
/// i64 (...) of classes -> i64 (..., classes); `classes` of -1 takes 1 + the largest.
Tensor one_hot(const Tensor& labels, std::int64_t classes = -1);

}  // namespace cadena
