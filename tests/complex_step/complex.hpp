// Complex numbers that formulas can be read with: f(x + ih) = f(x) + ih f'(x) + O(h^2), so that with h =
// 1e-30 the imaginary part is the derivative to the last digit, without any difference of values (Squire and
// Trapp, SIAM Review 40, 1998). Where f has pieces the real part chooses one.
#pragma once

#include <cmath>
#include <complex>

namespace cadena::complex_step {

struct Complex {
  using C = std::complex<double>;
  C v;
  Complex(double x) : v(x) {}  // NOLINT(google-explicit-constructor): literals
  Complex(C x) : v(x) {}       // NOLINT(google-explicit-constructor)
  double re() const { return v.real(); }

  friend Complex operator+(Complex a, Complex b) { return a.v + b.v; }
  friend Complex operator-(Complex a, Complex b) { return a.v - b.v; }
  friend Complex operator*(Complex a, Complex b) { return a.v * b.v; }
  friend Complex operator/(Complex a, Complex b) { return a.v / b.v; }
  friend Complex operator-(Complex a) { return -a.v; }
  friend bool operator<(Complex a, Complex b) { return a.re() < b.re(); }
  friend bool operator>(Complex a, Complex b) { return a.re() > b.re(); }
  friend bool operator<=(Complex a, Complex b) { return a.re() <= b.re(); }
  friend bool operator>=(Complex a, Complex b) { return a.re() >= b.re(); }
  friend bool eq(Complex a, Complex b) { return a.re() == b.re(); }
  friend bool isnan(Complex a) { return std::isnan(a.re()); }
  friend Complex where(bool c, Complex a, Complex b) { return c ? a : b; }
  friend Complex abs(Complex a) { return a.re() < 0 ? -a : a; }
  friend Complex maximum(Complex a, Complex b) { return a.re() > b.re() ? a : b; }
  friend Complex minimum(Complex a, Complex b) { return a.re() < b.re() ? a : b; }
  friend Complex square(Complex a) { return a * a; }

  // Steps: constant between their jumps.
  friend Complex sign(Complex a) { return a.re() > 0 ? 1 : a.re() < 0 ? -1 : 0; }
  friend Complex floor(Complex a) { return std::floor(a.re()); }
  friend Complex ceil(Complex a) { return std::ceil(a.re()); }
  friend Complex trunc(Complex a) { return std::trunc(a.re()); }
  friend Complex round(Complex a) { return std::nearbyint(a.re()); }
  friend Complex fmod(Complex a, Complex b) { return a - b * trunc(a / b); }
  friend Complex remainder(Complex a, Complex b) { return a - b * floor(a / b); }
  friend Complex floor_divide(Complex a, Complex b) { return floor(a / b); }

  friend Complex sqrt(Complex a) { return std::sqrt(a.v); }
  friend Complex exp(Complex a) { return std::exp(a.v); }
  friend Complex exp2(Complex a) { return std::exp(a.v * std::log(2.0)); }
  friend Complex expm1(Complex a) {
    const double s = std::sin(a.v.imag() / 2);
    return C(std::expm1(a.re()) * std::cos(a.v.imag()) - 2 * s * s, std::exp(a.re()) * std::sin(a.v.imag()));
  }
  friend Complex log(Complex a) { return std::log(a.v); }
  friend Complex log2(Complex a) { return std::log(a.v) / std::log(2.0); }
  friend Complex log10(Complex a) { return std::log(a.v) / std::log(10.0); }
  friend Complex log1p(Complex a) {
    const double x = a.re(), y = a.v.imag();
    return C(0.5 * std::log1p(2 * x + x * x + y * y), std::atan2(y, 1 + x));
  }
  friend Complex pow(Complex a, Complex b) { return std::exp(b.v * std::log(a.v)); }
  friend Complex sigmoid(Complex a) { return 1 / (1 + exp(-a)); }
  friend Complex hypot(Complex a, Complex b) { return sqrt(a * a + b * b); }

  friend Complex sin(Complex a) { return std::sin(a.v); }
  friend Complex cos(Complex a) { return std::cos(a.v); }
  friend Complex tan(Complex a) { return std::tan(a.v); }
  friend Complex asin(Complex a) { return std::asin(a.v); }
  friend Complex acos(Complex a) { return std::acos(a.v); }
  friend Complex atan(Complex a) { return std::atan(a.v); }
  friend Complex sinh(Complex a) { return std::sinh(a.v); }
  friend Complex cosh(Complex a) { return std::cosh(a.v); }
  friend Complex tanh(Complex a) { return std::tanh(a.v); }
  friend Complex asinh(Complex a) { return std::asinh(a.v); }
  friend Complex acosh(Complex a) { return std::acosh(a.v); }
  friend Complex atanh(Complex a) { return std::atanh(a.v); }
  /// Up to a constant, which has no derivative.
  friend Complex atan2(Complex y, Complex x) { return std::atan(y.v / x.v); }
};

// Series that the library does not use.

inline constexpr double root_pi = 1.77245385090551602730;

/// exp(z^2) erfc(z) by the continued fraction 1 / (z + 1/2 / (z + 1 / (z + 3/2 / ...))).
inline Complex erfcx_far(Complex z) {
  Complex tail = z;
  for (int n = 300; n > 0; --n) tail = z + 0.5 * n / tail;
  return 1 / (root_pi * tail);
}

/// 2 / sqrt(pi) exp(-z^2) (z + 2 z^3 / 3 + 4 z^5 / 15 + ...), where its derivative does not cancel.
inline Complex erf(Complex z) {
  if (z < 0) return -erf(-z);
  if (z > 1.5) return 1 - exp(-z * z) * erfcx_far(z);
  Complex term = z, sum = z;
  for (int n = 1; n < 120; ++n) sum = sum + (term = term * 2 * z * z / (2 * n + 1));
  return 2 / root_pi * exp(-z * z) * sum;
}
inline Complex erfcx(Complex z) { return z > 1.5 ? erfcx_far(z) : exp(z * z) * (1 - erf(z)); }
inline Complex erfc(Complex z) { return z > 1.5 ? exp(-z * z) * erfcx_far(z) : 1 - erf(z); }
inline Complex ndtr(Complex z) { return 0.5 * erfc(-z * std::sqrt(0.5)); }

/// Newton's method.
inline Complex erfinv(Complex z) {
  Complex w = 0;
  for (int n = 0; n < 60; ++n) w = w - (erf(w) - z) * (root_pi / 2) * exp(w * w);
  return w;
}

/// n! zeta(n + 1, z) by Euler and Maclaurin, up to its sign; n = 0 without its pole is -digamma.
inline Complex polygamma(int n, Complex z) {
  const double bernoulli[] = {1. / 6, -1. / 30, 1. / 42, -1. / 30, 5. / 66, -691. / 2730, 7. / 6};
  const double s = n + 1, far = 20;
  Complex sum = 0;
  for (int k = 0; k < far; ++k) sum = sum + pow(z + k, -s);
  const Complex end = z + far;
  sum = sum + (n == 0 ? -log(end) : pow(end, 1 - s) / (s - 1)) + pow(end, -s) / 2;
  double factor = s / 2;  // s (s + 1) ... / (2j)!
  for (int j = 1; j <= 7; ++j) {
    sum = sum + bernoulli[j - 1] * factor * pow(end, -s - (2 * j - 1));
    factor *= (s + 2 * j - 1) * (s + 2 * j) / ((2 * j + 1) * (2 * j + 2));
  }
  double factorial = 1;
  for (int k = 2; k <= n; ++k) factorial *= k;
  return (n % 2 == 1 ? factorial : -factorial) * sum;
}
inline Complex digamma(Complex z) { return polygamma(0, z); }

/// Stirling's series behind the recurrence.
inline Complex lgamma(Complex z) {
  const double terms[] = {1. / 12, -1. / 360, 1. / 1260, -1. / 1680, 1. / 1188, -691. / 360360, 1. / 156};
  Complex below = 0;
  for (; z < 20; z = z + 1) below = below + log(z);
  Complex sum = (z - 0.5) * log(z) - z + 0.5 * std::log(2 * 3.14159265358979323846), power = 1 / z;
  for (double t : terms) {
    sum = sum + t * power;
    power = power / (z * z);
  }
  return sum - below;
}

// The smallest terms first: the derivative of i1e is a small difference near its maximum.
inline Complex bessel(int order, Complex z) {
  Complex sum = 1;
  for (int k = 59; k > 0; --k) sum = 1 + sum * z * z / (4.0 * k * (k + order));
  return order == 0 ? sum : z / 2 * sum;
}
inline Complex i0(Complex z) { return bessel(0, z); }
inline Complex i1(Complex z) { return bessel(1, z); }
inline Complex i0e(Complex z) { return bessel(0, z) * exp(-abs(z)); }
inline Complex i1e(Complex z) { return bessel(1, z) * exp(-abs(z)); }

}  // namespace cadena::complex_step
