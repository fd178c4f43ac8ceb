// Activations. How formulas are read: formula.hpp.
#pragma once

#include "autodiff/formulas/arithmetic.hpp"
#include "autodiff/formulas/exponential.hpp"
#include "autodiff/formulas/rounding.hpp"
#include "autodiff/kernels/lane_special.hpp"

namespace cadena::formulas {

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
  static constexpr Meta meta{.name = "relu",
                             .reads = {Y},
                             .domain = {kink_at_zero},
                             .conventions = "derivative 0 at 0; NaN stays NaN"};
  static auto f(auto x) { return maximum(x, 0); }
  static auto dx(auto, auto y) { return where(y > 0, 1, where(isnan(y), y, 0)); }
};

struct Relu6 {
  static constexpr Meta meta{.name = "relu6",
                             .reads = {Y},
                             .domain = {Domain{.low = -2, .high = 8, .kinks = {0, 6}}},
                             .conventions = "derivative 0 at 0 and at 6"};
  static auto f(auto x) { return minimum(maximum(x, 0), 6); }
  static auto dx(auto, auto y) { return where(y > 0, where(y < 6, 1, 0), where(isnan(y), y, 0)); }
};

struct Hardtanh {
  static constexpr Meta meta{.name = "hardtanh",
                             .reads = {Y},
                             .domain = {Domain{.kinks = {-1, 1}}},
                             .conventions = "derivative 0 at the bounds"};
  double low = -1, high = 1;
  auto f(auto x) const { return minimum(maximum(x, low), high); }
  auto dx(auto, auto y) const { return where(y > low, where(y < high, 1, 0), where(isnan(y), y, 0)); }
};

struct LeakyRelu {
  static constexpr Meta meta{.name = "leaky_relu",
                             .reads = {X1},
                             .domain = {kink_at_zero},
                             .conventions = "derivative negative_slope at 0"};
  double slope = 0.01;
  auto f(auto x) const { return where(x > 0, x, slope * x); }
  auto dx(auto x, auto) const { return where(x > 0, 1, where(isnan(x), x, slope)); }
};

struct Prelu {
  static constexpr Meta meta{.name = "prelu",
                             .reads = {X1 | X2, X1},
                             .domain = {kink_at_zero, real},
                             .conventions = "derivative weight at 0"};
  static auto f(auto x, auto weight) { return where(x > 0, x, weight * x); }
  static auto dx1(auto x, auto weight, auto) { return where(x > 0, 1, where(isnan(x), x, weight)); }
  static auto dx2(auto x, auto, auto) { return where(x > 0, 0, x); }
};

struct Elu {
  static constexpr Meta meta{
      .name = "elu", .reads = {X1}, .domain = {kink_at_zero}, .conventions = "derivative alpha at 0"};
  double alpha = 1;
  auto f(auto x) const { return where(x > 0, x, alpha * expm1(minimum(x, 0))); }
  auto dx(auto x, auto) const { return where(x > 0, 1, alpha * exp(x)); }
};

struct Selu {
  static constexpr Meta meta{.name = "selu",
                             .reads = {X1},
                             .domain = {kink_at_zero},
                             .conventions = "derivative scale * alpha at 0"};
  static constexpr double scale = 1.0507009873554804934, scaled_alpha = 1.7580993408473768599;
  static auto f(auto x) { return where(x > 0, scale * x, scaled_alpha * expm1(minimum(x, 0))); }
  static auto dx(auto x, auto) { return where(x > 0, scale, scaled_alpha * exp(x)); }
};

struct Celu {
  static constexpr Meta meta{
      .name = "celu", .reads = {X1}, .domain = {kink_at_zero}, .conventions = "derivative 1 at 0"};
  double alpha = 1;
  auto f(auto x) const {
    const auto below = minimum(x, 0);
    return where(x > 0, x, alpha * expm1(alpha == 1 ? below : below / alpha));
  }
  auto dx(auto x, auto) const { return where(x > 0, 1, exp(x / alpha)); }
};

// Where a product with a vanishing factor meets an infinity, the limit is written out.

struct Silu {
  static constexpr Meta meta{.name = "silu", .reads = {X1}, .conventions = "0 at -inf"};
  static auto f(auto x) { return where(eq(x, -infinity), 0, x / (1 + exp(-x))); }
  static auto dx(auto x, auto) {
    const auto s = sigmoid(x);
    return where(eq(abs(x), infinity), s, s * (1 + x * (1 - s)));
  }
};

struct Gelu {
  static constexpr Meta meta{.name = "gelu", .reads = {X1}, .conventions = "0 at -inf"};
  static auto f(auto x) { return where(eq(x, -infinity), 0, x * ndtr(x)); }
  static auto dx(auto x, auto) {
    const auto p = ndtr(x);
    return where(eq(abs(x), infinity), p, p + 0.398942280401432677940 * x * exp(-0.5 * (x * x)));
  }
};

/// With tanh(u) = 2 sigmoid(2u) - 1 the approximation is x sigmoid(2u): one exponential.
struct GeluTanh {
  static constexpr Meta meta{.name = "gelu_tanh", .reads = {X1}, .conventions = "0 at -inf"};
  static constexpr double twice = 1.59576912160573071176, cubic = 0.044715;  // 2 sqrt(2 / pi)
  static auto f(auto x) {
    return where(eq(x, -infinity), 0, x / (1 + exp(x * (-twice - twice * cubic * (x * x)))));
  }
  static auto dx(auto x, auto) {
    const auto u = x * x;
    const auto s = sigmoid(x * (twice + twice * cubic * u));
    return where(abs(x) < 1e6, s + s * (1 - s) * x * (twice + 3 * twice * cubic * u), s);
  }
};

/// tanh(softplus(x)) = n / (n + 2) with n = e (e + 2), e = exp(x); at x = 40 that is 1 to the last bit and
/// its slope nothing.
struct Mish {
  static constexpr Meta meta{.name = "mish", .reads = {X1}, .conventions = "0 at -inf"};
  static auto f(auto x) {
    const auto e = exp(minimum(x, 40));
    const auto n = e * (e + 2);
    return where(eq(x, -infinity), 0, x * (n / (n + 2)));
  }
  static auto dx(auto x, auto) {
    const auto e = exp(minimum(x, 40));
    const auto n = e * (e + 2);
    const auto t = n / (n + 2);
    return where(eq(abs(x), infinity), t, t + x * (4 * e * (e + 1) / square(n + 2)));
  }
};

struct Softsign {
  static constexpr Meta meta{
      .name = "softsign", .reads = {X1}, .domain = {kink_at_zero}, .conventions = "±1 at ±inf"};
  static auto f(auto x) { return where(eq(abs(x), infinity), sign(x), x / (1 + abs(x))); }
  static auto dx(auto x, auto) { return 1 / square(1 + abs(x)); }
};

struct Hardsigmoid {
  static constexpr Meta meta{.name = "hardsigmoid",
                             .reads = {Y},
                             .domain = {Domain{.low = -5, .high = 5, .kinks = {-3, 3}}},
                             .conventions = "derivative 0 at ±3"};
  static auto f(auto x) { return minimum(maximum(x + 3, 0), 6) / 6; }
  static auto dx(auto, auto y) { return where(y > 0, where(y < 1, 1.0 / 6, 0), where(isnan(y), y, 0)); }
};

struct Hardswish {
  static constexpr Meta meta{.name = "hardswish",
                             .reads = {X1},
                             .domain = {Domain{.low = -5, .high = 5, .kinks = {-3, 3}}},
                             .conventions = "derivative 0 at -3, 1 at 3"};
  static auto f(auto x) { return where(x <= -3, 0, x * (minimum(x + 3, 6) / 6)); }
  static auto dx(auto x, auto) { return where(x <= -3, 0, where(x >= 3, 1, x / 3 + 0.5)); }
};

struct Hardshrink {
  static constexpr Meta meta{.name = "hardshrink",
                             .reads = {X1},
                             .domain = {Domain{.kinks = {-0.5, 0.5}}},
                             .conventions = "0 with derivative 0 at ±lambd"};
  double lambd = 0.5;
  auto f(auto x) const { return where(abs(x) <= lambd, 0, x); }
  auto dx(auto x, auto) const { return where(abs(x) <= lambd, 0, where(isnan(x), x, 1)); }
};

struct Softshrink {
  static constexpr Meta meta{.name = "softshrink",
                             .reads = {X1},
                             .domain = {Domain{.kinks = {-0.5, 0.5}}},
                             .conventions = "derivative 0 at ±lambd"};
  double lambd = 0.5;
  auto f(auto x) const { return where(abs(x) <= lambd, 0, where(x > 0, x - lambd, x + lambd)); }
  auto dx(auto x, auto) const { return where(abs(x) <= lambd, 0, where(isnan(x), x, 1)); }
};

struct Tanhshrink {
  static constexpr Meta meta{.name = "tanhshrink", .reads = {X1}};
  static auto f(auto x) { return x - tanh(x); }
  static auto dx(auto x, auto) { return square(tanh(x)); }
};

struct Threshold {
  static constexpr Meta meta{.name = "threshold",
                             .reads = {X1},
                             .domain = {Domain{.kinks = {0.25, 1e300}}},
                             .conventions = "derivative 0 at the threshold"};
  double threshold = 0, value = 0;
  auto f(auto x) const { return where(x <= threshold, value, x); }
  auto dx(auto x, auto) const { return where(x <= threshold, 0, where(isnan(x), x, 1)); }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_ACTIVATION_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Sigmoid, sigmoid) CADENA_OP(LogSigmoid, log_sigmoid) CADENA_OP(Softplus, softplus) \
  CADENA_OP(Relu, relu) CADENA_OP(Relu6, relu6) CADENA_OP(Selu, selu) CADENA_OP(Silu, silu) \
  CADENA_OP(Mish, mish) CADENA_OP(Softsign, softsign) \
  CADENA_OP(Hardsigmoid, hardsigmoid) CADENA_OP(Hardswish, hardswish) CADENA_OP(Tanhshrink, tanhshrink)
#define CADENA_ACTIVATION_BINARY_OPS(CADENA_OP)
#define CADENA_ACTIVATION_ATTRIBUTE_OPS(CADENA_OP) \
  CADENA_OP(LeakyRelu, leaky_relu) CADENA_OP(Elu, elu) CADENA_OP(Celu, celu) CADENA_OP(Hardtanh, hardtanh) \
  CADENA_OP(Hardshrink, hardshrink) CADENA_OP(Softshrink, softshrink) CADENA_OP(Threshold, threshold)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(LogSigmoid, log_sigmoid)
CADENA_LANE_FUNCTION(Softplus, softplus)
CADENA_LANE_FUNCTION(Relu, relu)
CADENA_LANE_FUNCTION(Relu6, relu6)
CADENA_LANE_FUNCTION(Selu, selu)
CADENA_LANE_FUNCTION(Silu, silu)
CADENA_LANE_FUNCTION(Gelu, gelu)
CADENA_LANE_FUNCTION(Mish, mish)
CADENA_LANE_FUNCTION(Softsign, softsign)
CADENA_LANE_FUNCTION(Hardsigmoid, hardsigmoid)
CADENA_LANE_FUNCTION(Hardswish, hardswish)
CADENA_LANE_FUNCTION(Tanhshrink, tanhshrink)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(LeakyRelu, leaky_relu)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Elu, elu)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Celu, celu)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Hardtanh, hardtanh)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Hardshrink, hardshrink)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Softshrink, softshrink)
CADENA_LANE_FUNCTION_WITH_ATTRIBUTES(Threshold, threshold)

}  // namespace cadena::kernels
