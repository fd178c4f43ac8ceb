// Powers and remainders have short cuts for some numbers: what an element gets must not depend on its
// neighbours, and must be the exact result where there is one.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "values.hpp"

namespace cadena {
namespace {

constexpr double exponents[] = {2, 1, 0.5, -1, 3, 4, -2, -0.5, 0, 2.5, -3};

class LaneMath : public testing::TestWithParam<DType> {
 protected:
  // Numbers of all sizes and signs, and the singular ones among them.
  Tensor numbers(std::int64_t n) const {
    Generator g(11);
    const Tensor size = exp2(sub(mul(rand({n}, g, GetParam()), 60), 30)),
                 sign = sub(mul(randint(0, 2, {n}, g), 2), 1);
    return cat({mul(size, sign), tensor({0., -0., 1., -1., inf, -inf, nan}, GetParam())});
  }
  double spacing() const { return GetParam() == f32 ? 0x1p-23 : 0x1p-52; }
};

TEST_P(LaneMath, PowersAreThoseOfTheStandardLibrary) {
  const Tensor x = numbers(200);
  for (const double b : exponents) {
    const Values in = values(x), got = values(pow(x, b));
    for (std::size_t i = 0; i < in.size(); ++i) {
      const double wanted = std::pow(in[i], b);
      const bool singular = wanted == 0 || std::isinf(wanted);
      if (std::isnan(wanted)) {
        EXPECT_TRUE(std::isnan(got[i])) << in[i] << "^" << b;
      } else if (singular) {
        EXPECT_EQ(got[i], wanted) << in[i] << "^" << b;
      } else {
        const double units = GetParam() == f32 ? 0.5001 : 1;
        EXPECT_NEAR(got[i], wanted, units * spacing() * std::abs(wanted)) << in[i] << "^" << b;
      }
      if (wanted == 0) {
        EXPECT_EQ(std::signbit(got[i]), std::signbit(wanted)) << in[i] << "^" << b;
      }
    }
  }
}

/// A number as exponent has a formula of its own.
TEST_P(LaneMath, AnExponentMayBeANumberOrATensor) {
  const Tensor start = cat({numbers(100), tensor({0.3, 1.7, 4.}, GetParam())});
  for (const double b : exponents) {
    Tensor x = start.clone().requires_grad_(), y = start.clone().requires_grad_();
    const Tensor e = full({}, b, GetParam());
    Tensor p = pow(x, b), q = pow(y, e);
    for (int order = 0; order < 3; ++order) {
      expect_values(p, values(q));
      if (!p.requires_grad() || !q.requires_grad()) break;
      p = grad(p, x, {.create_graph = true, .allow_unused = true}, ones_like(p));
      q = grad(q, y, {.create_graph = true, .allow_unused = true}, ones_like(q));
      if (!p.defined() || !q.defined()) break;
    }
  }
  Tensor zero = zeros({2}, GetParam()).requires_grad_();
  pow(zero, 0.5).backward(tensor({1., 0.}, GetParam()));
  expect_values(zero.grad(), {inf, 0});
}

TEST_P(LaneMath, PowersDoNotDependOnNeighbours) {
  const Tensor x = numbers(200);
  const std::int64_t n = x.numel();
  const auto kinds = static_cast<std::int64_t>(std::size(exponents));
  Values mixed;
  for (std::int64_t i = 0; i < n; ++i) mixed.push_back(exponents[i * 7 % kinds]);
  const Values got = values(pow(x, tensor(mixed).to(GetParam())));
  for (std::int64_t k = 0; k < kinds; ++k) {
    const Values alone = values(pow(x, exponents[k]));
    for (std::int64_t i = 0; i < n; ++i) {
      if (i * 7 % kinds != k) continue;
      const auto at = static_cast<std::size_t>(i);
      EXPECT_TRUE(got[at] == alone[at] || (got[at] != got[at] && alone[at] != alone[at])) << k << " " << i;
    }
  }
}

TEST_P(LaneMath, RemaindersAreExact) {
  const Tensor a = numbers(3000), b = flip(a, {0}), near = mul(b, 7);
  for (const Tensor& divisor : {b, near, add(abs(b), 1)}) {
    const Values x = values(a), y = values(divisor), got = values(fmod(a, divisor));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double wanted = std::fmod(x[i], y[i]);
      if (std::isnan(wanted)) {
        EXPECT_TRUE(std::isnan(got[i])) << x[i] << " mod " << y[i];
      } else {
        EXPECT_EQ(got[i], wanted) << x[i] << " mod " << y[i];
        EXPECT_EQ(std::signbit(got[i]), std::signbit(wanted)) << x[i] << " mod " << y[i];
      }
    }
  }
  // Whole quotients, also such as round up to one.
  const Tensor thirds = div(arange(-4000, 4000, 1, GetParam()), 3), third = full({}, 1, GetParam()) / 3;
  const Values x = values(thirds), got = values(fmod(thirds, third));
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(got[i], std::fmod(x[i], third.item())) << x[i];
}

INSTANTIATE_TEST_SUITE_P(Dtypes, LaneMath, testing::Values(f32, f64),
                         [](const auto& info) { return std::string(name(info.param)); });

}  // namespace
}  // namespace cadena
