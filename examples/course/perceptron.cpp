// Rosenblatt's perceptron on AND, OR and XOR, and a network of two layers for what one cannot do.
#include <array>
#include <set>

#include "autodiff/autodiff.hpp"
#include "examples/course/slides.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "plot/plane.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

struct Gate {
  const char* name;
  std::array<double, 4> y;
};
constexpr Gate and_gate{"AND", {0, 0, 0, 1}}, or_gate{"OR", {0, 1, 1, 1}}, xor_gate{"XOR", {0, 1, 1, 0}};

Tensor corners() { return tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}, f64); }
Tensor targets(const Gate& gate) { return tensor(std::vector(gate.y.begin(), gate.y.end())); }

/// Epochs of Rosenblatt's rule, each in a row, until none is wrong, or until the weights repeat and so will
/// go round forever.
bool learn(Board& board, nn::Perceptron& unit, const Gate& gate) {
  optim::Perceptron rule({.lr = 1});
  std::set<std::string> seen;
  std::vector<std::vector<std::string>> rows{
      {board({"época", "epoch"}), board({"errores", "mistakes"}), "w", "b"}};
  for (int epoch = 1;; ++epoch) {
    const Tensor output = rule.step(unit.weight, unit.bias, corners(), targets(gate)).output;
    const double wrong = sum(to(ne(output, targets(gate)), f64)).item();
    rows.push_back({number(epoch), number(wrong), numbers(unit.weight[0]), number(unit.bias.item())});
    const bool repeated = !seen.insert(rows.back()[2] + rows.back()[3]).second;
    if (wrong > 0 && !repeated) continue;
    board.table(rows);
    return wrong == 0;
  }
}

/// The four points, and where `decide` is above 0.
Plane plane_of(const Board& board, const Gate& gate, const std::string& subtitle,
               const std::function<double(double, double)>& decide) {
  Plane plane{.title = gate.name,
              .subtitle = subtitle,
              .x_label = "x₁",
              .y_label = "x₂",
              .low = {-0.5, -0.5},
              .high = {1.5, 1.5},
              .fields = {{.f = decide,
                          .levels = {0},
                          .line = {.colour = palette::ink},
                          .line_width = 2,
                          .shade_above = 0,
                          .shade_name = board({"la red dice 1", "the net says 1"})}}};
  PlanePoints one{.name = board({"debe ser 1", "should be 1"}),
                  .mark = {Mark::Kind::disc, palette::series(0)}};
  PlanePoints zero{.name = board({"debe ser 0", "should be 0"}),
                   .mark = {Mark::Kind::ring, palette::series(1)}};
  const auto x = corners().to_vector<double>();
  for (std::size_t i = 0; i < 4; ++i) (gate.y[i] == 1 ? one : zero).at.push_back({x[2 * i], x[2 * i + 1]});
  plane.points = {one, zero};
  return plane;
}

std::function<double(double, double)> sum_of(const nn::Perceptron& unit) {
  const auto w = unit.weight.to_vector<double>();
  return [w, b = unit.bias.item()](double x, double y) { return w[0] * x + w[1] * y + b; };
}

void explain_xor(Board& board) {
  board.say(
      {"Los pesos vuelven a los de una época anterior: desde ahí todo se repite, y la regla no terminará "
       "nunca. Ninguna recta sirve, porque haría falta",
       "The weights are back at those of an earlier epoch: from there on everything repeats, and the rule "
       "will "
       "never end. No line will do, because it would take"});
  board.math("[0, 0] → 0:            b < 0");
  board.math("[0, 1] → 1:       w₂ + b ≥ 0");
  board.math("[1, 0] → 1:       w₁ + b ≥ 0");
  board.math("[1, 1] → 0:  w₁ + w₂ + b < 0");
  board.say({"La segunda más la tercera dicen w₁ + w₂ + 2b ≥ 0; la primera más la cuarta, w₁ + w₂ + 2b < 0.",
             "The second plus the third say w₁ + w₂ + 2b ≥ 0; the first plus the fourth, w₁ + w₂ + 2b < 0."});
}

/// h₁ = OR, h₂ = NAND, y = AND(h₁, h₂): three perceptrons with weights that one can choose by looking.
void build_xor(Board& board) {
  const Tensor x = corners();
  const Tensor hidden = heaviside(linear(x, tensor({{1, 1}, {-1, -1}}, f64), tensor({-0.5, 1.5}, f64)), 1.0);
  const Tensor y = heaviside(linear(hidden, tensor({{1, 1}}, f64), tensor({-1.5}, f64)), 1.0);
  board.math("h₁ = f(x₁ + x₂ - 0.5)     (OR)");
  board.math("h₂ = f(-x₁ - x₂ + 1.5)    (NAND)");
  board.math("y  = f(h₁ + h₂ - 1.5)     (AND)");
  board.math("");
  std::vector<std::vector<std::string>> rows{{"x", "h₁", "h₂", "y"}};
  for (std::int64_t i = 0; i < 4; ++i)
    rows.push_back(
        {numbers(x[i]), number(hidden[i][0].item()), number(hidden[i][1].item()), number(y[i].item())});
  board.table(rows);
}

nn::Sequential learn_xor(Board& board) {
  nn::Sequential net(nn::Linear(2, 4, {.dtype = f64}), nn::Tanh(), nn::Linear(4, 1, {.dtype = f64}));
  optim::Adam adam(net.parameters(), {.lr = 0.1});
  const Tensor x = corners(), y = targets(xor_gate).reshape({4, 1});
  const auto loss_of = [&] { return binary_cross_entropy_with_logits(net(x), y); };
  std::vector<std::vector<std::string>> rows{{board({"época", "epoch"}), board({"pérdida", "loss"})}};
  for (int epoch = 0; epoch <= 60; ++epoch) {
    const Tensor loss = loss_of();
    if (epoch % 10 == 0) rows.push_back({number(epoch), number(loss.item(), 2)});
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
  board.table(rows);
  board.math("");
  const NoGrad guard;
  const Tensor p = sigmoid(net(x));
  rows = {{"x", board({"debe ser", "should be"}), "ŷ"}};
  for (std::int64_t i = 0; i < 4; ++i)
    rows.push_back({numbers(x[i]), number(y[i].item()), number(p[i].item(), 2)});
  board.table(rows);
  return net;
}

void run(Board& board) {
  std::vector<Plane> planes;
  board.math("");
  board.write({"y = escalón(w·x + b)      Δw = η·(t - y)·x      Δb = η·(t - y)      η = 1",
               "y = step(w·x + b)      Δw = η·(t - y)·x      Δb = η·(t - y)      η = 1"});
  for (const Gate& gate : {and_gate, or_gate, xor_gate}) {
    board.step({std::string("Perceptrón: ") + gate.name, std::string("Perceptron: ") + gate.name});
    nn::Perceptron unit(2, 1, {.dtype = f64});
    const bool learnt = learn(board, unit, gate);
    if (learnt)
      board.say({"Sin errores: converge. Un punto sobre la recta cuenta como 1, porque escalón(0) = 1.",
                 "No mistakes: it converges. A point on the line counts as 1, because step(0) = 1."});
    else
      explain_xor(board);
    planes.push_back(plane_of(
        board, gate,
        board(learnt ? Text{"perceptrón: una recta los separa", "perceptron: a line separates them"}
                     : Text{"perceptrón: ninguna recta los separa", "perceptron: no line separates them"}),
        sum_of(unit)));
  }
  board.step({"XOR con dos capas, pesos a mano", "XOR with two layers, weights by hand"});
  build_xor(board);
  board.step({"XOR con dos capas, aprendido por descenso del gradiente",
              "XOR with two layers, learnt by gradient descent"});
  nn::Sequential net = learn_xor(board);
  const NoGrad guard;
  planes.push_back(plane_of(board, xor_gate,
                            board({"dos capas: la frontera se dobla", "two layers: the border bends"}),
                            [&](double x, double y) {
                              return net(tensor({x, y}, f64)).item();
                            }));
  board.picture("perceptron", render_planes(planes),
                {"los cuatro puntos y lo que decide cada red", "the four points and what each net decides"});
}

}  // namespace

Slide perceptron() {
  return {.name = "perceptron",
          .title = {"El perceptrón y su límite", "The perceptron and its limit"},
          .about = {"la regla de Rosenblatt aprende AND y OR, no XOR; dos capas sí",
                    "Rosenblatt's rule learns AND and OR but not XOR; two layers do"},
          .run = run};
}

}  // namespace cadena::examples::course
