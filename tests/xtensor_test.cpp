// The border with xtensor: values, strides, ownership and versions on the way in and out.
#include "autodiff/xtensor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "autodiff/autodiff.hpp"

#if __has_include(<xtensor/views/xview.hpp>)
#include <xtensor/core/xmath.hpp>
#include <xtensor/generators/xbuilder.hpp>
#include <xtensor/generators/xrandom.hpp>
#include <xtensor/views/xview.hpp>
#else
#include <xtensor/xbuilder.hpp>
#include <xtensor/xmath.hpp>
#include <xtensor/xrandom.hpp>
#include <xtensor/xview.hpp>
#endif

namespace cadena {
namespace {

using Longs = std::vector<std::int64_t>;

/// The elements a view shows, in row-major order.
template <class View>
auto listed(const View& v) {
  using T = std::decay_t<typename View::value_type>;
  std::vector<T> values;
  for (auto it = v.template begin<xt::layout_type::row_major>();
       it != v.template end<xt::layout_type::row_major>(); ++it)
    values.push_back(*it);
  return values;
}

template <class View>
Longs extents(const View& v) {
  return Longs(v.shape().begin(), v.shape().end());
}

template <Element T>
void expect_same(const Tensor& t) {
  const auto view = as_xtensor<T>(t);
  EXPECT_EQ(extents(view), Longs(t.shape().begin(), t.shape().end()));
  const auto expected = t.to_vector<T>();
  EXPECT_EQ(listed(view), std::vector<T>(expected.begin(), expected.end())) << t;
}

TEST(FromXtensor, TakesContainersOfEveryElementType) {
  const xt::xarray<float> f{{1.5F, -2}, {3, 4}};
  EXPECT_TRUE(equal(from_xtensor(f), tensor({{1.5, -2.0}, {3.0, 4.0}}, f32)));
  const xt::xtensor<double, 1> d{0.1, 0.2};
  EXPECT_TRUE(equal(from_xtensor(d), tensor({0.1, 0.2}, f64)));
  EXPECT_TRUE(equal(from_xtensor(xt::xarray<bool>{true, false}), tensor({true, false})));
  EXPECT_TRUE(equal(from_xtensor(xt::xarray<std::int64_t>{1, -2}), tensor({1, -2})));
  EXPECT_TRUE(equal(from_xtensor(xt::xarray<std::uint8_t>{0, 255}), tensor({0, 255})));
  EXPECT_TRUE(equal(from_xtensor(xt::xarray<std::int16_t>{-32768, 7}), tensor({-32768, 7})));
  EXPECT_EQ(from_xtensor(xt::xarray<std::uint64_t>{5}).dtype(), i64);
}

TEST(FromXtensor, TakesLazyExpressionsViewsAndColumnMajorContainers) {
  const xt::xarray<double> a{{1, 2, 3}, {4, 5, 6}};
  EXPECT_TRUE(equal(from_xtensor(2 * a + 1), tensor({{3, 5, 7}, {9, 11, 13}}, f64)));
  EXPECT_TRUE(equal(from_xtensor(xt::transpose(a)), tensor({{1, 4}, {2, 5}, {3, 6}}, f64)));
  EXPECT_TRUE(
      equal(from_xtensor(xt::view(a, xt::all(), xt::range(2, 0, -1))), tensor({{3, 2}, {6, 5}}, f64)));
  const xt::xarray<double, xt::layout_type::column_major> c = a;
  EXPECT_TRUE(equal(from_xtensor(c), tensor({{1, 2, 3}, {4, 5, 6}}, f64)));
  EXPECT_TRUE(equal(from_xtensor(a > 3), tensor({{false, false, false}, {true, true, true}})));
  EXPECT_TRUE(equal(from_xtensor(xt::arange<int>(3)), tensor({0, 1, 2})));
  xt::xarray<double> column = xt::zeros<double>({2, 1});
  column(0, 0) = 10;
  column(1, 0) = 20;
  EXPECT_TRUE(equal(from_xtensor(a + column), tensor({{11, 12, 13}, {24, 25, 26}}, f64)));
}

TEST(FromXtensor, ComputesEachValueOnce) {
  int calls = 0;
  const xt::xarray<double> a = xt::ones<double>({3, 4});
  const auto counting = xt::make_lambda_xfunction(
      [&calls](double v) {
        ++calls;
        return v;
      },
      a);
  from_xtensor(counting);
  EXPECT_EQ(calls, 12);
}

TEST(FromXtensor, TakesNumbersAndEmptyOnes) {
  xt::xarray<double> number = 2.5;
  EXPECT_EQ(from_xtensor(number).dim(), 0);
  EXPECT_EQ(from_xtensor(number).item(), 2.5);
  const xt::xarray<float> none = xt::zeros<float>({2, 0, 3});
  EXPECT_EQ(from_xtensor(none).shape(), (Shape{2, 0, 3}));
}

TEST(FromXtensor, RefusesWhatDoesNotFit) {
  const xt::xarray<double> nine = xt::ones<double>(std::vector<std::size_t>(9, 1));
  EXPECT_THROW(from_xtensor(nine), ShapeError);
  EXPECT_THROW(from_xtensor(xt::xarray<std::uint64_t>{std::numeric_limits<std::uint64_t>::max()}),
               ValueError);
}

TEST(AsXtensor, SeesEveryLayout) {
  const Tensor t = arange(0.0, 24.0, 1.0, f64).reshape({2, 3, 4});
  expect_same<double>(t);
  expect_same<double>(t.transpose(0, 2));
  expect_same<double>(t.slice(2, {.start = 1, .stop = std::nullopt, .step = 2}));
  expect_same<double>(t[1]);
  expect_same<double>(t.select(1, 2));
  expect_same<double>(t.slice(0, {.start = 1, .stop = 1}));
  expect_same<double>(t.unsqueeze(1));
  expect_same<double>(tensor({1.0, 2.0}, f64).unsqueeze(1).expand({2, 3}));
  expect_same<double>(flip(t, {0, 2}));
  expect_same<double>(tensor(3.5, f64));
  expect_same<float>(rand({5}));
  expect_same<std::int64_t>(arange(7).slice(0, {.start = 2, .stop = std::nullopt, .step = 3}));
  expect_same<bool>(tensor({{true, false}, {false, false}}));
}

TEST(AsXtensor, NegativeStridesReadBackwards) {
  std::vector<float> memory{0, 1, 2, 3, 4, 5};
  const Tensor t = from_blob(memory.data() + 5, {3, 2}, Strides{-2, -1});
  const auto view = as_xtensor<float>(t);
  EXPECT_EQ(listed(view), (std::vector<float>{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(view(2, 1), 0);
  EXPECT_EQ(view(0, 0), 5);
}

TEST(AsXtensor, ComputesAndBroadcastsLikeAnyExpression) {
  const Tensor column = tensor({1.0, 2.0}, f64).unsqueeze(1), row = tensor({10.0, 20.0, 30.0}, f64);
  const auto a = as_xtensor<double>(column), b = as_xtensor<double>(row);
  EXPECT_TRUE(equal(from_xtensor(a * b), column * row));
  // An extent of 1 whose stride is not 0, as a slice leaves it.
  const Tensor wide = arange(0.0, 12.0, 1.0, f64).reshape({3, 4});
  const Tensor thin = wide.slice(1, {.start = 1, .stop = 2});
  const auto c = as_xtensor<double>(thin);
  const xt::xarray<double> sum = c + xt::zeros<double>({3, 4});
  EXPECT_EQ(listed(sum), thin.expand({3, 4}).to_vector<double>());
  const xt::xarray<double> total = xt::sum(as_xtensor<double>(wide.t()), {0});
  EXPECT_EQ(listed(total), wide.sum(1).to_vector<double>());
}

TEST(AsXtensor, KeepsTheMemoryAlive) {
  bool freed = false;
  std::vector<double> memory{1, 2, 3};
  {
    std::optional<Tensor> t = from_blob(memory.data(), {3}, f64, [&freed](void*) { freed = true; });
    auto view = as_xtensor<double>(*t);
    t.reset();
    EXPECT_FALSE(freed);
    const auto copy = view;
    EXPECT_EQ(copy(2), 3);
  }
  EXPECT_TRUE(freed);
}

TEST(AsXtensor, ReadingIsNoWrite) {
  Tensor t = ones({3});
  const auto before = t.version();
  EXPECT_EQ(as_xtensor<float>(t)(1), 1);
  EXPECT_EQ(t.version(), before);
}

TEST(AsMutableXtensor, WritesThroughAndCountsAsWrite) {
  Tensor t = zeros({2, 3}, f64);
  const auto before = t.version();
  auto view = as_mutable_xtensor<double>(t);
  EXPECT_GT(t.version(), before);
  view(1, 2) = 7;
  EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{0, 0, 0, 0, 0, 7}));
  view = xt::xarray<double>{{1, 2, 3}, {4, 5, 6}};
  EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  as_mutable_xtensor<double>(t) *= 2;
  EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{2, 4, 6, 8, 10, 12}));
}

TEST(AsMutableXtensor, WritesThroughViews) {
  Tensor t = zeros({2, 3}, f64);
  Tensor turned = t.t(), last = t.slice(1, {.start = -1, .stop = std::nullopt});
  as_mutable_xtensor<double>(turned) = xt::xarray<double>{{1, 4}, {2, 5}, {3, 6}};
  EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{1, 2, 3, 4, 5, 6}));
  as_mutable_xtensor<double>(last) += 10;
  EXPECT_EQ(t.to_vector<double>(), (std::vector<double>{1, 2, 13, 4, 5, 16}));
}

TEST(AsMutableXtensor, MakesSavedValuesStale) {
  Tensor x = tensor({1.0, 2.0}, f64).requires_grad_();
  Tensor y = exp(x);
  const Tensor z = exp(y).sum();
  as_mutable_xtensor<double>(y)(0) = 0;
  EXPECT_THROW(z.backward(), GraphError);
}

TEST(AsXtensor, ChecksTypeAndRank) {
  Tensor t = zeros({2, 3});
  EXPECT_THROW(as_xtensor<double>(t), DtypeError);
  EXPECT_THROW(as_mutable_xtensor<std::int64_t>(t), DtypeError);
  EXPECT_THROW((as_xtensor<float, 1>(t)), ShapeError);
  EXPECT_THROW((as_xtensor<float, 3>(t)), ShapeError);
  EXPECT_THROW((as_mutable_xtensor<float, 1>(t)), ShapeError);
  const auto fixed = as_xtensor<float, 2>(t);
  static_assert(std::tuple_size_v<std::decay_t<decltype(fixed.shape())>> == 2);
  as_mutable_xtensor<float, 2>(t)(1, 1) = 4;
  EXPECT_EQ(fixed(1, 1), 4);
}

}  // namespace
}  // namespace cadena
