// Values, dtypes, sizes and refusals of the factories that are not random.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "autodiff/autodiff.hpp"

namespace cadena {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;
using Longs = std::vector<std::int64_t>;

constexpr auto most = std::numeric_limits<std::int64_t>::max();

template <class E, class F>
std::string message(const F& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(TensorOfNumbers, ShapeFollowsTheBraces) {
  EXPECT_EQ(tensor(3.5).shape(), Shape{});
  EXPECT_EQ(tensor({1, 2, 3}).shape(), (Shape{3}));
  EXPECT_EQ(tensor({{1, 2, 3}, {4, 5, 6}}).shape(), (Shape{2, 3}));
  EXPECT_EQ(tensor({{{1}, {2}}, {{3}, {4}}, {{5}, {6}}}).shape(), (Shape{3, 2, 1}));
  EXPECT_EQ(tensor({{1, 2, 3}, {4, 5, 6}}).to_vector<std::int64_t>(), (Longs{1, 2, 3, 4, 5, 6}));
}

TEST(TensorOfNumbers, DtypeFollowsTheNumbers) {
  EXPECT_EQ(tensor({1, 2}).dtype(), i64);
  EXPECT_EQ(tensor({1, 2.0}).dtype(), f32);
  EXPECT_EQ(tensor({true, false}).dtype(), boolean);
  EXPECT_EQ(tensor({true, 2}).dtype(), i64);
  EXPECT_EQ(tensor({1.5F}).dtype(), f32);
  EXPECT_EQ(tensor({1, 2}, f64).dtype(), f64);
  EXPECT_EQ(tensor({0.0, 0.5}, boolean).to_vector<bool>(), (std::vector<bool>{false, true}));
  EXPECT_EQ(tensor({most}).item<std::int64_t>(), most);
}

TEST(TensorOfNumbers, RefusesRaggedRowsAndWhatDoesNotFit) {
  EXPECT_EQ(message<ShapeError>([] {
              tensor({{1, 2}, {3}});
            }),
            "[tensor] expected rows of one length, got 2 and 1 entries along axis 1");
  EXPECT_THROW(tensor({{1}, {2, 3}}), ShapeError);
  EXPECT_THROW(tensor({{1, 2}, 3}), ShapeError);
  EXPECT_THROW(tensor({1, {2, 3}}), ShapeError);
  EXPECT_THROW(tensor({{{{{{{{{1}}}}}}}}}), ShapeError);
  EXPECT_EQ(message<ValueError>([] { tensor({1e30}, i64); }),
            "[tensor] expected a number that i64 can hold, got 1e+30");
  EXPECT_THROW(tensor({std::nan("")}, i64), ValueError);
}

TEST(TensorOfSpan, CopiesWithItsType) {
  const Doubles v{1, 2, 3, 4, 5, 6};
  const Tensor t = tensor(v, {2, 3});
  EXPECT_EQ(t.dtype(), f64);
  EXPECT_EQ(t.shape(), (Shape{2, 3}));
  EXPECT_EQ(t.to_vector<double>(), v);
  EXPECT_NE(static_cast<const void*>(t.data<double>()), v.data());
  EXPECT_EQ(tensor(Longs{7, 8}).dtype(), i64);
  const bool flags[] = {true, false, true};
  EXPECT_EQ(tensor(std::span<const bool>(flags), {3}).to_vector<bool>(),
            (std::vector<bool>{true, false, true}));
  EXPECT_EQ(message<ShapeError>([&] {
              tensor(v, {2, 2});
            }),
            "[tensor] expected 4 values for shape (2, 2), got 6");
}

TEST(Filled, HoldTheirValue) {
  EXPECT_EQ(zeros({2, 2}).to_vector<float>(), (Floats{0, 0, 0, 0}));
  EXPECT_EQ(ones({3}, i64).to_vector<std::int64_t>(), (Longs{1, 1, 1}));
  EXPECT_EQ(full({2}, 2.5, f64).to_vector<double>(), (Doubles{2.5, 2.5}));
  EXPECT_EQ(full({}, 7).item(), 7);
  EXPECT_EQ(full({1}, most, i64).item<std::int64_t>(), most);
  EXPECT_TRUE(ones({2}, boolean).to_vector<bool>()[1]);
  EXPECT_EQ(zeros({0, 3}).numel(), 0);
  EXPECT_FALSE(zeros({2}).requires_grad());
}

TEST(Filled, LikesTakeShapeAndDtypeButNoLayout) {
  const Tensor t = zeros({2, 3}, f64).t();
  EXPECT_EQ(ones_like(t).shape(), (Shape{3, 2}));
  EXPECT_EQ(ones_like(t).dtype(), f64);
  EXPECT_TRUE(zeros_like(t).is_contiguous());
  EXPECT_EQ(ones_like(t).to_vector<double>(), Doubles(6, 1));
}

TEST(Filled, CheckSizes) {
  EXPECT_THROW(zeros({2, -1}), ShapeError);
  EXPECT_THROW(ones({most, 2}), ShapeError);
  EXPECT_THROW(full({std::int64_t{1} << 61}, 1, f64), ShapeError);
  EXPECT_THROW(full({2}, 1e19, i64), ValueError);
  EXPECT_THROW(eye(-1), ShapeError);
  EXPECT_NE(message<ShapeError>([] { zeros({2, -1}); }).find("[zeros]"), std::string::npos);
  EXPECT_NE(message<ShapeError>([] { zeros({2, -1}); }).find("(2, -1)"), std::string::npos);
}

TEST(Arange, CountsWholeNumbers) {
  EXPECT_EQ(arange(4).dtype(), i64);
  EXPECT_EQ(arange(4).to_vector<std::int64_t>(), (Longs{0, 1, 2, 3}));
  EXPECT_EQ(arange(2, 9, 3).to_vector<std::int64_t>(), (Longs{2, 5, 8}));
  EXPECT_EQ(arange(5, -2, -3).to_vector<std::int64_t>(), (Longs{5, 2, -1}));
  EXPECT_EQ(arange(3, 3).numel(), 0);
  EXPECT_EQ(arange(3, 0).numel(), 0);
  EXPECT_EQ(arange(0, 3, 1, f64).to_vector<double>(), (Doubles{0, 1, 2}));
  EXPECT_EQ(arange(0.0, 3.0, 1.0, i64).to_vector<std::int64_t>(), (Longs{0, 1, 2}));
  EXPECT_EQ(arange(most - 2, most).to_vector<std::int64_t>(), (Longs{most - 2, most - 1}));
  const auto wide = arange(-most - 1, most, std::int64_t{1} << 62).to_vector<std::int64_t>();
  EXPECT_EQ(wide, (Longs{-most - 1, -(most / 2) - 1, 0, most / 2 + 1}));
}

TEST(Arange, StepsThroughFractionsAndStopsBelowTheEnd) {
  EXPECT_EQ(arange(0.0, 1.0, 0.25).dtype(), f32);
  EXPECT_EQ(arange(0.0, 1.0, 0.25).to_vector<float>(), (Floats{0, 0.25F, 0.5F, 0.75F}));
  EXPECT_EQ(arange(1.0, 0.0, -0.5).to_vector<float>(), (Floats{1, 0.5F}));
  // (1.3 - 1) / 0.1 rounds to a little more than 3, and the fourth value would be 1.3 itself.
  EXPECT_EQ(arange(1.0, 1.3, 0.1, f64).numel(), 3);
  EXPECT_EQ(arange(0.0, 1.0, 0.1, f64).numel(), 10);
  const auto v = arange(0.0, 1000.0, 0.1, f64).to_vector<double>();
  EXPECT_EQ(v.size(), 10000U);
  EXPECT_NEAR(v[9999], 999.9, 1e-12);  // adding 0.1 again and again is off by 1e-10
}

TEST(Arange, RefusesNonsense) {
  EXPECT_EQ(message<ValueError>([] { arange(0, 3, 0); }),
            "[arange] expected finite bounds and a step other than 0, got start 0, end 3, step 0");
  EXPECT_THROW(arange(0.0, std::nan(""), 1.0), ValueError);
  EXPECT_THROW(arange(0.0, std::numeric_limits<double>::infinity(), 1.0), ValueError);
  EXPECT_THROW(arange(0, 1, 1, boolean), DtypeError);
  EXPECT_THROW(arange(0.0, 1.0, 0.25, i64), ValueError);
  EXPECT_EQ(message<ShapeError>([] { arange(-most, most, 1); }),
            "[arange] expected fewer than 2^63 bytes, got 1.8446744073709552e+19 elements");
  EXPECT_THROW(arange(0.0, 1e300, 1e-300), ShapeError);
}

TEST(Linspace, HasBothEndsExactly) {
  EXPECT_EQ(linspace(0, 1, 5).to_vector<float>(), (Floats{0, 0.25F, 0.5F, 0.75F, 1}));
  const auto v = linspace(-0.3, 0.7, 11, f64).to_vector<double>();
  EXPECT_EQ(v.front(), -0.3);
  EXPECT_EQ(v.back(), 0.7);
  const auto w = linspace(-0.7, 0.7, 10, f64).to_vector<double>();
  for (std::size_t i = 0; i < w.size(); ++i) EXPECT_EQ(w[i], -w[w.size() - 1 - i]);
  EXPECT_EQ(linspace(2, 5, 1).to_vector<float>(), (Floats{2}));
  EXPECT_EQ(linspace(2, 5, 0).numel(), 0);
  EXPECT_EQ(linspace(5, 2, 2).to_vector<float>(), (Floats{5, 2}));
  EXPECT_EQ(linspace(-1e308, 1e308, 3, f64).to_vector<double>(), (Doubles{-1e308, 0, 1e308}));
  EXPECT_THROW(linspace(0, 1, -1), ValueError);
  EXPECT_THROW(linspace(0, 1, 3, i64), DtypeError);
}

TEST(Eye, IsOneOnTheDiagonal) {
  EXPECT_EQ(eye(2).to_vector<float>(), (Floats{1, 0, 0, 1}));
  EXPECT_EQ(eye(2, 3, i64).to_vector<std::int64_t>(), (Longs{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(eye(3, 1, f64).to_vector<double>(), (Doubles{1, 0, 0}));
  EXPECT_EQ(eye(0).shape(), (Shape{0, 0}));
}

}  // namespace
}  // namespace cadena
