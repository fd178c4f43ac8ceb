// The row kernels around softmax against long double, at singular rows, thread counts and alignments.
#include <algorithm>

#include "autodiff/kernels/class_loss.hpp"
#include "autodiff/kernels/exponential.hpp"
#include "autodiff/kernels/softmax.hpp"
#include "kernels_support.hpp"

namespace cadena::kernels::test {
namespace {

using Real = long double;
const std::int64_t row_lengths[] = {1, 2, 3, 7, 8, 9, 10, 15, 16, 17, 31, 33, 100, 1000, 5000};

template <class T>
std::size_t index(T i) {
  return static_cast<std::size_t>(i);
}

std::vector<Real> softmax_of(const std::vector<Real>& x) {
  const Real m = *std::max_element(x.begin(), x.end());
  std::vector<Real> p;
  Real sum = 0;
  for (Real v : x) p.push_back(std::exp(v - m)), sum += p.back();
  for (Real& v : p) v /= sum;
  return p;
}
Real logsumexp_of(const std::vector<Real>& x) {
  const Real m = *std::max_element(x.begin(), x.end());
  Real sum = 0;
  for (Real v : x) sum += std::exp(v - m);
  return m + std::log(sum);
}

template <class T>
std::vector<Real> row_of(const std::vector<T>& x, std::int64_t row, std::int64_t n) {
  return std::vector<Real>(x.begin() + row * n, x.begin() + (row + 1) * n);
}

template <class T>
std::vector<T> scaled(std::vector<T> v, T factor, T shift = 0) {
  for (T& x : v) x = x * factor + shift;
  return v;
}

template <class T>
constexpr double eps = std::numeric_limits<T>::epsilon();

template <class T>
T exp_of(T x) {
  return exp_of_gap(xsimd::batch<T>(x)).get(0);
}

template <class T>
class Softmax : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(Softmax, Types);

TYPED_TEST(Softmax, Exponential) {
  using T = TypeParam;
  for (T x = -87; x < 1; x += T(0.00137)) {
    const Real wanted = std::exp(static_cast<Real>(x));
    const T near = static_cast<T>(wanted), unit = std::nextafter(near, inf<T>) - near;
    ASSERT_LE(std::abs(exp_of(x) - wanted), T(1.5) * unit) << x;
  }
  EXPECT_EQ(exp_of(T(0)), T(1));
  for (T x : {T(-1e4), std::numeric_limits<T>::lowest(), -inf<T>}) EXPECT_EQ(exp_of(x), T(0)) << x;
  EXPECT_TRUE(std::isnan(exp_of(nan<T>)));
}

TYPED_TEST(Softmax, ForwardAgrees) {
  using T = TypeParam;
  for (auto n : row_lengths)
    for (T shift : {T(0), T(1000), T(-1000)}) {
      const std::int64_t rows = 3;
      const auto x = scaled(random_values<T>(rows * n), T(6), shift);
      std::vector<T> y(x.size() + 1, T(77)), log_y = y, lse(4, T(77));
      softmax(rows, n, x.data(), y.data());
      log_softmax(rows, n, x.data(), log_y.data());
      logsumexp(rows, n, x.data(), lse.data());
      EXPECT_EQ(y.back(), T(77));
      EXPECT_EQ(log_y.back(), T(77));
      EXPECT_EQ(lse.back(), T(77));
      for (std::int64_t r = 0; r < rows; ++r) {
        const auto row = row_of(x, r, n), p = softmax_of(row);
        const Real l = logsumexp_of(row);
        EXPECT_LE(std::abs(lse[index(r)] - l), 4 * eps<T> * std::max<Real>(1, std::abs(l))) << n;
        for (std::int64_t i = 0; i < n; ++i) {
          const auto at = index(r * n + i);
          ASSERT_LE(std::abs(y[at] - p[index(i)]), 10 * eps<T> * p[index(i)]) << n << " shift " << shift;
          const Real log_p = row[index(i)] - l;
          ASSERT_LE(std::abs(log_y[at] - log_p), 6 * eps<T> * std::max<Real>(1, std::abs(log_p))) << n;
        }
      }
    }
}

TYPED_TEST(Softmax, InPlace) {
  using T = TypeParam;
  const auto x = random_values<T>(5 * 23);
  for (auto kernel : {softmax<T>, log_softmax<T>}) {
    std::vector<T> apart(x.size()), same = x;
    kernel(5, 23, x.data(), apart.data());
    kernel(5, 23, same.data(), same.data());
    EXPECT_TRUE(same_bits(apart, same));
  }
}

TYPED_TEST(Softmax, VjpsAgree) {
  using T = TypeParam;
  for (auto n : row_lengths) {
    const std::int64_t rows = 4;
    const auto x = scaled(random_values<T>(rows * n), T(3)), g = random_values<T>(rows * n),
               one = random_values<T>(rows);
    std::vector<T> y(x.size()), log_y = y, lse(index(rows)), gx = y, log_gx = y, lse_gx = y;
    softmax(rows, n, x.data(), y.data());
    log_softmax(rows, n, x.data(), log_y.data());
    logsumexp(rows, n, x.data(), lse.data());
    softmax_vjp(rows, n, y.data(), g.data(), gx.data());
    log_softmax_vjp(rows, n, log_y.data(), g.data(), log_gx.data());
    logsumexp_vjp(rows, n, x.data(), lse.data(), one.data(), lse_gx.data());
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto p = softmax_of(row_of(x, r, n)), gr = row_of(g, r, n);
      Real dot = 0, sum = 0;
      for (std::int64_t i = 0; i < n; ++i) dot += p[index(i)] * gr[index(i)], sum += gr[index(i)];
      for (std::int64_t i = 0; i < n; ++i) {
        const auto at = index(r * n + i);
        const Real pi = p[index(i)];
        ASSERT_LE(std::abs(gx[at] - pi * (gr[index(i)] - dot)), 20 * eps<T> * pi) << n;
        ASSERT_LE(std::abs(log_gx[at] - (gr[index(i)] - pi * sum)),
                  20 * eps<T> * (1 + pi * std::sqrt(Real(n))))
            << n;
        ASSERT_LE(std::abs(lse_gx[at] - one[index(r)] * pi), 30 * eps<T> * pi) << n;
      }
    }
  }
}

// Rows: all -inf; one +inf; two +inf and a -inf; a NaN.
// What rows give, element k of column c being at k * inner + c.
TYPED_TEST(Softmax, ColumnsAgreeWithRows) {
  using T = TypeParam;
  for (const std::int64_t n : {1, 3, 32, 67, 128})
    for (const std::int64_t inner : {2, 5, 16, 37, 64, 1100}) {  // the last are brought together
      if (inner > 64 && n != 3 && n != 67) continue;
      const std::int64_t outer = 3, rows = outer * inner, all = rows * n;
      auto x = scaled(random_values<T>(all), T(6));
      x[index(all / 2)] = -inf<T>, x[index(all - 1)] = nan<T>;
      const auto g = random_values<T>(all);
      const auto turned = [&](const std::vector<T>& from, bool back) {
        std::vector<T> to(from.size());
        for (std::int64_t o = 0; o < outer; ++o)
          for (std::int64_t k = 0; k < n; ++k)
            for (std::int64_t c = 0; c < inner; ++c) {
              const auto here = index((o * n + k) * inner + c), there = index((o * inner + c) * n + k);
              back ? to[here] = from[there] : to[there] = from[here];
            }
        return to;
      };
      const auto expect_same = [&](const std::vector<T>& got, const std::vector<T>& by_rows) {
        const auto wanted = turned(by_rows, true);
        for (std::size_t i = 0; i < got.size(); ++i)
          ASSERT_TRUE(std::abs(got[i] - wanted[i]) <= 20 * eps<T> * (1 + std::abs(wanted[i])) ||
                      got[i] == wanted[i] || (got[i] != got[i] && wanted[i] != wanted[i]))
              << n << " " << inner << " " << i << ": " << got[i] << " " << wanted[i];
      };
      std::vector<T> y = x, r = turned(x, false), gx = g, gr = turned(g, false);
      softmax_columns(outer, n, inner, y.data(), y.data());
      softmax(rows, n, r.data(), r.data());
      expect_same(y, r);
      softmax_vjp_columns(outer, n, inner, y.data(), gx.data(), gx.data());
      softmax_vjp(rows, n, r.data(), gr.data(), gr.data());
      expect_same(gx, gr);
      y = x, r = turned(x, false), gx = g, gr = turned(g, false);
      log_softmax_columns(outer, n, inner, y.data(), y.data());
      log_softmax(rows, n, r.data(), r.data());
      expect_same(y, r);
      log_softmax_vjp_columns(outer, n, inner, y.data(), gx.data(), gx.data());
      log_softmax_vjp(rows, n, r.data(), gr.data(), gr.data());
      expect_same(gx, gr);
    }
}

TYPED_TEST(Softmax, LogSumExpOfColumnsAgreesWithRows) {
  using T = TypeParam;
  for (const std::int64_t n : {1, 3, 67, 200})
    for (const std::int64_t inner : {2, 16, 37}) {
      const std::int64_t outer = 2, rows = outer * inner;
      auto x = scaled(random_values<T>(rows * n), T(6));
      x[0] = inf<T>, x[index(rows * n / 2)] = -inf<T>, x[index(rows * n - 1)] = nan<T>;
      if (n == 1) x[1] = -inf<T>;
      const auto g = random_values<T>(rows);
      std::vector<T> turned(x.size()), y(index(rows)), by_rows = y, gx = x, gr = x;
      const auto each = [&](const auto& f) {
        for (std::int64_t o = 0; o < outer; ++o)
          for (std::int64_t k = 0; k < n; ++k)
            for (std::int64_t c = 0; c < inner; ++c)
              f(index((o * n + k) * inner + c), index((o * inner + c) * n + k));
      };
      each([&](auto here, auto there) { turned[there] = x[here]; });
      logsumexp_columns(outer, n, inner, x.data(), y.data());
      logsumexp(rows, n, turned.data(), by_rows.data());
      const auto close = [](T a, T b) {
        return a == b || (a != a && b != b) || std::abs(a - b) <= 20 * eps<T> * (1 + std::abs(b));
      };
      for (std::size_t r = 0; r < y.size(); ++r) ASSERT_TRUE(close(y[r], by_rows[r])) << n << " " << r;
      logsumexp_vjp_columns(outer, n, inner, x.data(), y.data(), g.data(), gx.data());
      logsumexp_vjp(rows, n, turned.data(), by_rows.data(), g.data(), gr.data());
      each([&](auto here, auto there) { ASSERT_TRUE(close(gx[here], gr[there])) << n << " " << here; });
    }
}

TYPED_TEST(Softmax, SingularRows) {
  using T = TypeParam;
  const T i = inf<T>;
  for (std::int64_t n : {3, 18, 40}) {
    std::vector<T> x(index(4 * n), T(0.5));
    std::fill_n(x.begin(), n, -i);
    x[index(n + 1)] = i;
    x[index(2 * n)] = x[index(3 * n - 1)] = i, x[index(2 * n + 1)] = -i;
    x[index(4 * n - 1)] = nan<T>;
    std::vector<T> lse(4), g{3, 3, 3, 3}, gx(x.size()), y = gx, log_y = gx;
    logsumexp(4, n, x.data(), lse.data());
    EXPECT_EQ(lse[0], -i);
    EXPECT_EQ(lse[1], i);
    EXPECT_EQ(lse[2], i);
    EXPECT_TRUE(std::isnan(lse[3]));
    logsumexp_vjp(4, n, x.data(), lse.data(), g.data(), gx.data());
    for (std::int64_t c = 0; c < n; ++c) {
      EXPECT_EQ(gx[index(c)], T(0));
      EXPECT_EQ(gx[index(n + c)], c == 1 ? T(3) : T(0));
      EXPECT_EQ(gx[index(2 * n + c)], c == 0 || c == n - 1 ? T(1.5) : T(0));
      EXPECT_TRUE(std::isnan(gx[index(3 * n + c)]));
    }
    softmax(4, n, x.data(), y.data());
    log_softmax(4, n, x.data(), log_y.data());
    for (std::size_t k = 0; k < x.size(); ++k)
      EXPECT_TRUE(std::isnan(y[k]) && std::isnan(log_y[k])) << n << " " << k;
  }
}

// Wherever the NaN stands, it reaches the whole row and no other.
TYPED_TEST(Softmax, NanAtAnyPlace) {
  using T = TypeParam;
  const std::int64_t n = 70;
  for (std::int64_t at = 0; at < n; ++at) {
    auto x = random_values<T>(2 * n);
    x[index(at)] = nan<T>;
    std::vector<T> lse(2), y(x.size());
    logsumexp(2, n, x.data(), lse.data());
    softmax(2, n, x.data(), y.data());
    EXPECT_TRUE(std::isnan(lse[0])) << at;
    EXPECT_FALSE(std::isnan(lse[1]));
    for (std::int64_t i = 0; i < 2 * n; ++i) ASSERT_EQ(std::isnan(y[index(i)]), i < n);
  }
}

// -inf beside finite numbers is an ordinary zero probability.
TYPED_TEST(Softmax, MaskedEntries) {
  using T = TypeParam;
  const std::vector<T> x{0, -inf<T>, 0, -inf<T>}, g{1, 2, 3, 4};
  std::vector<T> y(4), log_y(4), gx(4);
  softmax(1, 4, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<T>{0.5, 0, 0.5, 0}));
  log_softmax(1, 4, x.data(), log_y.data());
  EXPECT_EQ(log_y[1], -inf<T>);
  log_softmax_vjp(1, 4, log_y.data(), g.data(), gx.data());
  EXPECT_EQ(gx[1], T(2));
  softmax_vjp(1, 4, y.data(), g.data(), gx.data());
  EXPECT_EQ(gx, (std::vector<T>{-0.5, 0, 0.5, 0}));
}

TYPED_TEST(Softmax, Empty) {
  using T = TypeParam;
  T y = 5;
  logsumexp<T>(1, 0, nullptr, &y);
  EXPECT_EQ(y, -inf<T>);
  softmax<T>(3, 0, nullptr, nullptr);
  softmax<T>(0, 3, nullptr, nullptr);
  log_softmax<T>(0, 0, nullptr, nullptr);
}

TYPED_TEST(Softmax, SameBitsForAnyThreadsAndAlignment) {
  using T = TypeParam;
  for (auto [rows, n] : {std::pair{20000, 10}, {300, 1000}, {3, 70000}}) {
    const auto x = random_values<T>(rows * n), g = random_values<T>(rows * n);
    for (auto kernel : {softmax_vjp<T>, log_softmax_vjp<T>})
      expect_same_bits_for_any_threads([&, rows = rows, n = n] {
        std::vector<T> y(x.size()), gx(x.size());
        softmax(rows, n, x.data(), y.data());
        kernel(rows, n, y.data(), g.data(), gx.data());
        return gx;
      });
  }
  const auto x = random_values<T>(700);
  std::vector<T> first(700);
  softmax(7, 100, x.data(), first.data());
  std::vector<T> shifted{T(9)}, y(701);
  shifted.insert(shifted.end(), x.begin(), x.end());
  softmax(7, 100, shifted.data() + 1, y.data() + 1);
  EXPECT_TRUE(same_bits(first, std::vector<T>(y.begin() + 1, y.end())));
}

template <class T>
struct Loss {
  std::vector<Real> loss, gradient;
};

template <class T>
Loss<T> cross_entropy_reference(std::int64_t rows, std::int64_t n, const std::vector<T>& x,
                                const CrossEntropyTargets<T>& t, const std::vector<T>& g, Real factor) {
  Loss<T> out;
  const Real e = t.label_smoothing;
  const auto weight = [&](std::int64_t c) { return t.weight ? static_cast<Real>(t.weight[c]) : 1.0L; };
  for (std::int64_t r = 0; r < rows; ++r) {
    const auto row = row_of(x, r, n), p = softmax_of(row);
    const Real l = logsumexp_of(row);
    const std::int64_t y = t.target[r];
    std::vector<Real> share(index(n));  // loss = sum of share * (l - x)
    if (y != t.ignore_index)
      for (std::int64_t c = 0; c < n; ++c)
        share[index(c)] = (c == y ? (1 - e) * weight(c) : 0) + e / static_cast<Real>(n) * weight(c);
    Real loss = 0, all = 0;
    for (std::int64_t c = 0; c < n; ++c)
      loss += share[index(c)] * (l - row[index(c)]), all += share[index(c)];
    out.loss.push_back(loss);
    for (std::int64_t c = 0; c < n; ++c)
      out.gradient.push_back(factor * g[index(r)] * (all * p[index(c)] - share[index(c)]));
  }
  return out;
}

TYPED_TEST(Softmax, CrossEntropyAgrees) {
  using T = TypeParam;
  for (std::int64_t n : {1, 2, 10, 17, 100})
    for (bool weighted : {false, true})
      for (double smoothing : {0.0, 0.1, 1.0})
        for (T shift : {T(0), T(1000)}) {
          const std::int64_t rows = 9;
          const auto x = scaled(random_values<T>(rows * n), T(4), shift), g = random_values<T>(rows);
          const auto weight = scaled(random_values<T>(n), T(0.5), T(1));
          std::vector<std::int64_t> target;
          for (std::int64_t r = 0; r < rows; ++r) target.push_back(r == 4 ? -100 : r * 5 % n);
          const CrossEntropyTargets<T> t{target.data(), -100, weighted ? weight.data() : nullptr, smoothing};
          std::vector<T> loss(10, T(77)), top(10, T(77)), sum = top, gx(x.size() + 1, T(77));
          const RowSums<T> sums{top.data(), sum.data()};
          cross_entropy(rows, n, 1, x.data(), t, sums, loss.data());
          cross_entropy_vjp(rows, n, 1, x.data(), sums, t, g.data(), 1, T(0.25), gx.data());
          for (const auto* v : {&loss, &top, &sum}) EXPECT_EQ(v->back(), T(77));
          EXPECT_EQ(gx.back(), T(77));
          const auto wanted = cross_entropy_reference(rows, n, x, t, g, 0.25L);
          for (std::size_t r = 0; r < 9; ++r)
            EXPECT_LE(std::abs(loss[r] - wanted.loss[r]), 30 * eps<T> * std::max<Real>(1, wanted.loss[r]))
                << n << " row " << r;
          for (std::size_t i = 0; i + 1 < gx.size(); ++i)
            ASSERT_LE(std::abs(gx[i] - wanted.gradient[i]), 10 * eps<T>) << n;
          EXPECT_EQ(loss[4], T(0));
          cross_entropy_vjp(rows, n, 1, x.data(), sums, t, g.data(), 0, T(1), gx.data());
          const auto all_equal = cross_entropy_reference(rows, n, x, t, std::vector<T>(9, g[0]), 1.0L);
          for (std::size_t i = 0; i + 1 < gx.size(); ++i)
            ASSERT_LE(std::abs(gx[i] - all_equal.gradient[i]), 20 * eps<T>) << n;
        }
}

TYPED_TEST(Softmax, CrossEntropyOfColumnsAgreesWithRows) {
  using T = TypeParam;
  for (const std::int64_t n : {1, 2, 21})
    for (const std::int64_t inner : {2, 16, 37})
      for (const bool weighted : {false, true})
        for (const double smoothing : {0.0, 0.1}) {
          const std::int64_t outer = 2, rows = outer * inner;
          auto x = scaled(random_values<T>(rows * n), T(4), T(100));
          const auto g = random_values<T>(rows), weight = scaled(random_values<T>(n), T(0.5), T(1));
          std::vector<std::int64_t> target;
          for (std::int64_t r = 0; r < rows; ++r) target.push_back(r % 7 == 1 ? -100 : r * 5 % n);
          std::vector<T> turned(x.size()), loss(index(rows)), top = loss, sum = loss, gx = x;
          x[1] = nan<T>;  // of a target to be ignored
          for (std::int64_t o = 0; o < outer; ++o)
            for (std::int64_t k = 0; k < n; ++k)
              for (std::int64_t c = 0; c < inner; ++c)
                turned[index((o * inner + c) * n + k)] = x[index((o * n + k) * inner + c)];
          const CrossEntropyTargets<T> t{target.data(), -100, weighted ? weight.data() : nullptr, smoothing};
          std::vector<T> row_loss = loss, row_top = loss, row_sum = loss, row_gx = x;
          cross_entropy(outer, n, inner, x.data(), t, {top.data(), sum.data()}, loss.data());
          cross_entropy(rows, n, 1, turned.data(), t, {row_top.data(), row_sum.data()}, row_loss.data());
          cross_entropy_vjp(outer, n, inner, x.data(), {top.data(), sum.data()}, t, g.data(), 1, T(0.5),
                            gx.data());
          cross_entropy_vjp(rows, n, 1, turned.data(), {row_top.data(), row_sum.data()}, t, g.data(), 1,
                            T(0.5), row_gx.data());
          for (std::size_t r = 0; r < loss.size(); ++r)
            ASSERT_NEAR(loss[r], row_loss[r], 30 * eps<T> * std::max(T(1), row_loss[r])) << n << " " << r;
          for (std::int64_t o = 0; o < outer; ++o)
            for (std::int64_t k = 0; k < n; ++k)
              for (std::int64_t c = 0; c < inner; ++c)
                ASSERT_NEAR(gx[index((o * n + k) * inner + c)], row_gx[index((o * inner + c) * n + k)],
                            10 * eps<T>)
                    << n << " " << inner;
        }
}

TYPED_TEST(Softmax, TargetsAreCheckedAndWeighed) {
  using T = TypeParam;
  const std::vector<std::int64_t> target{0, 2, -100, 1};
  const std::vector<T> weight{1, 2, 4};
  CrossEntropyTargets<T> t{target.data()};
  EXPECT_EQ(find_bad_target(4, 3, t), std::nullopt);
  EXPECT_EQ(find_bad_target(4, 2, t), 2);
  EXPECT_EQ(total_weight(4, t), 3);
  t.weight = weight.data();
  EXPECT_EQ(total_weight(4, t), 7);
  t.ignore_index = 2;
  EXPECT_EQ(find_bad_target(4, 3, t), -100);
}

}  // namespace
}  // namespace cadena::kernels::test
