// Exponentials and logarithms. Formulas: ../formulas/exponential.hpp.
#pragma once

#include <optional>

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor exp(const Tensor& x);
Tensor exp2(const Tensor& x);
Tensor expm1(const Tensor& x);
Tensor log(const Tensor& x);
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor log1p(const Tensor& x);
Tensor logaddexp(const Operand& a, const Operand& b);   ///< log(exp(a) + exp(b)), without overflow
Tensor logaddexp2(const Operand& a, const Operand& b);  ///< log2(2^a + 2^b), without overflow
Tensor xlogy(const Operand& x, const Operand& y);       ///< x log(y); 0 at x = 0 unless y is NaN
Tensor xlog1py(const Operand& x, const Operand& y);     ///< x log1p(y); 0 at x = 0 unless y is NaN
/// log(x / (1 - x)), the inverse of sigmoid. With `eps`, x is clamped to [eps, 1 - eps] first.
/// @throws ValueError unless 0 <= eps <= 0.5
Tensor logit(const Tensor& x, std::optional<double> eps = {});

}  // namespace cadena
