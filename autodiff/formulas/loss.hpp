// Losses of pairs (prediction, target), element by element. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/activation.hpp"
#include "autodiff/formulas/exponential.hpp"

namespace cadena::formulas {

/// -(y log p + (1 - y) log(1 - p)), with logarithms of at least -100.
struct BinaryCrossEntropy {
  static constexpr Meta meta{.name = "binary_cross_entropy", .reads = {X1 | X2, X1}, .singular = true};
  static constexpr double least = -100, least_p = 3.720075976020836e-44;  // exp(least)

  static auto f(auto p, auto y) {
    return -(y * maximum(log(p), least) + (1 - y) * maximum(log1p(-p), least));
  }
  static auto dx1(auto p, auto y, auto) {
    return where(p >= 1, 0, (1 - y) / (1 - p)) - where(p <= least_p, 0, y / p);
  }
  static auto dx2(auto p, auto, auto) { return maximum(log1p(-p), least) - maximum(log(p), least); }
};

/// The same of p = sigmoid(x): softplus(x) - x y.
struct BinaryCrossEntropyWithLogits {
  static constexpr Meta meta{.name = "binary_cross_entropy_with_logits", .reads = {X1 | X2, X1}};
  static auto f(auto x, auto y) { return maximum(x, 0) + log1p(exp(-abs(x))) - x * y; }
  static auto dx1(auto x, auto y, auto) { return sigmoid(x) - y; }
  static auto dx2(auto x, auto, auto) { return -x; }
};

// Differences.

struct SquaredError {
  static constexpr Meta meta{.name = "mse_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean((x - y)^2)",
                             .derivative = "dX = G 2 (x - y) / n, dY = -dX"};
  static auto f(auto x, auto y) { return square(x - y); }
  static auto dx1(auto x, auto y, auto) { return 2 * (x - y); }
  static auto dx2(auto x, auto y, auto) { return 2 * (y - x); }
};

/// The slope of |x|, NaN for NaN.
auto slope_of_abs(auto x) { return where(x > 0, 1, where(x < 0, -1, where(isnan(x), x, 0))); }

struct AbsoluteError {
  static constexpr Meta meta{.name = "l1_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean(|x - y|)",
                             .derivative = "dX = G sign(x - y) / n, dY = -dX",
                             .conventions = "derivative 0 at x = y"};
  static auto f(auto x, auto y) { return abs(x - y); }
  static auto dx1(auto x, auto y, auto) { return slope_of_abs(x - y); }
  static auto dx2(auto x, auto y, auto) { return slope_of_abs(y - x); }
};

struct SmoothAbsoluteError {
  static constexpr Meta meta{.name = "smooth_l1_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean((x - y)^2 / (2 beta), or |x - y| - beta / 2 beyond beta)",
                             .derivative = "dX = G (x - y) / beta / n, or G sign(x - y) / n, dY = -dX"};
  double beta = 1;
  auto f(auto x, auto y) const {
    const auto d = abs(x - y);
    return where(d < beta, (0.5 / beta) * square(d), d - 0.5 * beta);
  }
  auto dx1(auto x, auto y, auto) const { return slope(x - y); }
  auto dx2(auto x, auto y, auto) const { return slope(y - x); }
  auto slope(auto d) const { return where(abs(d) < beta, (1 / beta) * d, slope_of_abs(d)); }
};

struct HuberError {
  static constexpr Meta meta{.name = "huber_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean((x - y)^2 / 2, or delta (|x - y| - delta / 2) beyond delta)",
                             .derivative = "dX = G (x - y) / n, or G delta sign(x - y) / n, dY = -dX"};
  double delta = 1;
  auto f(auto x, auto y) const {
    const auto d = abs(x - y);
    return where(d <= delta, 0.5 * square(d), delta * (d - 0.5 * delta));
  }
  auto dx1(auto x, auto y, auto) const { return slope(x - y); }
  auto dx2(auto x, auto y, auto) const { return slope(y - x); }
  auto slope(auto d) const { return where(abs(d) <= delta, d, delta * slope_of_abs(d)); }
};

/// log(cosh(x - y)), which is even: no exponential overflows.
struct LogCoshError {
  static constexpr Meta meta{.name = "log_cosh_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean(log(cosh(x - y)))",
                             .derivative = "dX = G tanh(x - y) / n, dY = -dX"};
  static auto f(auto x, auto y) {
    const auto d = x - y;
    return d + softplus(-2 * d) - log_2;
  }
  static auto dx1(auto x, auto y, auto) { return tanh(x - y); }
  static auto dx2(auto x, auto y, auto) { return tanh(y - x); }
};

struct QuantileError {
  static constexpr Meta meta{.name = "quantile_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean(max(q (y - x), (q - 1) (y - x)))",
                             .derivative = "dX = -G q / n, or G (1 - q) / n where x > y, dY = -dX",
                             .conventions = "derivative -q at x = y"};
  double q = 0.5;
  auto f(auto x, auto y) const {
    const auto e = y - x;
    return where(e >= 0, q * e, (q - 1) * e);
  }
  auto dx1(auto x, auto y, auto) const { return where(y - x >= 0, -q, 1 - q); }
  auto dx2(auto x, auto y, auto) const { return where(y - x >= 0, q, q - 1); }
};

/// log(1 + exp(-y x))
struct SoftMargin {
  static constexpr Meta meta{.name = "soft_margin_loss",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "mean(log(1 + exp(-y x)))",
                             .derivative = "dX = -G y sigmoid(-y x) / n, dY = -G x sigmoid(-y x) / n"};
  static auto f(auto x, auto y) { return softplus(-(y * x)); }
  static auto dx1(auto x, auto y, auto) { return -(y * sigmoid(-(y * x))); }
  static auto dx2(auto x, auto y, auto) { return -(x * sigmoid(-(y * x))); }
};

}  // namespace cadena::formulas
