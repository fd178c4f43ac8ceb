// Special functions: the error function's, the gamma function's and Bessel's families.
#pragma once

#include "autodiff/formulas/arithmetic.hpp"
#include "autodiff/formulas/rounding.hpp"
#include "autodiff/kernels/lane_special.hpp"

namespace cadena::formulas {

inline constexpr double two_over_sqrt_pi = 1.12837916709551257390;

struct Erf {
  static constexpr Meta meta{.name = "erf", .reads = {X1}};
  static auto f(auto x) { return erf(x); }
  static auto dx(auto x, auto) { return two_over_sqrt_pi * exp(-(x * x)); }
};

struct Erfc {
  static constexpr Meta meta{.name = "erfc", .reads = {X1}};
  static auto f(auto x) { return erfc(x); }
  static auto dx(auto x, auto) { return -two_over_sqrt_pi * exp(-(x * x)); }
};

/// exp(x^2) erfc(x). Far out the derivative is its asymptotic series, whose terms the difference would
/// cancel.
struct Erfcx {
  static constexpr Meta meta{.name = "erfcx", .reads = {X1 | Y}};
  static auto f(auto x) { return erfcx(x); }
  static auto dx(auto x, auto y) {
    const auto v = 1 / (x * x);
    const auto series = 1 - v * (1.5 - v * (3.75 - v * (13.125 - v * (59.0625 - v * 324.84375))));
    return where(x > 20, -0.5 * two_over_sqrt_pi * v * series, 2 * x * y - two_over_sqrt_pi);
  }
};

struct Erfinv {
  static constexpr Meta meta{.name = "erfinv",
                             .reads = {Y},
                             .domain = {Domain{.low = -0.9, .high = 0.9}},
                             .singular = true,
                             .conventions = "±inf at ±1, derivative inf; NaN outside"};
  static auto f(auto x) { return erfinv(x); }
  static auto dx(auto, auto y) { return 0.886226925452758013649 * exp(y * y); }
};

/// The normal distribution function.
struct Ndtr {
  static constexpr Meta meta{.name = "ndtr", .reads = {X1}};
  static auto f(auto x) { return ndtr(x); }
  static auto dx(auto x, auto) { return 0.398942280401432677940 * exp(-0.5 * (x * x)); }
};

/// Its logarithm; on the left through erfcx, which does not underflow.
struct LogNdtr {
  static constexpr Meta meta{
      .name = "log_ndtr", .reads = {X1}, .conventions = "-inf at -inf, derivative inf"};
  static constexpr double sqrt_half = 0.707106781186547524401;
  static auto f(auto x) {
    return where(x < -1, log(0.5 * erfcx(-sqrt_half * x)) - 0.5 * (x * x), log1p(-ndtr(-x)));
  }
  static auto dx(auto x, auto) { return 0.797884560802865355880 / erfcx(-sqrt_half * x); }
};

struct Lgamma {
  static constexpr Meta meta{.name = "lgamma",
                             .reads = {X1},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "inf at 0, -1, -2, ...; derivative -inf at 0, NaN at the others"};
  static auto f(auto x) { return lgamma(x); }
  static auto dx(auto x, auto) { return digamma(x); }
};

struct Digamma {
  static constexpr Meta meta{.name = "digamma",
                             .reads = {X1},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "-inf at 0, inf at -0, NaN at -1, -2, ..."};
  static auto f(auto x) { return digamma(x); }
  static auto dx(auto x, auto) { return polygamma(1, x); }
};

struct Polygamma {
  static constexpr Meta meta{
      .name = "polygamma",
      .reads = {X1},
      .domain = {positive},
      .singular = true,
      .conventions = "odd n: inf at 0, -1, -2, ...; even n: -inf at 0, NaN at the others"};
  int n = 1;
  auto f(auto x) const { return polygamma(n, x); }
  auto dx(auto x, auto) const { return polygamma(n + 1, x); }
};

// Modified Bessel functions of the first kind, and the same times exp(-abs(x)).

struct I0 {
  // From its third order on, the derivatives divide by x.
  static constexpr Meta meta{
      .name = "i0", .reads = {X1}, .domain = {kink_at_zero}, .conventions = "derivative 0 at 0"};
  static auto f(auto x) { return i0(x); }
  static auto dx(auto x, auto) { return i1(x); }
};

struct I0e {
  static constexpr Meta meta{
      .name = "i0e", .reads = {X1 | Y}, .domain = {kink_at_zero}, .conventions = "derivative 0 at 0"};
  static auto f(auto x) { return i0e(x); }
  static auto dx(auto x, auto y) { return i1e(x) - sign(x) * y; }
};

struct I1 {
  static constexpr Meta meta{
      .name = "i1", .reads = {X1 | Y}, .domain = {kink_at_zero}, .conventions = "derivative 1/2 at 0"};
  static auto f(auto x) { return i1(x); }
  static auto dx(auto x, auto y) { return where(eq(x, 0), 0.5, i0(x) - y / x); }
};

struct I1e {
  static constexpr Meta meta{
      .name = "i1e", .reads = {X1 | Y}, .domain = {kink_at_zero}, .conventions = "derivative 1/2 at 0"};
  static auto f(auto x) { return i1e(x); }
  static auto dx(auto x, auto y) { return where(eq(x, 0), 0.5, i0e(x) - y * (sign(x) + 1 / x)); }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_SPECIAL_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Erf, erf) CADENA_OP(Erfc, erfc) CADENA_OP(Erfcx, erfcx) CADENA_OP(Erfinv, erfinv) \
  CADENA_OP(Ndtr, ndtr) CADENA_OP(LogNdtr, log_ndtr) CADENA_OP(Lgamma, lgamma) CADENA_OP(Digamma, digamma) \
  CADENA_OP(I0, i0) CADENA_OP(I0e, i0e) CADENA_OP(I1, i1) CADENA_OP(I1e, i1e)
#define CADENA_SPECIAL_BINARY_OPS(CADENA_OP)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(LogNdtr, log_ndtr)

}  // namespace cadena::kernels
