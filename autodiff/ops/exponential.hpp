// Exponentials and logarithms. Formulas: ../formulas/exponential.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log1p(const Tensor& x);

}  // namespace cadena
