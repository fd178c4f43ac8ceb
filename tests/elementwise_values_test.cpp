// Values of the elementwise functions over their whole range, against the C++ library in long double or plain
// formulas, in units in the last place. Tails that fall below the normal numbers may be flushed to zero.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using Real = long double;
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

struct Row {
  const char* name;
  Tensor (*f)(const Tensor&);
  Real (*reference)(Real);
  double low, high;          ///< where it is sampled evenly
  double ulps32, ulps64;     ///< largest error allowed
  double absolute_from = 0;  ///< below this size errors count as if the value were this large
  bool everywhere = true;    ///< also at infinities, zeros, huge and tiny numbers of both signs
};

const Real pi = std::acos(Real{-1});

Real sigmoid_of(Real x) { return 1 / (1 + std::exp(-x)); }
Real erfc_of_half(Real x) { return std::erfc(x / std::sqrt(Real{2})) / 2; }
Real ndtr_of(Real x) { return erfc_of_half(-x); }
Real clipped(Real x, Real low, Real high) { return x < low ? low : x > high ? high : x; }

/// By recurrence and Stirling's series; by reflection on the left.
Real digamma_of(Real x) {
  if (x == 0) return std::signbit(x) ? inf : -inf;
  if (x < 0) return x == std::floor(x) ? nan : digamma_of(1 - x) - pi / std::tan(pi * (x - std::floor(x)));
  Real sum = 0;
  for (; x < 50; ++x) sum -= 1 / x;
  const Real u = 1 / (x * x);
  return sum + std::log(x) - 1 / (2 * x) - u / 12 + u * u / 120 - u * u * u / 252 + u * u * u * u / 240;
}

Real erfinv_of(Real y) {
  if (!(std::abs(y) < 1)) return std::abs(y) == 1 ? y * inf : nan;
  Real low = 0, high = 8;
  for (int i = 0; i < 90; ++i) {
    const Real middle = (low + high) / 2, a = std::abs(y);
    const bool above = a < 0.5L ? std::erf(middle) > a : std::erfc(middle) < 1 - a;
    (above ? high : low) = middle;
  }
  return std::copysign(low, y);
}

Real bessel(Real x, int order, bool scaled) {
  if (std::isinf(x)) return scaled ? 0 : order && x < 0 ? -inf : inf;
  if (std::isnan(x)) return x;
  const Real value = std::cyl_bessel_i(Real(order), std::abs(x));
  return (order && x < 0 ? -value : value) * (scaled ? std::exp(-std::abs(x)) : 1);
}

#define ROW(function, reference, ...)                                                                       \
  {                                                                                                         \
#function,                                                                                              \
        [](const Tensor& x) -> Tensor { return function; },                                                 \
                                                         [](Real x) -> Real { return reference; },          \
                                                                                                __VA_ARGS__ \
  }
// clang-format off
const Row rows[] = {
    ROW(exp(x), std::exp(x), -80, 80, 2, 2),
    ROW(exp2(x), std::exp2(x), -80, 80, 2, 2),
    ROW(expm1(x), std::expm1(x), -40, 80, 3, 3),
    ROW(log(x), std::log(x), 0, 9, 1, 1),
    ROW(log2(x), std::log2(x), 0, 9, 2, 2),
    ROW(log10(x), std::log10(x), 0, 9, 2, 2),
    ROW(log1p(x), std::log1p(x), -1, 9, 1, 1),
    ROW(logit(x), std::log(x) - std::log1p(-x), 0, 1, 4, 4),
    ROW(sigmoid(x), sigmoid_of(x), -80, 40, 4, 4),
    ROW(sin(x), std::sin(x), -9, 9, 2, 3),
    ROW(cos(x), std::cos(x), -9, 9, 2, 3),
    ROW(tan(x), std::tan(x), -9, 9, 3, 4),
    ROW(asin(x), std::asin(x), -1, 1, 3, 2),
    ROW(acos(x), std::acos(x), -1, 1, 2, 2),
    ROW(atan(x), std::atan(x), -9, 9, 3, 3),
    ROW(sinh(x), std::sinh(x), -80, 80, 3, 3),
    ROW(cosh(x), std::cosh(x), -80, 80, 3, 3),
    ROW(tanh(x), std::tanh(x), -9, 9, 2, 2),
    ROW(asinh(x), std::asinh(x), -9, 9, 4, 2),
    ROW(acosh(x), std::acosh(x), 1, 9, 3, 3),
    ROW(atanh(x), std::atanh(x), -1, 1, 2, 2),
    ROW(sinc(x), x == 0 ? 1 : std::sin(pi * x) / (pi * x), -9, 9, 4, 4, 1, false),  // pi x is itself rounded
    ROW(deg2rad(x), x * pi / 180, -360, 360, 1, 1),
    ROW(rad2deg(x), x / pi * 180, -9, 9, 1, 1),
    ROW(reciprocal(x), 1 / x, -9, 9, 0.5, 0.5),
    ROW(rsqrt(x), 1 / std::sqrt(x), 0, 9, 1.5, 1.5),
    ROW(sqrt(x), std::sqrt(x), 0, 9, 0.5, 0.5),
    ROW(erf(x), std::erf(x), -7, 7, 3, 3),
    ROW(erfc(x), std::erfc(x), -7, 27, 5, 5),
    ROW(erfcx(x), std::exp(x * x) * std::erfc(x), -5, 26, 5, 5, 0, false),
    ROW(erfinv(x), erfinv_of(x), -1, 1, 1, 3, 0, false),
    ROW(ndtr(x), ndtr_of(x), -38, 9, 5, 5),
    ROW(log_ndtr(x), x > 0 ? std::log1p(-erfc_of_half(x)) : std::log(ndtr_of(x)), -99, 9, 7, 5, 0, false),
    ROW(lgamma(x), std::lgamma(x), -20, 40, 1, 4),
    ROW(digamma(x), digamma_of(x), -20, 40, 1, 16, 1, false),
    ROW(i0(x), bessel(x, 0, false), -80, 80, 1, 8, 0, false),
    ROW(i0e(x), bessel(x, 0, true), -80, 80, 1, 8, 0, false),
    ROW(i1(x), bessel(x, 1, false), -80, 80, 1, 8, 0, false),
    ROW(i1e(x), bessel(x, 1, true), -80, 80, 1, 8, 0, false),
    ROW(softplus(x), x > 50 ? x : std::log1p(std::exp(x)), -80, 80, 3, 3),
    ROW(softplus(x, 2.5), x > 50 ? x : std::log1p(std::exp(2.5L * x)) / 2.5L, -1, 30, 4, 4, 0, false),
    ROW(log_sigmoid(x), x < -50 ? x : -std::log1p(std::exp(-x)), -80, 80, 3, 3),
    ROW(silu(x), x == -inf ? 0 : x * sigmoid_of(x), -80, 40, 4, 4),
    ROW(gelu(x), x == -inf ? 0 : x * ndtr_of(x), -12, 9, 5, 5),
    ROW(gelu(x, "tanh"), x == -inf ? 0 : x * sigmoid_of(std::sqrt(8 / pi) * (x + 0.044715L * x * x * x)), -9, 9, 6, 6, 1),
    ROW(mish(x), x == -inf ? 0 : x > 50 ? x : x * std::tanh(std::log1p(std::exp(x))), -80, 40, 8, 8),
    ROW(softsign(x), std::isinf(x) ? std::copysign(Real{1}, x) : x / (1 + std::abs(x)), -9, 9, 1.5, 1.5),
    ROW(relu(x), std::isnan(x) || x > 0 ? x : 0, -9, 9, 0, 0),
    ROW(relu6(x), clipped(x, 0, 6), -9, 9, 0, 0),
    ROW(hardtanh(x, -2, 3), clipped(x, -2, 3), -9, 9, 0, 0),
    ROW(clamp(x, -2, 3), clipped(x, -2, 3), -9, 9, 0, 0),
    ROW(clamp(x, -2), clipped(x, -2, inf), -9, 9, 0, 0),
    ROW(leaky_relu(x, 0.25), x > 0 ? x : x / 4, -9, 9, 0, 0),
    ROW(elu(x, 0.5), x > 0 ? x : std::expm1(x) / 2, -40, 9, 3, 3),
    ROW(selu(x), 1.0507009873554804934193349852946L * (x > 0 ? x : 1.6732632423543772848170429916717L * std::expm1(x)), -40, 9, 4, 4),
    ROW(celu(x, 0.5), x > 0 ? x : std::expm1(2 * x) / 2, -40, 9, 3, 3),
    ROW(hardsigmoid(x), clipped(x + 3, 0, 6) / 6, -9, 9, 2, 2, 1),
    ROW(hardswish(x), x <= -3 ? 0 : x > 3 ? x : x * (x + 3) / 6, -9, 9, 4, 4, 1),
    ROW(hardshrink(x), std::abs(x) <= 0.5 ? 0 : x, -2, 2, 0, 0),
    ROW(softshrink(x), std::abs(x) <= 0.5 ? 0 : x - std::copysign(Real{0.5}, x), -2, 2, 0.5, 0.5),
    ROW(tanhshrink(x), x - std::tanh(x), -9, 9, 2, 2, 1),
    ROW(threshold(x, 0.25, -7), x <= 0.25 ? -7 : x, -9, 9, 0, 0),
    ROW(sign(x), x > 0 ? 1 : x < 0 ? -1 : x, -9, 9, 0, 0),
    ROW(floor(x), std::floor(x), -9, 9, 0, 0),
    ROW(ceil(x), std::ceil(x), -9, 9, 0, 0),
    ROW(trunc(x), std::trunc(x), -9, 9, 0, 0),
    ROW(round(x), std::nearbyint(x), -8, 8, 0, 0),
    ROW(frac(x), x - std::trunc(x), -9, 9, 0, 0),
};
// clang-format on
#undef ROW

/// Evenly over [low, high] with both ends, and if `everywhere` what tends to go wrong, of both signs.
template <class T>
std::vector<T> arguments(const Row& row) {
  std::vector<T> x;
  for (int i = 0; i <= 1600; ++i) x.push_back(static_cast<T>(row.low + (row.high - row.low) * i / 1600));
  if (!row.everywhere) return x;
  using Limits = std::numeric_limits<T>;
  std::vector<T> sizes = {0,
                          1,
                          0.5,
                          T(1.5),
                          2.5,
                          3,
                          6,
                          Limits::denorm_min(),
                          Limits::min() / 8,
                          Limits::min(),
                          Limits::epsilon(),
                          Limits::max(),
                          Limits::infinity(),
                          Limits::quiet_NaN()};
  for (int e = -30; e <= 30; ++e) sizes.push_back(static_cast<T>(1.37 * std::pow(10.0, e)));
  for (const T s : sizes) x.push_back(s), x.push_back(-s);
  return x;
}

template <class T>
void expect_close(T got, Real expected, double ulps, double absolute_from, const std::string& where) {
  using Limits = std::numeric_limits<T>;
  constexpr Real top = Limits::max();
  if (std::isnan(expected) || std::isnan(got)) {
    EXPECT_TRUE(std::isnan(expected) && std::isnan(got)) << where << ": " << got << ", expected " << expected;
    return;
  }
  const Real size = std::max(std::abs(expected), Real(absolute_from));
  const Real unit =
      std::max(std::exp2(std::floor(std::log2(size))) * Limits::epsilon(), Real(Limits::denorm_min()));
  if (std::isinf(expected) || std::isinf(got)) {
    // Right at the largest number the bound may reach over it.
    const bool edge = std::abs(std::abs(expected) - top) <= (ulps + 1) * unit;
    EXPECT_TRUE(got == expected ||
                (std::isinf(got) && (std::abs(expected) > top || edge) && (got > 0) == (expected > 0)))
        << where << ": " << got << ", expected " << expected;
    return;
  }
  const Real flushed = 256 * Real(Limits::min()), error = std::abs(Real(got) - expected);
  EXPECT_LE(error, ulps * unit + (std::abs(expected) < flushed ? flushed : 0))
      << where << ": " << got << ", expected " << expected << ", off by " << error / unit << " units";
}

template <class T>
class ElementwiseValues : public testing::Test {};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(ElementwiseValues, Types);

TYPED_TEST(ElementwiseValues, AgreeWithTheReference) {
  using T = TypeParam;
  for (const auto& row : rows) {
    const auto x = arguments<T>(row);
    const auto y = row.f(tensor(x)).template to_vector<T>();
    for (std::size_t i = 0; i < x.size(); ++i)
      expect_close(y[i], row.reference(Real(x[i])), sizeof(T) == 4 ? row.ulps32 : row.ulps64,
                   row.absolute_from, row.name + std::string(" at ") + std::to_string(x[i]));
  }
}

/// One by one, in pieces that leave tails and in one go: the same bits.
TYPED_TEST(ElementwiseValues, DoNotDependOnThePosition) {
  using T = TypeParam;
  for (const auto& row : rows) {
    const auto x = tensor(arguments<T>(row)).slice(0, {0, {}, 7}).contiguous();
    const auto whole = row.f(x).template to_vector<T>();
    for (const std::int64_t piece : {1, 3, 17}) {
      for (std::int64_t start = 0; start < x.numel(); start += piece) {
        const auto part =
            row.f(x.slice(0, {start, std::min(start + piece, x.numel())})).template to_vector<T>();
        for (std::size_t i = 0; i < part.size(); ++i) {
          const T a = part[i], b = whole[static_cast<std::size_t>(start) + i];
          EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b)))
              << row.name << " at " << start << ": " << a << " " << b;
        }
      }
    }
  }
}

struct PairRow {
  const char* name;
  Tensor (*f)(const Operand&, const Operand&);
  Real (*reference)(Real, Real);
  double ulps;
};

Real python_remainder(Real a, Real b) {
  const Real r = std::fmod(a, b);
  return (r < 0 && b > 0) || (r > 0 && b < 0) ? r + b : r;
}

const PairRow pair_rows[] = {
    {"hypot", hypot, [](Real a, Real b) { return std::hypot(a, b); }, 2},
    {"atan2", atan2, [](Real a, Real b) { return std::atan2(a, b); }, 4},
    {"fmod", fmod, [](Real a, Real b) { return std::fmod(a, b); }, 0},
    {"remainder", remainder, python_remainder, 0.5},
    {"logaddexp", logaddexp,
     [](Real a, Real b) -> Real {
       if (a == b) return a + std::log(Real{2});
       return std::isnan(a) || std::isnan(b) ? nan : std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
     },
     2},
    {"logaddexp2", logaddexp2,
     [](Real a, Real b) -> Real {
       if (a == b) return a + 1;
       return std::isnan(a) || std::isnan(b) ? nan
                                             : std::max(a, b) + std::log2(1 + std::exp2(-std::abs(a - b)));
     },
     2},
    {"xlogy", xlogy, [](Real x, Real y) -> Real { return x == 0 && !std::isnan(y) ? 0 : x * std::log(y); },
     2},
    {"xlog1py", xlog1py,
     [](Real x, Real y) -> Real { return x == 0 && !std::isnan(y) ? 0 : x * std::log1p(y); }, 2},
};

TYPED_TEST(ElementwiseValues, OfTwoArgumentsAgreeWithTheReference) {
  using T = TypeParam;
  std::vector<T> sizes = {0,
                          1,
                          0.5,
                          3,
                          T(7.3),
                          T(1e-20),
                          T(1e20),
                          std::numeric_limits<T>::infinity(),
                          std::numeric_limits<T>::quiet_NaN()};
  std::vector<T> points;
  for (const T s : sizes) points.push_back(s), points.push_back(-s);
  for (int i = 0; i < 23; ++i) points.push_back(static_cast<T>(-5 + i * 0.4371));
  const Tensor p = tensor(points);
  const auto n = points.size();
  for (const auto& row : pair_rows) {
    const auto y = row.f(p.unsqueeze(1), p.unsqueeze(0)).template to_vector<T>();
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j)
        // Sums of opposite numbers are exact to the larger one.
        expect_close(
            y[i * n + j], row.reference(points[i], points[j]), row.ulps,
            row.f == logaddexp || row.f == logaddexp2 ? 1 + std::min(1e3, double(std::abs(points[i]))) : 0,
            row.name + std::string(" of ") + std::to_string(points[i]) + ", " + std::to_string(points[j]));
  }
}

TYPED_TEST(ElementwiseValues, FloorDivideIsExact) {
  using T = TypeParam;
  const std::vector<T> a = {7, -7, 7, -7, 1, T(0.3), T(6), 5, -5, 0},
                       b = {2, 2, -2, -2, T(0.1), T(0.1), T(0.1), 0, 0, 0};
  const auto y = floor_divide(tensor(a), tensor(b)).template to_vector<T>();
  for (std::size_t i = 0; i < a.size(); ++i)
    expect_close(y[i], b[i] == 0 ? Real(a[i] / b[i]) : std::floor(Real(a[i]) / Real(b[i])), 0, 0,
                 std::to_string(i));
}

std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }
using Values = std::vector<double>;

TEST(ElementwiseValue, Polygamma) {
  const double pi = std::acos(-1.0), zeta3 = 1.2020569031595942854, catalan = 0.91596559417721901505;
  const struct {
    int n;
    double x, expected;
  } points[] = {{0, 1, -0.57721566490153286061},
                {1, 1, pi * pi / 6},
                {1, 0.5, pi * pi / 2},
                {1, 0.25, pi * pi + 8 * catalan},
                {1, -0.5, pi * pi / 2 + 4},
                {2, 1, -2 * zeta3},
                {2, 0.5, -14 * zeta3},
                {2, 0.25, -2 * pi * pi * pi - 56 * zeta3},
                {3, 1, std::pow(pi, 4) / 15},
                {1, 1e6, 1.0000005000001666667e-6},
                {30, 1, 2.6525285981219107e32 * 1.0000000004656629},
                {1, 0, inf},
                {1, -3, inf},
                {2, -3, nan},
                {2, 0, -inf},
                {1, inf, 0},
                {1, nan, nan}};
  for (const auto& p : points) {
    const double got = polygamma(p.n, tensor({p.x}, f64)).item(), sign = p.n == 30 ? -1 : 1;
    if (std::isnan(p.expected) || std::isinf(p.expected))
      EXPECT_TRUE(got == p.expected || (std::isnan(got) && std::isnan(p.expected)))
          << p.n << " " << p.x << " " << got;
    else
      EXPECT_NEAR(got, sign * p.expected, 2e-15 * std::abs(p.expected)) << p.n << " " << p.x;
  }
  // psi_n(x + 1) = psi_n(x) + (-1)^n n! / x^(n+1), also left of zero and for orders whose factorial
  // overflows.
  for (const int n : {1, 2, 3, 7, 20, 100, 101, 120})
    for (const double x : {0.3, 1.7, -0.7, -3.4, -60.6}) {
      const double a = polygamma(n, tensor({x}, f64)).item(), b = polygamma(n, tensor({x + 1}, f64)).item();
      const double step = (n % 2 ? -1 : 1) * std::exp(std::lgamma(n + 1.0)) / std::pow(x, n + 1);
      EXPECT_NEAR(b, a + step, 1e-12 * (std::abs(a) + std::abs(b) + std::abs(step))) << n << " " << x;
    }
}

TEST(ElementwiseValue, LerpAndFriends) {
  EXPECT_EQ(values(lerp(tensor({1., 1., 1., 1.}, f64), 4, tensor({0., 0.5, 1., 2.}, f64))),
            (Values{1, 2.5, 4, 7}));
  // Exact at both ends, which a + w (b - a) is not.
  EXPECT_EQ(lerp(tensor({1e20f}), tensor({1.f}), tensor({1.f})).item(), 1);
  EXPECT_EQ(values(addcmul(tensor({1., 2.}, f64), tensor({3., 4.}, f64), 5, 0.5)), (Values{8.5, 12}));
  EXPECT_EQ(values(addcdiv(tensor({1., 2.}, f64), tensor({3., 4.}, f64), 2, -2)), (Values{-2, -2}));
  EXPECT_EQ(values(clamp(tensor({-5., 0., 5.}, f64), tensor({-1., 1., -1.}, f64), full({}, 2, f64))),
            (Values{-1, 1, 2}));
  EXPECT_EQ(values(nan_to_num(tensor({nan, inf, -inf, 3.}, f64), 7, 8, 9)), (Values{7, 8, 9, 3}));
  EXPECT_EQ(nan_to_num(tensor({inf}, f32)).item(), static_cast<double>(std::numeric_limits<float>::max()));
  EXPECT_NEAR(logit(tensor({1.}, f64), 0.25).item(), std::log(3.0), 1e-15);
  EXPECT_EQ(values(prelu(tensor({{-1., 2.}, {-3., -4.}}, f64), tensor({0.5, 0.25}, f64))),
            (Values{-0.5, 2, -1.5, -1}));
}

TEST(ElementwiseValue, GatedHalves) {
  const Tensor x = tensor({{1., -2., 0.5, 3.}}, f64);
  const auto gate = [](double v) { return 1 / (1 + std::exp(-v)); };
  const auto expect = [](const Tensor& t, const Values& v) {
    EXPECT_TRUE(allclose(t, tensor(v).reshape({1, 2}), 1e-14, 0));
  };
  expect(glu(x), {gate(0.5), -2 * gate(3)});
  expect(swiglu(x), {gate(1) * 0.5, -2 * gate(-2) * 3});
  expect(geglu(x), {0.5 * std::erfc(-std::sqrt(0.5)) * 0.5, -std::erfc(std::sqrt(2.)) * 3});
  expect(reglu(x), {0.5, 0});
  EXPECT_EQ(glu(zeros({4, 3}), 0).shape(), (Shape{2, 3}));
  EXPECT_TRUE(allclose(softmin(x, -1), softmax(x * -1, -1)));
}

TEST(ElementwiseValue, WholeNumbersStayWhole) {
  const auto whole = [](const Tensor& t) {
    EXPECT_EQ(t.dtype(), i64);
    return t.to_vector<std::int64_t>();
  };
  using Whole = std::vector<std::int64_t>;
  constexpr auto least = std::numeric_limits<std::int64_t>::min();
  const Tensor a = tensor({7, -7, 7, -7}), b = tensor({2, 2, -2, -2});
  EXPECT_EQ(whole(fmod(a, b)), (Whole{1, -1, 1, -1}));
  EXPECT_EQ(whole(remainder(a, b)), (Whole{1, 1, -1, -1}));
  EXPECT_EQ(whole(floor_divide(a, b)), (Whole{3, -4, -4, 3}));
  EXPECT_EQ(whole(remainder(full({1}, Scalar(least), i64), -1)), (Whole{0}));
  EXPECT_EQ(whole(floor_divide(full({1}, Scalar(least), i64), -1)), (Whole{least}));
  EXPECT_EQ(whole(sign(tensor({5, 0, -3}))), (Whole{1, 0, -1}));
  EXPECT_EQ(whole(floor(a)), whole(a));
  EXPECT_EQ(whole(round(a)), whole(a));
  const std::int64_t large = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(whole(clamp(tensor({large, std::int64_t{3}}), 5)), (Whole{large, 5}));
  EXPECT_EQ(clamp(tensor({1, 3}), 1.5).dtype(), f32);
  EXPECT_EQ(reciprocal(tensor({4})).item(), 0.25);
}

TEST(ElementwiseValue, TestsAndLogic) {
  const auto bits = [](const Tensor& t) {
    EXPECT_EQ(t.dtype(), boolean);
    return to(t, i64).to_vector<std::int64_t>();
  };
  using Bits = std::vector<std::int64_t>;
  const Tensor x = tensor({0., -1.5, inf, -inf, nan}, f64), y = tensor({0., 0., 1., nan, 0.}, f64);
  EXPECT_EQ(bits(isinf(x)), (Bits{0, 0, 1, 1, 0}));
  EXPECT_EQ(bits(isfinite(x)), (Bits{1, 1, 0, 0, 0}));
  EXPECT_EQ(bits(isposinf(x)), (Bits{0, 0, 1, 0, 0}));
  EXPECT_EQ(bits(isneginf(x)), (Bits{0, 0, 0, 1, 0}));
  EXPECT_EQ(bits(logical_and(x, y)), (Bits{0, 0, 1, 1, 0}));
  EXPECT_EQ(bits(logical_or(x, y)), (Bits{0, 1, 1, 1, 1}));
  EXPECT_EQ(bits(logical_xor(x, y)), (Bits{0, 1, 0, 0, 1}));
  EXPECT_EQ(bits(logical_not(x)), (Bits{1, 0, 0, 0, 0}));
  EXPECT_EQ(bits((x > 0) & (y > 0)), (Bits{0, 0, 1, 0, 0}));
  EXPECT_EQ(bits(~(x > 0)), (Bits{1, 1, 0, 1, 1}));
  const Tensor near = tensor({1e-9, -1.5 - 1e-6, inf, inf, nan}, f64);
  EXPECT_EQ(bits(isclose(x, near)), (Bits{1, 1, 1, 0, 0}));
  EXPECT_EQ(bits(isclose(x, near, 0, 0, true)), (Bits{0, 0, 1, 0, 1}));
  EXPECT_EQ(bits(isclose(tensor({1.}), tensor({inf}))), (Bits{0}));
  EXPECT_EQ(bits(isclose(tensor({{1.f}, {2.f}}), tensor({1.f, 2.f, 2.00001f}))), (Bits{1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(bits(isclose(tensor({1.f, inf, nan}), tensor({1 + 1e-6, inf, nan}, f64), 1e-5, 0, true)),
            (Bits{1, 1, 1}));
  EXPECT_EQ(bits(isclose(tensor({3, 4}), tensor({3, 5}))), (Bits{1, 0}));
  EXPECT_TRUE(allclose(tensor({1.f, inf}), tensor({1.000001f, inf})));
  EXPECT_FALSE(allclose(tensor({1.f, -inf}), tensor({1.f, inf})));
  EXPECT_FALSE(allclose(tensor({nan}), tensor({nan})));
  EXPECT_TRUE(allclose(tensor({nan}), tensor({nan}), 0, 0, true));
  EXPECT_TRUE(allclose(zeros({0, 3}), zeros({0, 3})));
  EXPECT_EQ((tensor({12, -1}) & tensor({10, 7})).to_vector<std::int64_t>(), (Bits{8, 7}));
  EXPECT_EQ((tensor({12, 1}) | tensor({10})).to_vector<std::int64_t>(), (Bits{14, 11}));
  EXPECT_EQ((tensor({12, 1}) ^ tensor({10, 1})).to_vector<std::int64_t>(), (Bits{6, 0}));
  EXPECT_EQ((~tensor({0, 5})).to_vector<std::int64_t>(), (Bits{-1, -6}));
}

}  // namespace
}  // namespace cadena
