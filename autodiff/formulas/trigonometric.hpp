// Trigonometric and hyperbolic functions. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"

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

}  // namespace cadena::formulas

// clang-format off
#define CADENA_TRIGONOMETRIC_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Sin, sin) CADENA_OP(Cos, cos) CADENA_OP(Tanh, tanh)
#define CADENA_TRIGONOMETRIC_BINARY_OPS(CADENA_OP)
// clang-format on
