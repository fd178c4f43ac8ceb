// Reductions, statistics and norms: values by hand and by plain loops, and their singular points.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "values.hpp"

namespace cadena {
namespace {

class Reduce : public testing::TestWithParam<DType> {
 protected:
  Tensor x(const NestedList& values) const { return tensor(values, GetParam()); }
};

TEST_P(Reduce, ProductsAndTheirDerivativesAtZeros) {
  EXPECT_EQ(values(prod(x({{1., 2., 3.}, {4., 5., 6.}}), 1)), (Values{6, 120}));
  EXPECT_EQ(values(prod(x({{1., 2., 3.}, {4., 5., 6.}}), 0, true)), (Values{4, 10, 18}));
  EXPECT_EQ(prod(x({{1., 2., 3.}, {4., 5., 6.}})).item(), 720);
  EXPECT_EQ(values(prod(zeros({2, 0}, GetParam()), 1)), (Values{1, 1}));
  EXPECT_EQ(prod(tensor({3, 5})).item<std::int64_t>(), 15);
  EXPECT_EQ(prod(tensor({true, false})).item<std::int64_t>(), 0);
  EXPECT_TRUE(std::isnan(prod(x({inf, 0.})).item()));
  // The derivative's own graph stays apart from that of the factors.
  Tensor before = x({1., 2., 3.}).requires_grad_();
  prod(mul(before, 2)).backward();
  EXPECT_EQ(values(before.grad()), (Values{48, 24, 16}));

  Tensor one = x({2., 0., 5.}).requires_grad_();
  const Tensor g = grad(prod(one), one, {.create_graph = true});
  EXPECT_EQ(values(g), (Values{0, 10, 0}));
  // d2/dx0dx1 = x2, d2/dx1dx2 = x0, and the diagonal is 0.
  EXPECT_EQ(values(grad(g.select(0, 1), one)), (Values{5, 0, 2}));
  Tensor two = x({0., 3., 0., 7.}).requires_grad_();
  const Tensor h = grad(prod(two), two, {.create_graph = true});
  EXPECT_EQ(values(h), (Values{0, 0, 0, 0}));
  EXPECT_EQ(values(grad(h.select(0, 0), two)), (Values{0, 0, 21, 0}));
}

TEST(ReduceMasks, CountEqualSumsOfWholeNumbers) {
  Generator g(11);
  const std::pair<Shape, Axes> cases[] = {{{}, {}},
                                          {{7}, {0}},
                                          {{70000}, {0}},
                                          {{3, 70000}, {1}},
                                          {{70000, 3}, {0}},
                                          {{70000, 3}, {1}},
                                          {{4097, 9}, {1}},
                                          {{9, 4097}, {0}},
                                          {{600, 5000}, {0}},
                                          {{5, 300, 7}, {1}},
                                          {{5, 6, 7}, {0, 2}},
                                          {{5, 6, 7}, {0, 1}},
                                          {{5, 6, 7}, {1, 2}},
                                          {{5, 0, 7}, {1}},
                                          {{0, 7}, {1}}};
  for (const auto& [shape, axes] : cases)
    for (const double p : {0.5, 1.0}) {
      const Tensor mask = lt(rand(shape, g), p), whole = to(mask, i64);
      EXPECT_TRUE(equal(sum(mask, axes), sum(whole, axes))) << to_string(shape);
      EXPECT_TRUE(equal(count_nonzero(mask, axes), sum(whole, axes))) << to_string(shape);
      EXPECT_TRUE(equal(any(mask, axes, true), gt(sum(whole, axes, true), 0))) << to_string(shape);
      EXPECT_TRUE(equal(all(mask, axes), eq(sum(1 - whole, axes), 0))) << to_string(shape);
      EXPECT_TRUE(equal(all(to(mask, f32), axes), all(mask, axes))) << to_string(shape);
    }
  const Tensor mask = lt(rand({40, 50, 60}, g), 0.3), whole = to(mask, i64);
  EXPECT_TRUE(equal(sum(permute(mask, {2, 0, 1}), 1), sum(permute(whole, {2, 0, 1}), 1)));
  EXPECT_TRUE(equal(sum(mask.slice(2, {1, 50, 3}), {0, 2}), sum(whole.slice(2, {1, 50, 3}), {0, 2})));
  EXPECT_TRUE(equal(sum(flip(mask, {1}), 2), sum(flip(whole, {1}), 2)));
  EXPECT_EQ(sum(expand(tensor(true), {30, 20})).item<std::int64_t>(), 600);
}

TEST_P(Reduce, ProductsOfManyShapesEqualLoops) {
  Generator g(3);
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 67, 1}, Shape{1, 4, 130}}) {
    const Tensor t = add(mul(rand(shape, g, f64), 0.4), 0.8).to(GetParam());
    const Values v = values(t), along = values(prod(t, 1)), ends = values(prod(t, {0, 2}));
    for (std::int64_t i = 0; i < shape[0]; ++i)
      for (std::int64_t k = 0; k < shape[2]; ++k) {
        double p = 1;
        for (std::int64_t j = 0; j < shape[1]; ++j)
          p *= v[static_cast<std::size_t>((i * shape[1] + j) * shape[2] + k)];
        EXPECT_NEAR(along[static_cast<std::size_t>(i * shape[2] + k)], p, 2e-5 * p);
      }
    for (std::int64_t j = 0; j < shape[1]; ++j) {
      double p = 1;
      for (std::int64_t i = 0; i < shape[0]; ++i)
        for (std::int64_t k = 0; k < shape[2]; ++k)
          p *= v[static_cast<std::size_t>((i * shape[1] + j) * shape[2] + k)];
      EXPECT_NEAR(ends[static_cast<std::size_t>(j)], p, 5e-5 * p);
    }
  }
}

TEST_P(Reduce, TruthAndCounts) {
  const Tensor t = x({{0., 1., nan}, {0., 0., 0.}});
  EXPECT_EQ(values(any(t, 1)), (Values{1, 0}));
  EXPECT_EQ(values(all(t, 1)), (Values{0, 0}));
  EXPECT_EQ(values(all(t, 0)), (Values{0, 0, 0}));
  EXPECT_EQ(values(any(t, 0, true)), (Values{0, 1, 1}));
  EXPECT_EQ(any(t, 0, true).shape(), (Shape{1, 3}));
  EXPECT_EQ(any(t).dtype(), boolean);
  EXPECT_TRUE(all(x({1., nan})).item<bool>());
  EXPECT_FALSE(any(zeros({0})).item<bool>());
  EXPECT_TRUE(all(zeros({0})).item<bool>());
  EXPECT_EQ(values(count_nonzero(t, 1)), (Values{2, 0}));
  EXPECT_EQ(count_nonzero(t).item<std::int64_t>(), 2);
  const MinMax ends = aminmax(x({{3., -1.}, {2., 7.}}), 1);
  EXPECT_EQ(values(ends.min), (Values{-1, 2}));
  EXPECT_EQ(values(ends.max), (Values{3, 7}));
}

TEST_P(Reduce, WithoutNaN) {
  Tensor t = x({{1., nan, 3.}, {nan, nan, nan}}).requires_grad_();
  expect_values(nansum(t, 1), {4, 0});
  expect_values(nanmean(t, 1), {2, nan});
  expect_values(grad(sum(nansum(t, 1)), t), {1, 0, 1, 0, 0, 0});
  expect_values(grad(nanmean(t, 1).select(0, 0), t), {0.5, 0, 0.5, 0, 0, 0});
}

TEST_P(Reduce, VarianceByHand) {
  // Around the mean 3: 4 + 1 + 0 + 1 + 4.
  const Tensor t = x({1., 2., 3., 4., 5.});
  EXPECT_EQ(var(t).item(), 2.5);
  EXPECT_EQ(var(t, {}, {.correction = 0}).item(), 2);
  EXPECT_EQ(var(t, {}, {.correction = 3}).item(), 5);
  EXPECT_NEAR(std(t).item(), std::sqrt(2.5), 1e-7);
  EXPECT_TRUE(std::isnan(var(t, {}, {.correction = 5}).item()));
  EXPECT_TRUE(std::isnan(var(x({4.})).item()));
  EXPECT_TRUE(std::isnan(std(x({4.})).item()));
  EXPECT_EQ(var(x({4.}), {}, {.correction = 0}).item(), 0);
  EXPECT_TRUE(std::isnan(var(zeros({0}, GetParam())).item()));
  expect_values(var(zeros({2, 0}, GetParam()), 1), {nan, nan});
  EXPECT_EQ(var(zeros({0, 3}, GetParam()), 1).numel(), 0);
  const VarMean both = var_mean(x({{1., 3.}, {5., 5.}}), 1, {.keepdim = true});
  EXPECT_EQ(both.var.shape(), (Shape{2, 1}));
  EXPECT_EQ(values(both.var), (Values{2, 0}));
  EXPECT_EQ(values(both.mean), (Values{2, 5}));
  EXPECT_EQ(values(std_mean(x({{1., 3.}, {5., 5.}}), 1, {.correction = 0}).std), (Values{1, 0}));
}

TEST_P(Reduce, VarianceFarFromZeroKeepsItsDigits) {
  // The mean is 4096 times the spread: the textbook's E[x^2] - E[x]^2 has no f32 digit left.
  Generator g(1);
  const Tensor t = add(rand({3, 40000}, g, f64), 4096).to(GetParam());
  const Values v = values(t), got = values(var(t, 1));
  for (std::size_t r = 0; r < 3; ++r) {
    long double m = 0, s = 0;
    for (std::size_t i = 0; i < 40000; ++i) m += v[r * 40000 + i];
    m /= 40000;
    for (std::size_t i = 0; i < 40000; ++i) s += (v[r * 40000 + i] - m) * (v[r * 40000 + i] - m);
    const double expected = static_cast<double>(s / 39999);
    EXPECT_NEAR(got[r], expected, expected * (GetParam() == f32 ? 1e-6 : 1e-13));
  }
  EXPECT_NEAR(var(t).item(), 1.0 / 12, 2e-3);
}

TEST_P(Reduce, NothingVaries) {
  for (double c : {0.0, 0.1, -3.7e10}) {
    for (std::int64_t n : {3, 67, 3000}) {
      Tensor t = full({2, n}, c, GetParam()).requires_grad_();
      const Tensor s = std(t, 1);
      EXPECT_EQ(values(s), (Values{0, 0}));
      const Tensor g = grad(sum(s), t, {.create_graph = true});
      EXPECT_EQ(values(g), Values(static_cast<std::size_t>(2 * n), 0.0));
      EXPECT_EQ(values(grad(sum(square(g)), t)), Values(static_cast<std::size_t>(2 * n), 0.0));
    }
  }
}

TEST_P(Reduce, NormsOfAllOrders) {
  const Tensor t = x({{3., -4.}, {0., 2.}});
  EXPECT_EQ(values(vector_norm(t, 2, 1)), (Values{5, 2}));
  EXPECT_EQ(values(vector_norm(t, 1, 1)), (Values{7, 2}));
  EXPECT_EQ(values(vector_norm(t, 0, 1)), (Values{2, 1}));
  EXPECT_EQ(values(vector_norm(t, inf, 1)), (Values{4, 2}));
  EXPECT_EQ(values(vector_norm(t, -inf, 1)), (Values{3, 0}));
  expect_values(vector_norm(t, 3, 1), {std::cbrt(91.0), 2}, 1e-6);
  expect_values(vector_norm(t, 0.5, 1), {std::pow(std::sqrt(3.0) + 2, 2), 2}, 1e-5);
  expect_values(vector_norm(t, -1, 1), {12.0 / 7, 0}, 1e-6);
  EXPECT_NEAR(norm(t).item(), std::sqrt(29.0), 1e-6);
  EXPECT_EQ(norm(t, 1, 0, true).shape(), (Shape{1, 2}));
  EXPECT_EQ(norm(zeros({0}, GetParam())).item(), 0);
}

TEST_P(Reduce, NormsAtZero) {
  for (double ord : {0.0, 0.5, 1.0, 1.5, 2.0, 3.0}) {
    Tensor t = zeros({2, 3}, GetParam()).requires_grad_();
    const Tensor n = vector_norm(t, ord, 1);
    EXPECT_EQ(values(n), (Values{0, 0})) << ord;
    const Tensor g = grad(sum(n), t, {.create_graph = true});
    EXPECT_EQ(values(g), Values(6, 0.0)) << ord;
    if (g.requires_grad()) {
      EXPECT_EQ(values(grad(sum(g), t, {.allow_unused = true})), Values(6, 0.0)) << ord;
    }
  }
  // A zero among others has no share, whatever the order.
  for (double ord : {0.5, 1.5, 3.0}) {
    Tensor t = x({0., 2.}).requires_grad_();
    expect_values(grad(vector_norm(t, ord), t), {0, 1}, 1e-6);
  }
}

// By division where nothing is lost by it, else from both ends; the tree of products is the recorded way.
TEST_P(Reduce, ProductsOfTheOthersAreThoseOfTheTree) {
  struct Lines {
    Shape shape;
    int axis;
  };
  for (const auto& l :
       {Lines{{3, 5}, 1}, Lines{{4, 300}, 1}, Lines{{2, 5001}, 1}, Lines{{70, 3}, 0}, Lines{{2, 40, 37}, 1}})
    for (const double size : {1.0, 1e-3, 0.0}) {  // neither, an underflow in the longer ones, zeros
      manual_seed(1);
      Tensor a = rand(l.shape, GetParam()) * 0.2 + (size == 1e-3 ? size : 0.9);
      if (size == 0) select(select(a, l.axis, 1), 0, 0).fill_(0);
      a.requires_grad_();
      const Tensor y = prod(a, l.axis), seed = randn(y.shape(), GetParam());
      const Tensor fast = grad({y}, {a}, {.retain_graph = true}, {seed})[0],
                   tree = grad({y}, {a}, {.create_graph = true}, {seed})[0].detach();
      const double tolerance = GetParam() == f32 ? 1e-3 : 1e-11;
      EXPECT_TRUE(allclose(fast, tree, tolerance, 1e-37)) << to_string(l.shape) << " " << size;
    }
}

TEST(Truth, OfRowsAndColumnsOfAnyLength) {
  for (const std::int64_t n : {1, 2, 3, 8, 9, 64, 5000})
    for (const std::int64_t inner : {1, 2, 70}) {
      manual_seed(1);
      const Tensor t = gt(rand({7, n, inner}), 1 - 1.0 / static_cast<double>(n + 1));
      EXPECT_TRUE(equal(any(t, 1), gt(sum(t, 1), 0))) << n << " " << inner;
      EXPECT_TRUE(equal(all(logical_not(t), 1), eq(sum(t, 1), 0))) << n << " " << inner;
      EXPECT_TRUE(equal(any(t, {0, 2}), gt(sum(t, {0, 2}), 0))) << n << " " << inner;
    }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Reduce, testing::Values(f32, f64),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace cadena
