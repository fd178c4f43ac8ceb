// Element by element. The formulas: autodiff/formulas.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

// Arithmetic.
Tensor add(const Operand& a, const Operand& b);
Tensor sub(const Operand& a, const Operand& b);
Tensor mul(const Operand& a, const Operand& b);
Tensor div(const Operand& a, const Operand& b);  ///< true division; integers give f32
Tensor pow(const Operand& base, const Operand& exponent);
Tensor maximum(const Operand& a, const Operand& b);  ///< NaN if either is; gradient halves at ties
Tensor minimum(const Operand& a, const Operand& b);  ///< as maximum
/// 0 for x < 0, `at_zero` for x == 0, 1 for x > 0; NaN stays NaN. Its derivative is zero.
Tensor heaviside(const Operand& x, const Operand& at_zero);
inline Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
inline Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
inline Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
inline Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }

// One argument.
Tensor neg(const Tensor& x);
inline Tensor operator-(const Tensor& x) { return neg(x); }
Tensor abs(const Tensor& x);  ///< derivative 0 at 0
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor log_sigmoid(const Tensor& x);
Tensor softplus(const Tensor& x);  ///< log(1 + exp(x)), without overflow
Tensor relu(const Tensor& x);      ///< derivative 0 at 0

}  // namespace cadena
