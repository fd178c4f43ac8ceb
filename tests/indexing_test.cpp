// Masks, index tensors, scatter and their like: values by hand and by plain loops, NumPy's placing of axes.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;
Values values(const Tensor& t) { return t.to_vector<double>(); }

Tensor counted(const Shape& shape) { return reshape(arange(shape.numel()).to(f32), shape); }

void expect(const Tensor& got, const Shape& shape, const Values& expected) {
  EXPECT_EQ(got.shape(), shape);
  EXPECT_EQ(values(got), expected);
}

TEST(Indexing, VectorsGridsAndMasks) {
  const Tensor x = counted({3, 4});
  expect(x.index({tensor({2, -3})}), {2, 4}, {8, 9, 10, 11, 0, 1, 2, 3});
  expect(x.index({tensor({0, 2}), tensor({1, -1})}), {2}, {1, 11});
  expect(x.index({tensor({{0}, {2}}), tensor({1, -1})}), {2, 2}, {1, 3, 9, 11});
  expect(x.index({ellipsis, tensor({3, 3})}), {3, 2}, {3, 3, 7, 7, 11, 11});
  expect(x.index({tensor({true, false, true}), 1}), {2}, {1, 9});
  expect(x.index({x > 8}), {3}, {9, 10, 11});
  expect(x.index({tensor({true, false, true}), tensor({false, true, true, false})}), {2}, {1, 10});
  expect(x.index({tensor({true, false, true}), tensor({{-1}, {0}})}), {2, 2}, {3, 11, 0, 8});
  expect(flip(x, {0, 1}).index({x > 8}), {3}, {2, 1, 0});
  expect(x.index({Slice{}, tensor({false, true, true, false})}), {3, 2}, {1, 2, 5, 6, 9, 10});
  EXPECT_EQ(x.index({tensor(1)}).shape(), (Shape{4}));
  EXPECT_EQ(x.index({tensor(true)}).shape(), (Shape{1, 3, 4}));
  EXPECT_EQ(x.index({tensor(false)}).shape(), (Shape{0, 3, 4}));
  EXPECT_EQ(x.index({zeros({0}, i64)}).shape(), (Shape{0, 4}));
  EXPECT_EQ(x.index({newaxis, tensor({1})}).shape(), (Shape{1, 1, 4}));
  EXPECT_EQ(counted({0, 3}).index({zeros({0}, i64), tensor({1})}).shape(), (Shape{0}));
}

/// Every element that NumPy's definition names, for x of three axes and two index tensors at axes a and b.
TEST(Indexing, AxesStayWhenTensorsStandTogetherAndComeFirstWhenApart) {
  const Tensor x = counted({4, 5, 6}), i = tensor({{0, 2}, {3, 1}, {1, 1}}), j = tensor({2, -1});
  const auto at = [](std::int64_t a, std::int64_t b, std::int64_t c) {
    return static_cast<double>((a * 5 + b) * 6 + c);
  };
  const Tensor together = x.index({Slice{}, i, j}), apart = x.index({i, Slice{}, j});
  ASSERT_EQ(together.shape(), (Shape{4, 3, 2}));
  ASSERT_EQ(apart.shape(), (Shape{3, 2, 5}));
  const auto iv = i.to_vector<std::int64_t>();
  for (std::int64_t r = 0; r < 3; ++r)
    for (std::int64_t c = 0; c < 2; ++c) {
      const std::int64_t iv_rc = iv[static_cast<std::size_t>(r * 2 + c)], jv = c == 0 ? 2 : 5;
      for (std::int64_t k = 0; k < 4; ++k) EXPECT_EQ(together.index({k, r, c}).item(), at(k, iv_rc, jv));
      for (std::int64_t k = 0; k < 5; ++k) EXPECT_EQ(apart.index({r, c, k}).item(), at(iv_rc, k, jv));
    }
  // A number counts as an index tensor; so do masks; newaxis and an empty ellipsis stand between.
  EXPECT_EQ(x.index({0, Slice{}, j}).shape(), (Shape{2, 5}));
  EXPECT_EQ(x.index({Slice{}, 0, j}).shape(), (Shape{4, 2}));
  EXPECT_EQ(x.index({Slice{}, j, newaxis, j}).shape(), (Shape{2, 4, 1}));
  EXPECT_EQ(counted({4, 5}).index({j, ellipsis, j}).shape(), (Shape{2}));
  EXPECT_EQ(x.index({Slice{1, 3}, j}).shape(), (Shape{2, 2, 6}));
}

TEST(Indexing, AnyLayoutGivesTheSame) {
  const Tensor x = counted({4, 5, 6}), i = tensor({3, 0, -2}), mask = counted({4, 6}) > 7;
  const Tensor turned = permute(clone(permute(x, {2, 0, 1})), {1, 2, 0}),
               flipped = flip(clone(flip(x, {0, 2})), {0, 2});
  for (const Tensor& y : {turned, flipped}) {
    EXPECT_TRUE(equal(y.index({Slice{0, {}, 2}, i, newaxis, tensor({5, 1, 1})}),
                      x.index({Slice{0, {}, 2}, i, newaxis, tensor({5, 1, 1})})));
    EXPECT_TRUE(equal(permute(y, {0, 2, 1}).index({mask, 2}), permute(x, {0, 2, 1}).index({mask, 2})));
    EXPECT_TRUE(equal(index_put(y, {ellipsis, i}, 7), index_put(x, {ellipsis, i}, 7)));
  }
}

TEST(Indexing, PutOutOfPlace) {
  const Tensor x = zeros({2, 3});
  expect(index_put(x, {0, tensor({2, 0})}, tensor({5., 6.})), {2, 3}, {6, 0, 5, 0, 0, 0});
  expect(index_put(x, {tensor({1, 1}), tensor({0, 0})}, tensor({5., 6.})), {2, 3}, {0, 0, 0, 6, 0, 0});
  expect(index_put(x, {tensor({1, 1}), tensor({0, 0})}, tensor({5., 6.}), true), {2, 3}, {0, 0, 0, 11, 0, 0});
  expect(index_put(x, {Slice{}, Slice{1, {}}}, tensor({{1.}, {2.}})), {2, 3}, {0, 1, 1, 0, 2, 2});
  expect(index_put(arange(3), {tensor({true, false, true})}, 9), {3}, {9, 1, 9});
  expect(index_put(tensor({true, true}), {1}, false), {2}, {1, 0});
  EXPECT_EQ(values(x), Values(6, 0.0));
  // Of two values for one element only the one that stays has a derivative.
  Tensor v = tensor({5., 6.}).requires_grad_();
  EXPECT_EQ(values(grad(sum(index_put(x, {0, tensor({1, 1})}, v)), v)), (Values{0, 1}));
  EXPECT_EQ(values(grad(sum(index_put(x, {0, tensor({1, 1})}, v, true)), v)), (Values{1, 1}));
}

TEST(Indexing, PutInPlace) {
  Tensor x = zeros({3, 3});
  x.index_put_({tensor({0, 2}), Slice{1, {}}}, 4);
  expect(x, {3, 3}, {0, 4, 4, 0, 0, 0, 0, 4, 4});
  x.index_put_({eq(x, 0)}, -1);
  expect(x, {3, 3}, {-1, 4, 4, -1, -1, -1, -1, 4, 4});
  t(x).index_put_({0}, tensor({1., 2., 3.}), true);
  expect(x, {3, 3}, {0, 4, 4, 1, -1, -1, 2, 4, 4});
  // Values from the same memory are read before anything is written.
  Tensor shifted = counted({4});
  shifted.index_put_({tensor({1, 2, 3})}, shifted.slice(0, {0, 3}));
  expect(shifted, {4}, {0, 0, 1, 2});
  const auto version = shifted.version();
  EXPECT_THROW(shifted.index_put_({tensor({4})}, 1), IndexError);
  EXPECT_EQ(shifted.version(), version);
  shifted.index_put_({0}, 1);
  EXPECT_GT(shifted.version(), version);

  Tensor v = tensor({2., 3.}).requires_grad_(), y = zeros({3});
  y.index_put_({tensor({2, 0})}, v);
  EXPECT_EQ(values(grad(sum(y * tensor({1., 10., 100.})), v)), (Values{100, 1}));
  Tensor leaf = zeros({3}).requires_grad_();
  EXPECT_THROW(leaf.index_put_({0}, 1), GraphError);
}

TEST(Indexing, AnIndexThatWasOverwrittenIsNoticed) {
  Tensor x = counted({4}).requires_grad_(), i = tensor({1, 2});
  const Tensor y = sum(x.index({i}));
  i.fill_(0);
  EXPECT_THROW(y.backward(), GraphError);
}

TEST(Indexing, ErrorsNameWhatWasFoundAndWhere) {
  try {
    counted({3, 4}).index({Slice{}, tensor({{0, 1}, {9, 0}})});
    FAIL();
  } catch (const IndexError& e) {
    EXPECT_STREQ(
        e.what(),
        "[index] expected indices in [-4, 4) for axis 1 of (3, 4), got 9 at position (1, 0) of the index");
  }
}

TEST(Masks, PositionsAndChoices) {
  const Tensor x = tensor({{0., 2.}, {nan, 0.}});
  expect(nonzero(x), {2, 2}, {0, 1, 1, 0});
  expect(argwhere(tensor({0, 3, 4})), {2, 1}, {1, 2});
  EXPECT_EQ(nonzero(tensor(5.)).shape(), (Shape{1, 0}));
  EXPECT_EQ(nonzero(tensor(0.)).shape(), (Shape{0, 0}));
  EXPECT_EQ(nonzero(zeros({2, 0})).shape(), (Shape{0, 2}));
  expect(nonzero(t(tensor({{1, 0}, {1, 1}}))), {3, 2}, {0, 0, 0, 1, 1, 1});
  const auto columns = where(x > 1);
  expect(columns[0], {1}, {0});
  expect(columns[1], {1}, {1});
  const Tensor m = tensor({true, false, true});
  expect(masked_select(counted({2, 3}), m), {4}, {0, 2, 3, 5});
  expect(masked_select(tensor(4.), m), {2}, {4, 4});
  expect(masked_fill(counted({2, 3}), m, -1), {2, 3}, {-1, 1, -1, -1, 4, -1});
  EXPECT_EQ(masked_fill(arange(3), m, 7).dtype(), i64);
  expect(masked_scatter(counted({2, 3}), m, tensor({9., 8., 7., 6., 5.})), {2, 3}, {9, 1, 8, 7, 4, 6});
  expect(masked_scatter(tensor(1.), tensor(true), tensor({3.})), {}, {3});
  // The NaN under the mask does not leak.
  Tensor leaf = tensor({nan, 2.}).requires_grad_();
  EXPECT_EQ(values(grad(sum(masked_fill(leaf, isnan(leaf), 0) * 3), leaf)), (Values{0, 3}));
}

TEST(Positions, InTheFlattenedTensor) {
  const Tensor x = counted({2, 3});
  expect(take(x, tensor({{5, -6}, {0, 2}})), {2, 2}, {5, 0, 0, 2});
  expect(put(x, tensor({1, -1}), tensor({{7.}, {8.}})), {2, 3}, {0, 7, 2, 3, 4, 8});
  expect(put(x, tensor({1, 1}), tensor({7., 8.}), true), {2, 3}, {0, 16, 2, 3, 4, 5});
  expect(take_along_dim(x, tensor({{2}, {0}}), 1), {2, 1}, {2, 3});
  expect(take_along_dim(x, tensor({{1, 0}}), 1), {2, 2}, {1, 0, 4, 3});
  expect(take_along_dim(x, argsort(neg(x), 1), 1), {2, 3}, {2, 1, 0, 5, 4, 3});
  expect(take_along_dim(x, tensor({5, 0})), {2}, {5, 0});
  expect(index_copy(x, 1, tensor({2, 0}), tensor({{8., 9.}, {6., 7.}})), {2, 3}, {9, 1, 8, 7, 4, 6});
  expect(index_fill(x, 0, tensor({1}), 0.5), {2, 3}, {0, 1, 2, 0.5, 0.5, 0.5});
}

TEST(Scatter, TheLastStays) {
  const Tensor x = zeros({2, 3}), i = tensor({{0, 0}, {2, 1}});
  expect(scatter(x, 1, i, tensor({{1., 2.}, {3., 4.}})), {2, 3}, {2, 0, 0, 0, 4, 3});
  expect(scatter(x, 1, i, 5), {2, 3}, {5, 0, 0, 0, 5, 5});
  expect(scatter(x, 0, tensor({{1, 0, 1}}), tensor({{1., 2., 3.}})), {2, 3}, {0, 2, 0, 1, 0, 3});
  EXPECT_EQ(scatter(tensor(1.), 0, tensor(0), tensor(4.)).item(), 4);
  Tensor v = tensor({{1., 2.}, {3., 4.}}).requires_grad_();
  EXPECT_EQ(values(grad(sum(scatter(x, 1, i, v)), v)), (Values{0, 1, 1, 1}));
}

TEST(Scatter, Reductions) {
  using R = ScatterReduction;
  const Tensor x = tensor({10., 20., 30.}), i = tensor({0, 2, 0}), v = tensor({1., 50., 3.});
  const auto by = [&](R r, bool self = true) { return values(scatter_reduce(x, 0, i, v, r, self)); };
  EXPECT_EQ(by(R::sum), (Values{14, 20, 80}));
  EXPECT_EQ(by(R::sum, false), (Values{4, 20, 50}));
  EXPECT_EQ(by(R::mean, false), (Values{2, 20, 50}));
  EXPECT_EQ(values(scatter_reduce(x, 0, i, tensor({1., 50., 4.}), R::mean)), (Values{5, 20, 40}));
  EXPECT_EQ(by(R::prod), (Values{30, 20, 1500}));
  EXPECT_EQ(by(R::prod, false), (Values{3, 20, 50}));
  EXPECT_EQ(by(R::amax), (Values{10, 20, 50}));
  EXPECT_EQ(by(R::amax, false), (Values{3, 20, 50}));
  EXPECT_EQ(by(R::amin), (Values{1, 20, 30}));
  EXPECT_EQ(by(R::amin, false), (Values{1, 20, 50}));
  EXPECT_EQ(values(scatter_reduce(arange(2), 0, tensor({1, 1}), tensor({3, 4}), R::prod)), (Values{0, 12}));
  EXPECT_TRUE(std::isnan(scatter_reduce(x, 0, i, tensor({nan, 0., 0.}), R::amax).select(0, 0).item()));
  EXPECT_TRUE(std::isnan(scatter_reduce(x, 0, i, tensor({inf, 0., 0.}), R::prod).select(0, 0).item()));
}

TEST(Scatter, ReductionsAtTiesAndZeros) {
  using R = ScatterReduction;
  const Tensor i = tensor({0, 0, 1});
  for (bool self : {true, false}) {
    Tensor x = tensor({5., 1.}).requires_grad_(), v = tensor({5., 5., 2.}).requires_grad_();
    const auto g =
        grad(TensorList{sum(scatter_reduce(x, 0, i, v, R::amax, self))}, {x, v}, {.allow_unused = true});
    const double share = self ? 1.0 / 3 : 0.5;
    EXPECT_TRUE(allclose(g[0], tensor({self ? share : 0., 0.}))) << self;
    EXPECT_TRUE(allclose(g[1], tensor({share, share, 1.}))) << self;
  }
  // y = x v0 v1 with v0 = 0.
  Tensor x = tensor({2., 1.}).requires_grad_(), v = tensor({0., 7., 3.}).requires_grad_();
  const auto g =
      grad(TensorList{scatter_reduce(x, 0, i, v, R::prod).select(0, 0)}, {x, v}, {.create_graph = true});
  EXPECT_EQ(values(g[0]), (Values{0, 0}));
  EXPECT_EQ(values(g[1]), (Values{14, 0, 0}));
  EXPECT_EQ(values(grad(g[1].select(0, 0), v)), (Values{0, 2, 0}));
}

}  // namespace
}  // namespace cadena
