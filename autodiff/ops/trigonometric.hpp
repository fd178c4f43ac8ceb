// Trigonometric and hyperbolic functions. Formulas: ../formulas/trigonometric.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor tanh(const Tensor& x);

}  // namespace cadena
