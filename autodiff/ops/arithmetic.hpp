// Arithmetic. Formulas: ../formulas/arithmetic.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor add(const Operand& a, const Operand& b);
Tensor sub(const Operand& a, const Operand& b);
Tensor mul(const Operand& a, const Operand& b);
Tensor div(const Operand& a, const Operand& b);  ///< true division; integers give f32
Tensor pow(const Operand& base, const Operand& exponent);
Tensor maximum(const Operand& a, const Operand& b);  ///< NaN if either is; gradient halves at ties
Tensor minimum(const Operand& a, const Operand& b);  ///< as maximum
inline Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
inline Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
inline Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
inline Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }

Tensor neg(const Tensor& x);
inline Tensor operator-(const Tensor& x) { return neg(x); }
Tensor abs(const Tensor& x);  ///< derivative 0 at 0
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);

}  // namespace cadena
