// Activations. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/formula.hpp"

namespace cadena::formulas {

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

// clang-format off
#define CADENA_ACTIVATION_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Sigmoid, sigmoid) CADENA_OP(Softplus, softplus) CADENA_OP(LogSigmoid, log_sigmoid) \
  CADENA_OP(Relu, relu)
#define CADENA_ACTIVATION_BINARY_OPS(CADENA_OP)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(Sigmoid, sigmoid)
CADENA_LANE_FUNCTION(Softplus, softplus)
CADENA_LANE_FUNCTION(LogSigmoid, log_sigmoid)
CADENA_LANE_FUNCTION(Relu, relu)

}  // namespace cadena::kernels
