// Trigonometric and hyperbolic functions. Formulas: ../formulas/trigonometric.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
/// Angle of the point (x, y), in [-pi, pi], signed zeros as in IEEE 754; derivatives 0 at (0, 0).
Tensor atan2(const Operand& y, const Operand& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor asinh(const Tensor& x);
Tensor acosh(const Tensor& x);
Tensor atanh(const Tensor& x);
Tensor sinc(const Tensor& x);  ///< sin(pi x) / (pi x), 1 at 0
Tensor deg2rad(const Tensor& x);
Tensor rad2deg(const Tensor& x);

}  // namespace cadena
