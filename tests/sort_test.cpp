// Sorting, order statistics, quantiles, searching and counting: values by hand and by the standard library.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "autodiff/autodiff.hpp"
#include "values.hpp"

namespace cadena {
namespace {

class Sort : public testing::TestWithParam<DType> {
 protected:
  Tensor x(const NestedList& values) const { return tensor(values, GetParam()); }
};

TEST_P(Sort, KeepsTheOrderOfEquals) {
  const auto up = sort(x({2., 1., 2., 0., 1.}));
  EXPECT_EQ(values(up.values), (Values{0, 1, 1, 2, 2}));
  EXPECT_EQ(values(up.indices), (Values{3, 1, 4, 0, 2}));
  const auto down = sort(x({2., 1., 2., 0., 1.}), 0, true);
  EXPECT_EQ(values(down.values), (Values{2, 2, 1, 1, 0}));
  EXPECT_EQ(values(down.indices), (Values{0, 2, 1, 4, 3}));
}

TEST_P(Sort, NaNIsLargestAndZerosAreEqual) {
  const auto up = sort(x({nan, 0., -inf, -0., inf, nan, -1.}));
  expect_values(up.values, {-inf, -1, 0, 0, inf, nan, nan});
  EXPECT_EQ(values(up.indices), (Values{2, 6, 1, 3, 4, 0, 5}));
  EXPECT_EQ(values(argsort(x({nan, 0., -inf, -0., inf, nan, -1.}), 0, true)), (Values{0, 5, 4, 1, 3, 6, 2}));
}

TEST_P(Sort, AlongAnyAxisAndOfOtherDtypes) {
  const Tensor t = x({{3., 1.}, {2., 5.}, {1., 0.}});
  EXPECT_EQ(values(sort(t, 0).values), (Values{1, 0, 2, 1, 3, 5}));
  EXPECT_EQ(values(sort(t, 0).indices), (Values{2, 2, 1, 0, 0, 1}));
  EXPECT_EQ(values(sort(t.t(), 1).values), (Values{1, 2, 3, 0, 1, 5}));
  EXPECT_EQ(sort(x(4.)).values.item(), 4);
  EXPECT_EQ(sort(x(4.)).indices.item<std::int64_t>(), 0);
  EXPECT_EQ(sort(zeros({2, 0}, GetParam())).values.shape(), (Shape{2, 0}));
  EXPECT_EQ(values(sort(tensor({3, -7, 2})).values), (Values{-7, 2, 3}));
  const auto truth = sort(tensor({true, false, true}));
  EXPECT_EQ(truth.values.dtype(), boolean);
  EXPECT_EQ(values(truth.indices), (Values{1, 0, 2}));
}

TEST_P(Sort, LongRowsEqualTheStandardLibrary) {
  Generator g(7);
  const Tensor t = randint(-50, 50, {5, 3001}, g).to(GetParam());
  const Values v = values(t), got = values(argsort(t)), last = values(topk(t, 17, 1, false).indices);
  for (std::size_t r = 0; r < 5; ++r) {
    std::vector<std::size_t> order(3001);
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return v[r * 3001 + a] < v[r * 3001 + b]; });
    for (std::size_t i = 0; i < 3001; ++i) ASSERT_EQ(got[r * 3001 + i], static_cast<double>(order[i]));
    for (std::size_t i = 0; i < 17; ++i) ASSERT_EQ(last[r * 17 + i], static_cast<double>(order[i]));
  }
}

class FarApart : public testing::TestWithParam<DType> {};

TEST_P(FarApart, LongRowsEqualTheStandardLibrary) {
  Generator g(8);
  const std::int64_t n = 5000;
  for (const int bits : {1, 20, 40, 61}) {
    const std::int64_t range = std::int64_t{1} << bits;
    const Tensor t = randint(-range, range, {n}, g).to(GetParam());
    const auto real = t.to_vector<double>();
    const auto whole = t.to_vector<std::int64_t>();
    for (const bool descending : {false, true}) {
      std::vector<std::int64_t> order(static_cast<std::size_t>(n));
      std::iota(order.begin(), order.end(), 0);
      std::stable_sort(order.begin(), order.end(), [&](std::int64_t i, std::int64_t j) {
        const auto a = static_cast<std::size_t>(descending ? j : i),
                   b = static_cast<std::size_t>(descending ? i : j);
        return GetParam() == i64 ? whole[a] < whole[b] : real[a] < real[b];
      });
      EXPECT_EQ(argsort(t, 0, descending).to_vector<std::int64_t>(), order) << bits << " " << descending;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dtypes, FarApart, testing::Values(f32, f64, i64),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(Sort, TheBestFewAndTheKth) {
  const Tensor t = x({4., 1., 4., 3., 2.});
  EXPECT_EQ(values(topk(t, 3).values), (Values{4, 4, 3}));
  EXPECT_EQ(values(topk(t, 3).indices), (Values{0, 2, 3}));
  EXPECT_EQ(values(topk(t, 2, 0, false).values), (Values{1, 2}));
  EXPECT_EQ(topk(t, 0).values.shape(), (Shape{0}));
  EXPECT_EQ(kthvalue(t, 2).values.item(), 2);
  EXPECT_EQ(kthvalue(t, 4).indices.item<std::int64_t>(), 0);
  EXPECT_EQ(kthvalue(x({{2., 1.}, {3., 4.}}), 1, 1, true).values.shape(), (Shape{2, 1}));
  Tensor leaf = t.clone().requires_grad_();
  EXPECT_EQ(values(grad(sum(topk(leaf, 2).values), leaf)), (Values{1, 0, 1, 0, 0}));
}

TEST_P(Sort, Medians) {
  EXPECT_EQ(median(x({4., 1., 3., 2.})).item(), 2);
  EXPECT_EQ(median(x({{5., 1., 3.}, {2., 2., 9.}}), 1).indices.to_vector<std::int64_t>(),
            (std::vector<std::int64_t>{2, 1}));
  EXPECT_TRUE(std::isnan(median(x({1., nan, 3., nan})).item()));
  EXPECT_EQ(median(x({1., nan, 3., nan}), 0).indices.item<std::int64_t>(), 1);
  EXPECT_EQ(nanmedian(x({5., nan, 3., 1.})).item(), 3);
  EXPECT_EQ(nanmedian(x({5., nan, 3.})).item(), 3);
  EXPECT_TRUE(std::isnan(nanmedian(x({nan, nan})).item()));
  EXPECT_EQ(median(tensor({3, 1, 2})).item<std::int64_t>(), 2);
  Tensor t = x({3., 3., 3.}).requires_grad_();
  EXPECT_EQ(values(grad(median(t), t)), (Values{0, 1, 0}));
}

TEST_P(Sort, TheMostFrequentValue) {
  const auto m = mode(x({{1., 2., 2., 3., 3.}, {5., 4., 4., 5., 0.}}));
  EXPECT_EQ(values(m.values), (Values{2, 4}));
  EXPECT_EQ(values(m.indices), (Values{1, 1}));
  EXPECT_TRUE(std::isnan(mode(x({nan, 1., nan})).values.item()));
  EXPECT_EQ(mode(x({1., 1., 0.}), 0, true).values.shape(), (Shape{1}));
}

TEST_P(Sort, Quantiles) {
  const double tolerance = GetParam() == f32 ? 1e-6 : 1e-14;
  const Tensor t = x({40., 10., 30., 20.});
  expect_values(quantile(t, 0.5), {25}, tolerance * 40);
  expect_values(quantile(t, x({0., 0.25, 1.})), {10, 17.5, 40}, tolerance * 40);
  using I = Interpolation;
  const auto with = [&](double q, I i) { return quantile(t, q, {.interpolation = i}).item(); };
  EXPECT_EQ(with(0.4, I::lower), 20);
  EXPECT_EQ(with(0.4, I::higher), 30);
  EXPECT_EQ(with(0.4, I::nearest), 20);
  EXPECT_EQ(with(0.6, I::nearest), 30);
  EXPECT_EQ(with(0.5, I::nearest), 30);  // rank 1.5: the even one of 1 and 2
  EXPECT_EQ(with(0.4, I::midpoint), 25);
  EXPECT_EQ(with(1, I::higher), 40);
  // Vectors of q come first.
  const Tensor m = x({{1., 2., 3.}, {30., 20., 10.}});
  const Tensor both = quantile(m, x({0., 0.5}), {.axis = 1, .keepdim = true});
  EXPECT_EQ(both.shape(), (Shape{2, 2, 1}));
  EXPECT_EQ(values(both), (Values{1, 10, 2, 20}));
  EXPECT_EQ(quantile(m, 0.5, {.keepdim = true}).shape(), (Shape{1, 1}));
  EXPECT_EQ(values(quantile(m, 0.5, {.axis = 0})), (Values{15.5, 11, 6.5}));
}

TEST_P(Sort, QuantilesWithNaNAndInfinities) {
  const Tensor m = x({{1., nan, 3.}, {4., 5., 6.}, {nan, nan, nan}});
  expect_values(quantile(m, 0.5, {.axis = 1}), {nan, 5, nan});
  expect_values(nanquantile(m, 0.5, {.axis = 1}), {2, 5, nan});
  EXPECT_EQ(quantile(x({1., inf}), 0).item(), 1);
  EXPECT_EQ(quantile(x({-inf, inf, inf}), 1).item(), inf);
  EXPECT_EQ(quantile(x({-inf, 1.}), 0.25).item(), -inf);
  EXPECT_EQ(quantile(x({inf, inf}), 0.3).item(), inf);
}

TEST_P(Sort, InsertionPoints) {
  const Tensor s = x({1., 3., 3., 7.}), v = x({{0., 1., 3.}, {5., 7., 9.}});
  EXPECT_EQ(values(searchsorted(s, v)), (Values{0, 0, 1, 3, 3, 4}));
  EXPECT_EQ(values(searchsorted(s, v, true)), (Values{0, 1, 3, 3, 4, 4}));
  EXPECT_EQ(searchsorted(s, 3).item<std::int64_t>(), 1);
  EXPECT_EQ(searchsorted(s, nan).item<std::int64_t>(), 4);
  EXPECT_EQ(values(bucketize(v, s, true)), (Values{0, 1, 3, 3, 4, 4}));
  // A sequence for each row.
  EXPECT_EQ(values(searchsorted(x({{1., 2.}, {5., 6.}}), x({{2., 0., 9.}, {2., 5., 6.}}))),
            (Values{1, 0, 2, 0, 0, 1}));
  EXPECT_EQ(values(isin(x({{1., 2.}, {3., nan}}), x({3., nan, 1.}))), (Values{1, 0, 1, 0}));
  EXPECT_EQ(values(isin(x({1., 2.}), zeros({0}), true)), (Values{1, 1}));
  EXPECT_EQ(values(isin(tensor({1, 2, 5}), tensor({5, 2}))), (Values{0, 1, 1}));
}

TEST_P(Sort, DifferentValues) {
  const Unique u = unique(x({{3., 1., 3.}, {2., 1., 3.}}));
  EXPECT_EQ(values(u.values), (Values{1, 2, 3}));
  EXPECT_EQ(values(u.inverse), (Values{2, 0, 2, 1, 0, 2}));
  EXPECT_EQ(u.inverse.shape(), (Shape{2, 3}));
  EXPECT_EQ(values(u.counts), (Values{2, 1, 3}));
  const Unique none = unique(zeros({0}, GetParam()));
  EXPECT_EQ(none.values.numel() + none.counts.numel(), 0);
  expect_values(unique(x({nan, 0., nan})).values, {0, nan, nan});
  EXPECT_EQ(unique(tensor({true, true})).values.dtype(), boolean);
}

TEST_P(Sort, Counting) {
  const Tensor t = x({0., 1., 1.5, 2., 4., nan, 9.});
  EXPECT_EQ(values(histc(t, 4, 0, 4)), (Values{1, 2, 1, 1}));
  EXPECT_EQ(values(histc(x({2., 2.}), 2)), (Values{0, 2}));
  EXPECT_EQ(values(histc(zeros({0}, GetParam()), 3, 0, 1)), (Values{0, 0, 0}));
  const Histogram h = histogram(x({0., 1., 1.5, 2.}), 2, {.weight = x({1., 2., 3., 4.})});
  EXPECT_EQ(values(h.hist), (Values{1, 9}));
  EXPECT_EQ(values(h.bin_edges), (Values{0, 1, 2}));
  const Histogram d = histogram(x({0., 1., 5., 5.}), x({0., 1., 5.}), {.density = true});
  EXPECT_EQ(values(d.hist), (Values{0.25, 0.1875}));
  EXPECT_EQ(values(histogram(t, 2, {.range = {{0, 2}}}).hist), (Values{1, 3}));
  EXPECT_EQ(values(bincount(tensor({1, 3, 1}))), (Values{0, 2, 0, 1}));
  EXPECT_EQ(bincount(tensor({1, 3, 1})).dtype(), i64);
  EXPECT_EQ(values(bincount(tensor({1, 3, 1}), x({0.5, 2., 1.}), 6)), (Values{0, 1.5, 0, 2, 0, 0}));
  EXPECT_EQ(bincount(zeros({0}, i64)).shape(), (Shape{0}));
}

INSTANTIATE_TEST_SUITE_P(Dtypes, Sort, testing::Values(f32, f64),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace cadena
