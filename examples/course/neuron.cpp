// The artificial neuron: a weighted sum, and a step.
#include <cmath>

#include "autodiff/ops.hpp"
#include "examples/course/slides.hpp"
#include "plot/format.hpp"
#include "plot/network.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

/// "0.4·1 + (-0.2)·0.5 + ... + b"
std::string weighted_sum(const std::vector<double>& w, const std::vector<double>& x, double b) {
  std::string text;
  for (std::size_t i = 0; i < w.size(); ++i) text += factor(w[i]) + "·" + factor(x[i]) + " + ";
  return text + factor(b);
}

std::string draw(const Board& board, const std::vector<double>& w, const std::vector<double>& x, double b,
                 double z, double y) {
  NetworkPicture picture{
      .title = board({"La neurona artificial", "The artificial neuron"}),
      .subtitle = board({"entradas por pesos, suma, escalón", "inputs times weights, sum, step"}),
      .width = 760,
      .height = 400};
  picture.layers = {{.name = board({"entradas", "inputs"})},
                    {.name = board({"suma", "sum"})},
                    {.name = board({"activación", "activation"})},
                    {.name = board({"salida", "output"})}};
  picture.links.resize(3);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::string index = i == 0 ? "₁" : i == 1 ? "₂" : "₃";
    picture.layers[0].units.push_back({"x" + index, number(x[i])});
    picture.links[0].push_back({i, 0, "w" + index + " = " + number(w[i])});
  }
  picture.layers[0].units.push_back({"1", ""});
  picture.links[0].push_back({x.size(), 0, "b = " + number(b)});
  picture.layers[1].units = {{"Σ", "z = " + number(z)}};
  picture.layers[2].units = {{"f", board({"escalón", "step"})}};
  picture.layers[3].units = {{"y", number(y)}};
  picture.links[1] = {{0, 0, ""}};
  picture.links[2] = {{0, 0, ""}};
  return render_network(picture);
}

void run(Board& board) {
  const auto &x = board.setting("x"), &w = board.setting("w");
  const double b = board.setting("b").front();
  board.math("");
  board.write({"y = f(Σ wᵢ·xᵢ + b)      escalón(z) = 1 si z ≥ 0,  0 si z < 0",
               "y = f(Σ wᵢ·xᵢ + b)      step(z) = 1 if z ≥ 0,  0 if z < 0"});
  board.math("");
  board.math("x = " + numbers(x) + "   w = " + numbers(w) + "   b = " + number(b));

  board.step({"Suma ponderada", "Weighted sum"});
  const Tensor products = tensor(w) * tensor(x);
  Tensor z = sum(products) + b;
  board.math("z = w₁·x₁ + w₂·x₂ + b");
  board.math("  = " + weighted_sum(w, x, b));
  std::string terms;
  for (const double product : products.to_vector<double>()) terms += factor(product) + " + ";
  board.math("  = " + terms + factor(b));
  board.math("  = " + number(z.item()));
  if (z.item() != 0 && std::abs(z.item()) < 1e-12) {
    board.say({"La máquina obtiene " + format_number(z.item()) +
                   ": en binario, decimales como 0.1 no son exactos. "
                   "Seguimos con 0, porque el escalón distinguiría.",
               "The machine gets " + format_number(z.item()) +
                   ": in binary, decimals like 0.1 are not exact. We go on "
                   "with 0, because the step would tell the difference."});
    z = zeros({}, f64);
  }

  board.step({"Activación", "Activation"});
  const Tensor y = heaviside(z, 1.0);
  board.math(Text{"y = escalón(", "y = step("}.in(board.language()) + number(z.item()) +
             ") = " + number(y.item()));
  board.say(
      {"En Cadena el escalón es heaviside(z, 1): el segundo argumento es el valor en z = 0, que la lámina "
       "fija en 1.",
       "In Cadena the step is heaviside(z, 1): the second argument is the value at z = 0, which the slide "
       "sets to 1."});

  board.step({"El escalón en algunos puntos", "The step at some points"});
  std::vector<std::vector<std::string>> rows{{"z", board({"escalón(z)", "step(z)"})}};
  for (const double at : {-2.0, -0.1, 0.0, 0.1, 2.0})
    rows.push_back({number(at), number(heaviside(full({}, at, f64), 1.0).item())});
  board.table(rows);
  board.picture("neuron", draw(board, w, x, b, z.item(), y.item()),
                {"la neurona con sus números", "the neuron with its numbers"});
}

}  // namespace

Slide neuron() {
  return {.name = "neuron",
          .title = {"La neurona artificial", "The artificial neuron"},
          .about = {"suma ponderada y escalón", "weighted sum and step"},
          .run = run,
          .settings = {{"x", {"Entradas", "Inputs"}, {1, 0.5}},
                       {"w", {"Pesos", "Weights"}, {0.4, -0.2}},
                       {"b", {"Sesgo", "Bias"}, {-0.1}}}};
}

}  // namespace cadena::examples::course
