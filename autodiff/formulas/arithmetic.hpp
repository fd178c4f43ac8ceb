// Arithmetic. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"
#include "autodiff/kernels/lane_math.hpp"

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
  static constexpr Meta meta{.name = "absorbing_mul",
                             .reads = {X2, X1},
                             .domain = {kink_at_zero, real},
                             .singular = true,
                             .conventions = "0 where a is 0, whatever b is"};
  static auto f(auto a, auto b) { return where(eq(a, 0), 0, a * b); }
  static auto dx1(auto, auto b, auto) { return b; }
  static auto dx2(auto a, auto, auto) { return a; }
};

struct Div {
  static constexpr Meta meta{.name = "div",
                             .reads = {X2, X2 | Y},
                             .domain = {real, nonzero},
                             .singular = true,
                             .conventions = "±inf or NaN for b = 0, and the derivatives with it"};
  static auto f(auto a, auto b) { return a / b; }
  static auto dx1(auto, auto b, auto) { return 1 / b; }
  static auto dx2(auto, auto b, auto y) { return -y / b; }
};

struct Pow {
  static constexpr Meta meta{
      .name = "pow",
      .reads = {X1 | X2, X1 | X2 | Y},
      .domain = {positive, real},
      .singular = true,
      .conventions = "0^0 is 1 with derivatives 0; by b: 0 at a = 0 and b > 0, NaN for a < 0"};
  static auto f(auto a, auto b) { return pow(a, b); }
  static auto dx1(auto a, auto b, auto) { return where(eq(b, 0), 0, b * pow(a, b - 1)); }
  static auto dx2(auto a, auto b, auto y) {
    return where(eq(a, 0), where(b >= 0, 0, y * log(a)), y * log(a));
  }
};

/// The same with a number for b, which is finite and not 0.
struct PowNumber {
  static constexpr Meta meta{.name = "pow", .reads = {X1}, .singular = true};
  double exponent = 1;
  auto f(auto a) const { return pow(a, exponent); }
  auto dx(auto a, auto) const { return exponent * pow(a, exponent - 1); }
};

/// Ties share the derivative; a NaN keeps it to itself.
struct Maximum {
  static constexpr Meta meta{.name = "maximum",
                             .reads = {X1 | X2, X1 | X2},
                             .integral = true,
                             .conventions = "equals get half each; NaN wins, its derivative NaN"};
  static auto f(auto a, auto b) { return maximum(a, b); }
  static auto dx1(auto a, auto b, auto) {
    return where(a > b, 1, where(eq(a, b), 0.5, where(isnan(a), a, 0)));
  }
  static auto dx2(auto a, auto b, auto y) { return dx1(b, a, y); }
};

struct Minimum {
  static constexpr Meta meta{.name = "minimum",
                             .reads = {X1 | X2, X1 | X2},
                             .integral = true,
                             .conventions = "equals get half each; NaN wins, its derivative NaN"};
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
  static constexpr Meta meta{.name = "abs",
                             .reads = {X1},
                             .domain = {kink_at_zero},
                             .integral = true,
                             .conventions = "derivative 0 at 0; NaN stays NaN"};
  static auto f(auto x) { return abs(x); }
  static auto dx(auto x, auto) { return where(x > 0, 1, where(x < 0, -1, where(isnan(x), x, 0))); }
};

struct Sqrt {
  static constexpr Meta meta{.name = "sqrt",
                             .reads = {Y},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "derivative inf at 0; NaN below"};
  static auto f(auto x) { return sqrt(x); }
  static auto dx(auto, auto y) { return 0.5 / y; }
};

struct Square {
  static constexpr Meta meta{.name = "square", .reads = {X1}, .integral = true};
  static auto f(auto x) { return x * x; }
  static auto dx(auto x, auto) { return 2 * x; }
};

struct Reciprocal {
  static constexpr Meta meta{
      .name = "reciprocal", .reads = {Y}, .domain = {nonzero}, .singular = true, .conventions = "±inf at ±0"};
  static auto f(auto x) { return 1 / x; }
  static auto dx(auto, auto y) { return -(y * y); }
};

struct Rsqrt {
  static constexpr Meta meta{.name = "rsqrt",
                             .reads = {Y},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "inf at 0; NaN below"};
  static auto f(auto x) { return 1 / sqrt(x); }
  static auto dx(auto, auto y) { return -0.5 * y * y * y; }
};

struct Hypot {
  static constexpr Meta meta{.name = "hypot",
                             .reads = {X1 | Y, X2 | Y},
                             .domain = {nonzero, real},
                             .singular = true,
                             .conventions = "derivative 0 at (0, 0)"};
  static auto f(auto a, auto b) { return hypot(a, b); }
  static auto dx1(auto a, auto, auto y) { return where(eq(y, 0), 0, a / y); }
  static auto dx2(auto, auto b, auto y) { return where(eq(y, 0), 0, b / y); }
};

/// Of two ways to write it the one that is exact at its end: a at weight 0, b at weight 1.
struct Lerp {
  static constexpr Meta meta{.name = "lerp", .reads = {X3, X3, X1 | X2}};
  static auto f(auto a, auto b, auto w) { return where(w < 0.5, a + w * (b - a), b - (b - a) * (1 - w)); }
  static auto dx1(auto, auto, auto w, auto) { return 1 - w; }
  static auto dx2(auto, auto, auto w, auto) { return w; }
  static auto dx3(auto a, auto b, auto, auto) { return b - a; }
};

struct Addcmul {
  static constexpr Meta meta{.name = "addcmul", .reads = {none, X3, X2}};
  double value = 1;
  auto f(auto x, auto a, auto b) const { return x + value * a * b; }
  One dx1(auto, auto, auto, auto) const { return {}; }
  auto dx2(auto, auto, auto b, auto) const { return value * b; }
  auto dx3(auto, auto a, auto, auto) const { return value * a; }
};

struct Addcdiv {
  static constexpr Meta meta{.name = "addcdiv",
                             .reads = {none, X3, X2 | X3},
                             .domain = {real, real, nonzero},
                             .singular = true,
                             .conventions = "±inf or NaN for a divisor of 0, and the derivatives with it"};
  double value = 1;
  auto f(auto x, auto a, auto b) const { return x + value * (a / b); }
  One dx1(auto, auto, auto, auto) const { return {}; }
  auto dx2(auto, auto, auto b, auto) const { return value / b; }
  auto dx3(auto, auto a, auto b, auto) const { return -value * (a / b / b); }
};

struct Clamp {
  static constexpr Meta meta{.name = "clamp",
                             .reads = {X1},
                             .domain = {Domain{.kinks = {-1, 1}}},
                             .conventions = "derivative 1 at the bounds; NaN stays NaN"};
  double low = -infinity, high = infinity;
  auto f(auto x) const { return minimum(maximum(x, low), high); }
  auto dx(auto x, auto) const { return where(x >= low, where(x <= high, 1, 0), where(isnan(x), x, 0)); }
};

/// Bounds by element.
struct ClampTensor {
  static constexpr Meta meta{.name = "clamp_tensor",
                             .reads = {X1 | X2 | X3, X1 | X2, X1 | X3},
                             .domain = {Domain{.kinks = {-0.5, 0.5}}, Domain{.low = -0.52, .high = -0.48},
                                        Domain{.low = 0.48, .high = 0.52}},
                             .conventions = "derivative 1 at the bounds; beyond, theirs"};
  static auto f(auto x, auto low, auto high) { return minimum(maximum(x, low), high); }
  static auto dx1(auto x, auto low, auto high, auto) {
    return where(x >= low, where(x <= high, 1, 0), where(isnan(x), x, 0));
  }
  static auto dx2(auto x, auto low, auto, auto) { return where(x < low, 1, 0); }
  static auto dx3(auto x, auto, auto high, auto) { return where(x > high, 1, 0); }
};

/// Infinities and NaN become numbers.
struct NanToNum {
  static constexpr Meta meta{.name = "nan_to_num",
                             .reads = {X1},
                             .conventions = "derivative 1 at finite x, 0 at NaN and infinities"};
  double nan = 0, posinf = 0, neginf = 0;
  auto f(auto x) const {
    return where(isnan(x), nan, where(eq(x, infinity), posinf, where(eq(x, -infinity), neginf, x)));
  }
  auto dx(auto x, auto) const { return where(abs(x) < infinity, 1, 0); }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_ARITHMETIC_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Neg, neg) CADENA_OP(Abs, abs) CADENA_OP(Sqrt, sqrt) CADENA_OP(Rsqrt, rsqrt) \
  CADENA_OP(Square, square) CADENA_OP(Reciprocal, reciprocal)
#define CADENA_ARITHMETIC_BINARY_OPS(CADENA_OP) CADENA_ARITHMETIC_PAIR_OPS(CADENA_OP) CADENA_OP(Pow, pow)
#define CADENA_ARITHMETIC_PAIR_OPS(CADENA_OP) \
  CADENA_OP(Add, add) CADENA_OP(Sub, sub) CADENA_OP(Mul, mul) CADENA_OP(Div, div) \
  CADENA_OP(Maximum, maximum) CADENA_OP(Minimum, minimum) CADENA_OP(Hypot, hypot)
#define CADENA_ARITHMETIC_ATTRIBUTE_OPS(CADENA_OP) CADENA_OP(Clamp, clamp)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(Neg, neg)
CADENA_LANE_FUNCTION(Square, square)
CADENA_LANE_FUNCTION_OF_TWO(Add, add)
CADENA_LANE_FUNCTION_OF_TWO(Sub, sub)
CADENA_LANE_FUNCTION_OF_TWO(Mul, mul)
CADENA_LANE_FUNCTION_OF_TWO(Div, div)
CADENA_LANE_FUNCTION(Rsqrt, rsqrt)
CADENA_LANE_FUNCTION(Reciprocal, reciprocal)
template <class T, class Arch>
Lane<T, Arch> lerp(Lane<T, Arch> a, std::type_identity_t<Lane<T, Arch>> b,
                   std::type_identity_t<Lane<T, Arch>> w) {
  return formulas::Lerp::f(a, b, w);
}
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Clamp, clamp)

}  // namespace cadena::kernels
