// What is summed as it is computed (core/elementwise_sum.hpp). How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/arithmetic.hpp"

namespace cadena::formulas {

struct SquareSum {
  static constexpr Meta meta{.name = "square_sum",
                             .reads = {X1},
                             .formula = "sum of x^2 over axes",
                             .derivative = "dX = 2 G x",
                             .conventions = "empty: 0"};
  static auto f(auto x) { return x * x; }
  static auto dx(auto x, auto) { return 2 * x; }
};

struct AbsSum {
  static constexpr Meta meta{.name = "abs_sum",
                             .reads = {X1},
                             .domain = {kink_at_zero},
                             .formula = "sum of |x| over axes",
                             .derivative = "dX = G sign(x)",
                             .conventions = "derivative 0 at 0; empty: 0"};
  static auto f(auto x) { return abs(x); }
  static auto dx(auto x, auto y) { return Abs::dx(x, y); }
};

/// With `shift` added to every difference, as pairwise_distance does.
struct SquareDistance {
  static constexpr Meta meta{.name = "square_distance",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "sum of (a - b)^2 over axes",
                             .derivative = "dA = 2 G (a - b), dB = -dA",
                             .conventions = "empty: 0"};
  double shift = 0;
  auto f(auto a, auto b) const { return square(difference(a, b)); }
  auto dx1(auto a, auto b, auto) const { return 2 * difference(a, b); }
  auto dx2(auto a, auto b, auto) const { return -2 * difference(a, b); }
  auto difference(auto a, auto b) const { return a - b + shift; }
};

struct NanSum {
  static constexpr Meta meta{.name = "nansum",
                             .reads = {X1},
                             .formula = "sum of the x that are not NaN",
                             .derivative = "dX = G, or 0 where x is NaN"};
  static auto f(auto x) { return where(isnan(x), 0, x); }
  static auto dx(auto x, auto) { return where(isnan(x), 0, 1); }
};

struct VecDot {
  static constexpr Meta meta{
      .name = "vecdot", .reads = {X2, X1}, .formula = "sum(a b, axis)", .derivative = "dA = G b, dB = G a"};
  static auto f(auto a, auto b) { return a * b; }
  static auto dx1(auto, auto b, auto) { return b; }
  static auto dx2(auto a, auto, auto) { return a; }
};

/// Of neighbours, which is twice the sum of their means.
struct Trapezoid {
  static constexpr Meta meta{.name = "trapezoid", .formula = "sum((y[i] + y[i + 1]) / 2 (x[i + 1] - x[i]))"};
  static auto f(auto a, auto b) { return a + b; }
  static One dx1(auto, auto, auto) { return {}; }
  static One dx2(auto, auto, auto) { return {}; }
};

}  // namespace cadena::formulas
