// Products of vectors, matrices and batches under their usual names, and sums over chosen axes.
#pragma once

#include "autodiff/grad.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

// All are floating and promote to a common dtype. Shapes do not broadcast unless the line says so.
Tensor dot(const Tensor& a, const Tensor& b);    ///< sum of the products of two vectors (n), (n)
Tensor inner(const Tensor& a, const Tensor& b);  ///< over the last axes: (..., k), (..., k) -> (..., ...)
Tensor outer(const Tensor& a, const Tensor& b);  ///< (m), (n) -> (m, n)
/// Sums of products along `axis`; a and b broadcast.
Tensor vecdot(const Tensor& a, const Tensor& b, int axis = -1);
/// Vector product along `axis`, whose extent is 3; a and b broadcast.
Tensor cross(const Tensor& a, const Tensor& b, int axis = -1);
Tensor mv(const Tensor& a, const Tensor& x);   ///< (m, k), (k) -> (m)
Tensor mm(const Tensor& a, const Tensor& b);   ///< (m, k), (k, n) -> (m, n)
Tensor bmm(const Tensor& a, const Tensor& b);  ///< (batch, m, k), (batch, k, n) -> (batch, m, n)
/// Kronecker product: blocks a[i, j] b. The shorter shape is led by extents of 1; at most 4 dimensions.
Tensor kron(const Tensor& a, const Tensor& b);
/// Sum of products over the last `axes` axes of a and the first of b.
Tensor tensordot(const Tensor& a, const Tensor& b, int axes = 2);
/// Sum of products over pairs of axes: the first of `a_axes` with the first of `b_axes`, and so on.
Tensor tensordot(const Tensor& a, const Tensor& b, const Axes& a_axes, const Axes& b_axes);

/// beta * input + alpha * (product). With beta = 0 `input` is ignored, NaN and all.
struct AddProductOptions {
  double beta = 1, alpha = 1;
};
// `input` broadcasts to the product's shape.
Tensor addmm(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});
/// With a column (m) times a row (n).
Tensor addr(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});
Tensor addmv(const Tensor& input, const Tensor& a, const Tensor& x, const AddProductOptions& options = {});
Tensor baddbmm(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});
/// As baddbmm, the products summed over the batch: (m, n).
Tensor addbmm(const Tensor& input, const Tensor& a, const Tensor& b, const AddProductOptions& options = {});

/// The product of two or more matrices in the order of the fewest multiplications (Cormen et al.,
/// Introduction to Algorithms, 15.2). The first may be a row (n), the last a column (n).
Tensor multi_dot(const TensorList& matrices);

}  // namespace cadena
