// Sums of formulas whose values are never written out, against the same in two steps: the same bits.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "values.hpp"

namespace cadena {
namespace {

Tensor cut(const Tensor& x) { return where(isnan(x), 0, x); }

/// Shapes around the sizes of registers, blocks and segments, and axes that make rows, columns or both.
const std::pair<Shape, Axes> cases[] = {{{1}, {0}},           {{5}, {0}},
                                        {{16}, {0}},          {{17}, {0}},
                                        {{4095}, {0}},        {{4097}, {0}},
                                        {{200000}, {0}},      {{3, 70000}, {1}},
                                        {{7, 3}, {1}},        {{9, 64}, {1}},
                                        {{5, 100}, {1}},      {{2000, 3}, {1}},
                                        {{7, 3}, {0}},        {{65, 129}, {0, 1}},
                                        {{4, 3, 50}, {1, 2}}, {{4, 3, 50}, {2}},
                                        {{4, 1, 50}, {2}},    {{4, 50, 1}, {1}},
                                        {{9, 333}, {1}},      {{3, 5, 2100}, {2}},
                                        {{4, 3, 50}, {0, 2}}, {{2, 33, 5, 40}, {2, 3}},
                                        {{40, 5, 33, 2}, {0}}};

class ElementwiseSum : public testing::TestWithParam<DType> {
 protected:
  Tensor draw(const Shape& shape) { return randn(shape, g_, GetParam()); }
  Generator g_{5};
};

TEST_P(ElementwiseSum, HasTheBitsOfTheTwoSteps) {
  for (const auto& [shape, axes] : cases) {
    const Tensor a = draw(shape), b = draw(shape), holes = where(gt(a, 1), NAN, a);
    EXPECT_TRUE(equal(nansum(holes, axes), sum(cut(holes), axes))) << to_string(shape);
    EXPECT_TRUE(equal(nansum(holes, axes, true), sum(cut(holes), axes, true))) << to_string(shape);
    if (axes.rank() == 1) {
      EXPECT_TRUE(equal(vecdot(a, b, static_cast<int>(axes[0])), sum(a * b, axes))) << to_string(shape);
    }
    EXPECT_TRUE(equal(mse_loss(a, b), mean(square(a - b)))) << to_string(shape);
    EXPECT_TRUE(equal(l1_loss(a, b, Reduction::sum), sum(abs(a - b)))) << to_string(shape);
  }
}

TEST_P(ElementwiseSum, ReadsViewsAndBroadcastOperands) {
  const Tensor x = draw({6, 8, 200}), row = draw({200}), column = draw({8, 1}), one = draw({});
  const Tensor views[] = {x.slice(2, {3, 150}),  x.slice(0, {0, 6, 2}), x.slice(1, {2, 7}),
                          permute(x, {1, 0, 2}), permute(x, {2, 0, 1}), flip(x, {2}),
                          expand(row, {8, 200})};
  for (const Tensor& v : views)
    for (int axis = 0; axis < v.dim(); ++axis) {
      const Tensor dense = contiguous(v);
      EXPECT_TRUE(allclose(vecdot(v, v, axis), sum(dense * dense, axis))) << to_string(v.shape()) << axis;
      EXPECT_TRUE(allclose(nansum(v), sum(dense)));
    }
  for (const Tensor& t : {row, column, one})
    for (int axis = 0; axis < 3; ++axis)
      EXPECT_TRUE(allclose(vecdot(x, t, axis), sum(x * t, axis))) << to_string(t.shape()) << axis;
  EXPECT_TRUE(equal(vecdot(x, column, 2), sum(x * column, 2)));
}

TEST_P(ElementwiseSum, OfNothingIsZero) {
  expect_values(nansum(zeros({0}, GetParam())), {0});
  expect_values(vecdot(zeros({2, 0}, GetParam()), zeros({2, 0}, GetParam())), {0, 0});
  EXPECT_EQ(vecdot(zeros({0, 3}, GetParam()), zeros({0, 3}, GetParam())).shape(), Shape{0});
  expect_values(mse_loss(zeros({0}, GetParam()), zeros({0}, GetParam())), {nan});
  expect_values(mse_loss(tensor(3., GetParam()), tensor(1., GetParam())), {4});
}

TEST_P(ElementwiseSum, TheNumberOfThreadsDoesNotShow) {
  const int before = num_threads();
  for (const auto& [shape, axes] :
       {std::pair<Shape, Axes>{{2000000}, {0}}, {{3000, 700}, {1}}, {{3, 700001}, {1}}}) {
    const Tensor a = draw(shape), b = draw(shape);
    set_num_threads(1);
    const Tensor alone = vecdot(a, b, static_cast<int>(axes[0]));
    set_num_threads(3);
    EXPECT_TRUE(equal(vecdot(a, b, static_cast<int>(axes[0])), alone));
    set_num_threads(before);
  }
}

TEST_P(ElementwiseSum, KeepsNoValuesForTheDerivative) {
  Tensor a = draw({3, 1000}).requires_grad_(), b = draw({3, 1000}).requires_grad_();
  const Tensor y = huber_loss(a, b, Reduction::sum, 0.7);
  const auto [ga, gb] = std::pair(grad(y, a), grad(huber_loss(a, b, Reduction::sum, 0.7), b));
  const Tensor d = a.detach() - b.detach();
  EXPECT_TRUE(equal(ga, where(le(abs(d), 0.7), d, 0.7 * sign(d))));
  EXPECT_TRUE(equal(gb, -ga));
  EXPECT_EQ(y.item(), sum(where(le(abs(d), 0.7), 0.5 * square(d), 0.7 * (abs(d) - 0.5 * 0.7))).item());
}

INSTANTIATE_TEST_SUITE_P(Dtypes, ElementwiseSum, testing::Values(f32, f64),
                         [](const auto& i) { return std::string(name(i.param)); });

}  // namespace
}  // namespace cadena
