// Tensors: views, indexing, dtypes, values of operations against plain loops.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"

namespace cadena {
namespace {

using Values = std::vector<double>;

Values values(const Tensor& t) { return t.to_vector<double>(); }

TEST(Views, ShareStorage) {
  Tensor x = arange(12).to(f64).reshape({3, 4});
  for (const Tensor& v : {x.t(), x.slice(1, {1, 4, 2}), x.select(0, 1), x.reshape({2, 6}), x.unsqueeze(0),
                          flip(x, 0), x.permute({1, 0}), x.expand({2, 3, 4}), x.flatten(), x.detach()})
    EXPECT_TRUE(v.shares_storage(x)) << v;
  Tensor column = x.select(1, 2);
  column.fill_(-1);
  EXPECT_EQ(values(x.select(0, 2)), (Values{8, 9, -1, 11}));
}

TEST(Views, ReshapeCopiesOnlyWhenItMust) {
  const Tensor x = arange(24).reshape({2, 3, 4});
  const Tensor turned = x.transpose(1, 2);  // (2, 4, 3)
  EXPECT_TRUE(turned.reshape({2, 2, 2, 3}).shares_storage(x));
  EXPECT_FALSE(turned.reshape({2, 12}).shares_storage(x));
  EXPECT_EQ(turned.reshape({2, 2, 2, 3}).index({1, 1, 0, 2}).item<std::int64_t>(),
            turned.index({1, 2, 2}).item<std::int64_t>());
  EXPECT_EQ(values(x.slice(1, {0, 2}).reshape({2, 8}).select(0, 1)),
            (Values{12, 13, 14, 15, 16, 17, 18, 19}));
  EXPECT_EQ(x.slice(2, {1, 2}).squeeze().shape(), (Shape{2, 3}));
}

TEST(Indexing, AsInNumpy) {
  const Tensor x = arange(24).reshape({2, 3, 4});
  EXPECT_EQ(x.index({1, 2, 3}).item<std::int64_t>(), 23);
  EXPECT_EQ(x.index({ellipsis, -1}).shape(), (Shape{2, 3}));
  EXPECT_EQ(values(x.index({0, Slice{1, {}}, 0})), (Values{4, 8}));
  EXPECT_EQ(x.index({newaxis, ellipsis, newaxis}).shape(), (Shape{1, 2, 3, 4, 1}));
  EXPECT_EQ(x.index({Slice{}, newaxis, 1}).shape(), (Shape{2, 1, 4}));
  EXPECT_EQ(values(x[1][0].slice(0, {{}, {}, 3})), (Values{12, 15}));
  EXPECT_EQ(x.slice(0, {5, 9}).shape(), (Shape{0, 3, 4}));
  EXPECT_EQ(values(x[0][0].slice(0, {-2, {}})), (Values{2, 3}));
}

TEST(Dtypes, Promotion) {
  const Tensor b = tensor({true, false}), i = tensor({1, 2}), f = tensor({1.f, 2.f}),
               d = tensor({1., 2.}, f64);
  EXPECT_EQ((b + b).dtype(), i64);
  EXPECT_EQ((i + b).dtype(), i64);
  EXPECT_EQ((i + f).dtype(), f32);
  EXPECT_EQ((f + d).dtype(), f64);
  EXPECT_EQ((i / i).dtype(), f32);
  EXPECT_EQ((i + 1).dtype(), i64);
  EXPECT_EQ((i + 0.5).dtype(), f32);
  EXPECT_EQ((f * 2.0).dtype(), f32);
  EXPECT_EQ((2 - d).dtype(), f64);
  EXPECT_EQ(exp(i).dtype(), f32);
  EXPECT_EQ((f > 1).dtype(), boolean);
  EXPECT_EQ(sum(b).item<std::int64_t>(), 1);
  EXPECT_EQ(cat({i, d}).dtype(), f64);
  EXPECT_EQ(matmul(f, d).dtype(), f64);
}

TEST(Dtypes, WholeNumbersAreExact) {
  const std::int64_t big = (std::int64_t{1} << 53) + 1;
  const Tensor x = tensor(std::vector<std::int64_t>{big, -big});
  EXPECT_EQ((x + 1).to_vector<std::int64_t>(), (std::vector<std::int64_t>{big + 1, -big + 1}));
  EXPECT_EQ(sum(x * 1).item<std::int64_t>(), 0);
  EXPECT_EQ(maximum(x, 0).to_vector<std::int64_t>(), (std::vector<std::int64_t>{big, 0}));
  EXPECT_EQ(full({}, big, i64).item<std::int64_t>(), big);
}

TEST(FromBlob, UsesTheCallersMemory) {
  int deleted = 0;
  float memory[6] = {1, 2, 3, 4, 5, 6};
  {
    Tensor x = from_blob(memory, {2, 3}, f32, [&](void*) { ++deleted; });
    Tensor turned = from_blob(memory, Shape{3, 2}, Strides{1, 3});
    EXPECT_EQ(values(turned), (Values{1, 4, 2, 5, 3, 6}));
    const Tensor view = x.select(0, 1);
    x.mul_(10);
    x = Tensor();
    EXPECT_EQ(deleted, 0);
    EXPECT_EQ(values(view), (Values{40, 50, 60}));
  }
  EXPECT_EQ(deleted, 1);
  EXPECT_EQ(memory[5], 60);
}

/// Values of ops on plain numbers, by name. The suite for derivatives would accept a wrong function.
TEST(OpValues, ElementwiseFunctions) {
  struct Row {
    Tensor (*f)(const Tensor&);
    double (*expected)(double);
  };
  const Row rows[] = {{neg, [](double x) { return -x; }},
                      {abs, [](double x) { return std::abs(x); }},
                      {exp, [](double x) { return std::exp(x); }},
                      {expm1, [](double x) { return std::expm1(x); }},
                      {log, [](double x) { return std::log(x); }},
                      {log1p, [](double x) { return std::log1p(x); }},
                      {sqrt, [](double x) { return std::sqrt(x); }},
                      {square, [](double x) { return x * x; }},
                      {sin, [](double x) { return std::sin(x); }},
                      {cos, [](double x) { return std::cos(x); }},
                      {tanh, [](double x) { return std::tanh(x); }},
                      {sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
                      {softplus, [](double x) { return std::log1p(std::exp(x)); }},
                      {log_sigmoid, [](double x) { return -std::log1p(std::exp(-x)); }},
                      {relu, [](double x) { return x > 0 ? x : 0; }}};
  for (const auto& row : rows) {
    for (DType dtype : {f32, f64}) {
      Values in, expected;
      for (int i = 0; i < 83; ++i) {
        const double x = -4.1 + 0.1 * i + 1e-3;
        in.push_back(static_cast<double>(dtype == f32 ? static_cast<double>(static_cast<float>(x)) : x));
        expected.push_back(row.expected(in.back()));
      }
      const Tensor got = row.f(tensor(in).to(dtype));
      EXPECT_TRUE(allclose(got.to(f64), tensor(expected), dtype == f32 ? 4e-7 : 1e-15,
                           dtype == f32 ? 1e-7 : 4e-16, true))
          << &row - rows << got.to(f64) - tensor(expected);
    }
  }
}

TEST(OpValues, BinaryFunctions) {
  const Tensor a = tensor({1.5, -2., 3.}, f64), b = tensor({{2.}, {-0.5}}, f64);
  EXPECT_EQ(values(a + b), (Values{3.5, 0, 5, 1, -2.5, 2.5}));
  EXPECT_EQ(values(a - b), (Values{-0.5, -4, 1, 2, -1.5, 3.5}));
  EXPECT_EQ(values(a * b), (Values{3, -4, 6, -0.75, 1, -1.5}));
  EXPECT_EQ(values(a / b), (Values{0.75, -1, 1.5, -3, 4, -6}));
  EXPECT_EQ(values(maximum(a, b)), (Values{2, 2, 3, 1.5, -0.5, 3}));
  EXPECT_EQ(values(minimum(a, b)), (Values{1.5, -2, 2, -0.5, -2, -0.5}));
  EXPECT_EQ(values(pow(a, 2)), (Values{2.25, 4, 9}));
  EXPECT_EQ(values(heaviside(tensor({-1., 0., 2.}, f64), 0.5)), (Values{0, 0.5, 1}));
  EXPECT_EQ(values(where(a > 0, a, 10)), (Values{1.5, 10, 3}));
  EXPECT_EQ(values(ge(a, 1.5)), (Values{1, 0, 1}));
  EXPECT_EQ(values(ne(a, 3)), (Values{1, 1, 0}));
}

TEST(OpValues, ReductionsAndIndexing) {
  const Tensor x = tensor({{1., 5., 2.}, {4., 0., 6.}}, f64);
  EXPECT_EQ(values(sum(x, 0)), (Values{5, 5, 8}));
  EXPECT_EQ(values(mean(x, 1)), (Values{8. / 3, 10. / 3}));
  EXPECT_EQ(values(amax(x, {0, 1})), (Values{6}));
  EXPECT_EQ(values(amin(x, 1)), (Values{1, 0}));
  EXPECT_EQ(values(argmax(x, 1)), (Values{1, 2}));
  EXPECT_EQ(argmin(x).item(), 4);
  const auto [top, where_top] = max(x, 0);
  EXPECT_EQ(values(top), (Values{4, 5, 6}));
  EXPECT_EQ(values(where_top), (Values{1, 0, 1}));
  EXPECT_EQ(values(gather(x, 1, tensor({{2, 0}, {1, 1}}))), (Values{2, 1, 0, 0}));
  EXPECT_EQ(values(scatter_add(zeros({3}, f64), 0, tensor({0, 2, 0}), tensor({1., 2., 3.}, f64))),
            (Values{4, 0, 2}));
  EXPECT_EQ(values(index_select(x, 1, tensor({2, 2, 0}))), (Values{2, 2, 1, 6, 6, 4}));
  EXPECT_EQ(values(index_add(zeros({2, 2}, f64), 0, tensor({1, 1}), ones({2, 2}, f64))),
            (Values{0, 0, 2, 2}));
  EXPECT_EQ(values(one_hot(tensor({1, 0}), 3)), (Values{0, 1, 0, 1, 0, 0}));
}

TEST(OpValues, Movement) {
  const Tensor x = tensor({{1., 2.}, {3., 4.}}, f64);
  EXPECT_EQ(values(flip(x, 1)), (Values{2, 1, 4, 3}));
  EXPECT_EQ(values(cat({x, x.select(0, 0).unsqueeze(0)})), (Values{1, 2, 3, 4, 1, 2}));
  EXPECT_EQ(values(stack({x.select(0, 0), x.select(0, 1)}, 1)), (Values{1, 3, 2, 4}));
  EXPECT_EQ(values(pad(x, {{1, 0}}, 9)), (Values{9, 1, 2, 9, 3, 4}));
  EXPECT_EQ(values(permute(x, {1, 0})), (Values{1, 3, 2, 4}));
  EXPECT_EQ(values(expand(x.select(0, 1), {2, 2})), (Values{3, 4, 3, 4}));
}

TEST(OpValues, ProductsAgainstLoops) {
  Generator g(3);
  for (const auto& [m, k, n] : {std::tuple<int, int, int>{1, 1, 1}, {3, 5, 2}, {17, 33, 9}, {64, 50, 70}}) {
    const Tensor a = randn({m, k}, g, f64), b = randn({k, n}, g, f64);
    const auto x = values(a), y = values(b);
    Values expected(static_cast<std::size_t>(m * n));
    for (int i = 0; i < m; ++i)
      for (int j = 0; j < n; ++j)
        for (int p = 0; p < k; ++p)
          expected[static_cast<std::size_t>(i * n + j)] +=
              x[static_cast<std::size_t>(i * k + p)] * y[static_cast<std::size_t>(p * n + j)];
    const Tensor want = tensor(expected, {m, n});
    EXPECT_TRUE(allclose(matmul(a, b), want, 1e-12, 1e-12));
    EXPECT_TRUE(allclose(linear(a, clone(b.t()), ones({n}, f64)), want + 1, 1e-12, 1e-12));
    EXPECT_TRUE(allclose(matmul(a.to(f32), b.to(f32)).to(f64), want, 1e-4, 1e-4));
  }
}

TEST(OpValues, Losses) {
  const Tensor logits = tensor({{1., 2., 0.5}, {0., 0., 0.}}, f64), target = tensor({1, 2});
  const double first = -std::log(std::exp(2) / (std::exp(1) + std::exp(2) + std::exp(0.5))),
               second = std::log(3.0);
  EXPECT_NEAR(cross_entropy(logits, target).item(), (first + second) / 2, 1e-14);
  EXPECT_NEAR(nll_loss(log_softmax(logits, 1), target, {.reduction = Reduction::sum}).item(), first + second,
              1e-14);
  EXPECT_EQ(mse_loss(tensor({1., 3.}, f64), tensor({0., 1.}, f64)).item(), 2.5);
  EXPECT_NEAR(binary_cross_entropy(tensor({0.25}, f64), tensor({1.}, f64)).item(), std::log(4.0), 1e-15);
  EXPECT_NEAR(binary_cross_entropy_with_logits(tensor({0.3}, f64), tensor({1.}, f64)).item(),
              std::log1p(std::exp(-0.3)), 1e-15);
}

}  // namespace
}  // namespace cadena
