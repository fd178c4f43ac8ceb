// Adam as the slide writes it, without bias correction, beside Kingma and Ba's.
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "examples/course/slides.hpp"
#include "optim/optim.hpp"
#include "plot/chart.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

constexpr double eta = 0.1, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, first_w = 1;
constexpr int shown = 5, drawn = 60;

struct Step {
  double g, m, v, w;  ///< w after the step
};

/// L = w² by the formulas on the board.
std::vector<Step> by_hand(int steps, bool corrected) {
  std::vector<Step> all;
  double w = first_w, m = 0, v = 0;
  for (int t = 1; t <= steps; ++t) {
    const double g = 2 * w;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const double m_hat = corrected ? m / (1 - std::pow(beta1, t)) : m;
    const double v_hat = corrected ? v / (1 - std::pow(beta2, t)) : v;
    w -= eta * m_hat / (std::sqrt(v_hat) + epsilon);
    all.push_back({g, m, v, w});
  }
  return all;
}

/// The same by optim::Adam and the engine.
std::vector<double> by_library(int steps, bool corrected) {
  Tensor w = full({}, first_w, f64).requires_grad_();
  optim::Adam adam({w}, {.lr = eta, .betas = {beta1, beta2}, .eps = epsilon, .bias_correction = corrected});
  std::vector<double> all;
  for (int t = 1; t <= steps; ++t) {
    const Tensor loss = square(w);
    adam.zero_grad();
    loss.backward();
    adam.step();
    all.push_back(w.item());
  }
  return all;
}

void tabulate(Board& board, bool corrected) {
  const auto steps = by_hand(shown, corrected);
  const auto library = by_library(shown, corrected);
  std::vector<std::vector<std::string>> rows{{"t", "g", "m", "v"}};
  if (corrected) rows[0].insert(rows[0].end(), {"m̂", "v̂"});
  rows[0].insert(rows[0].end(), {"w", "optim::Adam"});
  for (int t = 1; t <= shown; ++t) {
    const Step& s = steps[static_cast<std::size_t>(t - 1)];
    rows.push_back({number(t), number(s.g), number(s.m), number(s.v, 6)});
    if (corrected)
      rows.back().insert(rows.back().end(),
                         {number(s.m / (1 - std::pow(beta1, t))), number(s.v / (1 - std::pow(beta2, t)))});
    rows.back().insert(rows.back().end(), {number(s.w), number(library[static_cast<std::size_t>(t - 1)])});
  }
  board.table(rows);
}

std::string draw(const Board& board) {
  Series slide{
      .name = board({"sin corrección (lámina)", "without correction (slide)"}), .x = {0}, .y = {first_w}};
  Series paper{.name = board({"con corrección (Kingma y Ba)", "with correction (Kingma and Ba)"}),
               .x = {0},
               .y = {first_w},
               .dashed = true};
  const auto a = by_library(drawn, false), b = by_library(drawn, true);
  for (std::size_t t = 0; t < a.size(); ++t) {
    slide.x.push_back(static_cast<double>(t + 1));
    paper.x.push_back(static_cast<double>(t + 1));
    slide.y.push_back(a[t]);
    paper.y.push_back(b[t]);
  }
  return render_chart({.title = board({"Adam sobre L = w²", "Adam on L = w²"}),
                       .subtitle = board({"sin corrección, los primeros pasos son varias veces mayores",
                                          "without correction the first steps are several times as large"}),
                       .x_label = board({"paso", "step"}),
                       .y_label = "w",
                       .series = {slide, paper},
                       .x_integer = true,
                       .show_last = false});
}

void run(Board& board) {
  board.math("");
  board.math("L = w²   g = ∂L/∂w = 2w   w₀ = 1   η = 0.1   β₁ = 0.9   β₂ = 0.999   ε = 1e-8");
  board.step({"Las ecuaciones de la lámina", "The slide's equations"});
  board.math("m ← β₁·m + (1 - β₁)·g      v ← β₂·v + (1 - β₂)·g²      w ← w - η·m/(√v + ε)");
  board.math("");
  tabulate(board, false);
  board.step({"Kingma y Ba, arXiv:1412.6980, algoritmo 1", "Kingma and Ba, arXiv:1412.6980, Algorithm 1"});
  board.math("m̂ = m/(1 - β₁ᵗ)      v̂ = v/(1 - β₂ᵗ)      w ← w - η·m̂/(√v̂ + ε)");
  board.math("");
  tabulate(board, true);
  const Step first = by_hand(1, false).front();
  board.say(
      {"m y v empiezan en 0 y al principio quedan cortos: m por el factor 1 - β₁ = 0.1, √v por √(1 - β₂) = "
       "0.0316. "
       "Sin corregirlos, el primer paso mide η·0.1/0.0316 = " +
           number(first_w - first.w) + "; corregidos, η = 0.1, sea cual sea el gradiente.",
       "m and v start at 0 and fall short at first: m by the factor 1 - β₁ = 0.1, √v by √(1 - β₂) = 0.0316. "
       "Uncorrected, the first step measures η·0.1/0.0316 = " +
           number(first_w - first.w) + "; corrected, η = 0.1, whatever the gradient."});
  board.picture(
      "adam", draw(board),
      {"w a lo largo de " + std::to_string(drawn) + " pasos", "w over " + std::to_string(drawn) + " steps"});
}

}  // namespace

Slide adam() {
  return {.name = "adam",
          .title = {"Adam", "Adam"},
          .about = {"las ecuaciones de la lámina, sin corrección, junto a las de Kingma y Ba",
                    "the slide's equations, without correction, beside Kingma and Ba's"},
          .run = run};
}

}  // namespace cadena::examples::course
