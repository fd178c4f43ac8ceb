// Backpropagation: partial derivatives, chain rule, Hadamard product, and δ by hand beside the engine's
// result.
#include <cmath>
#include <sstream>

#include "autodiff/autodiff.hpp"
#include "autodiff/inspect.hpp"
#include "examples/course/slides.hpp"

namespace cadena::examples::course {
namespace {

// ---- by hand: plain loops over vectors and matrices, without the engine ----

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

Vector affine(const Matrix& w, const Vector& x, const Vector& b) {
  Vector z = b;
  for (std::size_t i = 0; i < w.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) z[i] += w[i][j] * x[j];
  return z;
}

Vector logistic(Vector z) {
  for (double& value : z) value = 1 / (1 + std::exp(-value));
  return z;
}

/// f′(z) = a·(1 - a) for the sigmoid, whose value is a.
Vector slope(Vector a) {
  for (double& value : a) value *= 1 - value;
  return a;
}

Vector hadamard(Vector a, const Vector& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] *= b[i];
  return a;
}

Vector transposed_times(const Matrix& w, const Vector& delta) {
  Vector out(w.front().size());
  for (std::size_t i = 0; i < w.size(); ++i)
    for (std::size_t j = 0; j < out.size(); ++j) out[j] += w[i][j] * delta[i];
  return out;
}

Matrix outer_product(const Vector& delta, const Vector& a) {
  Matrix out;
  for (const double d : delta) {
    out.push_back(a);
    for (double& value : out.back()) value *= d;
  }
  return out;
}

Tensor as_tensor(const Matrix& m) {
  Vector flat;
  for (const Vector& row : m) flat.insert(flat.end(), row.begin(), row.end());
  return tensor(flat, {static_cast<std::int64_t>(m.size()), static_cast<std::int64_t>(m.front().size())});
}

struct Net {
  Matrix w1 = {{0.1, 0.2}, {0.3, -0.4}}, w2 = {{0.5, -0.6}, {0.7, 0.8}};
  Vector b1 = {0.1, -0.2}, b2 = {0, 0.1};
};
const Vector x{1, 2}, y{1, 0};

struct Gradients {
  Tensor w1, b1, w2, b2;
};

/// The slide's formulas, each line on the board.
Gradients by_hand(Board& board, const Net& net) {
  const Vector a1 = logistic(affine(net.w1, x, net.b1)), a2 = logistic(affine(net.w2, a1, net.b2));
  board.math("z¹ = W¹x + b¹  = " + numbers(affine(net.w1, x, net.b1)));
  board.math("a¹ = σ(z¹)     = " + numbers(a1));
  board.math("z² = W²a¹ + b² = " + numbers(affine(net.w2, a1, net.b2)));
  board.math("ŷ  = σ(z²)     = " + numbers(a2));
  board.math("");
  Vector outer_slope;
  for (std::size_t i = 0; i < y.size(); ++i) outer_slope.push_back(2 * (a2[i] - y[i]));
  const Vector delta2 = hadamard(outer_slope, slope(a2));
  const Vector back = transposed_times(net.w2, delta2);
  const Vector delta1 = hadamard(back, slope(a1));
  board.math("δ² = 2(ŷ - y) ⊙ σ′(z²)");
  board.math("   = " + numbers(outer_slope) + " ⊙ " + numbers(slope(a2)));
  board.math("   = " + numbers(delta2));
  board.math("δ¹ = (W²)ᵀδ² ⊙ σ′(z¹)");
  board.math("   = " + numbers(back) + " ⊙ " + numbers(slope(a1)));
  board.math("   = " + numbers(delta1));
  const Gradients g{as_tensor(outer_product(delta1, x)), tensor(delta1), as_tensor(outer_product(delta2, a1)),
                    tensor(delta2)};
  board.math("");
  board.math("∂L/∂W² = δ²(a¹)ᵀ = " + numbers(g.w2) + "   ∂L/∂b² = δ²");
  board.math("∂L/∂W¹ = δ¹xᵀ    = " + numbers(g.w1) + "   ∂L/∂b¹ = δ¹");
  return g;
}

// ---- by the engine ----

Gradients by_engine(const Net& net, Reduction reduction) {
  Tensor w1 = as_tensor(net.w1).requires_grad_(), b1 = tensor(net.b1).requires_grad_();
  Tensor w2 = as_tensor(net.w2).requires_grad_(), b2 = tensor(net.b2).requires_grad_();
  const Tensor out = sigmoid(matmul(w2, sigmoid(matmul(w1, tensor(x)) + b1)) + b2);
  mse_loss(out, tensor(y), reduction).backward();
  return {w1.grad(), b1.grad(), w2.grad(), b2.grad()};
}

bool same(const Gradients& hand, const Gradients& engine, double factor) {
  const auto close = [factor](const Tensor& a, const Tensor& b) {
    return allclose(a * factor, b, 1e-12, 1e-15);
  };
  return close(hand.w1, engine.w1) && close(hand.b1, engine.b1) && close(hand.w2, engine.w2) &&
         close(hand.b2, engine.b2);
}

void compare(Board& board, const Gradients& hand, const Net& net) {
  const Gradients total = by_engine(net, Reduction::sum), average = by_engine(net, Reduction::mean);
  std::vector<std::vector<std::string>> rows{{"", board({"a mano", "by hand"}),
                                              board({"motor, suma", "engine, sum"}),
                                              board({"motor, media", "engine, mean"})}};
  const auto row = [&](const char* name, Tensor Gradients::*member) {
    rows.push_back({name, numbers(hand.*member), numbers(total.*member), numbers(average.*member)});
  };
  row("∂L/∂b¹", &Gradients::b1);
  row("∂L/∂b²", &Gradients::b2);
  board.table(rows);
  const double n = static_cast<double>(y.size());
  const Text sum_agrees = yes_or_no(same(hand, total, 1)),
             mean_agrees = yes_or_no(same(hand, average, 1 / n));
  board.say(
      {"La lámina escribe la derivada del error como 2(ŷ - y), sin 1/n: es la de la suma de los cuadrados. "
       "La de la "
       "media (MSE, lo que mse_loss calcula si no se pide otra cosa) es 2(ŷ - y)/n, con n = 2 salidas.",
       "The slide writes the derivative of the error as 2(ŷ - y), without 1/n: that is the one of the sum of "
       "squares. The one of the mean (MSE, which mse_loss computes unless told otherwise) is 2(ŷ - y)/n, "
       "with n "
       "= 2 outputs."});
  board.write({"a mano = motor con la suma, en los cuatro parámetros:   " + sum_agrees.es,
               "by hand = engine with the sum, in all four parameters:  " + sum_agrees.en});
  board.write({"a mano/n = motor con la media, en los cuatro:           " + mean_agrees.es,
               "by hand/n = engine with the mean, in all four:          " + mean_agrees.en});
}

/// One neuron and its loss, forwards and backwards, operation by operation; and its picture.
void explain_neuron(Board& board) {
  const Tensor w = full({}, 0.5, f64).requires_grad_(), b = full({}, 0.1, f64).requires_grad_();
  const Tensor in = full({}, 2.0, f64), target = full({}, 1.0, f64);
  const Trace trace;
  const Tensor z = w * in + b, out = sigmoid(z), loss = square(out - target);
  const TensorNames names{{"w", w}, {"b", b}, {"x", in}, {"y", target}, {"z", z}, {"ŷ", out}, {"L", loss}};
  std::istringstream text(explain(loss, names, {.language = board.language()}).text());
  for (std::string line; std::getline(text, line);) board.math(line);
  board.picture("backprop", to_svg(loss, names, {.language = board.language()}),
                {"la neurona como grafo, con valores y gradientes",
                 "the neuron as a graph, with values and gradients"});
}

void run(Board& board) {
  board.step({"Derivadas parciales", "Partial derivatives"});
  Tensor u = tensor({3.0}, f64).requires_grad_(), v = tensor({2.0}, f64).requires_grad_();
  const TensorList partial = grad({u * u * v}, {u, v});
  board.write({"f(u, v) = u²·v   en u = 3, v = 2", "f(u, v) = u²·v   at u = 3, v = 2"});
  board.write({"∂f/∂u = 2·u·v = 12   (motor: " + number(partial[0].item()) + ")",
               "∂f/∂u = 2·u·v = 12   (engine: " + number(partial[0].item()) + ")"});
  board.write({"∂f/∂v = u²    = 9    (motor: " + number(partial[1].item()) + ")",
               "∂f/∂v = u²    = 9    (engine: " + number(partial[1].item()) + ")"});

  board.step({"Regla de la cadena", "Chain rule"});
  const Tensor slope_at_1 =
      value_and_grad([](const Tensor& t) { return square(3 * t + 1); }, full({}, 1.0, f64)).grad;
  board.write({"y = u²,  u = 3x + 1   en x = 1", "y = u²,  u = 3x + 1   at x = 1"});
  board.write({"dy/dx = dy/du · du/dx = 2u · 3 = 8 · 3 = 24   (motor: " + number(slope_at_1.item()) + ")",
               "dy/dx = dy/du · du/dx = 2u · 3 = 8 · 3 = 24   (engine: " + number(slope_at_1.item()) + ")"});

  board.step({"Producto de Hadamard: elemento por elemento", "Hadamard product: element by element"});
  const Tensor a = tensor({1, 2, 3}, f64), b = tensor({4, 5, 6}, f64);
  board.math(numbers(a) + " ⊙ " + numbers(b) + " = " + numbers(a * b));

  board.step({"Una red 2-2-2 con sigmoides, a mano", "A 2-2-2 network with sigmoids, by hand"});
  const Net net;
  board.math("W¹ = " + numbers(as_tensor(net.w1)) + "   b¹ = " + numbers(net.b1) + "   x = " + numbers(x));
  board.math("W² = " + numbers(as_tensor(net.w2)) + "   b² = " + numbers(net.b2) + "   y = " + numbers(y));
  board.math("");
  const Gradients hand = by_hand(board, net);

  board.step({"Lo mismo con el motor", "The same with the engine"});
  compare(board, hand, net);

  board.step({"El motor se explica: explain(L)", "The engine explains itself: explain(L)"});
  explain_neuron(board);
}

}  // namespace

Slide backprop() {
  return {.name = "backprop",
          .title = {"Retropropagación", "Backpropagation"},
          .about = {"derivadas parciales, regla de la cadena, ⊙ y δ a mano y con el motor",
                    "partial derivatives, chain rule, ⊙ and δ by hand and by the engine"},
          .run = run};
}

}  // namespace cadena::examples::course
