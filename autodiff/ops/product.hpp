// Products of vectors and matrices.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

// Products.
/// Vectors, matrices and batches of matrices as in NumPy: (n)(n), (m,k)(k), (k)(k,n), (...,m,k)(...,k,n).
Tensor matmul(const Tensor& a, const Tensor& b);
/// x W^T + b. @param x (..., in) @param weight (out, in) @param bias (out) or undefined
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// y_k = x1 W_k x2 + b_k. @param x1 (..., in1) @param x2 (..., in2) with the same leading axes @param weight
/// (out, in1, in2) @param bias (out) or undefined @return (..., out)
Tensor bilinear(const Tensor& x1, const Tensor& x2, const Tensor& weight, const Tensor& bias = {});

}  // namespace cadena
