// Exponentials and logarithms. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"

namespace cadena::formulas {

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

}  // namespace cadena::formulas

// clang-format off
#define CADENA_EXPONENTIAL_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Exp, exp) CADENA_OP(Expm1, expm1) CADENA_OP(Log, log) CADENA_OP(Log1p, log1p)
#define CADENA_EXPONENTIAL_BINARY_OPS(CADENA_OP)
// clang-format on
