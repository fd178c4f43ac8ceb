// Source of the formulas: Abramowitz and Stegun, Handbook of Mathematical Functions, chapters 6 and 23.
#include "autodiff/kernels/special.hpp"

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace cadena::kernels::scalar {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double pi = 3.14159265358979323846;

template <std::size_t N>
double polynomial(const double (&c)[N], double x) {
  double r = c[0];
  for (std::size_t i = 1; i < N; ++i) r = r * x + c[i];
  return r;
}

/// cot(pi x) from the exact distance to the nearest whole number.
double cot_pi(double x) {
  const double r = x - std::nearbyint(x);
  return std::abs(r) > 0.25 ? std::tan(pi * (std::copysign(0.5, r) - r)) : 1 / std::tan(pi * r);
}

/// Sum of (q + k)^-s over k >= 0, q > 0: Euler and Maclaurin's formula behind some terms.
double hurwitz_zeta(double s, double q) {
  constexpr double denominators[] = {12,
                                     -720,
                                     30240,
                                     -1209600,
                                     47900160,
                                     -1.8924375803183791606e9,
                                     7.47242496e10,
                                     -2.950130727918164224e12,
                                     1.1646782814350067249e14,
                                     -4.5979787224074726105e15,
                                     1.8152105401943546773e17,
                                     -7.1661652561756670113e18};  // (2j)! / B_2j
  double sum = 0;
  for (; q < 10 + s; ++q) {
    const double term = std::pow(q, -s);
    sum += term;
    if (term * (1 + q) < 1e-18 * sum) return sum;
  }
  const double power = std::pow(q, -s);
  sum += power * (q / (s - 1) + 0.5);
  double term = power * s / q, rising = s;
  for (const double d : denominators) {
    sum += term / d;
    term *= (rising + 1) * (rising + 2) / (q * q);
    rising += 2;
  }
  return sum;
}

/// The n-th derivative of cot(pi x), as a polynomial in the cotangent: cot' = -(1 + cot^2).
double cot_pi_derivative(int n, double x) {
  std::vector<double> p = {0, 1};
  for (int k = 0; k < n; ++k) {
    std::vector<double> next(p.size() + 1);
    for (std::size_t i = 1; i < p.size(); ++i) {
      const double slope = static_cast<double>(i) * p[i];
      next[i - 1] -= slope;
      next[i + 1] -= slope;
    }
    p = next;
  }
  const double c = cot_pi(x);
  double value = 0;
  for (std::size_t i = p.size(); i-- > 0;) value = value * c + p[i];
  return std::pow(pi, n) * value;
}

/// Sum of (x + k)^-s over k >= 0 for x < 0 and a power so high that only the nearest poles count.
double nearest_poles(int s, double x) {
  const double pole = std::nearbyint(x);
  double sum = 0;
  for (int j = -2; j <= 2; ++j)
    if (pole + j <= 0) sum += std::pow(x - pole - j, -static_cast<double>(s));
  return sum;
}

}  // namespace

double lgamma(double x) {
  int sign = 0;
  return x == -inf ? inf : ::lgamma_r(x, &sign);  // std::lgamma writes a global variable
}

double digamma(double x) {
  if (x == 0) return std::copysign(inf, -x);
  if (std::isnan(x) || x == inf) return x;
  if (x < 0) return x == std::floor(x) ? nan : digamma(1 - x) - pi * cot_pi(x);
  double sum = 0;
  for (; x < 10; ++x) sum -= 1 / x;
  const double u = 1 / (x * x);
  constexpr double bernoulli[] = {1.0 / 12,  -691.0 / 32760, 1.0 / 132, -1.0 / 240,
                                  1.0 / 252, -1.0 / 120,     1.0 / 12};
  return sum + (std::log(x) - 0.5 / x - u * polynomial(bernoulli, u));
}

double polygamma(int n, double x) {
  if (n == 0) return digamma(x);
  if (std::isnan(x) || x == -inf) return nan;
  if (x == inf) return n % 2 ? 0.0 : -0.0;
  const double sign = n % 2 ? 1 : -1;
  if (x <= 0 && x == std::floor(x)) return n % 2 ? inf : x == 0 ? std::copysign(inf, -x) : nan;
  if (x < 0 && n <= 100) return -pi * cot_pi_derivative(n, x) - sign * polygamma(n, 1 - x);
  const double zeta = x < 0 ? nearest_poles(n + 1, x) : hurwitz_zeta(n + 1.0, x);
  if (n < 150) return sign * std::tgamma(n + 1.0) * zeta;
  // n! is about to overflow.
  return std::copysign(std::exp(lgamma(n + 1.0) + std::log(std::abs(zeta))), sign * zeta);
}

}  // namespace cadena::kernels::scalar
