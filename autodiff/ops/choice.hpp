// Choosing and comparing.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

// Choice and comparison (results of comparisons are bool and carry no gradient).
Tensor where(const Tensor& condition, const Operand& a, const Operand& b);
Tensor eq(const Operand& a, const Operand& b);
Tensor ne(const Operand& a, const Operand& b);
Tensor lt(const Operand& a, const Operand& b);
Tensor le(const Operand& a, const Operand& b);
Tensor gt(const Operand& a, const Operand& b);
Tensor ge(const Operand& a, const Operand& b);
inline Tensor operator<(const Operand& a, const Operand& b) { return lt(a, b); }
inline Tensor operator<=(const Operand& a, const Operand& b) { return le(a, b); }
inline Tensor operator>(const Operand& a, const Operand& b) { return gt(a, b); }
inline Tensor operator>=(const Operand& a, const Operand& b) { return ge(a, b); }
Tensor isnan(const Tensor& x);
Tensor fmax(const Tensor& a, const Tensor& b);  ///< maximum that a single NaN does not win
Tensor fmin(const Tensor& a, const Tensor& b);  ///< minimum that a single NaN does not win
/// True if dtype, shape and every element agree (NaN equals nothing).
bool equal(const Tensor& a, const Tensor& b);
/// True if |a - b| <= atol + rtol * |b| everywhere; shapes must be equal. Infinities of one sign are close.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8,
              bool equal_nan = false);

}  // namespace cadena
