// Steps, rounding and remainders: derivatives are those between the jumps. Formulas:
// ../formulas/rounding.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

/// 0 for x < 0, `at_zero` for x == 0, 1 for x > 0; NaN stays NaN.
Tensor heaviside(const Operand& x, const Operand& at_zero);
Tensor sign(const Tensor& x);  ///< -1, 0 or 1; NaN stays NaN
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor round(const Tensor& x);  ///< halves to the even neighbour
Tensor trunc(const Tensor& x);
Tensor frac(const Tensor& x);  ///< x - trunc(x)
/// What a / b leaves, exactly, with the sign of a. b = 0 gives NaN. @throws ValueError for integers over 0
Tensor fmod(const Operand& a, const Operand& b);
Tensor remainder(const Operand& a, const Operand& b);  ///< as fmod, with the sign of b, as in Python
Tensor floor_divide(const Operand& a,
                    const Operand& b);  ///< floor(a / b). @throws ValueError for integers over 0

}  // namespace cadena
