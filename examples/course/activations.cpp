// Sigmoid, ReLU and tanh, their derivatives, and both drawn.
#include <array>
#include <cmath>
#include <limits>

#include "autodiff/autodiff.hpp"
#include "examples/course/slides.hpp"
#include "plot/chart.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

struct Activation {
  Text name;
  const char* formula;
  Text derivative;
  const char* range;
  Tensor (*f)(const Tensor&);
  bool jumps = false;  ///< the derivative does, at 0
};

const std::array activations_shown{
    Activation{
        {"sigmoide", "sigmoid"}, "1 / (1 + e^-x)", {"σ(x)·(1 - σ(x))", "σ(x)·(1 - σ(x))"}, "(0, 1)", sigmoid},
    Activation{{"ReLU", "ReLU"},
               "max(0, x)",
               {"1 si x > 0, 0 si x < 0", "1 if x > 0, 0 if x < 0"},
               "[0, ∞)",
               relu,
               true},
    Activation{{"tanh", "tanh"}, "tanh(x)", {"1 - tanh²(x)", "1 - tanh²(x)"}, "(-1, 1)", tanh},
};

constexpr double undrawn = std::numeric_limits<double>::quiet_NaN();
constexpr double tiny = 1e-9;  // the grid need not hit 0 and 2 to the last bit

/// f and f' at every element of x; the engine derives f.
ValueGrad at(const Activation& activation, const Tensor& x) {
  const Tensor y = activation.f(x.detach());
  return {y, value_and_grad([&](const Tensor& t) { return sum(activation.f(t)); }, x).grad};
}

std::string draw(const Board& board) {
  const Tensor x = linspace(-5, 5, 201, f64);
  Chart functions{.title = board({"Funciones de activación", "Activation functions"}),
                  .x_label = "x",
                  .y_label = "f(x)",
                  .y_min = -1,
                  .y_max = 2,
                  .show_last = false,
                  .width = 560,
                  .height = 440};
  Chart derivatives = functions;
  derivatives.title = board({"Sus derivadas", "Their derivatives"});
  derivatives.y_label = "f′(x)";
  derivatives.y_min = 0;
  derivatives.y_max = 1;
  for (const Activation& activation : activations_shown) {
    const auto [y, slope] = at(activation, x);
    Series f{.name = board(activation.name) + "  " + activation.range,
             .x = x.to_vector<double>(),
             .y = y.to_vector<double>()};
    Series g{.name = board(activation.name) + "′", .x = f.x, .y = slope.to_vector<double>()};
    for (std::size_t i = 0; i < f.x.size(); ++i) {
      if (f.y[i] > 2 + tiny) f.y[i] = undrawn;                            // ReLU leaves the plot
      if (std::abs(f.x[i]) < tiny && activation.jumps) g.y[i] = undrawn;  // its derivative jumps
    }
    functions.series.push_back(f);
    derivatives.series.push_back(g);
  }
  return render_charts(std::array{functions, derivatives});
}

void run(Board& board) {
  board.math("");
  std::vector<std::vector<std::string>> rows{{"f", "f(x)", "f′(x)", board({"recorrido", "range"})}};
  for (const Activation& a : activations_shown)
    rows.push_back({board(a.name), a.formula, board(a.derivative), a.range});
  board.table(rows);

  const Tensor x = tensor({-2.0, -1.0, 0.0, 1.0, 2.0}, f64);
  const auto tabulate = [&](bool derivative) {
    std::vector<std::vector<std::string>> table{{"x"}};
    for (const Activation& a : activations_shown)
      table[0].push_back(board(a.name) + std::string(derivative ? "′" : ""));
    for (std::int64_t i = 0; i < x.size(0); ++i) {
      table.push_back({number(x[i].item())});
      for (const Activation& a : activations_shown) {
        const auto [y, slope] = at(a, x);
        table.back().push_back(number((derivative ? slope : y)[i].item()));
      }
    }
    board.table(table);
  };
  board.step({"Valores", "Values"});
  tabulate(false);
  board.step({"Derivadas, según el motor", "Derivatives, by the engine"});
  tabulate(true);
  board.say(
      {"La de la sigmoide nunca pasa de 0.25: tras muchas capas el gradiente se desvanece. La de ReLU es 1 o "
       "0; en "
       "x = 0 no existe y se toma 0, como en PyTorch.",
       "That of sigmoid never exceeds 0.25: after many layers the gradient vanishes. That of ReLU is 1 or 0; "
       "at "
       "x = 0 it does not exist and 0 is taken, as in PyTorch."});
  board.picture("activations", draw(board),
                {"las tres funciones y sus derivadas", "the three functions and their derivatives"});
}

}  // namespace

Slide activations() {
  return {.name = "activations",
          .title = {"Funciones de activación", "Activation functions"},
          .about = {"sigmoide, ReLU, tanh y sus derivadas, en un dibujo",
                    "sigmoid, ReLU, tanh and their derivatives, in one picture"},
          .run = run};
}

}  // namespace cadena::examples::course
