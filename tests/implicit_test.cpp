// Fixed points and roots against closed forms, to several orders, and the ways they fail.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/transforms.hpp"

namespace cadena {
namespace {

using L = const TensorList&;
using T = const Tensor&;

/// Newton's iteration for sqrt(a), as a contraction.
Tensor heron(T x, L p) { return 0.5 * (x + p[0] / x); }

TEST(FixedPoint, SquareRootToThirdOrder) {
  const double a = 2.7;
  auto root_of = [](T p) { return fixed_point(heron, ones({}, f64), {p}, {.tol = 1e-15}); };
  const Tensor p = full({}, a, f64);
  EXPECT_NEAR(root_of(p).item(), std::sqrt(a), 1e-15);
  EXPECT_FALSE(root_of(p).requires_grad());
  EXPECT_NEAR(grad(root_of)(p).item(), 0.5 / std::sqrt(a), 1e-14);
  EXPECT_NEAR(grad(grad(root_of))(p).item(), -0.25 * std::pow(a, -1.5), 1e-13);
  EXPECT_NEAR(grad(grad(grad(root_of)))(p).item(), 0.375 * std::pow(a, -2.5), 1e-12);
  EXPECT_NEAR(hessian(root_of, p).item(), -0.25 * std::pow(a, -1.5), 1e-13);
  EXPECT_NEAR(jvp(root_of, p, ones({}, f64)).tangent.item(), 0.5 / std::sqrt(a), 1e-14);
  auto first = [&](T q) { return jvp(root_of, q, ones({}, f64)).tangent; };
  EXPECT_NEAR(jvp(first, p, ones({}, f64)).tangent.item(), -0.25 * std::pow(a, -1.5), 1e-13);
}

TEST(FixedPoint, LinearSystemMatchesItsInverse) {
  // x = A x + b: x = (I - A)^-1 b, dx/db = (I - A)^-1.
  const Tensor a = tensor({{0.3, -0.2}, {0.4, 0.1}}, f64), b = tensor({1., -2.}, f64);
  const double det = 0.7 * 0.9 + 0.2 * 0.4;
  const std::vector<double> inverse{0.9 / det, -0.2 / det, 0.4 / det, 0.7 / det};
  auto solve = [&](T rhs) {
    return fixed_point([&](T x, L p) { return matmul(a, x) + p[0]; }, zeros({2}, f64), {rhs}, {.tol = 1e-15});
  };
  const Tensor x = solve(b);
  EXPECT_NEAR(x[0].item(), inverse[0] - 2 * inverse[1], 1e-13);
  for (auto mode : {JacobianMode::forward, JacobianMode::reverse}) {
    const auto j = jacobian(solve, b, {.mode = mode}).to_vector<double>();
    for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(j[i], inverse[i], 1e-13);
  }
}

TEST(FixedPoint, ALayerWithinDifferences) {
  Generator g(4);
  const Tensor w = randn({6, 6}, g, f64) * 0.12, u = randn({6, 3}, g, f64), x = randn({2, 3}, g, f64);
  const Function f = [](L in) {
    auto layer = [](T z, L p) { return tanh(matmul(z, p[0]) + matmul(p[2], t(p[1]))); };
    return TensorList{fixed_point(layer, zeros({2, 6}, f64), in, {.tol = 1e-15})};
  };
  EXPECT_TRUE(gradcheck(f, {w, u, x}));
  EXPECT_TRUE(gradgradcheck(f, {w, u, x}));
}

TEST(FixedPoint, CapturedTensorsAndCheckpoints) {
  Tensor a = full({}, 2, f64).requires_grad_();
  const Tensor x = fixed_point([a](T x, L) { return checkpoint([a](T t) { return 0.5 * (t + a / t); }, x); },
                               ones({}, f64));
  EXPECT_NEAR(x.item(), std::sqrt(2), 1e-14);
  EXPECT_NEAR(grad(x, a).item(), 0.5 / std::sqrt(2), 1e-13);
}

TEST(Root, OfACubicAndOfASystem) {
  // x^3 + x = a; x' = 1 / (3 x^2 + 1), x'' = -6 x x'^3.
  auto f = [](T a) { return root([](T x, L p) { return x * x * x + x - p[0]; }, ones({}, f64), {a}); };
  const Tensor a = full({}, 10, f64);
  EXPECT_NEAR(f(a).item(), 2, 1e-14);
  EXPECT_NEAR(grad(f)(a).item(), 1 / 13., 1e-14);
  EXPECT_NEAR(grad(grad(f))(a).item(), -12 / std::pow(13., 3), 1e-13);
  // A circle and a line, x^2 + y^2 = r^2, y = s x.
  const Function system = [](L in) {
    auto equations = [](T v, L p) { return stack({sum(v * v) - p[0] * p[0], v[1] - p[1] * v[0]}); };
    return TensorList{root(equations, tensor({1., 0.5}, f64), in)};
  };
  const TensorList p{full({}, 5, f64), full({}, 0.75, f64)};
  const Tensor v = system(p)[0];
  EXPECT_NEAR(v[0].item(), 4, 1e-13);
  EXPECT_NEAR(v[1].item(), 3, 1e-13);
  EXPECT_TRUE(gradcheck(system, p));
  EXPECT_TRUE(gradgradcheck(system, p));
}

TEST(Root, ManyUnknowns) {
  // A discrete boundary value problem, -x'' + x^3 = p, far from a contraction.
  const std::int64_t n = 60;
  Generator g(2);
  const Tensor p = rand({n}, g, f64);
  auto solve = [&](T load) {
    return root(
        [&](T x, L q) {
          const Tensor wide = pad(x, {{1, 1}});
          return 9. * (2 * x - wide.slice(0, {0, n}) - wide.slice(0, {2, n + 2})) + x * x * x - q[0];
        },
        zeros({n}, f64), {load});
  };
  const Tensor x = solve(p), v = randn({n}, g, f64);
  const Tensor along = jvp(solve, p, v).tangent, step = 1e-4 * v;
  const Tensor difference = (solve(p + step) - solve(p - step)) / 2e-4;
  EXPECT_TRUE(allclose(along, difference, 1e-6, 1e-7));
  const Tensor w = randn({n}, g, f64);
  const Tensor back = grad([&](T q) { return sum(solve(q) * w); })(p);
  EXPECT_NEAR(sum(along * w).item(), sum(back * v).item(), 1e-10);
}

TEST(Implicit, SingleAndDouble) {
  const Tensor x = fixed_point([](T x, L) { return cos(x); }, ones({3}));
  EXPECT_EQ(x.dtype(), f32);
  EXPECT_NEAR(x[0].item(), 0.7390851, 1e-4);
  EXPECT_EQ(fixed_point([](T x, L) { return 0.5 * x; }, ones({0})).shape(), (Shape{0}));
}

template <class E, class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Implicit, FailuresAreTyped) {
  Tensor a = full({}, 3, f64).requires_grad_();
  auto message = [](auto f) { return message_of<ConvergenceError>(f); };
  EXPECT_EQ(message([&] {
              fixed_point([](T x, L) { return 2 * x; }, ones({}, f64), {}, {.max_iter = 50});
            }).rfind("[fixed_point] expected x = f(x) to be reached within 50", 0),
            0u);
  EXPECT_EQ(message([&] {
              fixed_point([](T x, L) { return exp(x); }, ones({}, f64));
            }).rfind("[fixed_point] expected finite", 0),
            0u);
  EXPECT_EQ(message([&] { root([](T x, L) { return x * x + 1; }, ones({}, f64)); }).rfind("[root]", 0), 0u);
  // Every x is a fixed point: the solution does not determine its derivative.
  const Tensor x = fixed_point([](T x, L p) { return x + 0 * p[0]; }, ones({}, f64), {a});
  EXPECT_EQ(message([&] { x.backward(); }).rfind("[fixed_point] expected the linear system", 0), 0u);
  EXPECT_FALSE(a.grad().defined());
  EXPECT_THROW(fixed_point([](T x, L) { return cat({x, x}); }, ones({1}, f64)), ShapeError);
  EXPECT_THROW(fixed_point([](T x, L) { return x.to(f32); }, ones({1}, f64)), DtypeError);
  EXPECT_THROW(root([](T x, L) { return sum(x); }, ones({2}, f64)), ShapeError);
  EXPECT_THROW(root([](T x, L) { return x; }, ones({2}), {}, {.tol = -1}), ValueError);
}

// CustomOp with a reference.

CustomOp softsign() {
  return {.name = "softsign",
          .forward = [](L x) { return x[0] / (1 + abs(x[0])); },
          .vjp = [](T g, L x, T) { return TensorList{g / square(1 + abs(x[0].detach()))}; },
          .jvp = [](L t, L x, T) { return t[0] / square(1 + abs(x[0].detach())); },
          .reference = [](L x) { return x[0] / (1 + abs(x[0])); }};
}

TEST(CustomOpReference, GivesTheHigherOrders) {
  // The rules detach: on their own their second derivative would be zero.
  const CustomOp op = softsign();
  const Tensor x = tensor({0.5, -2.}, f64);
  EXPECT_TRUE(opcheck(op, {x}));
  auto f = [&](T t) { return op({t}); };
  EXPECT_NEAR(hessian([&](T t) { return sum(f(t)); }, x).to_vector<double>()[0], -2 / std::pow(1.5, 3),
              1e-14);
  auto first = [&](T t) { return jvp(f, t, ones_like(t)).tangent; };
  EXPECT_NEAR(jvp(first, x, ones_like(x)).tangent[0].item(), -2 / std::pow(1.5, 3), 1e-14);
  CustomOp bare = op;
  bare.reference = {};
  const auto report = opcheck(bare, {x});
  EXPECT_FALSE(report);
}

TEST(CustomOpReference, AloneIsEnough) {
  const CustomOp op{.name = "cubed",
                    .forward = [](L x) { return (x[0] * x[0] * x[0]).detach(); },
                    .reference = [](L x) { return x[0] * x[0] * x[0]; }};
  EXPECT_TRUE(opcheck(op, {tensor({0.5, -2.}, f64)}));
}

TEST(CustomOpReference, DifferencesAreNamed) {
  const TensorList x{tensor({0.5, -2.}, f64)};
  CustomOp wrong = softsign();
  wrong.forward = [](L in) { return in[0] / (1.001 + abs(in[0])); };
  EXPECT_EQ(opcheck(wrong, x).text.rfind("value at element", 0), 0u);
  wrong = softsign();
  wrong.vjp = [](T g, L, T) { return TensorList{g}; };
  EXPECT_EQ(opcheck(wrong, x).text.rfind("vjp, input 0 at element", 0), 0u);
  wrong = softsign();
  wrong.jvp = [](L t, L, T) { return 2 * t[0]; };
  EXPECT_EQ(opcheck(wrong, x).text.rfind("jvp at element", 0), 0u);
  wrong = softsign();
  wrong.reference = [](L in) { return sum(in[0]); };
  EXPECT_FALSE(opcheck(wrong, x));
}

}  // namespace
}  // namespace cadena
