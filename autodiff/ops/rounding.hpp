// Steps and rounding: the derivative is zero. Formulas: ../formulas/rounding.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

/// 0 for x < 0, `at_zero` for x == 0, 1 for x > 0; NaN stays NaN.
Tensor heaviside(const Operand& x, const Operand& at_zero);

}  // namespace cadena
