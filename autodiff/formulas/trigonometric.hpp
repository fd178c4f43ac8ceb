// Trigonometric and hyperbolic functions. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"
#include "autodiff/kernels/lane_math.hpp"

namespace cadena::formulas {

struct Sin {
  static constexpr Meta meta{.name = "sin", .reads = {X1}};
  static auto f(auto x) { return sin(x); }
  static auto dx(auto x, auto) { return cos(x); }
};

struct Cos {
  static constexpr Meta meta{.name = "cos", .reads = {X1}};
  static auto f(auto x) { return cos(x); }
  static auto dx(auto x, auto) { return -sin(x); }
};

struct Tanh {
  static constexpr Meta meta{.name = "tanh", .reads = {Y}};
  static auto f(auto x) { return tanh(x); }
  static auto dx(auto, auto y) { return 1 - y * y; }
};

struct Tan {
  static constexpr Meta meta{.name = "tan", .reads = {Y}, .domain = {Domain{.low = -1.2, .high = 1.2}}};
  static auto f(auto x) { return tan(x); }
  static auto dx(auto, auto y) { return 1 + y * y; }
};

struct Asin {
  static constexpr Meta meta{.name = "asin",
                             .reads = {X1},
                             .domain = {Domain{.low = -0.9, .high = 0.9}},
                             .singular = true,
                             .conventions = "derivative inf at ±1; NaN outside"};
  static auto f(auto x) { return asin(x); }
  static auto dx(auto x, auto) { return 1 / sqrt((1 - x) * (1 + x)); }
};

struct Acos {
  static constexpr Meta meta{.name = "acos",
                             .reads = {X1},
                             .domain = {Domain{.low = -0.9, .high = 0.9}},
                             .singular = true,
                             .conventions = "derivative -inf at ±1; NaN outside"};
  static auto f(auto x) { return acos(x); }
  static auto dx(auto x, auto) { return -1 / sqrt((1 - x) * (1 + x)); }
};

struct Atan {
  static constexpr Meta meta{.name = "atan", .reads = {X1}};
  static auto f(auto x) { return atan(x); }
  static auto dx(auto x, auto) { return 1 / (1 + x * x); }
};

struct Sinh {
  static constexpr Meta meta{.name = "sinh", .reads = {X1}};
  static auto f(auto x) { return sinh(x); }
  static auto dx(auto x, auto) { return cosh(x); }
};

struct Cosh {
  static constexpr Meta meta{.name = "cosh", .reads = {X1}};
  static auto f(auto x) { return cosh(x); }
  static auto dx(auto x, auto) { return sinh(x); }
};

/// The derivative of large x is written without its square, which would overflow.
struct Asinh {
  static constexpr Meta meta{.name = "asinh", .reads = {X1}};
  static auto f(auto x) { return asinh(x); }
  static auto dx(auto x, auto) { return where(abs(x) > 1e9, 1 / abs(x), 1 / sqrt(1 + x * x)); }
};

struct Acosh {
  static constexpr Meta meta{.name = "acosh",
                             .reads = {X1},
                             .domain = {Domain{.low = 1.2, .high = 4}},
                             .singular = true,
                             .conventions = "derivative inf at 1; NaN below"};
  static auto f(auto x) { return acosh(x); }
  static auto dx(auto x, auto) { return 1 / (sqrt(x - 1) * sqrt(x + 1)); }
};

struct Atanh {
  static constexpr Meta meta{.name = "atanh",
                             .reads = {X1},
                             .domain = {Domain{.low = -0.8, .high = 0.8}},
                             .singular = true,
                             .conventions = "±inf at ±1, derivative inf; NaN outside"};
  static auto f(auto x) { return atanh(x); }
  static auto dx(auto x, auto) { return 1 / ((1 - x) * (1 + x)); }
};

struct Atan2 {
  static constexpr Meta meta{.name = "atan2",
                             .reads = {X1 | X2, X1 | X2},
                             .domain = {real, nonzero},
                             .singular = true,
                             .conventions = "signed zeros as in IEEE 754; derivatives 0 at (0, 0)"};
  static auto f(auto y, auto x) { return atan2(y, x); }
  static auto dx1(auto y, auto x, auto) {
    const auto r = hypot(y, x);
    return where(eq(r, 0), 0, x / r / r);
  }
  static auto dx2(auto y, auto x, auto) {
    const auto r = hypot(y, x);
    return where(eq(r, 0), 0, -y / r / r);
  }
};

/// sin(pi x) / (pi x). Near 0 the derivative is its series, whose terms the quotient would cancel.
struct Sinc {
  static constexpr Meta meta{.name = "sinc",
                             .reads = {X1 | Y},
                             .formula = "sin(pi x) / (pi x)",
                             .derivative = "(cos(pi x) - y) / x",
                             .conventions = "1 at 0, derivative 0"};
  static auto f(auto x) { return where(eq(x, 0), 1, sin(pi * x) / (pi * x)); }
  static auto dx(auto x, auto y) {
    const auto p = pi * x;
    const auto u = p * p;
    const auto series =
        -1.0 / 3 +
        u * (1.0 / 30 -
             u * (1.0 / 840 -
                  u * (1.0 / 45360 -
                       u * (1.0 / 3991680 -
                            u * (1.0 / 518918400 - u * (1.0 / 93405312000 - u * (1.0 / 22230464256000)))))));
    return where(abs(p) < 1, pi * p * series, (cos(p) - y) / x);
  }
};

struct Deg2rad {
  static constexpr Meta meta{.name = "deg2rad"};
  static auto f(auto x) { return pi / 180 * x; }
  static auto dx(auto, auto) { return pi / 180; }
};

struct Rad2deg {
  static constexpr Meta meta{.name = "rad2deg"};
  static auto f(auto x) { return 180 / pi * x; }
  static auto dx(auto, auto) { return 180 / pi; }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_TRIGONOMETRIC_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Sin, sin) CADENA_OP(Cos, cos) CADENA_OP(Tan, tan) CADENA_OP(Asin, asin) CADENA_OP(Acos, acos) \
  CADENA_OP(Atan, atan) CADENA_OP(Sinh, sinh) CADENA_OP(Cosh, cosh) CADENA_OP(Tanh, tanh) \
  CADENA_OP(Asinh, asinh) CADENA_OP(Acosh, acosh) CADENA_OP(Atanh, atanh) CADENA_OP(Sinc, sinc) \
  CADENA_OP(Deg2rad, deg2rad) CADENA_OP(Rad2deg, rad2deg)
#define CADENA_TRIGONOMETRIC_BINARY_OPS(CADENA_OP) CADENA_OP(Atan2, atan2)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(Sinc, sinc)
CADENA_LANE_FUNCTION(Deg2rad, deg2rad)
CADENA_LANE_FUNCTION(Rad2deg, rad2deg)

}  // namespace cadena::kernels
