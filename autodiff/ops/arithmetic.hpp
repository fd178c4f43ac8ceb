// Arithmetic. Formulas: ../formulas/arithmetic.hpp.
#pragma once

#include <optional>

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor add(const Operand& a, const Operand& b);
Tensor sub(const Operand& a, const Operand& b);
Tensor mul(const Operand& a, const Operand& b);
Tensor div(const Operand& a, const Operand& b);  ///< true division; integers give f32
Tensor pow(const Operand& base, const Operand& exponent);
Tensor maximum(const Operand& a, const Operand& b);  ///< NaN if either is; gradient halves at ties
Tensor minimum(const Operand& a, const Operand& b);  ///< as maximum
Tensor hypot(const Operand& a,
             const Operand& b);  ///< sqrt(a^2 + b^2) without overflow; derivative 0 at (0, 0)
inline Tensor operator+(const Operand& a, const Operand& b) { return add(a, b); }
inline Tensor operator-(const Operand& a, const Operand& b) { return sub(a, b); }
inline Tensor operator*(const Operand& a, const Operand& b) { return mul(a, b); }
inline Tensor operator/(const Operand& a, const Operand& b) { return div(a, b); }

Tensor neg(const Tensor& x);
inline Tensor operator-(const Tensor& x) { return neg(x); }
Tensor abs(const Tensor& x);  ///< derivative 0 at 0
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);  ///< 1 / sqrt(x)
Tensor square(const Tensor& x);
Tensor reciprocal(const Tensor& x);

/// a + weight * (b - a), exact at weight 0 and 1
Tensor lerp(const Operand& a, const Operand& b, const Operand& weight);
Tensor addcmul(const Operand& x, const Operand& a, const Operand& b,
               double value = 1);  ///< x + value * a * b
Tensor addcdiv(const Operand& x, const Operand& a, const Operand& b,
               double value = 1);  ///< x + value * a / b
/// Between the bounds, of which either may be missing; derivative 1 at the bounds, 0 beyond; NaN stays NaN.
/// @throws ValueError if min > max
Tensor clamp(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max = {});
Tensor clamp(const Tensor& x, const Tensor& min,
             const Tensor& max);  ///< the bounds get the gradient beyond them
/// NaN and the infinities replaced; without a value for them, infinities by the largest finite numbers.
Tensor nan_to_num(const Tensor& x, double nan = 0, std::optional<double> posinf = {},
                  std::optional<double> neginf = {});

}  // namespace cadena
