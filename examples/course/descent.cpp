// Three ways down the same loss surface: all examples at once, one at a time, a few at a time.
#include <numeric>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "examples/course/slides.hpp"
#include "optim/optim.hpp"
#include "plot/plane.hpp"
#include "plot/terminal_plot.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

constexpr std::int64_t examples = 32, epochs = 20;
constexpr double eta = 0.08, first_w = -1, first_b = 3;

/// y = 2x + 0.5 with noise.
data::TensorDataset make_data() {
  const Tensor x = rand({examples}, f64) * 2;
  return {x, 2 * x + 0.5 + 0.5 * randn({examples}, f64)};
}

Tensor loss_of(const Tensor& w, const Tensor& b, const data::Batch& batch) {
  return mse_loss(w * batch.x + b, batch.y);
}

struct Way {
  Text name, shortly;
  std::int64_t batch;
  std::vector<Point> at = {};
  std::vector<double> loss = {};  ///< over all examples, before the first epoch and after each
};

void descend(Way& way, const data::TensorDataset& data) {
  Tensor w = full({}, first_w, f64).requires_grad_(), b = full({}, first_b, f64).requires_grad_();
  optim::SGD sgd({w, b}, {.lr = eta});
  const auto note = [&] { way.at.push_back({w.item(), b.item()}); };
  const auto assess = [&] { way.loss.push_back(loss_of(w, b, {data.x(), data.y()}).item()); };
  note();
  assess();
  data::DataLoader loader(data, {.batch_size = way.batch, .shuffle = true, .seed = 3});
  for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
    for (const auto& batch : loader) {
      const Tensor loss = loss_of(w, b, batch);
      sgd.zero_grad();
      loss.backward();
      sgd.step();
      note();
    }
    assess();
  }
}

std::string draw(const Board& board, const std::vector<Way>& ways, const data::TensorDataset& data,
                 Point best) {
  const auto loss = [&](double w, double b) {
    const NoGrad guard;
    return loss_of(full({}, w, f64), full({}, b, f64), {data.x(), data.y()}).item();
  };
  Plane plane{
      .title = board({"Tres caminos por la superficie de la pérdida", "Three ways over the loss surface"}),
      .subtitle =
          board({"mismo comienzo, misma tasa, " + std::to_string(epochs) + " épocas; curvas de nivel de L",
                 "same start, same rate, " + std::to_string(epochs) + " epochs; contour lines of L"}),
      .x_label = "w",
      .y_label = "b",
      .low = {-1.5, -0.5},
      .high = {3, 3.7},
      .fields = {{.f = loss,
                  .levels = {0.3, 0.5, 1, 2, 4, 7, 11, 16},
                  .line_name = "L = 0.3, 0.5, 1, 2, 4, 7, 11, 16",
                  .resolution = 121}},
      .width = 760,
      .height = 620};
  const auto path = [&](const Way& way, std::size_t colour, double width, double dots, const char* dashes) {
    plane.paths.push_back({.name = board(way.name),
                           .at = way.at,
                           .mark = {.colour = palette::series(colour), .dashes = dashes},
                           .width = width,
                           .dots = dots});
  };
  path(ways[1], 2, 1, 0, "");
  path(ways[2], 1, 2, 2.5, "6 3");
  path(ways[0], 0, 2.5, 4.5, "");
  plane.points = {
      {.name = board({"comienzo", "start"}),
       .at = {{first_w, first_b}},
       .mark = {Mark::Kind::ring, palette::ink}},
      {.name = board({"mínimo", "minimum"}), .at = {best}, .mark = {Mark::Kind::cross, palette::ink}}};
  return render_plane(plane);
}

/// Least squares by the formula.
Point minimum(const data::TensorDataset& data) {
  const Tensor x = data.x() - mean(data.x()), y = data.y() - mean(data.y());
  const double w = sum(x * y).item() / sum(x * x).item();
  return {w, mean(data.y()).item() - w * mean(data.x()).item()};
}

void run(Board& board) {
  const data::TensorDataset data = make_data();
  const Point best = minimum(data);
  board.math("");
  board.math("ŷ = w·x + b      L = 1/n · Σ (yᵢ - ŷᵢ)²      (w, b) ← (w, b) - η·∇L");
  board.write({"n = " + std::to_string(examples) + " ejemplos cerca de y = 2x + 0.5   η = " + number(eta) +
                   "   comienzo (" + number(first_w) + ", " + number(first_b) + ")",
               "n = " + std::to_string(examples) + " examples near y = 2x + 0.5   η = " + number(eta) +
                   "   start (" + number(first_w) + ", " + number(first_b) + ")"});
  board.step({std::to_string(epochs) + " épocas de cada variante",
              std::to_string(epochs) + " epochs of each variant"});
  std::vector<Way> ways{
      {{"por lote completo (batch)", "full batch"}, {"lote", "batch"}, examples},
      {{"estocástico, de uno en uno (SGD)", "stochastic, one by one (SGD)"}, {"SGD", "SGD"}, 1},
      {{"por minilotes de 8 (mini-batch)", "mini-batches of 8"}, {"minilotes", "mini-batches"}, 8}};
  std::vector<std::vector<std::string>> rows{
      {board({"variante", "variant"}), board({"pasos", "steps"}), "w", "b", "L"}};
  for (Way& way : ways) {
    descend(way, data);
    rows.push_back({board(way.name), std::to_string(way.at.size() - 1), number(way.at.back().x, 2),
                    number(way.at.back().y, 2), number(way.loss.back(), 3)});
  }
  Chart chart{.x_label = board({"época", "epoch"}), .y_scale = Scale::log, .x_integer = true};
  std::vector<double> epoch(epochs + 1);
  std::iota(epoch.begin(), epoch.end(), 0.0);
  for (const Way& way : ways) chart.series.push_back({.name = board(way.shortly), .x = epoch, .y = way.loss});
  const double least = loss_of(full({}, best.x, f64), full({}, best.y, f64), {data.x(), data.y()}).item();
  rows.push_back({board({"mínimo (mínimos cuadrados)", "minimum (least squares)"}), "", number(best.x, 2),
                  number(best.y, 2), number(least, 3)});
  board.table(rows);
  board.say(
      {"Con el mismo número de épocas, el lote completo da pocos pasos seguros; de uno en uno se dan muchos, "
       "con ruido, y "
       "al final se vaga alrededor del mínimo; los minilotes quedan en medio.",
       "With the same number of epochs the full batch takes few, sure steps; one by one there are many, "
       "noisy ones, "
       "which in the end wander around the minimum; mini-batches lie in between."});
  board.step({"La pérdida época a época", "The loss, epoch by epoch"});
  for (const std::string& line : render_terminal_chart(chart, {.unicode = true, .width = 74}))
    board.math(line);
  board.picture("descent", draw(board, ways, data, best),
                {"los tres caminos y las curvas de nivel", "the three ways and the contour lines"});
}

}  // namespace

Slide descent() {
  return {.name = "descent",
          .title = {"Variantes del descenso del gradiente", "Variants of gradient descent"},
          .about = {"lote completo, de uno en uno y minilotes: tres caminos en un dibujo",
                    "full batch, one by one and mini-batches: three ways in one picture"},
          .run = run};
}

}  // namespace cadena::examples::course
