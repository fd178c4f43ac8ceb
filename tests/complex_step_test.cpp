// Derivatives of every elementwise formula to 1e-13, by reading its value with complex numbers (R3 of the
// proof: no difference of values, so no digit is lost to one). The gradient is that of the library.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/elementwise.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/formulas.hpp"
#include "complex_step/complex.hpp"

namespace cadena {
namespace {

using complex_step::Complex;

std::set<std::string_view> checked;

template <class Op>
constexpr std::size_t arity = requires(Op op, Complex c) {
  op.f(c, c, c);
}
? 3 : requires(Op op, Complex c) { op.f(c, c); }
? 2 : 1;

template <class Op, std::size_t N, std::size_t... K>
double derivative(const Op& op, const std::array<double, N>& x, std::size_t by, std::index_sequence<K...>) {
  constexpr double h = 1e-30;
  const Complex y = op.f(Complex(std::complex<double>(x[K], K == by ? h : 0))...);
  return y.v.imag() / h;
}

/// The gradient of the library's function on inputs of its domain.
TensorList gradient(const Tensor& y, const TensorList& x) {
  if (!y.requires_grad()) return TensorList(x.size());
  return grad(TensorList{y}, x, {.allow_unused = true}, {ones_like(y)});
}

/// Near 0 the values of these two are small differences, which a complex step takes as they are.
template <class Op>
detail::Domain domain(std::size_t argument) {
  if (Op::meta.name == "sinc" || Op::meta.name == "tanhshrink") return {.low = 0.3, .high = 2};
  return Op::meta.domain[argument];
}

void compare(std::string_view name, std::size_t by, double at, double got, double expected) {
  EXPECT_LE(std::abs(got - expected), 1e-13 * std::abs(expected))
      << name << " by argument " << by << " at " << at << ": " << got << ", complex step " << expected;
}

/// @param function the public one whose formula `op` is
template <class Op, class F>
void check(const Op& op, const F& function) {
  constexpr std::size_t n = arity<Op>;
  const auto inputs = std::make_index_sequence<n>();
  detail::Sampler sampler(7);
  TensorList x;
  std::array<std::vector<double>, n> values;
  for (std::size_t k = 0; k < n; ++k) {
    x.push_back(sampler.draw({100}, domain<Op>(k)).requires_grad_());
    values[k] = x[k].template to_vector<double>();
  }
  const Tensor y = [&]<std::size_t... K>(std::index_sequence<K...>) { return function(x[K]...); }
  (inputs);
  const TensorList g = gradient(y, x);
  for (std::size_t k = 0; k < n; ++k) {
    const auto got = g[k].defined() ? g[k].template to_vector<double>() : std::vector<double>(100);
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::array<double, n> at;
      for (std::size_t j = 0; j < n; ++j) at[j] = values[j][i];
      compare(Op::meta.name, k, at[k], got[i], derivative(op, at, k, inputs));
    }
  }
  checked.insert(Op::meta.name);
}

TEST(ComplexStep, EveryElementwiseFormula) {
  using namespace formulas;
#define CADENA_OP(Op, function) check(Op{}, [](const auto&... x) { return cadena::function(x...); });
  CADENA_UNARY_OPS(CADENA_OP)
  CADENA_BINARY_OPS(CADENA_OP)
  CADENA_TERNARY_OPS(CADENA_OP)
#undef CADENA_OP
  using In = const Tensor&;
  check(AbsorbingMul{}, [](In a, In b) { return detail::absorbing_mul(a, b); });
  check(Addcmul{-0.75}, [](In x, In a, In b) { return addcmul(x, a, b, -0.75); });
  check(Addcdiv{-0.75}, [](In x, In a, In b) { return addcdiv(x, a, b, -0.75); });
  check(Clamp{}, [](In x) { return clamp(x, -infinity, infinity); });
  check(Clamp{-1, 1}, [](In x) { return clamp(x, -1, 1); });
  check(ClampTensor{}, [](In x, In low, In high) { return clamp(x, low, high); });
  check(NanToNum{}, [](In x) { return nan_to_num(x); });
  check(Logit{}, [](In x) { return logit(x); });
  check(Gelu{}, [](In x) { return gelu(x); });
  check(GeluTanh{}, [](In x) { return gelu(x, "tanh"); });
  check(Prelu{}, [](In x, In weight) { return prelu(x.reshape({1, -1}), weight); });
  check(Hardshrink{0.25}, [](In x) { return hardshrink(x, 0.25); });
  check(Softshrink{0.25}, [](In x) { return softshrink(x, 0.25); });
  check(LeakyRelu{}, [](In x) { return leaky_relu(x); });
  check(LeakyRelu{-0.375}, [](In x) { return leaky_relu(x, -0.375); });
  check(Elu{}, [](In x) { return elu(x); });
  check(Elu{0.625}, [](In x) { return elu(x, 0.625); });
  check(Celu{}, [](In x) { return celu(x); });
  check(Celu{0.625}, [](In x) { return celu(x, 0.625); });
  check(Hardtanh{}, [](In x) { return hardtanh(x); });
  check(Hardtanh{-1, 3}, [](In x) { return hardtanh(x, -1, 3); });
  check(Threshold{}, [](In x) { return threshold(x, 0, 0); });
  check(Threshold{0.25, -2}, [](In x) { return threshold(x, 0.25, -2); });
  check(Polygamma{2}, [](In x) { return polygamma(2, x); });
  check(Polygamma{3}, [](In x) { return polygamma(3, x); });
  for (const auto& row : detail::op_table())
    for (const char* family :
         {"arithmetic", "exponential", "trigonometric", "activation", "rounding", "special"})
      if (row.family == family && !row.composite) {
        EXPECT_TRUE(checked.contains(row.meta.name)) << row.meta.name << " is not checked here";
      }
}

/// The check notices what differences of values cannot: an error in the twelfth digit.
TEST(ComplexStep, TheTwelfthDigitCounts) {
  const double right = derivative(formulas::Tanh{}, std::array<double, 1>{0.7}, 0, std::index_sequence<0>());
  const double exact = 1 / (std::cosh(0.7) * std::cosh(0.7));
  EXPECT_NEAR(right / exact, 1, 1e-15);
  EXPECT_GT(std::abs(right * (1 + 1e-12) - exact), 1e-13 * exact);
}

}  // namespace
}  // namespace cadena
