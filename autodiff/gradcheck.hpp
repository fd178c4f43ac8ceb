// Checks derivatives against differences of values. Opt-in, for tests.
//
//   EXPECT_TRUE(gradcheck([](const Tensor& x) { return tanh(x) * x; }, randn({3, 4}, f64)));
//
// The numerical derivative is the five-point stencil, (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12h, whose
// error in f64 is about 1e-13 at h = 1e-3: a rule that is wrong by one part in a million does not pass.
//
// Where the stencil crosses a kink or a jump (relu, abs, max, sort), smaller steps decide. An input that sits
// on one (within 5e-6) has no derivative to compare with: the report counts it as a kink, and its slopes
// must still lie between the slopes of both sides. A wrong derivative is not excused by either.
#pragma once

#include <ostream>
#include <string>
#include <type_traits>
#include <vector>

#include "autodiff/grad.hpp"

namespace cadena {

struct GradcheckOptions {
  double step = 1e-3;  ///< h
  double rtol = 1e-7;  ///< |analytic - numerical| <= atol + rtol * max(|analytic|, |numerical|)
  double atol = 1e-9;
  bool forward_mode = true;  ///< also <v, J u> = <J^T v, u> with jvp, to 1e-13 of the terms + 1e-6 atol
  std::uint64_t seed = 0;    ///< of the directions u and v
};

struct GradcheckReport {
  bool ok = true;
  std::string text;  ///< what was compared and, on failure, the worst entry with both values and the step
  double worst = 0;  ///< largest |analytic - numerical| / tolerance, <= 1 if ok
  std::int64_t elements = 0;  ///< of all inputs
  std::int64_t kinks = 0;     ///< those of them that sit on a kink, whose slopes were not compared
  explicit operator bool() const { return ok; }
};
std::ostream& operator<<(std::ostream& out, const GradcheckReport& report);

/// Compares the full Jacobian of f at `inputs` (f64; everything f returns counts) by reverse mode with
/// differences, checks that the vector-Jacobian product is linear in its vector, and forward mode by duality.
/// @throws DtypeError unless all inputs are f64
GradcheckReport gradcheck(const Function& f, const TensorList& inputs, const GradcheckOptions& options = {});

/// The same for (inputs, v) -> J^T v: second derivatives by differences of recorded first ones. rtol is
/// raised to 1e-6 unless it was set.
GradcheckReport gradgradcheck(const Function& f, const TensorList& inputs, GradcheckOptions options = {});

/// Everything there is to check about an op of one's own: its value and its vjp and jvp against `reference`
/// (if given), then gradcheck and gradgradcheck. Stops at the first failure.
GradcheckReport opcheck(const CustomOp& op, const TensorList& inputs, const GradcheckOptions& options = {});

template <class F>
requires std::is_invocable_r_v<Tensor, F, const Tensor&> GradcheckReport
gradcheck(F&& f, const Tensor& x, const GradcheckOptions& options = {}) {
  return gradcheck(detail::unary(f), TensorList{x}, options);
}
template <class F>
requires std::is_invocable_r_v<Tensor, F, const Tensor&> GradcheckReport
gradgradcheck(F&& f, const Tensor& x, const GradcheckOptions& options = {}) {
  return gradgradcheck(detail::unary(f), TensorList{x}, options);
}

}  // namespace cadena
