// Jacobians, Hessians, their products, gradients over structs: against closed forms, and nested.
#include "autodiff/transforms.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <tuple>

#include "autodiff/autodiff.hpp"
#include "autodiff/elementwise.hpp"

namespace cadena {
namespace {

using Values = std::vector<double>;

Values values(const Tensor& t) { return t.to_vector<double>(); }

void expect_near(const Tensor& got, const Values& expected, double tolerance = 1e-12) {
  const Values v = values(got);
  ASSERT_EQ(v.size(), expected.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    EXPECT_NEAR(v[i], expected[i], tolerance * std::max(1.0, std::abs(expected[i]))) << "element " << i;
}

/// Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2.
Tensor rosenbrock(const Tensor& x) {
  const auto n = x.size(0);
  const Tensor head = x.slice(0, {0, n - 1}), tail = x.slice(0, {1, n});
  return sum(100 * square(tail - square(head)) + square(1 - head));
}

Values rosenbrock_hessian(const Values& x) {
  const std::size_t n = x.size();
  Values h(n * n);
  for (std::size_t i = 0; i + 1 < n; ++i) {
    h[i * n + i] += 1200 * x[i] * x[i] - 400 * x[i + 1] + 2;
    h[(i + 1) * n + i + 1] += 200;
    h[i * n + i + 1] = h[(i + 1) * n + i] = -400 * x[i];
  }
  return h;
}

Values times(const Values& matrix, const Values& v) {
  Values out(v.size());
  for (std::size_t i = 0; i < v.size(); ++i)
    for (std::size_t j = 0; j < v.size(); ++j) out[i] += matrix[i * v.size() + j] * v[j];
  return out;
}

const Values point{-1.2, 1.0, 0.3, 0.7, -0.4};

TEST(Hessian, OfRosenbrock) {
  const Tensor x = tensor(point);
  const Tensor h = hessian(rosenbrock, x);
  EXPECT_EQ(h.shape(), (Shape{5, 5}));
  expect_near(h, rosenbrock_hessian(point));
  EXPECT_FALSE(h.requires_grad());
}

TEST(Hessian, ProductsAndTraceOfRosenbrock) {
  const Tensor x = tensor(point);
  const Values v{0.5, -1, 2, 0.25, -3};
  const Values expected = times(rosenbrock_hessian(point), v);
  const auto [value, forward] = hvp(rosenbrock, x, tensor(v));
  expect_near(forward, expected);
  EXPECT_EQ(value.item(), rosenbrock(x).item());
  EXPECT_FALSE(value.requires_grad());
  expect_near(vhp(rosenbrock, x, tensor(v)).vhp, expected);
  double trace = 0;
  for (std::size_t i = 0; i < 5; ++i) trace += rosenbrock_hessian(point)[i * 6];
  expect_near(laplacian(rosenbrock, x), {trace});
}

TEST(Hessian, OfAQuadraticFormAndOfSeveralInputs) {
  Generator g(1);
  const Tensor a = randn({3, 3}, g, f64), b = randn({3, 2}, g, f64);
  const Tensor x = randn({3}, g, f64), y = randn({2}, g, f64);
  const Function f = [&](const TensorList& in) {
    return TensorList{sum(in[0] * matmul(a, in[0])) + sum(in[0] * matmul(b, in[1]))};
  };
  const auto h = hessian(f, {x, y});
  EXPECT_TRUE(allclose(h[0][0], a + t(a), 1e-13, 1e-13));
  EXPECT_TRUE(allclose(h[0][1], b, 1e-13, 1e-13));
  EXPECT_TRUE(allclose(h[1][0], t(b), 1e-13, 1e-13));
  expect_near(h[1][1], {0, 0, 0, 0});
  const auto product = hvp(f, {x, y}, {x, y});
  EXPECT_TRUE(allclose(product.hvp[0], matmul(a + t(a), x) + matmul(b, y), 1e-13, 1e-13));
  EXPECT_TRUE(allclose(product.hvp[1], matmul(t(b), x), 1e-13, 1e-13));
  const auto back = vhp(f, {x, y}, {x, y});
  for (int i : {0, 1})
    EXPECT_TRUE(allclose(back.vhp[static_cast<std::size_t>(i)], product.hvp[static_cast<std::size_t>(i)],
                         1e-13, 1e-13));
}

TEST(Hessian, OfAMatrixArgumentHasBothShapes) {
  const Tensor x = tensor({{1., 2.}, {3., 4.}}, f64);
  const Tensor h = hessian([](const Tensor& m) { return sum(m * m * m); }, x);
  EXPECT_EQ(h.shape(), (Shape{2, 2, 2, 2}));
  const Tensor flat = h.reshape({4, 4});
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) EXPECT_EQ(flat[i][j].item(), i == j ? 6 * (i + 1) : 0);
}

TEST(Hessian, OfWhatHasNone) {
  const Tensor x = tensor({1., 2.}, f64);
  expect_near(hessian([](const Tensor& t) { return sum(3 * t); }, x), {0, 0, 0, 0});
  expect_near(hessian([](const Tensor&) { return ones({}, f64); }, x), {0, 0, 0, 0});
  expect_near(hvp([](const Tensor& t) { return sum(3 * t); }, x, x).hvp, {0, 0});
  expect_near(vhp([](const Tensor&) { return ones({}, f64); }, x, x).vhp, {0, 0});
  EXPECT_EQ(hessian([](const Tensor& t) { return sum(t * t); }, ones({0}, f64)).shape(), (Shape{0, 0}));
  EXPECT_EQ(laplacian([](const Tensor& t) { return sum(t * t); }, ones({0}, f64)).item(), 0);
}

TEST(Jacobian, OfSoftmaxInEveryMode) {
  const Tensor x = tensor({0.3, -1., 2.}, f64);
  Values p, expected;
  double total = 0;
  for (double v : values(x)) p.push_back(std::exp(v)), total += p.back();
  for (double& v : p) v /= total;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 3; ++j) expected.push_back(p[i] * ((i == j) - p[j]));
  auto f = [](const Tensor& t) { return softmax(t, 0); };
  for (auto mode : {JacobianMode::automatic, JacobianMode::forward, JacobianMode::reverse})
    expect_near(jacobian(f, x, {.mode = mode}), expected);
}

TEST(Jacobian, ShapesAreTheOutputsThenTheInputs) {
  const Tensor x = rand({2, 3}, f64);
  auto f = [](const Tensor& t) { return matmul(t, ones({3, 4}, f64)); };
  for (auto mode : {JacobianMode::forward, JacobianMode::reverse}) {
    const Tensor j = jacobian(f, x, {.mode = mode});
    EXPECT_EQ(j.shape(), (Shape{2, 4, 2, 3}));
    EXPECT_EQ(sum(j).item(), 2 * 4 * 3);
    EXPECT_EQ(jacobian([](const Tensor& t) { return t; }, ones({}, f64), {.mode = mode}).shape(), Shape{});
    EXPECT_EQ(jacobian([](const Tensor& t) { return 2 * t; }, ones({0, 2}, f64), {.mode = mode}).shape(),
              (Shape{0, 2, 0, 2}));
    EXPECT_EQ(jacobian([](const Tensor& t) { return t.to(f64); }, ones({2}, f32), {.mode = mode}).dtype(),
              f32);
  }
}

TEST(Jacobian, OfSeveralInputsAndOutputs) {
  const Function f = [](const TensorList& in) {
    return TensorList{in[0] * in[1], sum(in[0]), ones({2}, f64)};
  };
  const TensorList in{tensor({2., 3.}, f64), tensor({5., 7.}, f64)};
  for (auto mode : {JacobianMode::forward, JacobianMode::reverse}) {
    const auto j = jacobian(f, in, {.mode = mode});
    expect_near(j[0][0], {5, 0, 0, 7});
    expect_near(j[0][1], {2, 0, 0, 3});
    expect_near(j[1][0], {1, 1});
    expect_near(j[1][1], {0, 0});
    expect_near(j[2][0], {0, 0, 0, 0});
  }
}

TEST(Jacobian, AutomaticCountsElements) {
  // Which way it went shows in which rule of the op is called.
  int forward = 0, reverse = 0;
  CustomOp op{.name = "counting", .forward = [](const TensorList& x) { return sum(x[0]) * ones({3}, f64); }};
  op.vjp = [&](const Tensor& g, const TensorList& x, const Tensor&) {
    ++reverse;
    return TensorList{sum(g).expand(x[0].shape())};
  };
  op.jvp = [&](const TensorList& t, const TensorList&, const Tensor&) {
    ++forward;
    return sum(t[0]) * ones({3}, f64);
  };
  auto f = [&](const Tensor& x) { return op({x}); };
  jacobian(f, ones({2}, f64));
  EXPECT_EQ(forward, 2);
  EXPECT_EQ(reverse, 0);
  jacobian(f, ones({4}, f64));
  EXPECT_EQ(forward, 2);
  EXPECT_EQ(reverse, 3);
}

TEST(Nesting, ThirdDerivativesEveryWay) {
  // f = sum x^4: the third derivative is 24 x on the diagonal.
  auto f = [](const Tensor& x) { return sum(square(square(x))); };
  const Tensor x = tensor({0.5, -2.}, f64);
  const Values expected{12, 0, 0, 0, 0, 0, 0, -48};
  expect_near(jacobian([&](const Tensor& a) { return hessian(f, a); }, x), expected);
  expect_near(hessian([&](const Tensor& a) { return sum(grad(f)(a)); }, x), {12, 0, 0, -48});
  auto product = [&](const Tensor& a) { return hvp(f, a, ones({2}, f64)).hvp; };
  expect_near(jacobian(product, x, {.mode = JacobianMode::forward}), {12, 0, 0, -48});
  expect_near(jacobian(product, x, {.mode = JacobianMode::reverse}), {12, 0, 0, -48});
  auto trace = [&](const Tensor& a) { return laplacian(f, a); };
  expect_near(grad(trace)(x), {12, -48});
  expect_near(jvp([&](const Tensor& a) { return vhp(f, a, a).vhp; }, x, ones({2}, f64)).tangent,
              {36 * 0.25, 36 * 4.});
  // Fourth order: 24 on the diagonal.
  expect_near(hessian([&](const Tensor& a) { return sum(hessian(f, a)); }, x), {24, 0, 0, 24});
}

TEST(Nesting, GradOfGradOfGrad) {
  auto f = [](const Tensor& x) { return sin(x) * x; };
  const double v = 0.7;
  const Tensor x = full({}, v, f64);
  expect_near(grad(f)(x), {std::sin(v) + v * std::cos(v)});
  expect_near(grad(grad(f))(x), {2 * std::cos(v) - v * std::sin(v)});
  expect_near(grad(grad(grad(f)))(x), {-3 * std::sin(v) - v * std::cos(v)});
  // Generic lambdas, and forward over the function transform.
  expect_near(grad(grad([](const auto& t) { return exp(2 * t); }))(x), {4 * std::exp(2 * v)});
  expect_near(jvp(grad(f), x, ones({}, f64)).tangent, {2 * std::cos(v) - v * std::sin(v)});
}

TEST(Nesting, ResultsAreRecordedWhereTheyCanBeAskedFor) {
  auto f = [](const Tensor& t) { return sum(t * t * t); };
  Tensor x = tensor({1., 2.}, f64);
  EXPECT_FALSE(hessian(f, x).requires_grad());
  EXPECT_FALSE(grad(f)(x).requires_grad());
  x.requires_grad_();
  EXPECT_TRUE(hessian(f, x).requires_grad());
  expect_near(grad(sum(hessian(f, x)), x), {6, 6});
  expect_near(grad(sum(jacobian(f, x)), x), {6, 12});
  EXPECT_FALSE(hessian(f, x, {.create_graph = false}).requires_grad());
  {
    NoGrad guard;
    expect_near(hessian(f, x), {6, 0, 0, 12});
    EXPECT_FALSE(hessian(f, x).requires_grad());
  }
  // A captured tensor: d/dw of d/dx (w x^2) = 2x.
  Tensor w = full({}, 3, f64).requires_grad_();
  const Tensor g = grad([&](const Tensor& t) { return sum(w * t * t); })(x.detach());
  expect_near(grad(sum(g), w), {6});
  EXPECT_FALSE(x.grad().defined());
}

TEST(Nesting, UserFormulasAndForwardOverForward) {
  auto quartic = elementwise("quartic", [](auto x) { return x * x * x * x; });
  const Tensor x = tensor({0.5, -2.}, f64);
  expect_near(hessian([&](const Tensor& a) { return sum(quartic(a)); }, x), {3, 0, 0, 48});
  auto first = [&](const Tensor& a) {
    return jvp([&](const Tensor& b) { return quartic(b); }, a, ones_like(a)).tangent;
  };
  expect_near(jvp(first, x, ones_like(x)).tangent, {3, 48});
}

TEST(Nesting, ThirdOrderThroughACheckpointAndAUsersFormula) {
  // f = S^2 / 2 with S = sum h(x), h = t^2 exp(t).
  auto h = elementwise("square_exp", [](auto t) { return t * t * exp(t); });
  auto f = [&](const Tensor& x) {
    const Tensor s = sum(checkpoint([&](const Tensor& t) { return h(t); }, x));
    return s * s / 2;
  };
  const Values x{0.5, -1.2}, v{2, -1};
  double s = 0, change = 0, d1[2], d2[2], d3[2];
  for (std::size_t i = 0; i < 2; ++i) {
    const double t = x[i], e = std::exp(t);
    s += t * t * e;
    d1[i] = (t * t + 2 * t) * e, d2[i] = (t * t + 4 * t + 2) * e, d3[i] = (t * t + 6 * t + 6) * e;
    change += d1[i] * v[i];
  }
  Values hessian_of_f, product, third;
  for (std::size_t i = 0; i < 2; ++i) {
    product.push_back(d1[i] * change + s * d2[i] * v[i]);
    for (std::size_t j = 0; j < 2; ++j) {
      hessian_of_f.push_back(d1[i] * d1[j] + (i == j ? s * d2[i] : 0));
      third.push_back(d2[i] * v[i] * d1[j] + d1[i] * d2[j] * v[j] +
                      (i == j ? change * d2[i] + s * d3[i] * v[i] : 0));
    }
  }
  const Tensor at = tensor(x), along = tensor(v);
  expect_near(hessian(f, at), hessian_of_f);
  for (auto mode : {JacobianMode::forward, JacobianMode::reverse})
    expect_near(jacobian([&](const Tensor& t) { return grad(f)(t); }, at, {.mode = mode}), hessian_of_f);
  expect_near(jvp(grad(f), at, along).tangent, product);
  expect_near(hvp(f, at, along).hvp, product);
  expect_near(jvp([&](const Tensor& t) { return hessian(f, t); }, at, along).tangent, third);
  const Tensor all = jacobian([&](const Tensor& t) { return hessian(f, t); }, at);
  expect_near(sum(all * along, 2), third);
}

// Structs.

struct Layer {
  Tensor weight, bias;
};
struct Empty {};
class Private {
 public:
  Private() : scale_(full({}, 2, f64)) {}
  const Tensor& scale() const { return scale_; }
  void visit(auto& v) { v("scale", scale_); }

 private:
  Tensor scale_;
};
enum class Kind { plain, fancy };
struct Params {
  Layer first;
  std::vector<Layer> more;
  std::array<Tensor, 2> pair;
  std::tuple<Tensor, int> tuple;
  std::map<std::string, Tensor> named;
  Private hidden;
  Empty nothing;
  Tensor index, absent;
  double factor = 3;
  Kind kind = Kind::fancy;
  std::string label = "x";
};

Params some_params() {
  auto t = [](double a) { return full({2}, a, f64); };
  return {.first = {t(1), t(2)},
          .more = {{t(3), Tensor()}},
          .pair = {t(4), t(5)},
          .tuple = {t(6), 7},
          .named = {{"a", t(8)}},
          .hidden = {},
          .nothing = {},
          .index = tensor({1, 0}),
          .absent = {}};
}

Tensor loss_of(const Params& p) {
  Tensor all = p.first.weight * p.first.bias + square(p.more[0].weight) + p.pair[0] * p.pair[1] +
               std::get<0>(p.tuple) * p.named.at("a");
  return sum(index_select(all, 0, p.index)) * p.hidden.scale() * p.factor;
}

TEST(Structs, GradientHasTheTypeOfTheStruct) {
  const Params p = some_params();
  const auto [value, g] = value_and_grad(loss_of, p);
  EXPECT_EQ(value.item(), 2 * 3 * 2 * (2 + 9 + 20 + 48));
  EXPECT_FALSE(value.requires_grad());
  expect_near(g.first.weight, {12, 12});
  expect_near(g.first.bias, {6, 6});
  expect_near(g.more.at(0).weight, {36, 36});
  EXPECT_FALSE(g.more.at(0).bias.defined());
  expect_near(g.pair[0], {30, 30});
  expect_near(std::get<0>(g.tuple), {48, 48});
  EXPECT_EQ(std::get<1>(g.tuple), 7);
  expect_near(g.named.at("a"), {36, 36});
  expect_near(g.hidden.scale(), {2 * 3 * 79.});
  EXPECT_FALSE(g.index.defined());
  EXPECT_FALSE(g.absent.defined());
  EXPECT_EQ(g.factor, 3);
  EXPECT_EQ(g.label, "x");
}

TEST(Structs, SixteenFieldsAreFound) {
  struct Sixteen {
    Tensor a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p;
  } s;
  EXPECT_EQ(tensors_of(s).size(), 16u);
  EXPECT_EQ(tensors_of(s).back(), &s.p);
  struct Nine {
    Layer a, b;
    Tensor c;
    std::vector<Tensor> d;
    int e, f, g, h, i;
  } nine{{}, {}, {}, TensorList(3), 0, 0, 0, 0, 0};
  EXPECT_EQ(tensors_of(nine).size(), 8u);
  Params p = some_params();
  EXPECT_EQ(tensors_of(p).size(), 11u);
}

TEST(Structs, NestAndTakeConstantsAndAux) {
  const Layer p{full({}, 2, f64), full({}, 5, f64)};
  auto f = [](const Layer& l, double k) { return l.weight * l.weight * l.weight * l.bias * k; };
  const Layer g = grad(f)(p, 10);
  expect_near(g.weight, {600});
  expect_near(g.bias, {80});
  // The gradient of one field of the gradient.
  auto second = [&](const Layer& l) { return grad(f)(l, 10).weight; };
  const auto [value, h] = value_and_grad(second)(p);
  expect_near(value, {600});
  expect_near(h.weight, {600});
  expect_near(h.bias, {120});
  auto with_aux = [](const Layer& l) {
    const Tensor y = l.weight * l.bias;
    return std::pair(y * y, std::tuple(y, std::string("seen")));
  };
  const auto [v, d, aux] = value_and_grad(with_aux, p);
  expect_near(v, {100});
  expect_near(d.bias, {40});
  expect_near(std::get<0>(aux), {10});
  EXPECT_FALSE(std::get<0>(aux).requires_grad());
  EXPECT_EQ(std::get<1>(aux), "seen");
  EXPECT_EQ(std::get<1>(grad(with_aux)(p).second), "seen");
  // Aux is part of what an outer transform differentiates.
  auto outer = [&](const Tensor& w) {
    auto [value, gradient, extra] = value_and_grad(with_aux, Layer{w, p.bias});
    return std::get<0>(extra);
  };
  expect_near(grad(outer)(p.weight), {5});
}

TEST(Structs, ListsAndSingleTensorsAsFunctions) {
  const TensorList x{full({}, 2, f64), full({}, 5, f64)};
  auto f = [](const TensorList& in) { return in[0] * in[0] * in[1]; };
  const TensorList g = grad(f)(x);
  expect_near(g[0], {20});
  expect_near(g[1], {4});
  auto aux = [](const Tensor& t) { return std::pair(t * t, 7); };
  const auto r = value_and_grad(aux)(x[0]);
  expect_near(r.grad, {4});
  EXPECT_EQ(r.aux, 7);
}

TEST(TransformErrors, AreTyped) {
  auto f = [](const Tensor& x) { return 2 * x; };
  const Tensor x = ones({2}, f64);
  EXPECT_THROW(hessian(f, x), ShapeError);
  EXPECT_THROW(hvp(f, x, x), ShapeError);
  EXPECT_THROW(laplacian(f, x), ShapeError);
  EXPECT_THROW(grad(f)(x), ShapeError);
  EXPECT_THROW(grad([](const Tensor& t) { return ones({}) * sum(t.detach()).expand({2}); })(x), ShapeError);
  EXPECT_THROW(hvp(rosenbrock, x, ones({3}, f64)), ShapeError);
  EXPECT_THROW(vhp(rosenbrock, x, ones({2}, f32)), DtypeError);
  const Function list = [](const TensorList& in) { return TensorList{sum(in[0])}; };
  EXPECT_THROW(hvp(list, {x}, TensorList{}), ValueError);
  EXPECT_THROW(jacobian(f, arange(3)), DtypeError);
  auto wide = [](const Tensor& t) { return t.reshape({1, 1, 1, 1, 2}); };
  EXPECT_THROW(jacobian(wide, ones({1, 1, 1, 2}, f64)), ShapeError);
}

}  // namespace
}  // namespace cadena
