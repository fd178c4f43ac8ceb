// Convolutions against loops that follow the definition, on every path, all three passes.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

/// One call of conv2d: everything that the definition needs.
struct Problem {
  const char* name;
  std::int64_t batch, in, out, height, width, kernel_height, kernel_width;
  std::int64_t stride = 1, padding = 0, dilation = 1, groups = 1;

  std::int64_t y_height() const {
    return (height + 2 * padding - dilation * (kernel_height - 1) - 1) / stride + 1;
  }
  std::int64_t y_width() const {
    return (width + 2 * padding - dilation * (kernel_width - 1) - 1) / stride + 1;
  }
  Shape x() const { return {batch, in, height, width}; }
  Shape w() const { return {out, in / groups, kernel_height, kernel_width}; }
  Shape y() const { return {batch, out, y_height(), y_width()}; }
  ConvOptions options() const {
    return {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups};
  }

  /// f(index in x, index in w, index in y) for every product of the definition.
  template <class F>
  void for_products(const F& f) const {
    const auto c_count = in / groups, o_count = out / groups, h = y_height(), v = y_width();
    for (std::int64_t n = 0; n < batch; ++n)
      for (std::int64_t o = 0; o < out; ++o)
        for (std::int64_t c = 0; c < c_count; ++c)
          for (std::int64_t t = 0; t < h * v; ++t)
            for (std::int64_t k = 0; k < kernel_height * kernel_width; ++k) {
              const auto i = t / v * stride + k / kernel_width * dilation - padding;
              const auto j = t % v * stride + k % kernel_width * dilation - padding;
              if (i < 0 || i >= height || j < 0 || j >= width) continue;
              f(((n * in + o / o_count * c_count + c) * height + i) * width + j,
                (o * c_count + c) * kernel_height * kernel_width + k, (n * out + o) * h * v + t);
            }
  }
};

const Problem problems[] = {{"plain", 2, 3, 4, 7, 6, 3, 2},
                            {"strided, padded and dilated", 2, 4, 6, 9, 11, 3, 2, 2, 1, 2},
                            {"groups", 3, 6, 4, 6, 5, 2, 3, 1, 1, 1, 2},
                            {"pointwise", 3, 5, 4, 4, 5, 1, 1},
                            {"more padding than kernel", 2, 2, 2, 3, 3, 2, 2, 1, 4},
                            {"end of x unused", 2, 2, 3, 8, 8, 2, 2, 3},
                            {"one channel, many positions", 3, 1, 8, 60, 60, 3, 3, 1, 1},
                            // Large enough to be computed without columns.
                            {"wide", 9, 16, 32, 10, 9, 3, 3, 1, 1},
                            {"wide, strided and dilated", 5, 8, 24, 13, 12, 3, 3, 2, 2, 2},
                            {"wide groups", 4, 32, 32, 9, 8, 3, 3, 1, 1, 1, 4},
                            {"odd channels", 6, 13, 19, 9, 8, 3, 3, 1, 0},
                            {"depthwise", 4, 48, 48, 14, 14, 3, 3, 1, 1, 1, 48},
                            {"wide pointwise", 10, 32, 32, 9, 7, 1, 1},
                            {"wide, much padding", 3, 16, 16, 6, 6, 2, 2, 1, 5},
                            {"wide, end of x unused", 4, 16, 32, 11, 11, 2, 2, 3},
                            // Rows that vectors run through, channels as lanes, both with a rest.
                            {"narrow rows", 3, 20, 7, 9, 7, 3, 3, 1, 1},
                            {"narrow rows, many channels", 3, 24, 50, 9, 7, 3, 3, 1, 1},
                            {"pointwise, strided", 4, 24, 20, 12, 13, 1, 1, 2},
                            {"patches", 3, 3, 24, 16, 20, 4, 4, 4},
                            {"patches of many channels", 3, 17, 24, 8, 12, 2, 2, 2},
                            {"first layer", 2, 3, 21, 23, 25, 5, 4, 2, 2},
                            {"stride 3, dilated", 3, 6, 10, 25, 27, 3, 4, 3, 2, 2},
                            {"window as large as x", 8, 12, 20, 5, 6, 5, 6},
                            {"window as large as x, padded", 8, 12, 20, 5, 6, 5, 6, 1, 1},
                            {"few windows inside", 8, 12, 20, 2, 2, 4, 4, 1, 3},
                            {"3 x 3 of stride 1", 3, 14, 18, 9, 12, 3, 3, 1, 1},
                            {"3 x 3 of stride 1, wide and odd", 1, 13, 50, 9, 41, 3, 3, 1, 2},
                            {"3 x 3 of stride 1, groups", 2, 39, 36, 8, 5, 3, 3, 1, 1, 1, 3},
                            // One output channel of a group, or two.
                            {"depthwise, tall kernel", 2, 9, 9, 21, 37, 7, 3, 1, 3, 1, 9},
                            {"depthwise, strided and dilated", 2, 6, 6, 41, 40, 3, 3, 2, 2, 2, 6},
                            {"depthwise, stride 3", 2, 6, 6, 41, 40, 5, 5, 3, 2, 1, 6},
                            {"depthwise, one row", 4, 16, 16, 1, 150, 1, 5, 1, 2, 1, 16},
                            {"depthwise, two each", 2, 9, 18, 21, 17, 3, 3, 1, 1, 1, 9},
                            {"one output channel", 2, 12, 1, 20, 24, 3, 3, 1, 1},
                            // Zeros would fill nearly all of padded planes.
                            {"dilated far", 4, 16, 16, 3, 5, 2, 2, 1, 60, 61}};

double largest(const std::vector<double>& v) {
  double top = 0;
  for (double a : v) top = std::max(top, std::abs(a));
  return top;
}

void expect_close(const Tensor& t, const std::vector<double>& expected, const char* what) {
  const auto got = t.to_vector<double>();
  ASSERT_EQ(got.size(), expected.size());
  const double bound = (t.dtype() == f32 ? 4e-6 : 1e-14) * largest(expected);
  for (std::size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], bound) << what << " at " << i;
}

TEST(Convolution, ValueAndGradientsFollowTheDefinition) {
  manual_seed(1);
  for (const auto& p : problems) {
    SCOPED_TRACE(p.name);
    const Tensor x0 = randn(p.x(), f64), w0 = randn(p.w(), f64), b0 = randn({p.out}, f64),
                 g0 = randn(p.y(), f64);
    const auto x = x0.to_vector<double>(), w = w0.to_vector<double>(), b = b0.to_vector<double>(),
               g = g0.to_vector<double>();
    std::vector<double> y(g.size()), gx(x.size()), gw(w.size()), gb(b.size());
    const auto area = static_cast<std::size_t>(p.y_height() * p.y_width());
    for (std::size_t i = 0; i < y.size(); ++i) {
      const auto channel = i / area % static_cast<std::size_t>(p.out);
      y[i] = b[channel], gb[channel] += g[i];
    }
    p.for_products([&](auto ix, auto iw, auto iy) {
      const auto i = static_cast<std::size_t>(ix), k = static_cast<std::size_t>(iw),
                 t = static_cast<std::size_t>(iy);
      y[t] += x[i] * w[k], gx[i] += g[t] * w[k], gw[k] += g[t] * x[i];
    });
    for (auto dtype : {f64, f32}) {
      Tensor tx = x0.clone().to(dtype).requires_grad_(), tw = w0.clone().to(dtype).requires_grad_(),
             tb = b0.clone().to(dtype).requires_grad_();
      const Tensor ty = conv2d(tx, tw, tb, p.options());
      expect_close(ty, y, "value");
      ty.backward(g0.to(dtype));
      expect_close(tx.grad(), gx, "gradient of x");
      expect_close(tw.grad(), gw, "gradient of the weight");
      expect_close(tb.grad(), gb, "gradient of the bias");
    }
  }
}

TEST(Convolution, TransposeIsTheGradientByTheInput) {
  manual_seed(2);
  for (const auto& p : problems) {
    SCOPED_TRACE(p.name);
    for (auto dtype : {f64, f32}) {
      const Tensor x = zeros(p.x(), dtype).requires_grad_(), w = randn(p.w(), dtype), g = randn(p.y(), dtype);
      const Tensor bias = randn({p.in}, dtype);
      const auto left = [&](std::int64_t extent, std::int64_t kernel) {
        return (extent + 2 * p.padding - p.dilation * (kernel - 1) - 1) % p.stride;
      };
      const ConvTransposeOptions o{
          .stride = p.stride,
          .padding = p.padding,
          .output_padding = {left(p.height, p.kernel_height), left(p.width, p.kernel_width)},
          .groups = p.groups,
          .dilation = p.dilation};
      conv2d(x, w, {}, p.options()).backward(g);
      const Tensor y = conv_transpose2d(g, w, bias, o);
      EXPECT_TRUE(allclose(y, x.grad() + bias.reshape({p.in, 1, 1}), 1e-5, dtype == f32 ? 1e-5 : 1e-13));
    }
  }
}

TEST(Convolution, OneAndThreeDimensions) {
  // By hand: (1, 2, 3, 4) with (10, 1), every second position, one zero at either end.
  const Tensor x = tensor({1., 2., 3., 4.}).reshape({1, 4}), w = tensor({10., 1.}).reshape({1, 1, 2});
  EXPECT_EQ(conv1d(x, w, tensor({0.5}), {.stride = 2, .padding = 1}).to_vector<double>(),
            (std::vector<double>{1.5, 23.5, 40.5}));
  EXPECT_EQ(conv1d(x, w, {}, {.padding = ConvPadding::same}).to_vector<double>(),
            (std::vector<double>{12, 23, 34, 40}));  // the odd zero stands at the end
  EXPECT_EQ(conv_transpose1d(x, w, {}, {.stride = 3, .padding = 1, .output_padding = 2}).to_vector<double>(),
            (std::vector<double>{1, 0, 20, 2, 0, 30, 3, 0, 40, 4, 0}));
  // The sum over 2 x 3 x 2 boxes of ones.
  const Tensor y = conv3d(ones({1, 1, 3, 4, 2}), ones({1, 1, 2, 3, 2}), {}, {.padding = {0, 1, 0}});
  EXPECT_EQ(y.shape(), (Shape{1, 1, 2, 4, 1}));
  EXPECT_EQ(y.to_vector<double>(), (std::vector<double>{8, 12, 12, 8, 8, 12, 12, 8}));
  // Dimensions beside that of the kernel change nothing, and neither does the batch dimension.
  const Tensor a = randn({3, 4, 5}, f64), k = randn({2, 4, 3}, f64);
  const ConvOptions o{.stride = 2, .padding = 1};
  const Tensor expected = conv1d(a, k, {}, o);
  EXPECT_TRUE(equal(
      conv2d(a.reshape({3, 4, 1, 5}), k.reshape({2, 4, 1, 3}), {}, {.stride = {1, 2}, .padding = {0, 1}}),
      expected.reshape({3, 2, 1, 3})));
  EXPECT_TRUE(equal(conv1d(a[1], k, {}, o), expected[1]));
}

TEST(Convolution, NothingToAdd) {
  // Without samples or channels there is nothing, or the bias; gradients are zeros of the right shape.
  for (auto dtype : {f32, f64}) {
    Tensor w = randn({2, 3, 2, 2}, dtype).requires_grad_();
    const Tensor y = conv2d(zeros({0, 3, 4, 4}, dtype), w);
    EXPECT_EQ(y.shape(), (Shape{0, 2, 3, 3}));
    y.backward(zeros(y.shape(), dtype));
    EXPECT_TRUE(equal(w.grad(), zeros({2, 3, 2, 2}, dtype)));
    const Tensor bias = tensor({1.5, -2.}).to(dtype);
    EXPECT_TRUE(equal(conv2d(zeros({1, 0, 2, 2}, dtype), zeros({2, 0, 2, 2}, dtype), bias),
                      bias.reshape({1, 2, 1, 1})));
  }
}

TEST(Convolution, KeepsNaNAndItsPlace) {
  for (auto channels : {1, 32}) {
    Tensor x = ones({2, channels, 12, 12});
    x.select(0, 1).select(0, 0).select(0, 3).select(0, 4).fill_(std::nan(""));
    const Tensor bad = isnan(conv2d(x, ones({16, channels, 3, 3}), {}, {.padding = 1}));
    EXPECT_EQ(sum(bad).item(), 16 * 9);
    EXPECT_EQ(sum(bad[1].slice(1, {2, 5}).slice(2, {3, 6})).item(), 16 * 9);
  }
}

TEST(Convolution, LargeValuesStayInTheirWindows) {
  // Sums and differences of what a window holds must not leave traces elsewhere.
  manual_seed(4);
  const Tensor x = randn({2, 24, 11, 13}), w = randn({20, 24, 3, 3}),
               expected = conv2d(x, w, {}, {.padding = 1});
  const Tensor g = randn(expected.shape());
  const auto gradient = [&](const Tensor& cotangent) {
    Tensor leaf = x.clone().requires_grad_();
    conv2d(leaf, w, {}, {.padding = 1}).backward(cotangent);
    return leaf.grad();
  };
  const Tensor expected_gradient = gradient(g);
  for (std::int64_t i : {0, 5, 6, 10})
    for (std::int64_t j : {0, 6, 7, 12}) {
      Tensor large = x.clone(), large_g = g.clone();
      large.select(0, 1).select(0, 3).select(0, i).select(0, j).fill_(1e25);
      large_g.select(0, 1).select(0, 3).select(0, i).select(0, j).fill_(1e25);
      Tensor outside = ones({11, 13}, boolean);
      outside.slice(0, {std::max<std::int64_t>(0, i - 1), i + 2})
          .slice(1, {std::max<std::int64_t>(0, j - 1), j + 2})
          .fill_(false);
      const Tensor y = conv2d(large, w, {}, {.padding = 1}), gx = gradient(large_g);
      EXPECT_TRUE(allclose(where(outside, y, 0), where(outside, expected, 0), 0, 1e-4)) << i << " " << j;
      EXPECT_TRUE(allclose(where(outside, gx, 0), where(outside, expected_gradient, 0), 0, 1e-4))
          << i << " " << j;
    }
}

TEST(Convolution, ThreadsDoNotChangeBits) {
  const int threads = num_threads();
  manual_seed(3);
  const Problem cases[] = {{"one sample", 1, 24, 40, 12, 12, 3, 3, 1, 1},
                           {"many samples", 19, 24, 40, 12, 12, 3, 3, 1, 1},
                           {"positions as lanes", 3, 24, 40, 16, 32, 5, 3, 1, 1},
                           {"strided", 7, 20, 36, 25, 26, 3, 3, 2, 1},
                           {"one large image", 1, 8, 16, 70, 75, 3, 3, 1, 1},
                           {"depthwise", 5, 36, 36, 40, 41, 3, 3, 1, 1, 1, 36},
                           {"depthwise, strided", 7, 64, 64, 40, 41, 5, 5, 2, 2, 1, 64}};
  for (const auto& p : cases) {
    SCOPED_TRACE(p.name);
    const Tensor x0 = randn(p.x()), w0 = randn(p.w());
    std::vector<TensorList> results;
    for (int n : {1, 2, 3}) {
      set_num_threads(n);
      Tensor x = x0.clone().requires_grad_(), w = w0.clone().requires_grad_();
      const Tensor y = conv2d(x, w, {}, p.options());
      sum(square(y)).backward();
      results.push_back({y.detach(), x.grad(), w.grad()});
    }
    for (int n : {1, 2})
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_TRUE(equal(results[static_cast<std::size_t>(n)][i], results[0][i]));
  }
  set_num_threads(threads);
}

}  // namespace
}  // namespace cadena
