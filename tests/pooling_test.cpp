// Pools by hand, and against loops that follow the definition.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using Numbers = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

Tensor line(const Numbers& values, DType dtype = f64) {
  return tensor(values).to(dtype).reshape({1, static_cast<std::int64_t>(values.size())});
}

TEST(MaxPool, ByHand) {
  for (auto dtype : {f32, f64}) {
    const Tensor x = line({3, 1, 4, 1, 5, 9, 2}, dtype);
    const auto [values, indices] = max_pool1d_with_indices(x, 3, {.stride = 2});
    EXPECT_EQ(values.to_vector<double>(), (Numbers{4, 5, 9}));
    EXPECT_EQ(indices.to_vector<double>(), (Numbers{2, 4, 5}));
    EXPECT_EQ(max_pool1d(x, 2).to_vector<double>(), (Numbers{3, 4, 9}));
    EXPECT_EQ(max_pool1d(x, 2, {.ceil_mode = true}).to_vector<double>(), (Numbers{3, 4, 9, 2}));
    EXPECT_EQ(max_pool1d(x, 2, {.padding = 1}).to_vector<double>(), (Numbers{3, 4, 5, 9}));
    // Rounding up would begin a window in the padding behind x; it is left out.
    EXPECT_EQ(max_pool1d(line({1, 2, 3}, dtype), 2, {.padding = 1, .ceil_mode = true}).to_vector<double>(),
              (Numbers{1, 3}));
    EXPECT_EQ(max_pool1d(x, 3, {.stride = 1, .dilation = 2}).to_vector<double>(), (Numbers{5, 9, 5}));
  }
}

TEST(MaxPool, TiesInfinitiesAndNaN) {
  for (auto dtype : {f32, f64}) {
    // Only the first of equals gets the gradient.
    Tensor x = line({2, 2, -inf, -inf, nan, 1, 0, nan}, dtype).requires_grad_();
    const auto [values, indices] = max_pool1d_with_indices(x, 2);
    EXPECT_EQ(indices.to_vector<double>(), (Numbers{0, 2, 4, 7}));
    EXPECT_TRUE(allclose(values, line({2, -inf, nan, nan}, dtype), 0, 0, true));
    values.backward(ones({1, 4}, dtype));
    EXPECT_EQ(x.grad().to_vector<double>(), (Numbers{1, 0, 1, 0, 1, 0, 0, 1}));
  }
  // NaN at every position of a long line, and the first of two.
  for (int i = 0; i < 37; ++i) {
    Tensor x = arange(0, 37, 1, f32).reshape({1, 37});
    x.select(1, i).fill_(nan);
    const auto [values, indices] = max_pool1d_with_indices(x, 3, {.stride = 1, .padding = 1});
    for (int k = 0; k < 37; ++k) {
      const int expected = std::abs(k - i) <= 1 ? i : std::min(k + 1, 36);
      EXPECT_EQ(indices[0][k].item(), expected) << i << " " << k;
    }
  }
  EXPECT_EQ(max_pool1d_with_indices(line({nan, 1, nan}), 3).indices.item(), 0);
}

// The definition, of planes of three dimensions: the first of the largest.
std::vector<double> largest_positions(const Tensor& x, const PerAxis& k, const MaxPoolOptions& o,
                                      const Shape& out) {
  const auto v = x.to_vector<double>();
  const std::int64_t h = x.size(3), w = x.size(4), plane = x.size(2) * h * w;
  std::vector<double> list;
  for (std::int64_t p = 0; p < x.size(1); ++p)
    for (std::int64_t i = 0; i < out[2] * out[3] * out[4]; ++i) {
      const std::int64_t at[] = {i / (out[3] * out[4]), i / out[4] % out[3], i % out[4]};
      std::int64_t best = -1;
      for (std::int64_t j = 0; j < k[0] * k[1] * k[2]; ++j) {
        const std::int64_t in[] = {j / (k[1] * k[2]), j / k[2] % k[1], j % k[2]};
        std::int64_t c[3];
        bool inside = true;
        for (int d = 0; d < 3; ++d) {
          c[d] = at[d] * o.stride[0] - o.padding[0] + in[d] * o.dilation[0];
          inside = inside && c[d] >= 0 && c[d] < x.size(2 + d);
        }
        const std::int64_t position = (c[0] * h + c[1]) * w + c[2];
        const auto value = [&](std::int64_t q) { return v[static_cast<std::size_t>(p * plane + q)]; };
        if (inside && (best < 0 || value(position) > value(best))) best = position;
      }
      list.push_back(static_cast<double>(best));
    }
  return list;
}

TEST(MaxPool, FollowsTheDefinitionForAllWindows) {
  Generator random(1);
  int compared = 0;
  for (auto dtype : {f32, f64})
    for (const Shape& shape : {Shape{1, 2, 3, 3, 2}, {1, 1, 4, 7, 5}, {1, 3, 1, 6, 28}, {1, 2, 2, 3, 50}})
      for (const PerAxis& k : {PerAxis{1, 2, 2}, {2, 2, 1}, {2, 2, 2}, {1, 3, 3}, {1, 1, 1}, {1, 1, 5}})
        for (int option = 0; option < 24; ++option) {
          const MaxPoolOptions o{.stride = 1 + option % 3,
                                 .padding = option / 3 % 2,
                                 .dilation = 1 + option / 6 % 2,
                                 .ceil_mode = option / 12 == 1};
          const Tensor x = randint(-9, 9, shape, random).to(dtype);  // with ties
          try {
            const Tensor index = max_pool3d_with_indices(x, k, o).indices;
            ASSERT_EQ(index.to_vector<double>(), largest_positions(x, k, o, index.shape()))
                << to_string(shape) << " by " << to_string(k) << ", option " << option;
            ++compared;
          } catch (const Error&) {  // a kernel that does not fit
          }
        }
  EXPECT_GT(compared, 400);
}

TEST(MaxPool, IndicesCountThroughAllPooledDimensions) {
  manual_seed(4);
  const Tensor x = randn({2, 3, 3, 4, 5}, f64);
  const auto [values, indices] =
      max_pool3d_with_indices(x, {2, 3, 2}, {.stride = {1, 1, 2}, .padding = {1, 1, 0}});
  EXPECT_EQ(values.shape(), (Shape{2, 3, 4, 4, 2}));
  EXPECT_TRUE(equal(values.reshape({6, 32}), gather(x.reshape({6, 60}), 1, indices.reshape({6, 32}))));
  for (int n = 0; n < 6; ++n)
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j)
        for (int k = 0; k < 2; ++k) {
          double top = -inf;
          for (int a = std::max(0, i - 1); a <= std::min(2, i); ++a)
            for (int b = std::max(0, j - 1); b <= std::min(3, j + 1); ++b)
              for (int c = 2 * k; c < 2 * k + 2; ++c)
                top = std::max(top, x.reshape({6, 3, 4, 5})[n][a][b][c].item());
          EXPECT_EQ(values.reshape({6, 4, 4, 2})[n][i][j][k].item(), top);
        }
}

/// Samples (1, 1, 2).
Tensor placed(double across, double down) { return tensor({across, down}, f64).reshape({1, 1, 2}); }

TEST(FractionalMaxPool, ByHand) {
  // Steps of (7 - 2) / (4 - 1): windows begin at floor((i + u) 5 / 3) - floor(u 5 / 3), the last at 5.
  const Tensor x = arange(7.0).to(f64).reshape({1, 1, 7}).expand({1, 3, 7});
  const auto columns = [&](double u) {
    return fractional_max_pool2d(x, {1, 2}, {.output_size = {3, 4}, .random_samples = placed(u, 0)})[0][0];
  };
  EXPECT_EQ(columns(0).to_vector<double>(), (Numbers{1, 2, 4, 6}));
  EXPECT_EQ(columns(0.7).to_vector<double>(), (Numbers{1, 2, 4, 6}));
  EXPECT_EQ(columns(0.3).to_vector<double>(), (Numbers{1, 3, 4, 6}));
  // The second sample is for the rows.
  const Tensor y = fractional_max_pool2d(x.transpose(1, 2), {2, 1},
                                         {.output_size = {4, 3}, .random_samples = placed(0, 0.3)});
  EXPECT_EQ(y.select(2, 0).to_vector<double>(), (Numbers{1, 3, 4, 6}));
}

TEST(FractionalMaxPool, TiesAndNaN) {
  Tensor x = tensor({{2.0, 2.0, nan}, {2.0, 2.0, 1.0}}, f64).reshape({1, 2, 3}).requires_grad_();
  const auto [values, indices] =
      fractional_max_pool2d_with_indices(x, 2, {.output_size = {1, 2}, .random_samples = placed(0.5, 0.5)});
  EXPECT_EQ(indices.to_vector<double>(), (Numbers{0, 2}));
  EXPECT_TRUE(std::isnan(values.reshape({2})[1].item()));
  values.backward(ones({1, 1, 2}, f64));
  EXPECT_EQ(x.grad().to_vector<double>(), (Numbers{1, 0, 1, 0, 0, 0}));
}

TEST(FractionalMaxPool, DrawsForEveryPlaneOnceFromItsGenerator) {
  const Tensor x = arange(40.0).reshape({1, 1, 1, 40}).expand({50, 4, 40, 40});
  const auto pooled = [&](std::uint64_t seed) {
    Generator g(seed);
    return fractional_max_pool2d(x, {1, 1}, {.output_ratio = {0.6}, .generator = &g});
  };
  const Tensor y = pooled(3);
  ASSERT_EQ(y.shape(), (Shape{50, 4, 24, 24}));
  EXPECT_TRUE(equal(y, pooled(3)));
  EXPECT_FALSE(equal(y, pooled(4)));
  // Steps are 1 or 2, and planes differ.
  const Tensor steps = y.slice(3, {1, {}}) - y.slice(3, {{}, -1});
  EXPECT_EQ(min(steps).item(), 1);
  EXPECT_EQ(max(steps).item(), 2);
  EXPECT_FALSE(equal(y[0][0], y[1][0]));
  EXPECT_FALSE(equal(y[0][0], y[0][1]));
  const auto threads = num_threads();
  set_num_threads(1);
  EXPECT_TRUE(equal(y, pooled(3)));
  set_num_threads(threads);
}

TEST(MaxUnpool, PutsBackAndLetsTheLastWin) {
  const Tensor x = line({1, 5, 2, 3});
  const auto [values, indices] = max_pool1d_with_indices(x, 2);
  EXPECT_EQ(max_unpool1d(values, indices, 2).to_vector<double>(), (Numbers{0, 5, 0, 3}));
  EXPECT_EQ(max_unpool1d(values, indices, 2, {.output_size = 5}).to_vector<double>(),
            (Numbers{0, 5, 0, 3, 0}));
  Tensor twice = line({7, 8, 9}).requires_grad_();
  const Tensor y = max_unpool1d(twice, tensor({1, 1, 0}).reshape({1, 3}), 1);
  EXPECT_EQ(y.to_vector<double>(), (Numbers{9, 8, 0}));
  y.backward(line({1, 2, 4}));
  EXPECT_EQ(twice.grad().to_vector<double>(), (Numbers{0, 2, 1}));
}

TEST(AvgPool, WhatItDividesBy) {
  const Tensor x = line({1, 2, 3, 4, 5});
  EXPECT_EQ(avg_pool1d(x, 2).to_vector<double>(), (Numbers{1.5, 3.5}));
  EXPECT_EQ(avg_pool1d(x, 2, {.ceil_mode = true}).to_vector<double>(), (Numbers{1.5, 3.5, 5}));
  EXPECT_EQ(avg_pool1d(x, 3, {.padding = 1}).to_vector<double>(), (Numbers{1, 4}));
  EXPECT_EQ(avg_pool1d(x, 3, {.padding = 1, .count_include_pad = false}).to_vector<double>(),
            (Numbers{1.5, 4}));
  // The second window reaches past the padding: three positions count.
  EXPECT_EQ(avg_pool1d(x, 4, {.padding = 1, .ceil_mode = true}).to_vector<double>(), (Numbers{1.5, 3}));
  EXPECT_EQ(avg_pool1d(x, 2, {.divisor_override = 4}).to_vector<double>(), (Numbers{0.75, 1.75}));
}

TEST(AvgPool, SeparatesIntoAxes) {
  manual_seed(5);
  for (auto dtype : {f32, f64}) {
    const Tensor x = randn({2, 3, 9, 20}, dtype);
    const Tensor y = avg_pool2d(x, {3, 2}, {.stride = {2, 3}, .padding = {1, 0}, .count_include_pad = false});
    ASSERT_EQ(y.shape(), (Shape{2, 3, 5, 7}));
    for (int i = 0; i < 5; ++i)
      for (int j = 0; j < 7; ++j) {
        const Tensor window = x.slice(2, {std::max(0, 2 * i - 1), 2 * i + 2}).slice(3, {3 * j, 3 * j + 2});
        EXPECT_TRUE(allclose(y.select(3, j).select(2, i), mean(window, {2, 3}), 1e-5, 1e-6));
      }
  }
}

TEST(AdaptivePools, ShareTheInput) {
  const Tensor x = line({1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(adaptive_avg_pool1d(x, 3).to_vector<double>(), (Numbers{2, 4, 6}));  // [0, 3) [2, 5) [4, 7)
  EXPECT_EQ(adaptive_max_pool1d(x, 2).to_vector<double>(), (Numbers{4, 7}));     // [0, 4) [3, 7)
  EXPECT_EQ(adaptive_avg_pool1d(line({1, 2}), 3).to_vector<double>(), (Numbers{1, 1.5, 2}));
  EXPECT_TRUE(equal(adaptive_avg_pool2d(ones({1, 4, 5}), {-1, 1}), ones({1, 4, 1})));
  EXPECT_EQ(adaptive_avg_pool1d(x, 0).shape(), (Shape{1, 0}));
  EXPECT_EQ(adaptive_max_pool2d_with_indices(arange(12.0).reshape({1, 3, 4}), 1).indices.item(), 11);
}

TEST(LpPool, NormsAndTheirZero) {
  const Tensor x = line({3, 4, 0, 0, 6, 8});
  EXPECT_EQ(lp_pool1d(x, 2, 2).to_vector<double>(), (Numbers{5, 0, 10}));
  EXPECT_EQ(lp_pool1d(x, 1, 3).to_vector<double>(), (Numbers{7, 14}));
  Tensor z = x.clone().requires_grad_();
  lp_pool1d(z, 2, 2).sum().backward();
  EXPECT_TRUE(allclose(z.grad(), line({0.6, 0.8, 0, 0, 0.6, 0.8}), 1e-14));
}

TEST(Pools, EmptyBatches) {
  EXPECT_EQ(max_pool2d(zeros({0, 3, 4, 4}), 2).shape(), (Shape{0, 3, 2, 2}));
  EXPECT_EQ(avg_pool2d(zeros({2, 0, 4, 4}), 2).shape(), (Shape{2, 0, 2, 2}));
}

}  // namespace
}  // namespace cadena
