// Sampled functions by hand: areas, slopes, powers, windows; and covariances, which are sums of products.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using Numbers = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

void expect_near(const Tensor& x, const Numbers& expected, double tolerance = 1e-14) {
  const auto values = x.to_vector<double>();
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], tolerance) << i;
}

TEST(Trapezoid, AreasUnderLines) {
  const Tensor y = tensor({1.0, 3.0, 2.0, 6.0}, f64);
  EXPECT_EQ(trapezoid(y).item(), 8.5);
  EXPECT_EQ(trapezoid(y, 0.5).item(), 4.25);
  EXPECT_EQ(trapezoid(y, tensor({0.0, 1.0, 3.0, 3.5}, f64)).item(), 9);
  expect_near(cumulative_trapezoid(y, tensor({0.0, 1.0, 3.0, 3.5}, f64)), {2, 7, 9});
  EXPECT_EQ(trapezoid(tensor({5.0})).item(), 0);
  EXPECT_EQ(cumulative_trapezoid(tensor({5.0})).numel(), 0);
  EXPECT_EQ(trapezoid(zeros({3, 0}), 1, 0).shape(), (Shape{0}));
  EXPECT_EQ(trapezoid(arange(6.0).reshape({2, 3}), 1, 0).to_vector<double>(), (Numbers{1.5, 2.5, 3.5}));
}

TEST(Gradient, IsExactForParabolas) {
  const Tensor at = tensor({0.0, 0.5, 2.0, 2.25, 4.0}, f64), y = at * at * 3 - at;
  const Tensor right = at * 6 - 1;
  const Tensor inner = gradient(y, {.coordinates = {at}})[0];
  EXPECT_TRUE(allclose(inner.slice(0, {1, 4}), right.slice(0, {1, 4})));
  EXPECT_NEAR(inner[0].item(), 0.5, 1e-14);  // the slope of the first line
  EXPECT_TRUE(allclose(gradient(y, {.coordinates = {at}, .edge_order = 2})[0], right));
  const Tensor even = arange(5.0).to(f64) * 0.5;
  EXPECT_TRUE(allclose(gradient(even * even, {.spacing = {0.5}, .edge_order = 2})[0], even * 2));
  // Of a plane, along both axes, and along one.
  const Tensor plane = arange(3.0).unsqueeze(1) * 2 + arange(4.0) * 5;
  const auto both = gradient(plane);
  EXPECT_TRUE(equal(both[0], full({3, 4}, 2.0)) && equal(both[1], full({3, 4}, 5.0)));
  const auto one = gradient(plane, {.axes = -1});
  ASSERT_EQ(one.size(), 1U);
  EXPECT_TRUE(equal(one[0], both[1]));
}

TEST(Vander, PowersAndTheirDerivativesAtZero) {
  Tensor x = tensor({0.0, 2.0, -1.0}, f64).requires_grad_();
  const Tensor y = vander(x, 4);
  EXPECT_EQ(y.to_vector<double>(), (Numbers{0, 0, 0, 1, 8, 4, 2, 1, -1, 1, -1, 1}));
  EXPECT_TRUE(equal(vander(x, 4, true), flip(y, {1})));
  EXPECT_EQ(grad(sum(y), x).to_vector<double>(), (Numbers{1, 17, 2}));
  EXPECT_EQ(vander(x).shape(), (Shape{3, 3}));
  EXPECT_TRUE(equal(vander(x, 1).detach(), ones({3, 1}, f64)));
}

TEST(Windows, AreTheFormulas) {
  // PyTorch's, to the digits it printed.
  expect_near(hann_window(5, {.dtype = f64}),
              {0, 0.345491502812526, 0.904508497187474, 0.904508497187474, 0.345491502812526}, 1e-14);
  expect_near(hamming_window(5, {.dtype = f64}),
              {0.08, 0.397852182587524, 0.912147817412476, 0.912147817412476, 0.397852182587524}, 1e-14);
  expect_near(blackman_window(5, {.dtype = f64}),
              {0, 0.20077014326253, 0.849229856737469, 0.84922985673747, 0.200770143262531}, 1e-14);
  expect_near(bartlett_window(5, {.dtype = f64}), {0, 0.4, 0.8, 0.8, 0.4});
  expect_near(kaiser_window(5, 12, {.dtype = f64}),
              {5.277344132e-05, 0.101719687709563, 0.792939834101461, 0.792939834101461, 0.101719687709563},
              1e-13);
  const TaperOptions symmetric{.periodic = false, .dtype = f64};
  expect_near(hann_window(5, symmetric), {0, 0.5, 1, 0.5, 0});
  expect_near(kaiser_window(5, 12, symmetric),
              {5.277344132e-05, 0.215672744758967, 1, 0.215672744758967, 5.277344132e-05}, 1e-13);
  for (bool periodic : {true, false}) {
    const TaperOptions o{.periodic = periodic};
    for (const Tensor& one : {hann_window(1, o), hamming_window(1, o), blackman_window(1, o),
                              bartlett_window(1, o), kaiser_window(1, 12, o)})
      EXPECT_TRUE(equal(one, ones({1})));
    EXPECT_EQ(hann_window(0, o).numel(), 0);
    EXPECT_TRUE(isfinite(kaiser_window(1001, 12, o)).to(i64).sum().item() == 1001);
  }
}

TEST(Logspace, IsEvenInTheExponent) {
  expect_near(logspace(-1, 2, 4, 2, f64), {0.5, 1, 2, 4});
  expect_near(logspace(0, 3, 4, 10, f64), {1, 10, 100, 1000}, 1e-12);
  EXPECT_EQ(logspace(0, 1, 0).numel(), 0);
  EXPECT_EQ(logspace(2, 5, 1).item(), 100);
}

TEST(Covariance, ByHandAndAgainstVariances) {
  const Tensor x = tensor({{1.0, 2.0, 6.0}, {4.0, 0.0, 2.0}}, f64);
  expect_near(cov(x), {7, -1, -1, 4});
  expect_near(cov(x, {.correction = 0}), {14.0 / 3, -2.0 / 3, -2.0 / 3, 8.0 / 3});
  EXPECT_NEAR(cov(x[0]).item(), var(x[0]).item(), 1e-14);
  EXPECT_TRUE(all(isnan(cov(x, {.correction = 5}))).item<bool>());
  // Observations made several times are those observations.
  const Tensor twice = cat({x, x.slice(1, {2, 3})}, 1);
  EXPECT_TRUE(allclose(cov(x, {.fweights = tensor({1, 1, 2})}), cov(twice)));
  EXPECT_TRUE(allclose(cov(x, {.aweights = full({3}, 0.25, f64)}), cov(x)));
  expect_near(corrcoef(x), {1, -1 / std::sqrt(28.0), -1 / std::sqrt(28.0), 1});
  EXPECT_EQ(corrcoef(x[0]).item(), 1);
  // A row agrees with itself whatever it holds: no rounding in the value, none in the derivative.
  Tensor y = sin(arange(0, 35, 1, f64)).reshape({7, 5}).requires_grad_();
  const Tensor itself = diagonal(corrcoef(y));
  EXPECT_TRUE(equal(itself, ones({7}, f64)));
  itself.backward(ones({7}, f64));
  EXPECT_TRUE(equal(y.grad(), zeros({7, 5}, f64)));
  EXPECT_TRUE(std::isnan(corrcoef(ones({2, 3}))[0][1].item()));
}

TEST(Extremes, ThatASingleNaNDoesNotWin) {
  for (auto dtype : {f32, f64}) {
    Tensor a = tensor({1.0, nan, 3.0, nan, 2.0}).to(dtype).requires_grad_();
    Tensor b = tensor({2.0, 1.0, nan, nan, 2.0}).to(dtype).requires_grad_();
    EXPECT_TRUE(allclose(fmax(a, b), tensor({2.0, 1.0, 3.0, nan, 2.0}).to(dtype), 0, 0, true));
    EXPECT_TRUE(allclose(fmin(a, b), tensor({1.0, 1.0, 3.0, nan, 2.0}).to(dtype), 0, 0, true));
    fmax(a, b).slice(0, {0, 3}).sum().backward();
    EXPECT_EQ(a.grad().to_vector<double>(), (Numbers{0, 0, 1, 0, 0}));
    EXPECT_EQ(b.grad().to_vector<double>(), (Numbers{1, 1, 0, 0, 0}));
    EXPECT_EQ(grad(fmin(a, b)[4], b).to_vector<double>(), (Numbers{0, 0, 0, 0, 0.5}));
  }
}

TEST(Distances, OfManyVectorsAreNormsOfDifferences) {
  struct Size {
    std::int64_t rows, columns, size;
  };
  for (const auto& n : {Size{70, 90, 600}, Size{5, 200, 3}, Size{131, 1, 9}})
    for (const double p : {2.0, 1.0, 2.5, std::numeric_limits<double>::infinity()}) {
      manual_seed(1);
      Tensor a = randn({2, n.rows, n.size}, f64), b = randn({n.columns, n.size}, f64);
      a[0][0].copy_(b[0]);  // distance 0
      a.requires_grad_(), b.requires_grad_();
      const Tensor seed = randn({2, n.rows, n.columns}, f64);
      const Tensor d = cdist(a, b, p), expected = vector_norm(a.unsqueeze(-2) - b, p, -1);
      EXPECT_EQ(d[0][0][0].item(), 0);
      EXPECT_TRUE(allclose(d, expected, 1e-13, 1e-13)) << p;
      const TensorList g = grad({d}, {a, b}, {}, {seed}), e = grad({expected}, {a, b}, {}, {seed});
      for (const int i : {0, 1}) EXPECT_TRUE(allclose(g[i], e[i], 1e-11, 1e-11)) << p;
    }
}

TEST(Distances, OfManyRowsOfOneMatrix) {
  for (const std::int64_t n : {2, 65, 150})
    for (const double p : {2.0, 1.0, 3.0}) {
      manual_seed(1);
      Tensor x = randn({n, 5}, f64);
      x[1].copy_(x[0]);
      x.requires_grad_();
      const Tensor above = triu(ones({n, n}, boolean), 1), d = pdist(x, p);
      EXPECT_EQ(d[0].item(), 0);
      const Tensor all = masked_select(cdist(x, x, p), above), seed = randn(d.shape(), f64);
      EXPECT_TRUE(equal(d, all));
      EXPECT_TRUE(allclose(grad(d, x, {}, seed), grad(all, x, {}, seed), 1e-12, 1e-12));
    }
}

TEST(Distances, OfPairsAndOfAllElements) {
  const Tensor x = tensor({{0.0, 0.0}, {3.0, 4.0}, {0.0, 1.0}}, f64);
  expect_near(pdist(x), {5, 1, std::sqrt(18.0)});
  expect_near(pdist(x, 1), {7, 1, 6});
  EXPECT_EQ(pdist(x.slice(0, {0, 1})).numel(), 0);
  EXPECT_EQ(dist(x, zeros({2}, f64)).item(), std::sqrt(26.0));
  // What is short enough keeps its bits.
  const Tensor short_one = tensor({{3.0, 4.0}, {0.3, 0.4}}, f64), y = renorm(short_one, 2, 0, 1);
  expect_near(y, {0.6, 0.8, 0.3, 0.4});
  EXPECT_TRUE(equal(y[1], short_one[1]));
}

}  // namespace
}  // namespace cadena
