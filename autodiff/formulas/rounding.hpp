// Steps and rounding: the derivative is zero. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"

namespace cadena::formulas {

struct Heaviside {
  static constexpr Meta meta{.name = "heaviside", .domain = {kink_at_zero, real}};
  static auto f(auto x, auto at_zero) {
    return where(x > 0, 1, where(x < 0, 0, where(isnan(x), x, at_zero)));
  }
  static Zero dx1(auto, auto, auto) { return {}; }
  static Zero dx2(auto, auto, auto) { return {}; }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_ROUNDING_UNARY_OPS(CADENA_OP)
#define CADENA_ROUNDING_BINARY_OPS(CADENA_OP) \
  CADENA_OP(Heaviside, heaviside)
// clang-format on
