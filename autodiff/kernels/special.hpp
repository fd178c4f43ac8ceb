// Special functions of one number, in double: for lanes that go element by element.
#pragma once

namespace cadena::kernels::scalar {

double erfinv(double y);  ///< ±inf at ±1, NaN beyond
double lgamma(double x);  ///< log |gamma(x)|, +inf at 0, -1, -2, ...
/// The logarithmic derivative of gamma: -inf at +0, +inf at -0, NaN at -1, -2, ...
double digamma(double x);
/// The n-th derivative of digamma, n >= 0. Odd n: +inf at the poles; even n: NaN there, but ∓inf at ±0.
double polygamma(int n, double x);
// Modified Bessel functions of the first kind; `e`: times exp(-|x|).
double i0(double x);
double i0e(double x);
double i1(double x);
double i1e(double x);

}  // namespace cadena::kernels::scalar
