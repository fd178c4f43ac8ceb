// The gamma function's family in lanes of doubles, for positive numbers; the others go one by one. Formulas:
// Abramowitz and Stegun, Handbook of Mathematical Functions, chapter 6.
#pragma once

#include "autodiff/kernels/lane_polynomial.hpp"
#include "autodiff/kernels/special.hpp"

namespace cadena::kernels {

template <class L>
auto is_plain_positive(L x) {
  return (x > 0) & (x < std::numeric_limits<double>::infinity());
}

/// log(gamma(2 + t)) / t for |t| <= 1/2: a Chebyshev fit to 40 digits, off by less than 1e-18.
inline constexpr double log_gamma_center[] = {
    0.42278433509846713939,     0.32246703342411323562,      -0.06735230105319810342,
    0.020580808427780380065,    -0.0073855510286719983953,   0.002890510331034266859,
    -0.0011927539118428156859,  0.00050966951541154583479,   -0.0002231547540052050773,
    0.000099457673558194982074, -0.000044926313379155697453, 0.00002050559075583345311,
    -9.4387150992115326607e-6,  4.384704404598360326e-6,     -2.0439048107029906744e-6,
    9.2005278949681004906e-7,   -4.325239344560481638e-7,    2.7874080521135899778e-7,
    -1.3219945666117874478e-7};
/// Stirling's series in 1 / x^2.
inline constexpr double stirling[] = {1.0 / 12,    -1.0 / 360,       1.0 / 1260,
                                      -1.0 / 1680, 1.0 / 1188,       -691.0 / 360360,
                                      1.0 / 156,   -3617.0 / 122400, 43867.0 / 244188};

/// From 8 on Stirling's series; below, steps of one lead to [1.5, 2.5), and their product into the logarithm.
template <class Arch>
Lane<double, Arch> log_gamma_positive(Lane<double, Arch> x) {
  using L = Lane<double, Arch>;
  const auto large = x >= 8;
  L z = where(large, 2, x), product = 1;
  while (true) {
    const auto high = z >= 2.5;
    if (xsimd::none(high.m)) break;
    z = where(high, z - 1, z);
    product = where(high, product * z, product);
  }
  const auto small = x < 1.5;
  for (int step = 0; step < 2; ++step) {
    const auto low = z < 1.5;
    product = where(low, product * z, product);
    z = where(low, z + 1, z);
  }
  const L logarithm = log(where(large, x, product)), t = z - 2;
  const L near = t * polynomial(log_gamma_center, t) + where(small, -logarithm, logarithm);
  if (xsimd::none(large.m)) return near;
  const L inverse = 1 / where(large, x, 8);
  const L series = 0.41893853320467274178 + inverse * polynomial(stirling, inverse * inverse);
  return where(large, (x - 0.5) * (logarithm - 1) + series, near);
}

template <class T, class Arch>
Lane<T, Arch> lgamma(Lane<T, Arch> x) {
  return in_double(
      [](auto v) { return or_by_element(is_plain_positive(v), log_gamma_positive(v), v, scalar::lgamma); },
      x);
}

/// psi(x + n) less the n reciprocals on the way, which are added as one fraction.
template <class Arch>
Lane<double, Arch> digamma_positive(Lane<double, Arch> x) {
  using L = Lane<double, Arch>;
  L q = x, numerator = 0, denominator = 1;
  for (int step = 0; step < 10; ++step) {
    const auto low = q < 10;
    if (xsimd::none(low.m)) break;
    numerator = where(low, numerator * q + denominator, numerator);
    denominator = where(low, denominator * q, denominator);
    q = where(low, q + 1, q);
  }
  static constexpr double bernoulli[] = {1.0 / 12,  -1.0 / 120,     1.0 / 252, -1.0 / 240,
                                         1.0 / 132, -691.0 / 32760, 1.0 / 12};
  const L inverse = 1 / q, u = inverse * inverse;
  return log(q) - 0.5 * inverse - u * polynomial(bernoulli, u) - numerator / denominator;
}

template <class T, class Arch>
Lane<T, Arch> digamma(Lane<T, Arch> x) {
  return in_double(
      [](auto v) { return or_by_element(is_plain_positive(v), digamma_positive(v), v, scalar::digamma); }, x);
}

template <class L>
L whole_power(L x, int n) {
  L power = 1;
  for (; n > 0; n /= 2, x = x * x)
    if (n % 2) power = power * x;
  return power;
}

/// n! times the sum of (x + k)^-(n + 1): Euler and Maclaurin's formula behind some terms, which are added as
/// one fraction. 1 <= n <= `highest_fraction`, whose powers do not overflow.
inline constexpr int highest_fraction = 9;
template <class Arch>
Lane<double, Arch> polygamma_size(int n, Lane<double, Arch> x) {
  using L = Lane<double, Arch>;
  const int s = n + 1;
  L q = x, numerator = 0, denominator = 1;
  for (int step = 0; step < 10 + s; ++step) {
    const auto low = q < 10 + s;
    if (xsimd::none(low.m)) break;
    const L power = whole_power(q, s);
    numerator = where(low, numerator * power + denominator, numerator);
    denominator = where(low, denominator * power, denominator);
    q = where(low, q + 1, q);
  }
  static constexpr double denominators[] = {12,
                                            -720,
                                            30240,
                                            -1209600,
                                            47900160,
                                            -1.8924375803183791606e9,
                                            74724249600.0,
                                            -2.950130727918164224e12};  // (2j)! / B_2j
  const L inverse = 1 / q, u = inverse * inverse;
  L rest = 0, term = inverse * static_cast<double>(s);
  for (int j = 0; j < 8; ++j) {
    rest = rest + term * (1 / denominators[j]);
    term = term * u * static_cast<double>((s + 2 * j + 1) * (s + 2 * j + 2));
  }
  // q^-n may be a number where q^-(n + 1) is none.
  const L tail = whole_power(inverse, n) * (1.0 / n + inverse * (0.5 + rest));
  double factorial = 1;
  for (int k = 2; k <= n; ++k) factorial *= k;
  return factorial * (numerator / denominator + tail);
}

template <class T, class Arch>
Lane<T, Arch> polygamma(int n, Lane<T, Arch> x) {
  if (n == 0) return digamma(x);
  const auto by_one = [n](double v) { return scalar::polygamma(n, v); };
  return in_double(
      [&](auto v) {
        if (n < 0 || n > highest_fraction) return or_by_element(v < v, v, v, by_one);
        const auto size = polygamma_size(n, v);
        return or_by_element(is_plain_positive(v), n % 2 ? size : -size, v, by_one);
      },
      x);
}

}  // namespace cadena::kernels
