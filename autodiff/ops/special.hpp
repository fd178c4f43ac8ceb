// Special functions. Formulas: ../formulas/special.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor erf(const Tensor& x);
Tensor erfc(const Tensor& x);   ///< 1 - erf(x), to full precision in the tail
Tensor erfcx(const Tensor& x);  ///< exp(x^2) erfc(x)
Tensor erfinv(const Tensor& x);
Tensor ndtr(const Tensor& x);      ///< the normal distribution function, to full precision in the tail
Tensor log_ndtr(const Tensor& x);  ///< its logarithm, also where ndtr underflows
Tensor lgamma(const Tensor& x);    ///< log |gamma(x)|
Tensor digamma(const Tensor& x);   ///< derivative of lgamma
/// n-th derivative of digamma. @throws ValueError for n < 0
Tensor polygamma(int n, const Tensor& x);
// Modified Bessel functions of the first kind; the second of each pair times exp(-|x|).
Tensor i0(const Tensor& x);
Tensor i0e(const Tensor& x);
Tensor i1(const Tensor& x);
Tensor i1e(const Tensor& x);

}  // namespace cadena
