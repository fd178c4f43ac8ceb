// Indexing as in NumPy, with masks and index tensors; reading is Tensor::index.
//
// An i64 tensor in an index list picks positions along its axis, negative ones from the end; several
// broadcast against each other. A bool tensor is a mask over as many axes as it has, and stands for the
// positions of its true elements. Beside tensors, single numbers count as index tensors of rank 0. The axes
// that the tensors index are replaced by the tensors' common shape: in place if the tensors stand side by
// side, in front otherwise.
#pragma once

#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

/// A copy of x with other values at an index: x[indices] = values, which broadcast. Of several values for one
/// element the last (in row-major order) stays; with `accumulate` all are added. @throws IndexError,
/// ShapeError, DtypeError
Tensor index_put(const Tensor& x, const std::vector<Index>& indices, const Operand& values,
                 bool accumulate = false);

// In the flattened tensor; negative positions count from the end.
Tensor take(const Tensor& x, const Tensor& index);  ///< of index's shape
/// A copy of x with `source`, which has as many elements as `index`, at these positions.
Tensor put(const Tensor& x, const Tensor& index, const Tensor& source, bool accumulate = false);

// Masks.
/// Positions of elements that are not 0, a row each: i64 (count, rank), in row-major order.
Tensor nonzero(const Tensor& x);
Tensor argwhere(const Tensor& x);                           ///< nonzero
std::vector<Tensor> where(const Tensor& condition);         ///< nonzero's columns, to index with
Tensor masked_select(const Tensor& x, const Tensor& mask);  ///< a vector; both broadcast
/// A number (or a tensor of rank 0) where a bool mask is true; both broadcast.
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Operand& value);
/// The first elements of `source` where the mask, which broadcasts to x, is true. @throws ValueError if there
/// are too few
Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source);

}  // namespace cadena
