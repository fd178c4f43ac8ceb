// The forward pass through a small network, every intermediate value shown.
#include "autodiff/ops.hpp"
#include "examples/course/slides.hpp"
#include "plot/network.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

/// "0.5·1 + (-0.3)·2"
std::string product_sum(const Tensor& w, const Tensor& x) {
  std::string text;
  for (std::int64_t i = 0; i < w.size(0); ++i)
    text += (i > 0 ? " + " : "") + factor(w[i].item()) + "·" + factor(x[i].item());
  return text;
}

std::string draw(const Board& board, const Tensor& x, const Tensor& w, const Tensor& h, const Tensor& v,
                 const Tensor& y) {
  NetworkPicture picture{.title = board({"Propagación hacia adelante", "Forward propagation"}),
                         .subtitle = board({"cada unidad con su valor", "every unit with its value"}),
                         .layers = {{.name = board({"entrada", "input"})},
                                    {.name = board({"capa oculta, ReLU", "hidden layer, ReLU"})},
                                    {.name = board({"salida", "output"})}},
                         .width = 760,
                         .height = 380};
  picture.links.resize(2);
  const char* const index[] = {"₁", "₂"};
  for (std::int64_t i = 0; i < 2; ++i) {
    picture.layers[0].units.push_back({std::string("x") + index[i], number(x[i].item())});
    picture.layers[1].units.push_back({std::string("h") + index[i], number(h[i].item())});
    for (std::int64_t j = 0; j < 2; ++j)
      picture.links[0].push_back(
          {static_cast<std::size_t>(j), static_cast<std::size_t>(i), number(w[i][j].item())});
    picture.links[1].push_back({static_cast<std::size_t>(i), 0, number(v[i].item())});
  }
  picture.layers[2].units = {{"y", number(y.item())}};
  return render_network(picture);
}

void run(Board& board) {
  const Tensor x = tensor(board.setting("x")), v = tensor(board.setting("v"));
  const Tensor w = tensor({{0.5, -0.3}, {0.8, 0.1}}, f64);
  board.math("");
  board.math("x = " + numbers(x) + "   W1 = " + numbers(w[0]) + "   W2 = " + numbers(w[1]));
  board.say({"W1 y W2 son los pesos de las dos neuronas ocultas, cada una con ReLU.",
             "W1 and W2 are the weights of the two hidden neurons, each with ReLU."});

  board.step({"Capa oculta: sumas ponderadas", "Hidden layer: weighted sums"});
  const Tensor z = matmul(w, x);
  board.math("z₁ = W1·x = " + product_sum(w[0], x) + " = " + number(z[0].item()));
  board.math("z₂ = W2·x = " + product_sum(w[1], x) + " = " + number(z[1].item()));

  board.step({"Capa oculta: activación", "Hidden layer: activation"});
  const Tensor h = relu(z);
  for (std::int64_t i = 0; i < 2; ++i) {
    const std::string n = i == 0 ? "₁" : "₂";
    board.math("h" + n + " = ReLU(" + number(z[i].item()) + ") = max(0, " + number(z[i].item()) +
               ") = " + number(h[i].item()));
  }

  board.step({"Capa de salida", "Output layer"});
  const Tensor y = matmul(v, h);
  board.math("y = v·h = " + product_sum(v, h) + " = " + number(y.item()));
  board.say({"La lámina no da los pesos de la salida; aquí v = " + numbers(v) + " (--v elige otros).",
             "The slide gives no weights for the output; here v = " + numbers(v) + " (--v chooses others)."});

  board.step({"Lo mismo en una línea", "The same in one line"});
  board.math("matmul(v, relu(matmul(W, x))) = " + number(matmul(v, relu(matmul(w, x))).item()));
  board.picture("feedforward", draw(board, x, w, h, v, y),
                {"la red con todos sus valores", "the network with all its values"});
}

}  // namespace

Slide feedforward() {
  return {.name = "feedforward",
          .title = {"Propagación hacia adelante", "Forward propagation"},
          .about = {"una capa oculta con ReLU, cada valor intermedio",
                    "a hidden layer with ReLU, every intermediate value"},
          .run = run,
          .settings = {{"x", {"Entradas", "Inputs"}, {1, 2}},
                       {"v", {"Pesos de la salida", "Weights of the output"}, {1, 1}}}};
}

}  // namespace cadena::examples::course
