// The named laws against theory, and what every draw promises: the same numbers for any number of threads,
// for f32 and f64 alike, and from the generator that was given.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <set>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using random::DrawOptions;

constexpr std::int64_t many = 40000;

/// Kolmogorov and Smirnov's distance between draws and a distribution function; beyond 1.95 / sqrt(n) it
/// happens once in a thousand.
double distance(const Tensor& draws, const std::function<double(double)>& cdf) {
  auto x = draws.to_vector<double>();
  std::sort(x.begin(), x.end());
  const auto n = static_cast<double>(x.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double p = cdf(x[i]);
    worst = std::max(
        {worst, std::abs(p - static_cast<double>(i) / n), std::abs(static_cast<double>(i + 1) / n - p)});
  }
  return worst * std::sqrt(n);
}

double phi(double z) { return 0.5 * std::erfc(-z / std::numbers::sqrt2); }

/// P(k, x), the regularised lower incomplete gamma function, by its series.
double gamma_p(double k, double x) {
  if (x <= 0) return 0;
  double term = 1 / k, total = term;
  for (double i = k + 1; term > 1e-17 * total; ++i) total += term *= x / i;
  return std::min(1.0, total * std::exp(-x + k * std::log(x) - std::lgamma(k)));
}

DrawOptions from(Generator& g, DType t = f64) { return {.shape = Shape{many}, .dtype = t, .generator = &g}; }

TEST(Laws, ContinuousOnesFollowTheirDistribution) {
  Generator g(17);
  EXPECT_LT(distance(random::uniform(-1, 3, from(g)), [](double x) { return (x + 1) / 4; }), 1.95);
  EXPECT_LT(distance(random::normal(2, 0.5, from(g)), [](double x) { return phi((x - 2) / 0.5); }), 1.95);
  EXPECT_LT(distance(random::exponential(2.5, from(g)), [](double x) { return 1 - std::exp(-2.5 * x); }),
            1.95);
  EXPECT_LT(distance(random::laplace(1, 2, from(g)),
                     [](double x) {
                       const double z = (x - 1) / 2;
                       return z < 0 ? 0.5 * std::exp(z) : 1 - 0.5 * std::exp(-z);
                     }),
            1.95);
  EXPECT_LT(distance(random::gumbel(-1, 0.5, from(g)),
                     [](double x) { return std::exp(-std::exp(-(x + 1) / 0.5)); }),
            1.95);
  for (double k : {0.05, 0.7, 1.0, 3.5, 40.0})
    EXPECT_LT(distance(random::gamma(k, 2, from(g)), [k](double x) { return gamma_p(k, 2 * x); }), 1.95) << k;
}

TEST(Laws, TruncatedNormalInEveryRegime) {
  Generator g(3);
  const double cases[][2] = {{-1, 2}, {-0.2, 0.3}, {0.5, 0.9}, {1, 30},
                             {4, 30}, {4, 4.1},    {-30, -3},  {-2, 0}};
  for (const auto& [low, high] : cases) {
    const Tensor x = random::truncated_normal(0, 1, low, high, from(g));
    EXPECT_GE(min(x).item(), low);
    EXPECT_LE(max(x).item(), high);
    // Upper tail probabilities, which keep their digits where the distribution function is nearly 1.
    auto upper = [](double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); };
    const double sign = high <= 0 ? -1 : 1, a = sign > 0 ? low : -high, b = sign > 0 ? high : -low;
    const Tensor folded = x * sign;
    EXPECT_LT(distance(folded, [&](double z) { return (upper(a) - upper(z)) / (upper(a) - upper(b)); }), 1.95)
        << low << " " << high;
  }
  // Forty deviations out, where normal proposals would never be accepted.
  const Tensor far = random::truncated_normal(0, 1, 40, 41, {.shape = Shape{1000}, .generator = &g});
  EXPECT_GE(min(far).item(), 40);
  EXPECT_NEAR(mean(far).item(), 40.025, 0.003);
  EXPECT_EQ(random::truncated_normal(5, 2, 1.5, 1.5).item(), 1.5);
}

TEST(Laws, BetaAndDirichlet) {
  Generator g(23);
  // Beta(2, 3): x^2 (6 - 8 x + 3 x^2).
  EXPECT_LT(distance(random::beta(2, 3, from(g)), [](double x) { return x * x * (6 - 8 * x + 3 * x * x); }),
            1.95);
  // Nearly all mass at the ends, where gamma variates underflow: still numbers, with the right share.
  const Tensor extreme = random::beta(1e-3, 3e-3, from(g));
  EXPECT_EQ(sum(isnan(extreme)).item(), 0);
  EXPECT_NEAR(mean(extreme).item(), 0.25, 0.01);
  const Tensor d =
      random::dirichlet(tensor({1.0, 2.0, 5.0}, f64), {.shape = Shape{many, 3}, .generator = &g});
  EXPECT_TRUE(allclose(sum(d, 1), ones({many}, f64), 1e-12));
  const auto m = mean(d, 0).to_vector<double>();
  const double expected[] = {1 / 8.0, 2 / 8.0, 5 / 8.0};
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(m[i], expected[i], 0.004);
}

TEST(Laws, Poisson) {
  Generator g(5);
  for (double rate : {0.3, 4.0, 9.99, 10.0, 35.0, 1e4, 1e9}) {
    const Tensor k = random::poisson(rate, from(g));
    EXPECT_NEAR(mean(k).item(), rate, 4.5 * std::sqrt(rate / many)) << rate;
    EXPECT_NEAR(mean(square(k - mean(k))).item() / rate, 1, 5 * std::sqrt(2.0 / many + 1 / (rate * many)))
        << rate;
  }
  // Frequencies against the law, on both sides of the change of method.
  for (double rate : {6.0, 14.0}) {
    const auto k = random::poisson(rate, from(g)).to_vector<double>();
    double chi2 = 0;
    int cells = 0;
    for (double i = 0; i < 40; ++i) {
      const double expected = many * std::exp(i * std::log(rate) - rate - std::lgamma(i + 1));
      if (expected < 10) continue;
      const auto seen = static_cast<double>(std::count(k.begin(), k.end(), i));
      chi2 += (seen - expected) * (seen - expected) / expected;
      ++cells;
    }
    EXPECT_LT(chi2, cells + 4 * std::sqrt(2.0 * cells)) << rate;
  }
  EXPECT_EQ(random::poisson(0).item(), 0);
}

TEST(Laws, BernoulliCategoricalMultinomial) {
  Generator g(7);
  EXPECT_NEAR(mean(random::bernoulli(0.3, from(g))).item(), 0.3, 0.01);
  EXPECT_EQ(sum(random::bernoulli(tensor({0.0, 1.0, 0.0, 1.0}, f64))).item(), 2);
  const Tensor logits = log(tensor({{1.0, 2.0, 5.0}, {0.0, 1.0, 1.0}}, f64));
  const Tensor classes = random::categorical(logits, {.shape = Shape{many}, .generator = &g});
  EXPECT_EQ(classes.shape(), (Shape{many, 2}));
  const double expected[2][3] = {{1 / 8.0, 2 / 8.0, 5 / 8.0}, {0, 0.5, 0.5}};
  for (int row = 0; row < 2; ++row)
    for (int c = 0; c < 3; ++c)
      EXPECT_NEAR(mean(to(eq(classes.select(1, row), c), f64)).item(), expected[row][c], 0.01);

  const Tensor weights = tensor({3.0, 0.0, 1.0, 1.0}, f64);
  const Tensor with = random::multinomial(weights, 10000, true, g);
  EXPECT_EQ(sum(eq(with, 1)).item(), 0);
  EXPECT_NEAR(mean(to(eq(with, 0), f64)).item(), 0.6, 0.02);
  int first = 0;
  for (int i = 0; i < 2000; ++i) {
    const auto drawn = random::multinomial(weights, 3, false, g).to_vector<std::int64_t>();
    EXPECT_EQ(std::set<std::int64_t>(drawn.begin(), drawn.end()), (std::set<std::int64_t>{0, 2, 3}));
    first += drawn[0] == 0;
  }
  EXPECT_NEAR(first, 1200, 90);
}

/// Every law, drawn once from a given state.
std::vector<std::pair<const char*, std::function<Tensor(Generator&, DType, std::int64_t)>>> laws() {
  auto o = [](Generator& g, DType t, std::int64_t n) {
    return DrawOptions{.shape = Shape{n}, .dtype = t, .generator = &g};
  };
  return {
      {"uniform", [o](Generator& g, DType t, std::int64_t n) { return random::uniform(0, 1, o(g, t, n)); }},
      {"normal", [o](Generator& g, DType t, std::int64_t n) { return random::normal(0, 1, o(g, t, n)); }},
      {"exponential",
       [o](Generator& g, DType t, std::int64_t n) { return random::exponential(1, o(g, t, n)); }},
      {"laplace", [o](Generator& g, DType t, std::int64_t n) { return random::laplace(0, 1, o(g, t, n)); }},
      {"gumbel", [o](Generator& g, DType t, std::int64_t n) { return random::gumbel(0, 1, o(g, t, n)); }},
      {"truncated_normal",
       [o](Generator& g, DType t, std::int64_t n) {
         return random::truncated_normal(0, 1, -1, 1.5, o(g, t, n));
       }},
      {"gamma", [o](Generator& g, DType t, std::int64_t n) { return random::gamma(0.75, 1, o(g, t, n)); }},
      {"beta", [o](Generator& g, DType t, std::int64_t n) { return random::beta(2, 3, o(g, t, n)); }},
      {"poisson", [o](Generator& g, DType t, std::int64_t n) { return random::poisson(11, o(g, t, n)); }},
      {"bernoulli",
       [o](Generator& g, DType t, std::int64_t n) { return random::bernoulli(0.25, o(g, t, n)); }},
      {"dropout", [](Generator& g, DType t, std::int64_t n) { return dropout(ones({n}, t), 0.25, true, g); }},
  };
}

TEST(Laws, ThreadsAndDtypesDoNotChangeTheNumbers) {
  const int threads = num_threads();
  for (const auto& [name, draw] : laws()) {
    std::vector<Tensor> drawn;
    for (int n : {1, 2, 3}) {
      set_num_threads(n);
      Generator g(41);
      drawn.push_back(draw(g, f64, 50001));
      EXPECT_NE(g.position(), 0u) << name;
    }
    EXPECT_TRUE(equal(drawn[0], drawn[1]) && equal(drawn[0], drawn[2])) << name;
    Generator g(41);
    EXPECT_TRUE(allclose(to(draw(g, f32, 50001), f64), drawn[0], 1e-6, 1e-7)) << name;
    Generator again(41);
    draw(again, f64, 10);
    EXPECT_FALSE(equal(draw(again, f64, 50001), drawn[0])) << name << " repeats itself";
  }
  set_num_threads(threads);
}

TEST(Laws, ReparametrisedDrawsAreFunctionsOfTheirParameters) {
  Generator g(2);
  Tensor mean_ = tensor({1.0, -2.0}, f64).requires_grad_(), std_ = tensor({0.5, 3.0}, f64).requires_grad_();
  const Tensor x = random::normal(mean_, std_, {.generator = &g});
  const auto d = grad(TensorList{sum(x)}, {mean_, std_});
  EXPECT_TRUE(equal(d[0], ones({2}, f64)));
  EXPECT_TRUE(allclose(d[1], ((x - mean_) / std_).detach(), 1e-12));
  EXPECT_FALSE(random::gamma(std_, 1).requires_grad());
}

TEST(Dropout, KeepsItsMeanAndDropsTheSameElementsInBothDirections) {
  Generator g(9);
  Tensor x = ones({1000, 100}, f64).requires_grad_();
  const Tensor y = dropout(x, 0.3, true, g);
  EXPECT_NEAR(mean(y).item(), 1, 0.01);
  EXPECT_NEAR(mean(to(eq(y, 0), f64)).item(), 0.3, 0.01);
  EXPECT_TRUE(equal(grad(sum(y), x), y.detach()));
  EXPECT_TRUE(equal(dropout(x, 0.3, false, g), x));
  EXPECT_EQ(max(dropout(x, 1, true, g)).item(), 0);
  EXPECT_TRUE(equal(dropout(x, 0, true, g), x));
}

TEST(Dropout, WholeChannels) {
  Generator g(4);
  const Tensor y = feature_dropout(ones({50, 20, 3, 3}), 0.5, true, true, g);
  const Tensor per_channel = sum(y, {2, 3});
  EXPECT_TRUE(equal(to(where(gt(per_channel, 0), 18, 0), f32), per_channel));
  EXPECT_NEAR(mean(y).item(), 1, 0.1);
}

TEST(Dropout, AlphaKeepsMeanAndVariance) {
  Generator g(6);
  const Tensor y = alpha_dropout(randn({200000}, g, f64), 0.2, true, g);
  EXPECT_NEAR(mean(y).item(), 0, 0.01);
  EXPECT_NEAR(mean(square(y)).item(), 1, 0.02);
}

TEST(Dropout, AlphaOfWholeChannels) {
  Generator g(6);
  Tensor x = randn({400, 30, 2, 2}, g, f64).requires_grad_();
  const Tensor y = feature_alpha_dropout(x, 0.2, true, true, g);
  EXPECT_NEAR(mean(y).item(), 0, 0.02);
  EXPECT_NEAR(mean(square(y)).item(), 1, 0.03);
  // A channel is dropped, all its elements being alike, or every element is an affine map of x's.
  const Tensor slopes = grad(sum(y), x), dropped = eq(slopes, 0);
  EXPECT_NEAR(mean(to(dropped, f64)).item(), 0.2, 0.02);
  EXPECT_TRUE(equal(amax(dropped.to(f64), {2, 3}), amin(dropped.to(f64), {2, 3})));
  EXPECT_EQ(unique(where(dropped, y, 0)).values.numel(), 2);
  EXPECT_TRUE(equal(feature_alpha_dropout(x, 0.2, false), x));
  EXPECT_EQ(max(abs(feature_alpha_dropout(x, 1))).item(), 0);
}

TEST(Dropout, WholeSamples) {
  Generator g(4);
  const Tensor y = drop_path(ones({5000, 2, 3}), 0.25, true, g), per_sample = sum(y, {1, 2});
  EXPECT_TRUE(allclose(where(gt(per_sample, 0), 8, 0).to(f32), per_sample));
  EXPECT_NEAR(mean(y).item(), 1, 0.03);
  EXPECT_TRUE(equal(drop_path(y, 0.25, false), y));
}

TEST(GumbelSoftmax, HardResultsAreOneHotWithTheSoftGradient) {
  Generator soft_state(8), hard_state(8);
  Tensor x = tensor({{0.1, 0.7, -0.3}, {1.0, 0.0, 0.5}}, f64).requires_grad_();
  const Tensor w = tensor({{1.0, -2.0, 0.5}, {0.3, 0.2, 2.0}}, f64);
  const Tensor soft = gumbel_softmax(x, 0.5, false, 0, soft_state);
  const Tensor hard = gumbel_softmax(x, 0.5, true, 0, hard_state);
  EXPECT_TRUE(allclose(sum(hard, 0), ones({3}, f64), 1e-12));
  EXPECT_NEAR(max(hard).item(), 1, 1e-12);
  EXPECT_TRUE(allclose(grad(sum(hard * w), x), grad(sum(soft * w), x), 1e-12));
}

TEST(Permutation, MovesWholeSlices) {
  Generator g(1);
  const Tensor x = reshape(arange(12), {4, 3});
  const auto rows = random::permutation(x, 0, g).to_vector<std::int64_t>();
  std::set<std::int64_t> firsts;
  for (std::size_t r = 0; r < 4; ++r) {
    firsts.insert(rows[3 * r]);
    EXPECT_EQ(rows[3 * r + 1], rows[3 * r] + 1);
  }
  EXPECT_EQ(firsts, (std::set<std::int64_t>{0, 3, 6, 9}));
}

}  // namespace
}  // namespace cadena
