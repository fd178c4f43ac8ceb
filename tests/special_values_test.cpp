// Values and derivatives at singular points: the conventions of docs/operations.md, for f32 and f64, with
// the point at every position of a register and in the tail behind full ones.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

bool same(double a, double b) { return (std::isnan(a) && std::isnan(b)) || a == b; }

struct UnaryRow {
  const char* point;
  std::function<Tensor(const Tensor&)> f;
  double x, value, slope;
  double upstream = 1;
};

const UnaryRow unary_rows[] = {
    {"relu at 0", relu, 0, 0, 0},
    {"relu at NaN", relu, nan, nan, nan},
    {"abs at 0", [](const Tensor& x) { return abs(x); }, 0, 0, 0},
    {"sqrt at 0", sqrt, 0, 0, inf},
    {"sqrt at 0, zero cotangent", sqrt, 0, 0, 0, 0},
    {"log at 0", log, 0, -inf, inf},
    {"log at 0, zero cotangent", log, 0, -inf, 0, 0},
    {"log1p at -1", log1p, -1, -inf, inf},
    {"log1p at -1, zero cotangent", log1p, -1, -inf, 0, 0},
    {"1/x at 0", [](const Tensor& x) { return 1 / x; }, 0, inf, -inf},
    {"1/x at 0, zero cotangent", [](const Tensor& x) { return 1 / x; }, 0, inf, 0, 0},
    {"x^0 at 0", [](const Tensor& x) { return pow(x, 0); }, 0, 1, 0},
    {"x^1 at 0", [](const Tensor& x) { return pow(x, 1); }, 0, 0, 1},
    {"x^2 at 0", [](const Tensor& x) { return pow(x, 2); }, 0, 0, 0},
    {"x^3 at -2", [](const Tensor& x) { return pow(x, 3); }, -2, -8, 12},
    {"0^y at 0", [](const Tensor& y) { return pow(0, y); }, 0, 1, 0},
    {"0^y at 2", [](const Tensor& y) { return pow(0, y); }, 2, 0, 0},
    {"(-2)^y at 2", [](const Tensor& y) { return pow(-2, y); }, 2, 4, nan},
    {"(-2)^y at 0.5", [](const Tensor& y) { return pow(-2, y); }, 0.5, nan, nan},
    {"max(x, x0) at the tie", [](const Tensor& x) { return maximum(x, 3); }, 3, 3, 0.5},
    {"min(x, x0) at the tie", [](const Tensor& x) { return minimum(x, 3); }, 3, 3, 0.5},
    {"max(x, NaN), of x", [](const Tensor& x) { return maximum(x, nan); }, 1, nan, 0},
    {"max(NaN, 1), of NaN", [](const Tensor& x) { return maximum(x, 1); }, nan, nan, nan},
    {"min(x, NaN), of x", [](const Tensor& x) { return minimum(x, nan); }, 1, nan, 0},
    {"heaviside at 0", [](const Tensor& x) { return heaviside(x, 0.25); }, 0, 0.25, 0},
    {"heaviside at NaN", [](const Tensor& x) { return heaviside(x, 0.25); }, nan, nan, 0},
    {"sigmoid at 1e4", sigmoid, 1e4, 1, 0},
    {"sigmoid at -1e4", sigmoid, -1e4, 0, 0},
    {"softplus at 1e4", [](const Tensor& x) { return softplus(x); }, 1e4, 1e4, 1},
    {"softplus at -1e4", [](const Tensor& x) { return softplus(x); }, -1e4, 0, 0},
    {"log_sigmoid at -1e4", log_sigmoid, -1e4, -1e4, 1},
    {"log_sigmoid at 1e4", log_sigmoid, 1e4, 0, 0},
    {"tanh at inf", tanh, inf, 1, 0},
    {"exp at -inf", exp, -inf, 0, 0},
    {"exp at inf", exp, inf, inf, inf},
    {"relu6 at 0", relu6, 0, 0, 0},
    {"relu6 at 6", relu6, 6, 6, 0},
    {"relu6 at NaN", relu6, nan, nan, nan},
    {"hardtanh at 1", [](const Tensor& x) { return hardtanh(x); }, 1, 1, 0},
    {"hardtanh at -1", [](const Tensor& x) { return hardtanh(x); }, -1, -1, 0},
    {"clamp at its upper bound", [](const Tensor& x) { return clamp(x, -1, 1); }, 1, 1, 1},
    {"clamp at its lower bound", [](const Tensor& x) { return clamp(x, -1); }, -1, -1, 1},
    {"clamp beyond", [](const Tensor& x) { return clamp(x, -1, 1); }, 2, 1, 0},
    {"clamp at NaN", [](const Tensor& x) { return clamp(x, -1, 1); }, nan, nan, nan},
    {"leaky_relu at 0", [](const Tensor& x) { return leaky_relu(x, 0.25); }, 0, 0, 0.25},
    {"prelu at 0", [](const Tensor& x) { return prelu(x, full({}, 0.25, x.dtype())); }, 0, 0, 0.25},
    {"elu at 0", [](const Tensor& x) { return elu(x, 0.5); }, 0, 0, 0.5},
    {"celu at 0", [](const Tensor& x) { return celu(x, 0.5); }, 0, 0, 1},
    {"sign at 0", sign, 0, 0, 0},
    {"sign at NaN", sign, nan, nan, 0},
    {"floor at 1", floor, 1, 1, 0},
    {"round at 0.5", round, 0.5, 0, 0},
    {"round at 2.5", round, 2.5, 2, 0},
    {"round at 1.5", round, 1.5, 2, 0},
    {"frac at 2", frac, 2, 0, 1},
    {"rsqrt at 0", rsqrt, 0, inf, -inf},
    {"rsqrt at 0, zero cotangent", rsqrt, 0, inf, 0, 0},
    {"reciprocal at 0", reciprocal, 0, inf, -inf},
    {"reciprocal at 0, zero cotangent", reciprocal, 0, inf, 0, 0},
    {"log2 at 0", log2, 0, -inf, inf},
    {"log10 at 0, zero cotangent", log10, 0, -inf, 0, 0},
    {"asin at 1", [](const Tensor& x) { return asin(x) - asin(ones_like(x)); }, 1, 0, inf},
    {"asin at 1, zero cotangent", [](const Tensor& x) { return asin(x) - asin(ones_like(x)); }, 1, 0, 0, 0},
    {"acos at 1", acos, 1, 0, -inf},
    {"acosh at 1", acosh, 1, 0, inf},
    {"acosh below", acosh, -100000.0, nan, nan},
    {"atanh at 1", atanh, 1, inf, inf},
    {"atanh at -1, zero cotangent", atanh, -1, -inf, 0, 0},
    {"hypot(x, 0) at 0", [](const Tensor& x) { return hypot(x, 0); }, 0, 0, 0},
    {"atan2(x, 0) at 0", [](const Tensor& x) { return atan2(x, 0); }, 0, 0, 0},
    {"atan2(0, x) at 0", [](const Tensor& x) { return atan2(0, x); }, 0, 0, 0},
    {"xlogy(x, 0) at 0", [](const Tensor& x) { return xlogy(x, 0); }, 0, 0, 0},
    {"xlogy(0, x) at 0", [](const Tensor& x) { return xlogy(0, x); }, 0, 0, 0},
    {"xlogy(1, x) at 0", [](const Tensor& x) { return xlogy(1, x); }, 0, -inf, inf},
    {"xlogy(1, x) at 0, zero cotangent", [](const Tensor& x) { return xlogy(1, x); }, 0, -inf, 0, 0},
    {"xlogy(x, NaN) at 0", [](const Tensor& x) { return xlogy(x, nan); }, 0, nan, nan},
    {"xlog1py(x, -1) at 0", [](const Tensor& x) { return xlog1py(x, -1); }, 0, 0, 0},
    {"xlog1py(0, x) at -1", [](const Tensor& x) { return xlog1py(0, x); }, -1, 0, 0},
    {"logaddexp of -inf", [](const Tensor& x) { return logaddexp(x, -inf); }, -inf, -inf, 0},
    {"logaddexp of inf", [](const Tensor& x) { return logaddexp(x, inf); }, inf, inf, 0.5},
    {"logaddexp at -inf", [](const Tensor& x) { return logaddexp(x, 0); }, -inf, 0, 0},
    {"logaddexp at 1e4", [](const Tensor& x) { return logaddexp(x, 0); }, 10000.0, 10000.0, 1},
    {"logaddexp2 of -inf", [](const Tensor& x) { return logaddexp2(x, -inf); }, -inf, -inf, 0},
    {"logit at 0", [](const Tensor& x) { return logit(x); }, 0, -inf, inf},
    {"logit at 1, zero cotangent", [](const Tensor& x) { return logit(x); }, 1, inf, 0, 0},
    {"logit beyond eps", [](const Tensor& x) { return logit(x, 0.5); }, 0.25, 0, 0},
    {"nan_to_num at NaN", [](const Tensor& x) { return nan_to_num(x); }, nan, 0, 0},
    {"nan_to_num at inf", [](const Tensor& x) { return nan_to_num(x, 0, 3); }, inf, 3, 0},
    {"sinc at 0", sinc, 0, 1, 0},
    {"erfinv at 1", erfinv, 1, inf, inf},
    {"erfinv at -1, zero cotangent", erfinv, -1, -inf, 0, 0},
    {"lgamma at 0", lgamma, 0, inf, -inf},
    {"lgamma at 0, zero cotangent", lgamma, 0, inf, 0, 0},
    {"lgamma at -1", lgamma, -1, inf, nan},
    {"digamma at 0", digamma, 0, -inf, inf},
    {"log_ndtr at -inf", log_ndtr, -inf, -inf, inf},
    {"ndtr at -inf", ndtr, -inf, 0, 0},
    {"erfc at -inf", erfc, -inf, 2, 0},
    {"i0e at 0", i0e, 0, 1, 0},
    {"i1 at 0", i1, 0, 0, 0.5},
    {"i1e at 0", i1e, 0, 0, 0.5},
    {"silu at -inf", silu, -inf, 0, 0},
    {"silu at inf", silu, inf, inf, 1},
    {"silu at -1e4", silu, -10000.0, 0, 0},
    {"silu at 1e4", silu, 10000.0, 10000.0, 1},
    {"gelu at -inf", [](const Tensor& x) { return gelu(x); }, -inf, 0, 0},
    {"gelu at inf", [](const Tensor& x) { return gelu(x); }, inf, inf, 1},
    {"gelu at -1e4", [](const Tensor& x) { return gelu(x); }, -10000.0, 0, 0},
    {"gelu at 1e4", [](const Tensor& x) { return gelu(x); }, 10000.0, 10000.0, 1},
    {"gelu tanh at -inf", [](const Tensor& x) { return gelu(x, "tanh"); }, -inf, 0, 0},
    {"gelu tanh at inf", [](const Tensor& x) { return gelu(x, "tanh"); }, inf, inf, 1},
    {"gelu tanh at -1e4", [](const Tensor& x) { return gelu(x, "tanh"); }, -10000.0, 0, 0},
    {"gelu tanh at 1e4", [](const Tensor& x) { return gelu(x, "tanh"); }, 10000.0, 10000.0, 1},
    {"mish at -inf", mish, -inf, 0, 0},
    {"mish at inf", mish, inf, inf, 1},
    {"mish at -1e4", mish, -10000.0, 0, 0},
    {"mish at 1e4", mish, 10000.0, 10000.0, 1},
    {"softsign at inf", softsign, inf, 1, 0},
    {"softsign at 0", softsign, 0, 0, 1},
    {"hardsigmoid at -3", hardsigmoid, -3, 0, 0},
    {"hardsigmoid at 3", hardsigmoid, 3, 1, 0},
    {"hardswish at -3", hardswish, -3, 0, 0},
    {"hardswish at 3", hardswish, 3, 3, 1},
    {"hardshrink at 0.5", [](const Tensor& x) { return hardshrink(x); }, 0.5, 0, 0},
    {"hardshrink at NaN", [](const Tensor& x) { return hardshrink(x); }, nan, nan, nan},
    {"softshrink at -0.5", [](const Tensor& x) { return softshrink(x); }, -0.5, 0, 0},
    {"softshrink at NaN", [](const Tensor& x) { return softshrink(x); }, nan, nan, nan},
    {"threshold at its threshold", [](const Tensor& x) { return threshold(x, 1, 5); }, 1, 5, 0},
    {"fmod(5, x) at 0", [](const Tensor& x) { return fmod(5, x); }, 0, nan, nan},
    {"fmod(5, x) at 0, zero cotangent", [](const Tensor& x) { return fmod(5, x); }, 0, nan, 0, 0},
    {"remainder of -1", [](const Tensor& x) { return remainder(x, 3); }, -1, 2, 1},
    {"floor_divide of -1", [](const Tensor& x) { return floor_divide(x, 2); }, -1, -1, 0},
    // Nothing leaks from the branch that was not taken.
    {"where over sqrt(-1)", [](const Tensor& x) { return where(x > 0, sqrt(x), 0); }, -1, 0, 0},
    {"where over log(0)", [](const Tensor& x) { return where(x > 0, log(x), 0); }, 0, 0, 0},
    {"where over 1/0", [](const Tensor& x) { return where(eq(x, 0), 0, 1 / x); }, 0, 0, 0},
};

class Singular : public testing::TestWithParam<DType> {};

TEST_P(Singular, UnaryPointsInEveryLaneAndTail) {
  for (const auto& row : unary_rows) {
    for (std::int64_t n : {1, 7, 64, 67}) {
      for (std::int64_t at = 0; at<n; at += n> 8 && at < n - 4 ? 3 : 1) {
        Tensor x = full({n}, 1.25, GetParam());
        x.select(0, at).fill_(row.x);
        x.requires_grad_();
        const Tensor y = row.f(x);
        Tensor g = full({n}, 1, GetParam());
        g.select(0, at).fill_(row.upstream);
        const double value = y.select(0, at).item();
        EXPECT_TRUE(same(value, row.value))
            << row.point << ": value " << value << " at " << at << " of " << n;
        for (bool recorded : {false, true}) {
          const double slope =
              grad(y, x, {.create_graph = recorded, .retain_graph = true}, g).select(0, at).item();
          EXPECT_TRUE(same(slope, row.slope)) << row.point << ": slope " << slope << " at " << at << " of "
                                              << n << (recorded ? ", recorded" : "");
        }
      }
    }
  }
}

Tensor gradient(const std::function<Tensor(const Tensor&)>& f, const Tensor& x, bool recorded = false) {
  Tensor leaf = x.detach().requires_grad_();
  return grad(sum(f(leaf)), leaf, {.create_graph = recorded});
}

void expect_values(const Tensor& got, const std::vector<double>& expected, const char* what) {
  const auto values = got.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i)
    EXPECT_TRUE(same(values[i], expected[i]))
        << what << " [" << i << "]: " << values[i] << ", expected " << expected[i];
}

TEST_P(Singular, ReductionsWithTiesAndNaN) {
  const DType t = GetParam();
  auto top = [](const Tensor& x) { return amax(x); };
  expect_values(gradient(top, tensor({1., 3., 3., 0.}, t)), {0, 0.5, 0.5, 0}, "amax tie");
  expect_values(gradient(top, tensor({1., nan, 3., nan}, t)), {0, nan, 0, nan}, "amax of NaN");
  EXPECT_TRUE(std::isnan(amax(tensor({1., nan, 3.}, t)).item()));
  auto first = [](const Tensor& x) { return max(x, 0).values; };
  expect_values(gradient(first, tensor({1., 3., 3., 0.}, t)), {0, 1, 0, 0}, "max(axis) tie");
  EXPECT_EQ(max(tensor({1., 3., 3.}, t), 0).indices.item<std::int64_t>(), 1);
  EXPECT_EQ(argmax(tensor({1., nan, 3.}, t)).item<std::int64_t>(), 1);
  EXPECT_EQ(argmin(tensor({1., 0., 0.}, t)).item<std::int64_t>(), 1);
}

TEST_P(Singular, LogSumExpOfInfinities) {
  const DType t = GetParam();
  auto lse = [](const Tensor& x) { return logsumexp(x, 0); };
  const Tensor none = tensor({-inf, -inf}, t), one = tensor({1., inf, -inf}, t),
               two = tensor({inf, 0., inf}, t);
  EXPECT_EQ(lse(none).item(), -inf);
  EXPECT_EQ(lse(one).item(), inf);
  for (bool recorded : {false, true}) {
    expect_values(gradient(lse, none, recorded), {0, 0}, "all -inf");
    expect_values(gradient(lse, one, recorded), {0, 1, 0}, "one +inf");
    expect_values(gradient(lse, two, recorded), {0.5, 0, 0.5}, "two +inf");
    expect_values(gradient(lse, tensor({-inf, 2.}, t), recorded), {0, 1}, "one finite");
  }
}

TEST_P(Singular, BinaryCrossEntropyAtZeroAndOne) {
  const DType t = GetParam();
  const Tensor target = tensor({1., 0., 1., 0.}, t);
  auto bce = [&](const Tensor& p) { return binary_cross_entropy(p, target, Reduction::none); };
  const Tensor p = tensor({0., 1., 1., 0.}, t);
  expect_values(bce(p), {100, 100, 0, 0}, "value");
  // Value and gradient agree: where the logarithm is clamped, nothing flows.
  expect_values(gradient(bce, p), {0, 0, -1, 1}, "gradient");
  EXPECT_THROW(bce(tensor({0., 1., 1.5, 0.}, t)), ValueError);
  const Tensor extreme =
      binary_cross_entropy_with_logits(tensor({1e4, -1e4}, t), tensor({0., 1.}, t), Reduction::none);
  expect_values(extreme, {1e4, 1e4}, "logits");
}

TEST_P(Singular, CrossEntropyIgnoringEverything) {
  const Tensor x = zeros({2, 3}, GetParam());
  const Tensor target = full({2}, -100, i64);
  EXPECT_TRUE(std::isnan(cross_entropy(x, target).item()));
  EXPECT_TRUE(std::isnan(nll_loss(x, target).item()));
  EXPECT_EQ(cross_entropy(x, target, {.reduction = Reduction::sum}).item(), 0);
  const Tensor sure = tensor({{0., -inf}, {0., -inf}}, GetParam());
  EXPECT_EQ(nll_loss(sure, tensor({0, -100}), {.reduction = Reduction::sum}).item(), 0);
}

TEST_P(Singular, EmptyReductions) {
  const Tensor x = zeros({0}, GetParam());
  EXPECT_EQ(sum(x).item(), 0);
  EXPECT_TRUE(std::isnan(mean(x).item()));
  EXPECT_EQ(logsumexp(x, 0).item(), -inf);
  EXPECT_THROW(amax(x), ValueError);
  EXPECT_THROW(argmax(x), ValueError);
  EXPECT_THROW(max(zeros({2, 0}, GetParam()), 1), ValueError);
  EXPECT_EQ(amax(zeros({2, 0}, GetParam()), 0).numel(), 0);
}

TEST_P(Singular, ProductsWithoutInnerDimension) {
  Tensor a = zeros({2, 0}, GetParam()).requires_grad_(), b = zeros({0, 3}, GetParam()).requires_grad_();
  const Tensor c = matmul(a, b);
  expect_values(c, {0, 0, 0, 0, 0, 0}, "zeros");
  const auto g = grad(TensorList{sum(c)}, {a, b});
  EXPECT_EQ(g[0].shape(), a.shape());
  EXPECT_EQ(g[1].shape(), b.shape());
}

TEST_P(Singular, SecondDerivativesAtSingularPoints) {
  const DType t = GetParam();
  auto second = [&](const std::function<Tensor(const Tensor&)>& f, double at) {
    Tensor x = full({}, at, t).requires_grad_();
    const Tensor g = grad(f(x), x, {.create_graph = true});
    return g.requires_grad() ? grad(g, x, {.allow_unused = true}) : Tensor();
  };
  auto value = [](const Tensor& g) { return g.defined() ? g.item() : 0.0; };
  EXPECT_EQ(value(second([](const Tensor& x) { return relu(x); }, 0)), 0);
  EXPECT_EQ(value(second([](const Tensor& x) { return abs(x); }, 0)), 0);
  EXPECT_EQ(value(second([](const Tensor& x) { return pow(x, 2); }, 0)), 2);
  EXPECT_EQ(value(second([](const Tensor& x) { return pow(x, 1); }, 0)), 0);
  EXPECT_EQ(value(second([](const Tensor& x) { return where(x > 0, sqrt(x), x * x); }, 0)), 2);
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Singular, testing::Values(f32, f64),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace cadena
