// The elementwise operations: each one's value and its partial derivatives, written once, generically. They
// are read with SIMD lanes (the fused loops), with duals (derivatives of user formulas) and with tensors
// (derivatives of derivatives). An op here, one line in ops/elementwise.cpp, one declaration in ops.hpp: that
// is all of it.
#pragma once

#include "autodiff/core/meta.hpp"
#include "autodiff/kernels/lane.hpp"

namespace cadena::formulas {

using detail::kink_at_zero;
using detail::Meta;
using detail::none;
using detail::nonzero;
using detail::positive;
using detail::real;
using detail::X1;
using detail::X2;
using detail::Y;

// Derivatives that need no arithmetic at all.
struct One {};   ///< the cotangent passes through
struct Zero {};  ///< nothing flows

// The one-argument rule is dx(x, y) with y = f(x); two arguments have dx1 and dx2(a, b, y).

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

struct Heaviside {
  static constexpr Meta meta{.name = "heaviside", .domain = {kink_at_zero, real}};
  static auto f(auto x, auto at_zero) {
    return where(x > 0, 1, where(x < 0, 0, where(isnan(x), x, at_zero)));
  }
  static Zero dx1(auto, auto, auto) { return {}; }
  static Zero dx2(auto, auto, auto) { return {}; }
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

struct Exp {
  static constexpr Meta meta{.name = "exp", .reads = {Y}};
  static auto f(auto x) { return exp(x); }
  static auto dx(auto, auto y) { return y; }
};

struct Expm1 {
  static constexpr Meta meta{.name = "expm1", .reads = {Y}};
  static auto f(auto x) { return expm1(x); }
  static auto dx(auto, auto y) { return y + 1; }
};

struct Log {
  static constexpr Meta meta{.name = "log", .reads = {X1}, .domain = {positive}, .singular = true};
  static auto f(auto x) { return log(x); }
  static auto dx(auto x, auto) { return 1 / x; }
};

struct Log1p {
  static constexpr Meta meta{
      .name = "log1p", .reads = {X1}, .domain = {detail::Domain{.low = -0.7, .high = 3}}, .singular = true};
  static auto f(auto x) { return log1p(x); }
  static auto dx(auto x, auto) { return 1 / (1 + x); }
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

struct Sigmoid {
  static constexpr Meta meta{.name = "sigmoid", .reads = {Y}};
  static auto f(auto x) { return 1 / (1 + exp(-x)); }
  static auto dx(auto, auto y) { return y * (1 - y); }
};

struct Softplus {
  static constexpr Meta meta{.name = "softplus", .reads = {X1}};
  static auto f(auto x) { return maximum(x, 0) + log1p(exp(-abs(x))); }
  static auto dx(auto x, auto) { return sigmoid(x); }
};

struct LogSigmoid {
  static constexpr Meta meta{.name = "log_sigmoid", .reads = {X1}};
  static auto f(auto x) { return minimum(x, 0) - log1p(exp(-abs(x))); }
  static auto dx(auto x, auto) { return sigmoid(-x); }
};

/// Reads the output, which the next layer keeps anyway: y > 0 exactly where x > 0.
struct Relu {
  static constexpr Meta meta{.name = "relu", .reads = {Y}, .domain = {kink_at_zero}};
  static auto f(auto x) { return maximum(x, 0); }
  static auto dx(auto, auto y) { return where(y > 0, 1, where(isnan(y), y, 0)); }
};

}  // namespace cadena::formulas

/// Lists all one-argument ops (struct, function) to whoever defines CADENA_OP: the duals' vocabulary in
/// elementwise.hpp, the public functions and the op table in ops/elementwise.cpp.
// clang-format off
#define CADENA_UNARY_OPS(CADENA_OP)                                                                  \
  CADENA_OP(Neg, neg) CADENA_OP(Abs, abs) CADENA_OP(Exp, exp) CADENA_OP(Expm1, expm1)                \
  CADENA_OP(Log, log) CADENA_OP(Log1p, log1p) CADENA_OP(Sqrt, sqrt) CADENA_OP(Square, square)        \
  CADENA_OP(Sin, sin) CADENA_OP(Cos, cos) CADENA_OP(Tanh, tanh) CADENA_OP(Sigmoid, sigmoid)          \
  CADENA_OP(Softplus, softplus) CADENA_OP(LogSigmoid, log_sigmoid) CADENA_OP(Relu, relu)
#define CADENA_BINARY_OPS(CADENA_OP)                                                                 \
  CADENA_OP(Add, add) CADENA_OP(Sub, sub) CADENA_OP(Mul, mul) CADENA_OP(Div, div) CADENA_OP(Pow, pow) \
  CADENA_OP(Maximum, maximum) CADENA_OP(Minimum, minimum) CADENA_OP(Heaviside, heaviside)
// clang-format on

namespace cadena::kernels {

// What lanes do not have as a machine operation, they have as a formula.
template <class T, class Arch>
Lane<T, Arch> square(Lane<T, Arch> x) {
  return formulas::Square::f(x);
}
template <class T, class Arch>
Lane<T, Arch> sigmoid(Lane<T, Arch> x) {
  return formulas::Sigmoid::f(x);
}
template <class T, class Arch>
Lane<T, Arch> softplus(Lane<T, Arch> x) {
  return formulas::Softplus::f(x);
}
template <class T, class Arch>
Lane<T, Arch> log_sigmoid(Lane<T, Arch> x) {
  return formulas::LogSigmoid::f(x);
}
template <class T, class Arch>
Lane<T, Arch> relu(Lane<T, Arch> x) {
  return formulas::Relu::f(x);
}

}  // namespace cadena::kernels
