// One step of gradient descent on one weight.
#include "autodiff/autodiff.hpp"
#include "examples/course/slides.hpp"
#include "optim/sgd.hpp"

namespace cadena::examples::course {
namespace {

void run(Board& board) {
  const double w = board.setting("w").front(), slope = board.setting("grad").front(),
               eta = board.setting("lr").front();
  board.math("");
  board.math("w ← w - η·∂L/∂w");

  board.step({"A mano", "By hand"});
  board.math("w = " + number(w) + "   ∂L/∂w = " + number(slope) + "   η = " + number(eta));
  board.math("w ← " + number(w) + " - " + factor(eta) + "·" + factor(slope) + " = " + number(w) + " - " +
             factor(eta * slope) + " = " + number(w - eta * slope));

  board.step({"Con optim::SGD", "With optim::SGD"});
  Tensor weight = full({}, w, f64).requires_grad_();
  const Tensor loss = slope * weight;  // a loss with that slope
  optim::SGD sgd({weight}, {.lr = eta});
  loss.backward();
  board.write(
      {"L = " + factor(slope) + "·w, así que ∂L/∂w = " + number(weight.grad().item()) + " según el motor",
       "L = " + factor(slope) + "·w, so ∂L/∂w = " + number(weight.grad().item()) + " by the engine"});
  sgd.step();
  board.math("sgd.step():  w = " + number(weight.item()));
}

}  // namespace

Slide update() {
  return {.name = "update",
          .title = {"Actualización de los pesos", "Weight update"},
          .about = {"un paso de descenso del gradiente, a mano y con optim::SGD",
                    "one step of gradient descent, by hand and with optim::SGD"},
          .run = run,
          .settings = {{"w", {"El peso", "The weight"}, {0.5}},
                       {"grad", {"La derivada de la pérdida", "The derivative of the loss"}, {0.2}},
                       {"lr", {"La tasa de aprendizaje", "The learning rate"}, {0.1}}}};
}

}  // namespace cadena::examples::course
