// Derivatives of every elementwise formula to 1e-13, by reading its value with complex numbers (R3 of the
// proof: no difference of values, so no digit is lost to one). The gradient is that of the library's loops.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <string>

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

/// The gradient of the op's loops on inputs of its domain.
template <class Op, std::size_t... K>
TensorList gradient(const Op& op, const TensorList& x, std::index_sequence<K...>) {
  const Tensor y = detail::elementwise_call(op, x[K]...);
  if (!y.requires_grad()) return TensorList(x.size());
  return grad(TensorList{y}, x, {.allow_unused = true}, {ones_like(y)});
}

/// Near 0 the values of these two are small differences, which a complex step takes as they are.
template <class Op>
detail::Domain domain(std::size_t argument) {
  if (Op::meta.name == "sinc" || Op::meta.name == "tanhshrink") return {.low = 0.3, .high = 2};
  return Op::meta.domain[argument];
}

template <class Op>
void check(const Op& op) {
  constexpr std::size_t n = arity<Op>;
  const auto inputs = std::make_index_sequence<n>();
  detail::Sampler sampler(7);
  TensorList x;
  std::array<std::vector<double>, n> values;
  for (std::size_t k = 0; k < n; ++k) {
    x.push_back(sampler.draw({100}, domain<Op>(k)).requires_grad_());
    values[k] = x[k].template to_vector<double>();
  }
  const TensorList g = gradient(op, x, inputs);
  for (std::size_t k = 0; k < n; ++k) {
    const auto got = g[k].defined() ? g[k].template to_vector<double>() : std::vector<double>(100);
    for (std::size_t i = 0; i < got.size(); ++i) {
      std::array<double, n> at;
      for (std::size_t j = 0; j < n; ++j) at[j] = values[j][i];
      const double expected = derivative(op, at, k, inputs);
      EXPECT_LE(std::abs(got[i] - expected), 1e-13 * std::abs(expected))
          << Op::meta.name << " by argument " << k << " at " << at[k] << ": " << got[i] << ", complex step "
          << expected;
    }
  }
  checked.insert(Op::meta.name);
}

TEST(ComplexStep, EveryElementwiseFormula) {
  using namespace formulas;
#define CADENA_OP(Op, function) check(formulas::Op{});
  CADENA_UNARY_OPS(CADENA_OP)
  CADENA_BINARY_OPS(CADENA_OP)
  CADENA_TERNARY_OPS(CADENA_OP)
  CADENA_ATTRIBUTE_OPS(CADENA_OP)
#undef CADENA_OP
  check(AbsorbingMul{});
  check(Addcmul{-0.75});
  check(Addcdiv{-0.75});
  check(Clamp{-1, 1});
  check(ClampTensor{});
  check(NanToNum{});
  check(Logit{});
  check(Gelu{});
  check(GeluTanh{});
  check(Prelu{});
  check(LeakyRelu{-0.375});
  check(Elu{0.625});
  check(Celu{0.625});
  check(Hardtanh{-1, 3});
  check(Threshold{0.25, -2});
  check(Polygamma{2});
  check(Polygamma{3});
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
