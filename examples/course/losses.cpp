// Mean squared error and binary cross-entropy, with their gradients by hand and by the engine.
#include <array>
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "examples/course/slides.hpp"
#include "plot/chart.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

using Values = std::vector<double>;

std::string draw(const Board& board) {
  Series squared{.name = board({"error cuadrático  (1 - ŷ)²", "squared error  (1 - ŷ)²"})};
  Series entropy{.name = board({"entropía cruzada  -ln ŷ", "cross-entropy  -ln ŷ"})};
  for (int i = 2; i <= 100; ++i) {
    const Tensor p = full({1}, i / 100.0, f64);
    for (Series* series : {&squared, &entropy}) series->x.push_back(p.item());
    squared.y.push_back(mse_loss(p, ones_like(p)).item());
    entropy.y.push_back(binary_cross_entropy(p, ones_like(p)).item());
  }
  return render_chart(
      {.title = board({"Pérdida de un ejemplo con y = 1", "Loss of an example with y = 1"}),
       .subtitle = board({"la entropía cruzada castiga sin límite la certeza equivocada",
                          "cross-entropy punishes being surely wrong without limit"}),
       .x_label = board({"ŷ, la probabilidad que dice la red", "ŷ, the probability that the network says"}),
       .y_label = board({"pérdida", "loss"}),
       .series = {squared, entropy},
       .show_last = false});
}

/// The loss of the library at ŷ, and its gradient.
using Loss = Tensor (*)(const Tensor&, const Tensor&, Reduction);
ValueGrad by_engine(Loss loss, const Values& p, const Values& y) {
  return value_and_grad([&](const Tensor& t) { return loss(t, tensor(y), Reduction::mean); }, tensor(p));
}

void conclude(Board& board, const Values& gradient, const ValueGrad& engine) {
  board.write({"∇ a mano:        " + numbers(gradient), "∇ by hand:       " + numbers(gradient)});
  board.write({"∇ del motor:     " + numbers(engine.grad), "∇ of the engine: " + numbers(engine.grad)});
  board.write({"iguales salvo el redondeo: " + yes_or_no(allclose(tensor(gradient), engine.grad, 1e-12)).es,
               "equal up to rounding: " + yes_or_no(allclose(tensor(gradient), engine.grad, 1e-12)).en});
}

void squared_error(Board& board, const Values& y, const Values& p) {
  board.step({"Error cuadrático medio", "Mean squared error"});
  board.math("MSE = 1/n · Σ (yᵢ - ŷᵢ)²");
  const double n = static_cast<double>(y.size());
  std::string terms, squares;
  double total = 0;
  Values gradient;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double error = y[i] - p[i];
    terms += (i > 0 ? " + " : "") + factor(error) + "²";
    squares += (i > 0 ? " + " : "") + number(error * error);
    total += error * error;
    gradient.push_back(2 * (p[i] - y[i]) / n);
  }
  board.math("    = 1/" + number(n) + " · (" + terms + ")");
  board.math("    = 1/" + number(n) + " · (" + squares + ") = " + number(total / n));
  const ValueGrad engine = by_engine(mse_loss, p, y);
  board.math("mse_loss(ŷ, y) = " + number(engine.value.item()));
  board.math("");
  board.math("∂MSE/∂ŷᵢ = 2·(ŷᵢ - yᵢ)/n");
  conclude(board, gradient, engine);
}

void cross_entropy(Board& board, const Values& y, const Values& p) {
  board.step({"Entropía cruzada binaria", "Binary cross-entropy"});
  board.math("BCE = -1/n · Σ [yᵢ·ln ŷᵢ + (1 - yᵢ)·ln(1 - ŷᵢ)]");
  const double n = static_cast<double>(y.size());
  std::string terms, logs;
  double total = 0;
  Values gradient;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double right = y[i] == 1 ? p[i] : 1 - p[i];
    terms += (i > 0 ? " + " : "") + ("ln " + number(right));
    logs += (i > 0 ? " + " : "") + factor(std::log(right));
    total -= y[i] * std::log(p[i]) + (1 - y[i]) * std::log(1 - p[i]);
    gradient.push_back((p[i] - y[i]) / (p[i] * (1 - p[i])) / n);
  }
  board.math("    = -1/" + number(n) + " · (" + terms + ")");
  board.math("    = -1/" + number(n) + " · (" + logs + ") = " + number(total / n));
  const ValueGrad engine = by_engine(binary_cross_entropy, p, y);
  board.math("binary_cross_entropy(ŷ, y) = " + number(engine.value.item()));
  board.math("");
  board.math("∂BCE/∂ŷᵢ = (ŷᵢ - yᵢ) / (ŷᵢ·(1 - ŷᵢ)) / n");
  conclude(board, gradient, engine);
}

void run(Board& board) {
  const Values y{1, 0, 1}, p{0.9, 0.2, 0.7};
  board.math("");
  board.write(
      {"y = " + numbers(y) + "   (lo que debe salir)", "y = " + numbers(y) + "   (what should come out)"});
  board.write({"ŷ = " + numbers(p) + "   (lo que sale)", "ŷ = " + numbers(p) + "   (what comes out)"});
  squared_error(board, y, p);
  cross_entropy(board, y, p);
  board.picture("losses", draw(board), {"las dos pérdidas frente a ŷ", "both losses against ŷ"});
}

}  // namespace

Slide losses() {
  return {.name = "losses",
          .title = {"Funciones de pérdida", "Loss functions"},
          .about = {"error cuadrático medio y entropía cruzada binaria, con gradientes",
                    "mean squared error and binary cross-entropy, with gradients"},
          .run = run};
}

}  // namespace cadena::examples::course
