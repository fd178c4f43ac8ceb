// Scans: values by hand, against plain loops, and at singular points.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "values.hpp"

namespace cadena {
namespace {

class Scan : public testing::TestWithParam<DType> {
 protected:
  Tensor x(const NestedList& values) const { return tensor(values, GetParam()); }
};

TEST_P(Scan, SumsAndProductsAlongEachAxis) {
  const Tensor t = x({{1., 2., 3.}, {4., 5., 6.}});
  EXPECT_EQ(values(cumsum(t, 0)), (Values{1, 2, 3, 5, 7, 9}));
  EXPECT_EQ(values(cumsum(t, -1)), (Values{1, 3, 6, 4, 9, 15}));
  EXPECT_EQ(values(cumprod(t, 0)), (Values{1, 2, 3, 4, 10, 18}));
  EXPECT_EQ(values(cumprod(t, 1)), (Values{1, 2, 6, 4, 20, 120}));
  EXPECT_EQ(cumsum(x(3.), 0).item(), 3);
  EXPECT_EQ(cumprod(x(3.), -1).item(), 3);
  EXPECT_EQ(cumsum(zeros({2, 0}, GetParam()), 1).shape(), (Shape{2, 0}));
  const Tensor whole = cumsum(tensor({true, false, true}), 0);
  EXPECT_EQ(whole.dtype(), i64);
  EXPECT_EQ(values(whole), (Values{1, 1, 2}));
  EXPECT_EQ(values(cumprod(tensor({2, 3, -1}), 0)), (Values{2, 6, -6}));
}

TEST_P(Scan, WideAndLongEqualLoops) {
  Generator g(2);
  const Shape shape{3, 50, 130};
  const Tensor t = randint(-9, 10, shape, g).to(GetParam());
  const Values v = values(t), sums = values(cumsum(t, 1)), last = values(cumsum(t, 2));
  for (std::int64_t i = 0; i < 3; ++i)
    for (std::int64_t j = 0; j < 50; ++j) {
      double row = 0;
      for (std::int64_t k = 0; k < 130; ++k) {
        const auto at = [&](std::int64_t r) { return static_cast<std::size_t>((i * 50 + r) * 130 + k); };
        double column = 0;
        for (std::int64_t r = 0; r <= j; ++r) column += v[at(r)];
        row += v[at(j)];
        ASSERT_EQ(sums[at(j)], column);
        ASSERT_EQ(last[at(j)], row);
      }
    }
}

TEST_P(Scan, ProductsAtZerosAreExactInBothOrders) {
  // y = (a, ab, abc) at b = 0: the sum's derivatives are (1 + b + bc, a + ac, ab).
  Tensor t = x({2., 0., 5.}).requires_grad_();
  const Tensor g = grad(sum(cumprod(t, 0)), t, {.create_graph = true});
  EXPECT_EQ(values(g), (Values{1, 12, 0}));
  EXPECT_EQ(values(grad(g.select(0, 0), t, {.retain_graph = true})), (Values{0, 6, 0}));
  EXPECT_EQ(values(grad(g.select(0, 1), t, {.retain_graph = true})), (Values{6, 0, 2}));
  EXPECT_EQ(values(grad(g.select(0, 2), t)), (Values{0, 2, 0}));
  // Two zeros: what is behind both depends on neither alone, but on their product.
  Tensor two = x({0., 3., 0., 7.}).requires_grad_();
  const Tensor h = grad(cumprod(two, 0).select(0, 3), two, {.create_graph = true});
  EXPECT_EQ(values(h), (Values{0, 0, 0, 0}));
  EXPECT_EQ(values(grad(h.select(0, 0), two)), (Values{0, 0, 21, 0}));
}

TEST_P(Scan, RunningExtremesTakeTheLastOfEquals) {
  const auto top = cummax(x({1., 3., 2., 3., 0.}), 0);
  EXPECT_EQ(values(top.values), (Values{1, 3, 3, 3, 3}));
  EXPECT_EQ(values(top.indices), (Values{0, 1, 1, 3, 3}));
  const auto low = cummin(x({{2., 1.}, {2., 4.}, {nan, 0.}, {1., 0.}}), 0);
  expect_values(low.values, {2, 1, 2, 1, nan, 0, nan, 0});
  EXPECT_EQ(values(low.indices), (Values{0, 0, 1, 0, 2, 2, 2, 3}));
  Tensor t = x({1., 3., 2., 3., 0.}).requires_grad_();
  EXPECT_EQ(values(grad(sum(cummax(t, 0).values), t)), (Values{1, 2, 0, 2, 0}));
  EXPECT_EQ(cummax(x(2.), 0).indices.item<std::int64_t>(), 0);
  EXPECT_EQ(values(cummax(tensor({true, false}), 0).values), (Values{1, 1}));
}

TEST_P(Scan, LogOfRunningSums) {
  const double tolerance = GetParam() == f32 ? 1e-6 : 1e-14;
  expect_values(logcumsumexp(x({0., 0., 0.}), 0), {0, std::log(2.0), std::log(3.0)}, tolerance);
  const double shift = 1000;
  expect_values(logcumsumexp(x({shift, shift, -shift}), 0),
                {shift, shift + std::log(2.0), shift + std::log(2.0)}, tolerance * 1000);
  expect_values(logcumsumexp(x({-inf, -inf, 1., inf, 2.}), 0), {-inf, -inf, 1, inf, inf});
  expect_values(logcumsumexp(x({1., nan, 2.}), 0), {1, nan, nan});
  for (bool recorded : {false, true}) {
    Tensor t = x({-inf, -inf, 1., inf, 2., inf}).requires_grad_();
    const Tensor y = logcumsumexp(t, 0);
    const auto slope = [&](std::int64_t at) {
      return grad(y.select(0, at), t, {.create_graph = recorded, .retain_graph = true});
    };
    expect_values(slope(1), {0, 0, 0, 0, 0, 0});
    expect_values(slope(2), {0, 0, 1, 0, 0, 0});
    expect_values(slope(4), {0, 0, 0, 1, 0, 0});
    expect_values(slope(5), {0, 0, 0, 0.5, 0, 0.5});
  }
  // Cotangents far apart: exp(x) would overflow, exp(x - y) does not. Its error is that of rounding y.
  Tensor far = x({800., -800., 800.}).requires_grad_();
  expect_values(grad(sum(logcumsumexp(far, 0)), far), {2.5, 0, 0.5}, tolerance * 100);
}

TEST_P(Scan, RecurrencesFromBothEnds) {
  const Tensor a = x({9., 2., 0., 3.}), b = x({1., 1., 5., 1.});
  EXPECT_EQ(values(linear_recurrence(a, b, 0)), (Values{1, 3, 5, 16}));
  EXPECT_EQ(values(linear_recurrence(a, b, 0, true)), (Values{100, 11, 5, 1}));
  // A zero coefficient forgets infinities, too.
  EXPECT_EQ(values(linear_recurrence(x({1., 0.}), x({inf, 2.}), 0)), (Values{inf, 2}));
  EXPECT_EQ(values(linear_recurrence(x(0.5), x({{4., 4.}, {0., 8.}}), 1)), (Values{4, 6, 0, 8}));
}

TEST_P(Scan, Differences) {
  const Tensor t = x({1., 4., 9., 16.});
  EXPECT_EQ(values(diff(t)), (Values{3, 5, 7}));
  EXPECT_EQ(values(diff(t, 2)), (Values{2, 2}));
  EXPECT_EQ(values(diff(t, 0)), (Values{1, 4, 9, 16}));
  EXPECT_EQ(diff(t, 9).shape(), (Shape{0}));
  EXPECT_EQ(values(diff(t, 1, 0, x({0.}), x({20.}))), (Values{1, 3, 5, 7, 4}));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Scan, testing::Values(f32, f64),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace cadena
