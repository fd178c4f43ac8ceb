// Steps, rounding and remainders: the derivative is zero, or one between the jumps.
#pragma once

#include "autodiff/formulas/formula.hpp"
#include "autodiff/kernels/lane_math.hpp"

namespace cadena::formulas {

struct Heaviside {
  static constexpr Meta meta{.name = "heaviside",
                             .domain = {kink_at_zero, real},
                             .conventions = "at 0 the second argument; NaN stays NaN"};
  static auto f(auto x, auto at_zero) {
    return where(x > 0, 1, where(x < 0, 0, where(isnan(x), x, at_zero)));
  }
  static Zero dx1(auto, auto, auto) { return {}; }
  static Zero dx2(auto, auto, auto) { return {}; }
};

struct Sign {
  static constexpr Meta meta{
      .name = "sign", .domain = {kink_at_zero}, .integral = true, .conventions = "0 at 0; NaN stays NaN"};
  static auto f(auto x) { return where(x > 0, 1, where(x < 0, -1, x)); }
  static Zero dx(auto, auto) { return {}; }
};

inline constexpr Domain between_integers{.low = -0.95, .high = 1.95, .kinks = {0, 1}};

struct Floor {
  static constexpr Meta meta{.name = "floor",
                             .domain = {between_integers},
                             .integral = true,
                             .conventions = "derivative 0, also at the jumps"};
  static auto f(auto x) { return floor(x); }
  static Zero dx(auto, auto) { return {}; }
};

struct Ceil {
  static constexpr Meta meta{.name = "ceil",
                             .domain = {between_integers},
                             .integral = true,
                             .conventions = "derivative 0, also at the jumps"};
  static auto f(auto x) { return ceil(x); }
  static Zero dx(auto, auto) { return {}; }
};

struct Round {
  static constexpr Meta meta{.name = "round",
                             .domain = {Domain{.low = -1.45, .high = 1.45, .kinks = {-0.5, 0.5}}},
                             .integral = true,
                             .conventions = "halves go to the even neighbour"};
  static auto f(auto x) { return round(x); }
  static Zero dx(auto, auto) { return {}; }
};

struct Trunc {
  static constexpr Meta meta{.name = "trunc",
                             .domain = {between_integers},
                             .integral = true,
                             .conventions = "derivative 0, also at the jumps"};
  static auto f(auto x) { return trunc(x); }
  static Zero dx(auto, auto) { return {}; }
};

struct Frac {
  static constexpr Meta meta{.name = "frac",
                             .domain = {between_integers},
                             .conventions = "derivative 1 everywhere; NaN at infinities"};
  static auto f(auto x) { return x - trunc(x); }
  static One dx(auto, auto) { return {}; }
};

// a - y is a whole multiple of b up to rounding, and rounding again finds it exactly.

struct Fmod {
  static constexpr Meta meta{.name = "fmod",
                             .reads = {none, X1 | X2 | Y},
                             .domain = {real, nonzero},
                             .singular = true,
                             .integral = true,
                             .conventions = "sign of a; NaN for b = 0; the derivative between the jumps"};
  static auto f(auto a, auto b) { return fmod(a, b); }
  static One dx1(auto, auto, auto) { return {}; }
  static auto dx2(auto a, auto b, auto y) { return -round((a - y) / b); }
};

struct Remainder {
  static constexpr Meta meta{.name = "remainder",
                             .reads = {none, X1 | X2 | Y},
                             .domain = {real, nonzero},
                             .singular = true,
                             .integral = true,
                             .conventions = "sign of b; NaN for b = 0; the derivative between the jumps"};
  static auto f(auto a, auto b) { return remainder(a, b); }
  static One dx1(auto, auto, auto) { return {}; }
  static auto dx2(auto a, auto b, auto y) { return -round((a - y) / b); }
};

struct FloorDivide {
  static constexpr Meta meta{.name = "floor_divide",
                             .domain = {real, nonzero},
                             .integral = true,
                             .conventions = "±inf or NaN for b = 0, as a / b"};
  static auto f(auto a, auto b) { return floor_divide(a, b); }
  static Zero dx1(auto, auto, auto) { return {}; }
  static Zero dx2(auto, auto, auto) { return {}; }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_ROUNDING_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Sign, sign) CADENA_OP(Floor, floor) CADENA_OP(Ceil, ceil) CADENA_OP(Round, round) \
  CADENA_OP(Trunc, trunc) CADENA_OP(Frac, frac)
#define CADENA_ROUNDING_BINARY_OPS(CADENA_OP) \
  CADENA_OP(Heaviside, heaviside) CADENA_OP(Fmod, fmod) CADENA_OP(Remainder, remainder) \
  CADENA_OP(FloorDivide, floor_divide)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(Sign, sign)
CADENA_LANE_FUNCTION(Frac, frac)
CADENA_LANE_FUNCTION_OF_TWO(Heaviside, heaviside)

}  // namespace cadena::kernels
