// What is shown of a recorded graph: formulas against the numbers that the operations compute, the course's
// example against numbers worked out by hand, and every wrong use.
#include "autodiff/inspect.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/elementwise.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

const GraphNode& node(const Graph& g, const std::string& name) {
  for (const auto& n : g.nodes)
    if (n.name == name) return n;
  throw ValueError("no node " + name);
}

std::string text_of(const Symbol& s) { return s.to_string(); }

// ---- Formulas

const Symbol x = Symbol::variable("x"), y = Symbol::variable("y"), z = Symbol::variable("z");

TEST(Symbol, ParenthesesOnlyWhereTheyAreNeeded) {
  EXPECT_EQ(text_of(1 - y * y), "1 - y^2");
  EXPECT_EQ((1 - y * y).latex(), "1 - y^{2}");
  EXPECT_EQ(text_of((x + y) * z), "(x + y) * z");
  EXPECT_EQ(text_of(x + y + z), "x + y + z");
  EXPECT_EQ(text_of(x - (y - z)), "x - (y - z)");
  EXPECT_EQ(text_of(x - (y + z)), "x - (y + z)");
  EXPECT_EQ(text_of(x / (y / z)), "x / (y / z)");
  EXPECT_EQ(text_of(x * (y / z)), "x * (y / z)");
  EXPECT_EQ(text_of(x / y / z), "x / y / z");
  EXPECT_EQ(text_of(-(x + y)), "-(x + y)");
  EXPECT_EQ(text_of(pow(-x, 2)), "(-x)^2");
  EXPECT_EQ(text_of(-pow(x, 2)), "-x^2");
  EXPECT_EQ(text_of(pow(x, y + 1)), "x^(y + 1)");
  EXPECT_EQ(text_of(pow(pow(x, 2), 3)), "(x^2)^3");
  EXPECT_EQ(text_of(pow(x, -2)), "x^(-2)");
  EXPECT_EQ(text_of(1 / (1 + exp(-x))), "1 / (1 + exp(-x))");
  EXPECT_EQ((1 / (1 + exp(-x))).latex(), "\\frac{1}{1 + e^{-x}}");
  EXPECT_EQ(pow(exp(x), 2).latex(), "\\left(e^{x}\\right)^{2}");
  EXPECT_EQ(pow(x / y, 2).latex(), "\\left(\\frac{x}{y}\\right)^{2}");
  EXPECT_EQ((2 * x).latex(), "2 x");
  EXPECT_EQ((x * 2).latex(), "x \\cdot 2");
  EXPECT_EQ(text_of(where(x > 0, 1, where(x < 0, -1, 0)) * y), "(1 if x > 0 else -1 if x < 0 else 0) * y");
  EXPECT_EQ(where(x >= 0, x, 0).latex(),
            "\\begin{cases} x & x \\ge 0 \\\\ 0 & \\text{otherwise} \\end{cases}");
  EXPECT_EQ(where(x >= 0, x, 0).to_string({.language = Language::es}), "x si x >= 0 si no 0");
  EXPECT_EQ(text_of(where((x > 0) & !(y <= 1), 1, 0)), "1 if x > 0 and not (y <= 1) else 0");
  EXPECT_EQ(Symbol(1e-5).latex(), "10^{-5}");
  EXPECT_EQ(abs(x).latex(), "\\left|x\\right|");
}

TEST(Symbol, SimplifiesLightly) {
  EXPECT_EQ(text_of(1 * x + 0), "x");
  EXPECT_EQ(text_of(x * 1 - 0), "x");
  EXPECT_EQ(text_of(0 * x), "0");
  EXPECT_EQ(text_of(-(-x)), "x");
  EXPECT_EQ(text_of(x + -y), "x - y");
  EXPECT_EQ(text_of(x - -y), "x + y");
  EXPECT_EQ(text_of(x + -2), "x - 2");
  EXPECT_EQ(text_of(-x * -y), "x * y");
  EXPECT_EQ(text_of(x * x), "x^2");
  EXPECT_EQ(text_of(square(x + 1)), "(x + 1)^2");
  EXPECT_EQ(text_of(x * x * x), "x^3");
  EXPECT_EQ(text_of(where(x > 0, where(x < 6, 1, 0), 0)), "1 if x > 0 and x < 6 else 0");
  EXPECT_EQ(text_of(where(isnan(x), x, 0)), "0");          // a convention of all formulas
  EXPECT_EQ(text_of(where(eq(x, 0), 0, x * y)), "x * y");  // 0 wins over infinity
  EXPECT_EQ(text_of(where(eq(x, 0), 1, x * y)), "1 if x == 0 else x * y");
  EXPECT_EQ(text_of(where(eq(x, -INFINITY), 0, x * y)), "x * y");
}

TEST(Symbol, InsertsNumbersWithoutComputing) {
  EXPECT_EQ((1 - y * y).insert({{"y", 0.762}}).to_string(), "1 - 0.762^2");
  EXPECT_EQ((x - y).insert({{"x", -1}, {"y", -3}}).to_string(), "-1 - (-3)");
  EXPECT_EQ(square(y).insert({{"y", -0.5}}).to_string(), "(-0.5)^2");
  EXPECT_EQ(where(y > 0, 1, 0).insert({{"y", 2}}).to_string(), "1");
  EXPECT_EQ((x + 0.123456789).to_string({.digits = 3}), "x + 0.123");
  EXPECT_EQ((x * y).substitute({{"x", 1}}).to_string(), "y");
  EXPECT_EQ((x * y).evaluate({{"x", 3}, {"y", 0.5}}), 1.5);
  EXPECT_THROW(x.evaluate({}), ValueError);
  EXPECT_THROW(Symbol::call("no_such_function", {x}).evaluate({{"x", 1}}), ValueError);
}

TEST(Symbol, NamesInLatex) {
  EXPECT_EQ(latex_name("x"), "x");
  EXPECT_EQ(latex_name("w1"), "w_{1}");
  EXPECT_EQ(latex_name("w_out"), "w_{\\mathrm{out}}");
  EXPECT_EQ(latex_name("theta"), "\\theta");
  EXPECT_EQ(latex_name("sigma2"), "\\sigma_{2}");
  EXPECT_EQ(latex_name("fc1.weight"), "\\mathrm{fc1.weight}");
  EXPECT_EQ(latex_name("a_b_c"), "\\mathrm{a\\_b\\_c}");
}

TEST(Formulas, ByName) {
  EXPECT_EQ(formula_of("tanh").derivatives[0].text, "1 - y^2");
  EXPECT_EQ(formula_of("tanh").derivatives[0].latex, "1 - y^{2}");
  EXPECT_EQ(formula_of("sigmoid").value.text, "1 / (1 + exp(-x))");
  EXPECT_EQ(formula_of("relu").derivatives[0].text, "1 if y > 0 else 0");
  EXPECT_EQ(formula_of("matmul").derivatives[0].text, "dA = G B^T, dB = A^T G");
  EXPECT_EQ(formula_of("matmul").derivatives[0].latex, "dA = G B^T,\\ dB = A^T G");
  EXPECT_THROW(formula_of("no_such_op"), ValueError);
}

/// The trees, evaluated, against what the fused loops compute: the text is the op, not a copy of it.
TEST(Formulas, TreesGiveTheOperationsValueAndDerivatives) {
  detail::Sampler sampler(7);
  for (const auto& row : detail::op_table()) {
    const OpFormula f = formula_of(row.meta.name);
    if (!f.symbols) continue;
    for (int trial = 0; trial < 5; ++trial) {
      auto call = row.samples(sampler).at(0).call;
      std::map<std::string, double> at;
      TensorList inputs;
      for (std::size_t i = 0; i < f.symbols->arguments.size(); ++i) {
        inputs.push_back(sampler.draw({}, row.meta.domain[i]).requires_grad_());
        at[f.symbols->arguments[i]] = inputs[i].item();
      }
      const Tensor value = call(inputs);
      at["y"] = value.item();
      const auto near = [](double expected) { return 1e-9 * (1 + std::abs(expected)); };
      EXPECT_NEAR(f.symbols->value.evaluate(at), at["y"], near(at["y"])) << row.meta.name;
      const TensorList g = grad(TensorList{value}, inputs, {.retain_graph = true, .allow_unused = true});
      for (std::size_t i = 0; i < inputs.size(); ++i) {
        const double expected = g[i].defined() ? g[i].item() : 0;
        EXPECT_NEAR(f.symbols->derivatives[i].evaluate(at), expected, near(expected))
            << row.meta.name << " by " << i;
      }
    }
  }
}

TEST(Formulas, UsersLambdasAreReadToo) {
  const auto swish = elementwise("swish", [](auto a) { return a / (1 + exp(-a)); });
  Tensor u = tensor(0.5, f64).requires_grad_();
  const Graph g = inspect(swish(u), {{"u", u}});
  EXPECT_EQ(g.nodes[1].formula.text, "u / (1 + exp(-u))");
  EXPECT_EQ(g.nodes[1].inputs[0].derivative.text,
            "1 / (1 + exp(-u)) + u / (1 + exp(-u)) / (1 + exp(-u)) * exp(-u)");
  const auto leaky = elementwise("leaky", [](auto a) { return where(a > 0, a, 0.1 * a); });
  const Graph h = inspect(leaky(u), {{"u", u}});
  EXPECT_EQ(h.nodes[1].formula.text, "u if u > 0 else 0.1 * u");
  EXPECT_EQ(h.nodes[1].inputs[0].derivative.text, "1 if u > 0 else 0.1");
}

TEST(Formulas, OnesTooLongToReadAreNamed) {
  const auto loop = elementwise("loop", [](auto a) {
    auto b = a;
    for (int i = 0; i < 60; ++i) b = b + sin(b);  // written out: 2^60 terms
    return b;
  });
  Tensor u = tensor(0.5, f64).requires_grad_();
  EXPECT_EQ(inspect(loop(u), {{"u", u}}).nodes[1].formula.text, "loop(u)");
}

// ---- The graph

/// A neuron with numbers that can be worked out by hand: f = (x + y) * max(y, z) at (1, 2, 0).
TEST(Inspect, TheExampleOfTheCourse) {
  Tensor a = tensor(1.0, f64).requires_grad_(), b = tensor(2.0, f64).requires_grad_(),
         c = tensor(0.0, f64).requires_grad_();
  const Tensor f = (a + b) * maximum(b, c);
  const Graph g = inspect(f, {{"x", a}, {"y", b}, {"z", c}, {"f", f}});
  EXPECT_EQ(node(g, "f").value.item(), 6);
  EXPECT_EQ(node(g, "x").grad.item(), 2);
  EXPECT_EQ(node(g, "y").grad.item(), 5);  // 2 by the sum and 3 by the maximum
  EXPECT_EQ(node(g, "z").grad.item(), 0);
  EXPECT_EQ(g.nodes[g.output].name, "f");
  const GraphNode& product = node(g, "f");
  ASSERT_EQ(product.inputs.size(), 2u);
  EXPECT_EQ(product.grad.item(), 1);
  EXPECT_EQ(product.inputs[0].local.item(), 2);
  EXPECT_EQ(product.inputs[1].local.item(), 3);
  EXPECT_EQ(product.inputs[0].product.item(), 2);
  for (const auto& n : g.nodes)
    for (const auto& input : n.inputs) EXPECT_LT(input.source, static_cast<std::size_t>(&n - g.nodes.data()));
  EXPECT_FALSE(a.grad().defined());
  f.backward();  // the graph is still there
  EXPECT_EQ(b.grad().item(), 5);
}

/// tanh neuron: w = 0.5, x = 2, b = -1, t = 1: z = 0, y = 0, loss = 1, dloss/dy = -2, dloss/dw = -4.
TEST(Explain, SaysWhatOneWritesByHand) {
  Tensor w = tensor(0.5, f64).requires_grad_(), b = tensor(-1.0, f64).requires_grad_();
  const Tensor in = tensor(2.0, f64), t = tensor(1.0, f64);
  const Tensor p = w * in, v = p + b, out = tanh(v), loss = square(out - t);
  const auto e = explain(loss, {{"w", w}, {"b", b}, {"x", in}, {"t", t}, {"z", v}, {"y", out}});
  EXPECT_EQ(e.text(), R"(forward
  name  formula   numbers   value
  w     leaf                0.5
  b     leaf                -1
  x     constant            2
  v1    w * x     0.5 * 2   1
  z     v1 + b    1 + (-1)  0
  y     tanh(z)   tanh(0)   0
  t     constant            1
  v2    y - t     0 - 1     -1
  loss  v2^2      (-1)^2    1

backward
  node  upstream  to  local derivative  numbers   value  product
  loss  1         v2  2 * v2            2 * (-1)  -2     -2
  v2    -2        y   1                           1      -2
  y     -2        z   1 - y^2           1 - 0^2   1      -2
  z     -2        v1  1                           1      -2
                  b   1                           1      -2
  v1    -2        w   x                           2      -4

gradients
  name  gradient
  w     -4
  b     -2
)");
  EXPECT_EQ(e.latex(), R"(\begin{align*}
w &= 0.5 \\
b &= -1 \\
x &= 2 \\
v_{1} &= w x = 0.5 \cdot 2 = 1 \\
z &= v_{1} + b = 1 + \left(-1\right) = 0 \\
y &= \tanh\left(z\right) = \tanh\left(0\right) = 0 \\
t &= 1 \\
v_{2} &= y - t = 0 - 1 = -1 \\
\mathrm{loss} &= v_{2}^{2} = \left(-1\right)^{2} = 1 \\
\frac{\partial \mathrm{loss}}{\partial \mathrm{loss}} &= 1 \\
\frac{\partial \mathrm{loss}}{\partial v_{2}} &= \frac{\partial \mathrm{loss}}{\partial \mathrm{loss}} \cdot \left(2 v_{2}\right) = 1 \cdot \left(2 \left(-1\right)\right) = -2 \\
\frac{\partial \mathrm{loss}}{\partial y} &= \frac{\partial \mathrm{loss}}{\partial v_{2}} = -2 \\
\frac{\partial \mathrm{loss}}{\partial z} &= \frac{\partial \mathrm{loss}}{\partial y} \cdot \left(1 - y^{2}\right) = -2 \cdot \left(1 - 0^{2}\right) = -2 \\
\frac{\partial \mathrm{loss}}{\partial v_{1}} &= \frac{\partial \mathrm{loss}}{\partial z} = -2 \\
\frac{\partial \mathrm{loss}}{\partial b} &= \frac{\partial \mathrm{loss}}{\partial z} = -2 \\
\frac{\partial \mathrm{loss}}{\partial w} &= \frac{\partial \mathrm{loss}}{\partial v_{1}} \cdot x = -2 \cdot 2 = -4
\end{align*}
)");
  const auto es = explain(loss, {{"w", w}}, {.language = Language::es}).text();
  EXPECT_NE(es.find("hacia atrás"), es.npos);
  EXPECT_NE(es.find("derivada local"), es.npos);
}

TEST(Explain, SummarisesLargeTensors) {
  Tensor m = full({10, 10}, 2.0, f64).requires_grad_();
  const auto e = explain(sum(m), {{"m", m}}).text();
  EXPECT_NE(e.find("mean 2, min 2, max 2, norm 20"), e.npos) << e;
  EXPECT_NE(e.find("(10, 10)"), e.npos) << e;
}

TEST(Inspect, MatricesShowTheRuleInsteadOfALocalDerivative) {
  Tensor a = ones({2, 3}, f64).requires_grad_();
  const Tensor b = ones({3, 2}, f64);
  const Graph g = inspect(sum(matmul(a, b)), {{"A", a}, {"B", b}});
  const GraphNode& product = node(g, "v1");
  EXPECT_EQ(product.formula.text, "matmul(A, B)");
  EXPECT_EQ(product.rule.text, "dA = G B^T, dB = A^T G");
  EXPECT_FALSE(product.inputs[0].local.defined());
  EXPECT_EQ(product.inputs[0].product.to_vector<double>(), std::vector<double>(6, 2.0));
  EXPECT_TRUE(product.shape == (Shape{2, 2}));
  EXPECT_EQ(node(g, "B").kind, GraphNode::Kind::constant);
}

TEST(Inspect, GradientsAreThoseOfTheEngine) {
  manual_seed(3);
  nn::Sequential net(nn::Linear(3, 5), nn::Tanh(), nn::Linear(5, 4));
  const Tensor in = randn({6, 3}), target = randint(0, 4, {6});
  const Tensor loss = cross_entropy(net(in), target) + 0.1 * sum(square(net.at<nn::Linear>(0).weight));
  const Graph g = inspect(loss, net.named_parameters());
  loss.backward();
  for (const auto& [name, parameter] : net.named_parameters()) {
    EXPECT_TRUE(allclose(node(g, name).grad, parameter.grad(), 0, 0)) << name;
    EXPECT_TRUE(allclose(node(g, name).value, parameter, 0, 0)) << name;
  }
}

TEST(Inspect, ValuesThatTheGraphDoesNotKeep) {
  Tensor w = tensor({1.0, 2.0}, f64).requires_grad_();
  const auto model = [&] { return sum((w + 10) * 3); };
  // Without the constant 10 nothing can be known of the sum, but its shape can.
  const Graph bare = inspect(model(), {{"w", w}});
  EXPECT_FALSE(node(bare, "c1").value.defined());
  EXPECT_FALSE(node(bare, "c1").shape_known);
  EXPECT_FALSE(node(bare, "v1").value.defined());
  EXPECT_NE(explain(model(), {{"w", w}}).text().find("record under a Trace"), std::string::npos);
  Tensor loss;
  {
    Trace trace;
    loss = model();
  }
  const Graph full_graph = inspect(loss, {{"w", w}});
  EXPECT_EQ(node(full_graph, "c1").value.item(), 10);
  EXPECT_EQ(node(full_graph, "v1").value.to_vector<double>(), (std::vector<double>{11, 12}));
  EXPECT_EQ(node(full_graph, "v2").value.to_vector<double>(), (std::vector<double>{33, 36}));
  EXPECT_EQ(node(full_graph, "v1").formula.text, "w + 10");
}

TEST(Inspect, LeavesThatChangedSinceAreNoticed) {
  Tensor b = tensor({1.0, 2.0}, f64).requires_grad_();
  const Tensor loss = sum(exp(b + b));
  {
    NoGrad guard;
    b.add_(ones({2}, f64));
  }
  EXPECT_THROW(inspect(loss, {{"b", b}}), GraphError);
}

TEST(Inspect, AnOverwrittenLossIsRefused) {
  Tensor b = tensor({1.0, 2.0}, f64).requires_grad_();
  const Tensor loss = sum(exp(b));
  loss.detach().mutable_data<double>()[0] = 5;
  EXPECT_THROW(inspect(loss), GraphError);
}

TEST(Inspect, RepeatedAndUnusedInputs) {
  Tensor w = tensor(3.0, f64).requires_grad_(), unused = tensor(1.0, f64).requires_grad_();
  const Graph g = inspect(w * w + 0 * heaviside(w, unused), {{"w", w}, {"u", unused}});
  EXPECT_EQ(node(g, "w").grad.item(), 6);
  EXPECT_FALSE(node(g, "u").grad.defined());
  const auto e = explain(w * w, {{"w", w}}).text();
  EXPECT_NE(e.find("3 + 3"), e.npos) << e;  // the leaf's gradient is a sum
  const Graph leaf = inspect(w, {{"w", w}});
  ASSERT_EQ(leaf.nodes.size(), 1u);
  EXPECT_EQ(leaf.nodes[0].grad.item(), 1);
  EXPECT_NO_THROW(explain(w).latex());
}

TEST(Inspect, SeveralElementsNeedASeed) {
  Tensor w = tensor({1.0, 2.0}, f64).requires_grad_();
  EXPECT_THROW(inspect(w * 2), GraphError);
  const Graph g = inspect(w * 2, {{"w", w}}, {.seed = tensor({1.0, 10.0}, f64)});
  EXPECT_EQ(node(g, "w").grad.to_vector<double>(), (std::vector<double>{2, 20}));
  EXPECT_THROW(inspect(w * 2, {}, {.seed = ones({3}, f64)}), ShapeError);
  EXPECT_THROW(inspect(w * 2, {}, {.seed = ones({2}, f32)}), DtypeError);
}

TEST(Inspect, WrongUseIsAnError) {
  Tensor w = tensor(1.0, f64).requires_grad_();
  EXPECT_THROW(inspect(Tensor()), GraphError);
  EXPECT_THROW(inspect(tensor(1.0)), GraphError);
  EXPECT_THROW(inspect(w * 2, {{"a", w}, {"a", w}}), ValueError);
  EXPECT_THROW(inspect(w * 2, {{"", w}}), ValueError);
  EXPECT_THROW(inspect(w * 2, {{"a", Tensor()}}), ValueError);
  EXPECT_THROW(inspect(w * 2, {}, {.max_nodes = 0}), ValueError);
  const Tensor used = exp(w);
  used.backward();
  EXPECT_THROW(inspect(used), GraphError);
  EXPECT_THROW(NamedScope(""), ValueError);
}

TEST(Inspect, AMillionNodesAreSummarised) {
  Tensor w = tensor(1.0, f64).requires_grad_();
  Tensor v = w;
  for (int i = 0; i < 1'000'000; ++i) v = v * 1.0;
  const auto e = explain(v, {{"w", w}}, {.max_nodes = 10});
  const Graph& g = e.graph();
  EXPECT_EQ(g.omitted, 999'990);
  EXPECT_EQ(g.nodes.size(), 1u + 10u + 10u);  // what is omitted, operations, constants
  EXPECT_EQ(g.nodes[0].kind, GraphNode::Kind::omitted);
  const auto text = e.text();
  EXPECT_NE(text.find("999990 older operations are not shown"), text.npos);
  EXPECT_LT(text.size(), 5'000u);
}

// ---- Pictures

/// The values of an attribute of all elements that carry `mark`.
std::vector<double> attribute(const std::string& svg, const std::string& mark, const std::string& name) {
  std::vector<double> values;
  for (auto at = svg.find(mark); at != svg.npos; at = svg.find(mark, at + 1)) {
    const auto place = svg.find(" " + name + "=\"", at) + name.size() + 3;
    values.push_back(std::stod(svg.substr(place, svg.find('"', place) - place)));
  }
  return values;
}

void expect_boxes_apart(const std::string& svg) {
  const std::string mark = "<rect class=\"box\"";
  const auto left = attribute(svg, mark, "x"), top = attribute(svg, mark, "y"),
             w = attribute(svg, mark, "width"), h = attribute(svg, mark, "height");
  const double width = attribute(svg, "<svg", "width").at(0), height = attribute(svg, "<svg", "height").at(0);
  ASSERT_GT(left.size(), 0u);
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_GE(left[i], 0);
    EXPECT_GE(top[i], 0);
    EXPECT_LE(left[i] + w[i], width);
    EXPECT_LE(top[i] + h[i], height);
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_TRUE(left[i] >= left[j] + w[j] || left[j] >= left[i] + w[i] || top[i] >= top[j] + h[j] ||
                  top[j] >= top[i] + h[i])
          << "boxes " << j << " and " << i;
  }
}

Tensor many_ways(const Tensor& w) {  // arrows of all lengths
  TensorList all = {w};
  detail::Sampler sampler(5);
  for (int i = 0; i < 40; ++i) {
    const auto pick = [&] {
      return all[static_cast<std::size_t>(sampler.below(static_cast<std::int64_t>(all.size())))];
    };
    all.push_back(i % 3 == 0 ? tanh(pick()) : pick() * pick() + 0.5);
  }
  Tensor total = all[0];
  for (const auto& t : all) total = total + t;
  return total;
}

TEST(Svg, BoxesDoNotOverlapAndStayInside) {
  Tensor w = tensor(0.5, f64).requires_grad_();
  expect_boxes_apart(to_svg(w, {{"w", w}}));
  expect_boxes_apart(to_svg(many_ways(w), {{"w", w}}));
  nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 1));
  const Tensor loss = mse_loss(net(ones({4, 2})), zeros({4, 1}));
  expect_boxes_apart(to_svg(loss, net.named_parameters()));
  expect_boxes_apart(to_svg(loss, net.named_parameters(), {.collapse = true}));
}

TEST(Svg, TextIsEscaped) {
  Tensor w = tensor(0.5, f64).requires_grad_();
  const auto svg = to_svg(w * 2, {{"<w & \"v\">", w}});
  EXPECT_NE(svg.find("&lt;w &amp; &quot;v&quot;&gt;"), svg.npos);
  EXPECT_EQ(svg.find("<w"), svg.npos);
}

TEST(Dot, NamesShapesValuesGradientsAndClusters) {
  Tensor w = tensor({{1.0, 2.0}}, f64).requires_grad_();
  Tensor loss;
  {
    NamedScope scope("part");
    loss = sum(square(w));
  }
  const TensorNames names{{"w", w}};
  EXPECT_EQ(to_dot(loss, names), R"(digraph cadena {
  rankdir=LR;
  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=12];
  edge [color="#555555"];
  style=rounded; color="#999999"; fontname="Helvetica"; fontsize=12;
  n0 [label=<<b>w</b><br/>(1, 2)  [[1, 2]]<br/><font color="#b02a2a">grad [[2, 4]]</font>>, fillcolor="#fdf0c8"];
  subgraph cluster_0 {
    label="part";
    n1 [label=<<b>v1 = w^2</b><br/>(1, 2)  [[1, 4]]<br/><font color="#b02a2a">grad [[1, 1]]</font>>, fillcolor="#ffffff"];
    n2 [label=<<b>loss = sum(v1)</b><br/>5<br/><font color="#b02a2a">grad 1</font>>, fillcolor="#ffffff", penwidth=2.5];
  }
  n0 -> n1;
  n1 -> n2;
}
)");
  const auto bare = to_dot(loss, names, {.values = false, .gradients = false});
  EXPECT_EQ(bare.find("grad"), bare.npos);
  EXPECT_EQ(bare.find("[["), bare.npos);
}

TEST(Dot, CollapsedModulesAreOneBoxEach) {
  nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 1));
  const Tensor in = ones({4, 2});
  auto names = TensorNames(net.named_parameters()).add("x", in);
  const auto dot = to_dot(sum(net(in)), names, {.gradients = false, .collapse = true});
  for (const char* part :
       {"<b>Sequential.0</b><br/>Linear<br/>9 parameters<br/>(4, 3)", "<b>Sequential.1</b><br/>Tanh",
        "<b>Sequential.2</b><br/>Linear<br/>4 parameters", "label=\"Sequential\"", "n0 -> n1"})
    EXPECT_NE(dot.find(part), dot.npos) << part << " in\n" << dot;
  EXPECT_EQ(dot.find("weight"), dot.npos);
}

/// A module that calls another in its midst is two boxes, so that no arrow leads back.
TEST(Dot, CollapsedPicturesHaveNoCycles) {
  Tensor w = tensor(1.0, f64).requires_grad_();
  Tensor v;
  {
    NamedScope outer("outer");
    v = tanh(w);
    {
      NamedScope inner("inner");
      v = exp(v);
    }
    v = sin(v);
  }
  const auto dot = to_dot(v, {{"w", w}}, {.values = false, .gradients = false, .collapse = true});
  EXPECT_NE(dot.find("n0 -> n1;\n  n1 -> n2;\n}"), dot.npos) << dot;
}

// ---- Modules

TEST(Modules, LayersGoByTheirPlaceOrTheirParameters) {
  nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Sequential(nn::Linear(3, 1)));
  const Graph g = inspect(sum(net(ones({4, 2}))), net.named_parameters());
  std::vector<std::string> paths, types;
  for (const auto& m : g.modules) paths.push_back(m.path), types.push_back(m.type);
  EXPECT_EQ(paths, (std::vector<std::string>{"Sequential", "Sequential.0", "Sequential.1", "Sequential.2",
                                             "Sequential.2.0"}));
  EXPECT_EQ(types, (std::vector<std::string>{"Sequential", "Linear", "Tanh", "Sequential", "Linear"}));
}

struct TwoLayers : nn::Module {
  nn::Linear fc1{2, 3}, fc2{3, 1};
  nn::Tanh act;
  Tensor operator()(const Tensor& in) { return fc2(act(fc1(in))); }
  void visit(nn::Visitor& v) override { v("fc1", fc1), v("fc2", fc2); }
};

TEST(Modules, MembersGoByTheNamesOfTheirParameters) {
  TwoLayers net;
  const Tensor out = net(ones({4, 2})) + net(ones({4, 2}));
  const Graph g = inspect(sum(out), net.named_parameters());
  std::vector<std::string> paths;
  for (const auto& m : g.modules) paths.push_back(m.path);
  EXPECT_EQ(paths, (std::vector<std::string>{"fc1", "Tanh", "fc2", "fc1 (2)", "Tanh (2)", "fc2 (2)"}));
}

/// Modules with more than one argument, and one that is called within itself.
TEST(Modules, LossesAndSequencesAreModulesToo) {
  nn::LSTM lstm(2, 3);
  const Tensor out = lstm(ones({4, 1, 2})).output;
  const Graph g =
      inspect(nn::MSELoss()(out, zeros_like(out)), lstm.named_parameters(), {.max_nodes = 10'000});
  std::vector<std::string> types;
  for (const auto& m : g.modules) types.push_back(m.type);
  EXPECT_EQ(types.front(), "LSTM");
  EXPECT_EQ(types.back(), "MSELoss");
  for (const auto& n : g.nodes) EXPECT_EQ(n.module >= 0, n.kind == GraphNode::Kind::operation) << n.op;
}

TEST(Modules, ScopesNestAndEndWithTheirThread) {
  Tensor w = tensor(1.0, f64).requires_grad_();
  Tensor a, b, c;
  {
    NamedScope outer("outer");
    a = w * 2;
    {
      NamedScope inner("inner");
      b = a * 2;
    }
    std::thread([&] { c = b * 2; }).join();
  }
  const Graph g = inspect(c * 2, {{"a", a}, {"b", b}, {"c", c}});
  ASSERT_EQ(g.modules.size(), 2u);
  EXPECT_EQ(g.modules[static_cast<std::size_t>(node(g, "a").module)].path, "outer");
  EXPECT_EQ(g.modules[static_cast<std::size_t>(node(g, "b").module)].path, "outer.inner");
  EXPECT_EQ(node(g, "c").module, -1);
}

}  // namespace
}  // namespace cadena
