// Losses of pairs (prediction, target), element by element. How formulas are read: formula.hpp.
#pragma once

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

}  // namespace cadena::formulas
