// A user's formula may call every function of the elementwise vocabulary.
#include <gtest/gtest.h>

#include <type_traits>

#include "autodiff/autodiff.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/gradcheck.hpp"

namespace cadena {
namespace {

// On (0.3, 0.7) all are defined but acosh; polygamma keeps its order in front.
const auto everything_of_one = [](auto x) {
  auto y = x * 0;
#define CADENA_OP(Op, function) \
  y = y + function(std::is_same_v<formulas::Op, formulas::Acosh> ? x + 1 : x + 0);
  CADENA_UNARY_OPS(CADENA_OP)
#undef CADENA_OP
  return y + logit(x) + gelu(x) + polygamma(2, x);
};
const auto everything_of_two = [](auto x, auto z) {
  auto y = x * 0;
#define CADENA_OP(Op, function) y = y + function(x, z) + function(x, 0.37);
  CADENA_BINARY_OPS(CADENA_OP)
#undef CADENA_OP
  return y + hypot(0.3, x) + xlogy(2, z) + lerp(x, z, x);
};
const auto everything_with_numbers = [](auto x) {
  return clamp(x, 0.1, 0.52) + leaky_relu(-x, 0.2) + elu(-x, 0.5) + celu(-x, 0.5) + hardtanh(x, -1, 0.6) +
         hardshrink(x, 0.4) + softshrink(x, 0.2) + threshold(x, 0.45, 1) + leaky_relu(-x);
};

TEST(Vocabulary, EveryFunctionInFormulas) {
  const Tensor x = tensor({0.31, 0.43, 0.49, 0.57, 0.66, 0.33, 0.41, 0.53, 0.61}, f64),
               z = tensor({0.68, 0.35, 0.62, 0.44, 0.59, 0.51, 0.47, 0.32, 0.39}, f64);
  const auto one = elementwise("one", everything_of_one);
  const auto two = elementwise("two", everything_of_two);
  const auto numbers = elementwise("numbers", everything_with_numbers);
  EXPECT_TRUE(allclose(one(x), everything_of_one(x), 1e-14));
  EXPECT_TRUE(allclose(two(x, z), everything_of_two(x, z), 1e-14));
  EXPECT_TRUE(allclose(numbers(x), everything_with_numbers(x), 1e-14));
  const auto check = [](const Function& f, const TensorList& in) {
    const auto report = gradcheck(f, in);
    EXPECT_TRUE(report) << report;
    const auto second = gradgradcheck(f, in);
    EXPECT_TRUE(second) << second;
  };
  check([&](const TensorList& v) { return TensorList{one(v[0])}; }, {x});
  check([&](const TensorList& v) { return TensorList{two(v[0], v[1])}; }, {x, z});
  check([&](const TensorList& v) { return TensorList{numbers(v[0])}; }, {x});
}

}  // namespace
}  // namespace cadena
