// Arithmetic. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"

namespace cadena::formulas {

struct Add {
  static constexpr Meta meta{.name = "add", .integral = true};
  static auto f(auto a, auto b) { return a + b; }
  static One dx1(auto, auto, auto) { return {}; }
  static One dx2(auto, auto, auto) { return {}; }
};

struct Sub {
  static constexpr Meta meta{.name = "sub", .integral = true};
  static auto f(auto a, auto b) { return a - b; }
  static One dx1(auto, auto, auto) { return {}; }
  static auto dx2(auto, auto, auto) { return -1; }
};

struct Mul {
  static constexpr Meta meta{.name = "mul", .reads = {X2, X1}, .integral = true};
  static auto f(auto a, auto b) { return a * b; }
  static auto dx1(auto, auto b, auto) { return b; }
  static auto dx2(auto a, auto, auto) { return a; }
};

/// a * b where an exactly zero `a` wins over an infinite or undefined b: the product of a cotangent and a
/// singular derivative.
struct AbsorbingMul {
  static constexpr Meta meta{
      .name = "absorbing_mul", .reads = {X2, X1}, .domain = {kink_at_zero, real}, .singular = true};
  static auto f(auto a, auto b) { return where(eq(a, 0), 0, a * b); }
  static auto dx1(auto, auto b, auto) { return b; }
  static auto dx2(auto a, auto, auto) { return a; }
};

struct Div {
  static constexpr Meta meta{
      .name = "div", .reads = {X2, X2 | Y}, .domain = {real, nonzero}, .singular = true};
  static auto f(auto a, auto b) { return a / b; }
  static auto dx1(auto, auto b, auto) { return 1 / b; }
  static auto dx2(auto, auto b, auto y) { return -y / b; }
};

struct Pow {
  static constexpr Meta meta{
      .name = "pow", .reads = {X1 | X2, X1 | X2 | Y}, .domain = {positive, real}, .singular = true};
  static auto f(auto a, auto b) { return pow(a, b); }
  static auto dx1(auto a, auto b, auto) { return where(eq(b, 0), 0, b * pow(a, b - 1)); }
  static auto dx2(auto a, auto b, auto y) {
    return where(eq(a, 0), where(b >= 0, 0, y * log(a)), y * log(a));
  }
};

/// Ties share the derivative; a NaN keeps it to itself.
struct Maximum {
  static constexpr Meta meta{.name = "maximum", .reads = {X1 | X2, X1 | X2}, .integral = true};
  static auto f(auto a, auto b) { return maximum(a, b); }
  static auto dx1(auto a, auto b, auto) {
    return where(a > b, 1, where(eq(a, b), 0.5, where(isnan(a), a, 0)));
  }
  static auto dx2(auto a, auto b, auto y) { return dx1(b, a, y); }
};

struct Minimum {
  static constexpr Meta meta{.name = "minimum", .reads = {X1 | X2, X1 | X2}, .integral = true};
  static auto f(auto a, auto b) { return minimum(a, b); }
  static auto dx1(auto a, auto b, auto) {
    return where(a < b, 1, where(eq(a, b), 0.5, where(isnan(a), a, 0)));
  }
  static auto dx2(auto a, auto b, auto y) { return dx1(b, a, y); }
};

struct Neg {
  static constexpr Meta meta{.name = "neg", .integral = true};
  static auto f(auto x) { return -x; }
  static auto dx(auto, auto) { return -1; }
};

struct Abs {
  static constexpr Meta meta{.name = "abs", .reads = {X1}, .domain = {kink_at_zero}, .integral = true};
  static auto f(auto x) { return abs(x); }
  static auto dx(auto x, auto) { return where(x > 0, 1, where(x < 0, -1, where(isnan(x), x, 0))); }
};

struct Sqrt {
  static constexpr Meta meta{.name = "sqrt", .reads = {Y}, .domain = {positive}, .singular = true};
  static auto f(auto x) { return sqrt(x); }
  static auto dx(auto, auto y) { return 0.5 / y; }
};

struct Square {
  static constexpr Meta meta{.name = "square", .reads = {X1}, .integral = true};
  static auto f(auto x) { return x * x; }
  static auto dx(auto x, auto) { return 2 * x; }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_ARITHMETIC_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Neg, neg) CADENA_OP(Abs, abs) CADENA_OP(Sqrt, sqrt) CADENA_OP(Square, square)
#define CADENA_ARITHMETIC_BINARY_OPS(CADENA_OP) \
  CADENA_OP(Add, add) CADENA_OP(Sub, sub) CADENA_OP(Mul, mul) CADENA_OP(Div, div) \
  CADENA_OP(Pow, pow) CADENA_OP(Maximum, maximum) CADENA_OP(Minimum, minimum)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(Square, square)

}  // namespace cadena::kernels
