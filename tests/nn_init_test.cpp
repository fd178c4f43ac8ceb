// Initialisers: ranges, moments, fans, gains, errors.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

namespace init = nn::init;

struct Moments {
  double mean, std, low, high;
};
Moments moments(const Tensor& t) {
  const auto v = t.to_vector<double>();
  double sum = 0, squares = 0, low = v[0], high = v[0];
  for (auto x : v) sum += x, squares += x * x, low = std::min(low, x), high = std::max(high, x);
  const auto n = static_cast<double>(v.size()), mean = sum / n;
  return {mean, std::sqrt(squares / n - mean * mean), low, high};
}

/// The moments of 80,000 draws lie within five standard errors of those of the distribution.
void expect_moments(const Tensor& t, double mean, double std) {
  const auto m = moments(t);
  const auto n = static_cast<double>(t.numel());
  EXPECT_NEAR(m.mean, mean, 5 * std / std::sqrt(n));
  EXPECT_NEAR(m.std, std, 5 * std / std::sqrt(2 * n));
}

class NnInit : public testing::TestWithParam<DType> {
 protected:
  Tensor weight() const { return empty({200, 100, 2, 2}, GetParam()); }  // fan_in 400, fan_out 800
};

TEST_P(NnInit, Constants) {
  auto t = weight();
  EXPECT_TRUE(equal(init::constant_(t, 2.5), full(t.shape(), 2.5, t.dtype())));
  EXPECT_TRUE(equal(init::zeros_(t), zeros_like(t)));
  init::ones_(t);
  EXPECT_TRUE(equal(t, ones_like(t)));
}

TEST_P(NnInit, Uniform) {
  const auto t = init::uniform_(weight(), -2, 5);
  const auto m = moments(t);
  EXPECT_GE(m.low, -2);
  EXPECT_LT(m.low, -1.99);
  EXPECT_LE(m.high, 5);
  EXPECT_GT(m.high, 4.99);
  expect_moments(t, 1.5, 7 / std::sqrt(12.0));
}

TEST_P(NnInit, Normal) { expect_moments(init::normal_(weight(), 3, 0.5), 3, 0.5); }

TEST_P(NnInit, TruncatedNormal) {
  const auto t = init::trunc_normal_(weight(), 1, 2, -0.5, 1.5);
  const auto m = moments(t);
  EXPECT_GE(m.low, -0.5);
  EXPECT_LE(m.high, 1.5);
  EXPECT_GT(m.high, 1.49);
  EXPECT_LT(m.low, -0.49);
  expect_moments(init::trunc_normal_(weight()), 0,
                 std::sqrt(1 - 4 * std::exp(-2) / (2.5066282746 * 0.9544997361)));
}

TEST_P(NnInit, LeCun) {
  expect_moments(init::lecun_normal_(weight()), 0, 0.05);
  expect_moments(init::lecun_uniform_(weight()), 0, 0.05);
}

TEST_P(NnInit, EyeAndDirac) {
  EXPECT_TRUE(equal(init::eye_(empty({2, 3}, GetParam())), eye(2, 3, GetParam())));
  const Tensor x = randn({2, 3, 5, 6}, GetParam());
  const Tensor w = init::dirac_(empty({4, 3, 3, 2}, GetParam()));
  const Tensor y = conv2d(x, w, {}, {.padding = ConvPadding::same});
  EXPECT_EQ(y.size(1), 4);
  // An even kernel has its centre behind the middle: shifted by one.
  EXPECT_TRUE(equal(y.slice(1, {0, 3}).slice(3, {0, 5}), x.slice(3, {1, 6})));
  EXPECT_TRUE(equal(y.slice(1, {3, 4}), zeros({2, 1, 5, 6}, GetParam())));
  const Tensor grouped = init::dirac_(empty({4, 2, 1}, GetParam()), 2);
  EXPECT_EQ(grouped.to_vector<double>(), (std::vector<double>{1, 0, 0, 1, 1, 0, 0, 1}));
}

TEST_P(NnInit, Orthogonal) {
  for (const Shape& shape : {Shape{5, 3}, Shape{3, 5}, Shape{4, 2, 3}, Shape{4, 4}}) {
    const Tensor w = init::orthogonal_(empty(shape, GetParam()), 3).reshape({shape[0], -1});
    const Tensor gram = w.size(0) <= w.size(1) ? matmul(w, w.t()) : matmul(w.t(), w);
    EXPECT_TRUE(allclose(gram, eye(gram.size(0), GetParam()) * 9, 1e-4, 1e-4)) << to_string(shape);
  }
  EXPECT_EQ(init::orthogonal_(empty({0, 3}, GetParam())).numel(), 0);
}

TEST_P(NnInit, Sparse) {
  const Tensor w = init::sparse_(empty({50, 40}, GetParam()), 0.41, 0.5);
  EXPECT_TRUE(equal(count_nonzero(w, 0), full({40}, 50 - 21, i64)));
  EXPECT_TRUE(any(ne(count_nonzero(w, 1), count_nonzero(w, 1)[0])).item() != 0);
}

TEST_P(NnInit, Xavier) {
  const auto std = 2 * std::sqrt(2.0 / 1200);
  expect_moments(init::xavier_normal_(weight(), 2), 0, std);
  const auto t = init::xavier_uniform_(weight(), 2);
  expect_moments(t, 0, std);
  EXPECT_LE(moments(t).high, std * std::sqrt(3.0) * 1.0001);
}

TEST_P(NnInit, Kaiming) {
  using init::FanMode, init::Nonlinearity;
  expect_moments(init::kaiming_normal_(weight()), 0, std::sqrt(2.0 / 400));
  expect_moments(init::kaiming_uniform_(weight()), 0, std::sqrt(2.0 / 400));
  expect_moments(
      init::kaiming_normal_(weight(), {.mode = FanMode::fan_out, .nonlinearity = Nonlinearity::tanh}), 0,
      5.0 / 3 / std::sqrt(800.0));
  expect_moments(init::kaiming_uniform_(weight(), {.slope = std::sqrt(5.0)}), 0, std::sqrt(1.0 / 3 / 400));
}

TEST_P(NnInit, WritesParametersAndViewsInPlaceUnrecorded) {
  nn::Parameter p = zeros({4, 6}, GetParam());
  const auto* handle = p.raw();
  init::normal_(p);
  EXPECT_EQ(p.raw(), handle);
  EXPECT_TRUE(p.is_leaf() && p.requires_grad());
  const auto before = p.clone().detach();
  NoGrad no_grad;
  init::ones_(p.t().slice(0, {.start = 0, .stop = 2}));
  EXPECT_EQ(p.slice(1, {.start = 0, .stop = 2}).sum().item(), 8);
  EXPECT_TRUE(equal(p.slice(1, {.start = 2, .stop = {}}), before.slice(1, {.start = 2, .stop = {}})));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, NnInit, testing::Values(f32, f64),
                         [](const auto& param) { return std::string(name(param.param)); });

TEST(NnInitRules, FansAndGains) {
  const auto [in, out] = init::fans(empty({8, 3, 5, 5}));
  EXPECT_EQ(in, 75);
  EXPECT_EQ(out, 200);
  EXPECT_THROW(init::fans(empty({8})), ShapeError);
  EXPECT_THROW(init::kaiming_uniform_(empty({8})), ShapeError);
  using init::Nonlinearity;
  EXPECT_EQ(init::calculate_gain(Nonlinearity::linear), 1);
  EXPECT_EQ(init::calculate_gain(Nonlinearity::sigmoid), 1);
  EXPECT_EQ(init::calculate_gain(Nonlinearity::tanh), 5.0 / 3);
  EXPECT_EQ(init::calculate_gain(Nonlinearity::relu), std::sqrt(2.0));
  EXPECT_EQ(init::calculate_gain(Nonlinearity::leaky_relu, 0.2), std::sqrt(2 / 1.04));
  EXPECT_EQ(init::calculate_gain(Nonlinearity::selu), 0.75);
}

TEST(NnInitRules, BadArguments) {
  EXPECT_THROW(init::uniform_(empty({2}), 1, 0), ValueError);
  EXPECT_THROW(init::normal_(empty({2}), 0, -1), ValueError);
  EXPECT_THROW(init::normal_(empty({2}), 0, std::nan("")), ValueError);
}

TEST(NnInitRules, OwnGenerator) {
  Generator a(5), b(5);
  const auto position = default_generator().position();
  EXPECT_TRUE(equal(init::normal_(empty({9}), 0, 1, a), init::normal_(empty({9}), 0, 1, b)));
  EXPECT_FALSE(equal(init::normal_(empty({9}), 0, 1, a), init::uniform_(empty({9}), 0, 1, b)));
  EXPECT_EQ(default_generator().position(), position);
}

}  // namespace
}  // namespace cadena
