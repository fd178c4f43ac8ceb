// Diagonals and triangles. Diagonal k starts k columns right of the corner, or -k rows below it.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace cadena {

/// A view of the diagonals of the planes of two axes, which go; the diagonal comes last. @throws ValueError
/// if the axes are the same
Tensor diagonal(const Tensor& x, std::int64_t offset = 0, int axis1 = 0, int axis2 = 1);
/// Zeros with x's last axis on the diagonals of square planes, at the result's axes axis1 and axis2.
Tensor diag_embed(const Tensor& x, std::int64_t offset = 0, int axis1 = -2, int axis2 = -1);
/// The matrix with a vector on its diagonal, or a matrix's diagonal. @throws ShapeError for other ranks
Tensor diag(const Tensor& x, std::int64_t diagonal = 0);
Tensor diagflat(const Tensor& x, std::int64_t offset = 0);  ///< diag of all elements of x
/// A copy of x with src, of diagonal(x)'s shape, on that diagonal.
Tensor diagonal_scatter(const Tensor& x, const Tensor& src, std::int64_t offset = 0, int axis1 = 0,
                        int axis2 = 1);
Tensor trace(const Tensor& x);  ///< of a matrix
/// Matrices (of the last two axes) with zeros above a diagonal, or below it.
Tensor tril(const Tensor& x, std::int64_t diagonal = 0);
Tensor triu(const Tensor& x, std::int64_t diagonal = 0);
/// Rows and columns (2, n) of what tril and triu keep, in row-major order; i64.
Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset = 0);
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset = 0);

}  // namespace cadena
