// Hebb's rule, and what step(0) means for it.
#include "examples/course/hebb.hpp"

#include "autodiff/ops.hpp"
#include "examples/course/slides.hpp"
#include "optim/rules.hpp"

namespace cadena::examples::course {
namespace {

const std::vector<Example> points{{{1, 1}, 1}, {{1, 0}, 0}, {{0, 1}, 0}};
constexpr double bias = -0.15;

Tensor net(const Tensor& w, double x1, double x2) { return matmul(tensor({x1, x2}, f64), w); }

/// The class of every corner of the square under three readings of the same weights.
void compare_readings(Board& board, const Tensor& w) {
  std::vector<std::vector<std::string>> rows{{"x", "net", board({"escalón, 1 en 0", "step, 1 at 0"}),
                                              board({"escalón, 0 en 0", "step, 0 at 0"}),
                                              "b = " + number(bias)}};
  for (const auto& [a, b] : {std::pair{1.0, 1.0}, {1.0, 0.0}, {0.0, 1.0}, {0.0, 0.0}}) {
    const Tensor z = net(w, a, b);
    rows.push_back({"[" + number(a) + ", " + number(b) + "]", number(z.item()),
                    number(heaviside(z, 1.0).item()), number(heaviside(z, 0.0).item()),
                    number(heaviside(z + bias, 1.0).item())});
  }
  board.table(rows);
}

void run(Board& board) {
  const Tensor w = learn_hebb(board, 0.1, points);

  board.step({"El punto [0, 0], que no estaba entre los ejemplos",
              "The point [0, 0], which was not among the examples"});
  const Tensor z = net(w, 0, 0);
  board.math("net = " + factor(w[0].item()) + "·0 + " + factor(w[1].item()) + "·0 = " + number(z.item()));
  board.write(
      {"lectura A, escalón(0) = 1 (la definición de la lámina):  clase " + number(heaviside(z, 1.0).item()),
       "reading A, step(0) = 1 (the slide's definition):  class " + number(heaviside(z, 1.0).item())});
  board.write(
      {"lectura B, escalón(0) = 0 (la conclusión de la lámina):  clase " + number(heaviside(z, 0.0).item()),
       "reading B, step(0) = 0 (the slide's conclusion):  class " + number(heaviside(z, 0.0).item())});
  board.say(
      {"La lámina concluye «clase 0», pero define el escalón con x ≥ 0, y entonces escalón(0) = 1. Las dos "
       "cosas no caben juntas: net = 0 está justo en el umbral, y allí decide la convención, no lo "
       "aprendido. "
       "Sin sesgo, net es 0 en el origen con cualesquiera pesos.",
       "The slide concludes “class 0”, but it defines the step by x ≥ 0, and then step(0) = 1. Both cannot "
       "hold: net = 0 lies right on the threshold, where the convention decides and not what was learnt. "
       "Without a bias net is 0 at the origin, whatever the weights."});

  board.step({"Los cuatro puntos", "All four points"});
  compare_readings(board, w);
  board.say(
      {"Sin sesgo tampoco se separan los ejemplos: [1, 0] y [0, 1] piden 0 y reciben 1 en ambas lecturas. "
       "Con "
       "un sesgo b = -0.15 los mismos pesos dan las cuatro clases de la función AND.",
       "Nor do the weights separate the examples without a bias: [1, 0] and [0, 1] ask for 0 and get 1 in "
       "both "
       "readings. With a bias b = -0.15 the same weights give the four classes of AND."});
}

void run_exercise(Board& board) {
  const Tensor w = learn_hebb(board, 0.2, {{{1, 0}, 1}, {{0, 1}, 1}, {{0, 0}, 0}});
  board.step({"El punto [1, 1]", "The point [1, 1]"});
  const Tensor z = net(w, 1, 1);
  board.math("net = " + factor(w[0].item()) + "·1 + " + factor(w[1].item()) + "·1 = " + number(z.item()));
  const std::string y = number(heaviside(z, 1.0).item());
  board.write({"y = escalón(" + number(z.item()) + ") = " + y, "y = step(" + number(z.item()) + ") = " + y});
  board.say({"Aquí net está lejos del umbral: la convención en 0 no importa.",
             "Here net is far from the threshold: the convention at 0 does not matter."});
}

}  // namespace

Tensor learn_hebb(Board& board, double eta, const std::vector<Example>& examples) {
  board.math("");
  board.math("Δw = η·x·y      η = " + number(eta) + "      w = [0, 0]");
  board.step({"Una actualización por ejemplo", "One update for each example"});
  const Tensor w = zeros({1, 2}, f64);
  optim::Hebb rule({.lr = eta});
  std::vector<std::vector<std::string>> rows{{"x", "y", "Δw = η·x·y", "w"}};
  for (const auto& [x, y] : examples) {
    const Tensor change = rule.step(w, {}, tensor({x[0], x[1]}, f64), full({}, y, f64)).weight;
    rows.push_back({numbers(x), number(y), numbers(change[0]), numbers(w[0])});
  }
  board.table(rows);
  board.math("");
  board.math("w = " + numbers(w[0]));
  return w[0];
}

Slide hebb() {
  return {.name = "hebb",
          .title = {"La regla de Hebb", "Hebb's rule"},
          .about = {"Δw = η·x·y, y qué pasa justo en el umbral",
                    "Δw = η·x·y, and what happens right on the threshold"},
          .run = run};
}

Slide exercise() {
  return {.name = "exercise",
          .title = {"Ejercicio: la regla de Hebb", "Exercise: Hebb's rule"},
          .about = {"otros puntos, otra tasa de aprendizaje, resuelto",
                    "other points, another learning rate, solved"},
          .run = run_exercise};
}

}  // namespace cadena::examples::course
