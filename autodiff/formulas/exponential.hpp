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
  static constexpr Meta meta{.name = "log",
                             .reads = {X1},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "-inf at 0, derivative inf; NaN below"};
  static auto f(auto x) { return log(x); }
  static auto dx(auto x, auto) { return 1 / x; }
};

struct Log1p {
  static constexpr Meta meta{.name = "log1p",
                             .reads = {X1},
                             .domain = {detail::Domain{.low = -0.7, .high = 3}},
                             .singular = true,
                             .conventions = "-inf at -1, derivative inf; NaN below"};
  static auto f(auto x) { return log1p(x); }
  static auto dx(auto x, auto) { return 1 / (1 + x); }
};

struct Exp2 {
  static constexpr Meta meta{.name = "exp2", .reads = {Y}};
  static auto f(auto x) { return exp2(x); }
  static auto dx(auto, auto y) { return log_2 * y; }
};

struct Log2 {
  static constexpr Meta meta{.name = "log2",
                             .reads = {X1},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "-inf at 0, derivative inf; NaN below"};
  static auto f(auto x) { return log2(x); }
  static auto dx(auto x, auto) { return 1 / (log_2 * x); }
};

struct Log10 {
  static constexpr Meta meta{.name = "log10",
                             .reads = {X1},
                             .domain = {positive},
                             .singular = true,
                             .conventions = "-inf at 0, derivative inf; NaN below"};
  static auto f(auto x) { return log10(x); }
  static auto dx(auto x, auto) { return 1 / (log_10 * x); }
};

struct Sigmoid {
  static constexpr Meta meta{.name = "sigmoid", .reads = {Y}};
  static auto f(auto x) { return 1 / (1 + exp(-x)); }
  static auto dx(auto, auto y) { return y * (1 - y); }
};

/// Infinities: as logsumexp of the two.
struct LogAddExp {
  static constexpr Meta meta{.name = "logaddexp",
                             .reads = {X1 | X2, X1 | X2},
                             .conventions = "two +inf share the derivative, two -inf have none"};
  static auto f(auto a, auto b) {
    return where(eq(a, b), a + log_2, maximum(a, b) + log1p(exp(-abs(a - b))));
  }
  static auto dx1(auto a, auto b, auto) {
    return where(eq(abs(a), infinity), where(eq(a, b), where(a > 0, 0.5, 0), sigmoid(a - b)), sigmoid(a - b));
  }
  static auto dx2(auto a, auto b, auto y) { return dx1(b, a, y); }
};

struct LogAddExp2 {
  static constexpr Meta meta{.name = "logaddexp2",
                             .reads = {X1 | X2, X1 | X2},
                             .conventions = "two +inf share the derivative, two -inf have none"};
  static auto f(auto a, auto b) {
    return where(eq(a, b), a + 1, maximum(a, b) + 1 / log_2 * log1p(exp2(-abs(a - b))));
  }
  static auto dx1(auto a, auto b, auto) {
    const auto slope = sigmoid(log_2 * (a - b));
    return where(eq(abs(a), infinity), where(eq(a, b), where(a > 0, 0.5, 0), slope), slope);
  }
  static auto dx2(auto a, auto b, auto y) { return dx1(b, a, y); }
};

struct Xlogy {
  static constexpr Meta meta{.name = "xlogy",
                             .reads = {X1 | X2, X1 | X2},
                             .domain = {real, positive},
                             .singular = true,
                             .conventions = "0 at x = 0 unless y is NaN; both derivatives 0 at (0, 0)"};
  static auto f(auto x, auto y) { return where(eq(x, 0), where(isnan(y), y, 0), x * log(y)); }
  static auto dx1(auto x, auto y, auto) { return where(eq(x, 0), where(y <= 0, 0, log(y)), log(y)); }
  static auto dx2(auto x, auto y, auto) { return where(eq(y, 0), where(eq(x, 0), 0, x / y), x / y); }
};

struct Xlog1py {
  static constexpr Meta meta{.name = "xlog1py",
                             .reads = {X1 | X2, X1 | X2},
                             .domain = {real, Domain{.low = -0.7, .high = 3}},
                             .singular = true,
                             .conventions = "0 at x = 0 unless y is NaN; both derivatives 0 at (0, -1)"};
  static auto f(auto x, auto y) { return where(eq(x, 0), where(isnan(y), y, 0), x * log1p(y)); }
  static auto dx1(auto x, auto y, auto) { return where(eq(x, 0), where(y <= -1, 0, log1p(y)), log1p(y)); }
  static auto dx2(auto x, auto y, auto) {
    return where(eq(y, -1), where(eq(x, 0), 0, x / (1 + y)), x / (1 + y));
  }
};

/// log(x / (1 - x)), near 1/2 through log1p of what is exact there.
struct Logit {
  static constexpr Meta meta{.name = "logit",
                             .reads = {X1},
                             .domain = {Domain{.low = 0.06, .high = 0.94}},
                             .singular = true,
                             .conventions = "-inf at 0, inf at 1, NaN outside"};
  static auto f(auto x) { return where(x < 0.25, log(x / (1 - x)), log1p((2 * x - 1) / (1 - x))); }
  static auto dx(auto x, auto) { return 1 / (x * (1 - x)); }
};

}  // namespace cadena::formulas

// clang-format off
#define CADENA_EXPONENTIAL_UNARY_OPS(CADENA_OP) \
  CADENA_OP(Exp, exp) CADENA_OP(Exp2, exp2) CADENA_OP(Expm1, expm1) CADENA_OP(Log, log) CADENA_OP(Log2, log2) \
  CADENA_OP(Log10, log10) CADENA_OP(Log1p, log1p)
#define CADENA_EXPONENTIAL_BINARY_OPS(CADENA_OP) \
  CADENA_OP(LogAddExp, logaddexp) CADENA_OP(LogAddExp2, logaddexp2) CADENA_OP(Xlogy, xlogy) \
  CADENA_OP(Xlog1py, xlog1py)
// clang-format on

namespace cadena::kernels {

CADENA_LANE_FUNCTION(Logit, logit)
CADENA_LANE_FUNCTION(Sigmoid, sigmoid)
CADENA_LANE_FUNCTION_OF_TWO(LogAddExp, logaddexp)
CADENA_LANE_FUNCTION_OF_TWO(LogAddExp2, logaddexp2)
CADENA_LANE_FUNCTION_OF_TWO(Xlogy, xlogy)
CADENA_LANE_FUNCTION_OF_TWO(Xlog1py, xlog1py)

}  // namespace cadena::kernels
