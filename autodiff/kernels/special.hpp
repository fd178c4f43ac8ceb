// The gamma function's family of one number, in double: for the lanes that have no formula.
#pragma once

namespace cadena::kernels::scalar {

double lgamma(double x);  ///< log |gamma(x)|, +inf at 0, -1, -2, ...
/// The logarithmic derivative of gamma: -inf at +0, +inf at -0, NaN at -1, -2, ...
double digamma(double x);
/// The n-th derivative of digamma, n >= 0. Odd n: +inf at the poles; even n: NaN there, but ∓inf at ±0.
double polygamma(int n, double x);

}  // namespace cadena::kernels::scalar
