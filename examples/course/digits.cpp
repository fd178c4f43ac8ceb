// Handwritten digits: a short training on digits that the library draws itself.
#include <algorithm>
#include <cmath>

#include "autodiff/autodiff.hpp"
#include "data/data.hpp"
#include "examples/course/slides.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "plot/format.hpp"
#include "plot/image_sheet.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

constexpr std::int64_t to_train = 10000, to_test = 1000, hidden = 64, epochs = 4;

/// In double precision, so that what is printed does not depend on the width of the machine's vectors.
data::TensorDataset drawn(std::int64_t count, std::uint64_t seed) {
  const auto images = data::image_dataset(data::draw_digits(count, seed));
  return {(images.x().flatten(1).to(f64) - 0.15) / 0.3, images.y()};
}

double accuracy(nn::Sequential& net, const data::TensorDataset& images) {
  const NoGrad guard;
  return mean(to(eq(argmax(net(images.x()), 1), images.y()), f64)).item();
}

void train(Board& board, nn::Sequential& net, const data::TensorDataset& images,
           const data::TensorDataset& test) {
  optim::Adam adam(net.parameters(), {.lr = 2e-3});
  data::DataLoader loader(images, {.batch_size = 50, .shuffle = true, .seed = 1});
  std::vector<std::vector<std::string>> rows{
      {board({"época", "epoch"}), board({"aciertos en la prueba", "right in the test"})}};
  for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
    for (const auto& [x, y] : loader) {
      const Tensor loss = cross_entropy(net(x), y);
      adam.zero_grad();
      loss.backward();
      adam.step();
    }
    rows.push_back({std::to_string(epoch), format_percent(accuracy(net, test), 0)});
  }
  board.table(rows);
}

std::string draw(const Board& board, nn::Sequential& net, const data::TensorDataset& test) {
  constexpr std::int64_t count = 24;
  const NoGrad guard;
  const auto [probability, predicted] = max(softmax(net(test.x()), 1), 1);
  std::vector<std::vector<std::uint8_t>> pixels;
  ImageSheet sheet{.title = board({"Dígitos que la red nunca vio", "Digits that the net never saw"}),
                   .subtitle = board({"lo que ve en ellos, y con qué probabilidad",
                                      "what it sees in them, and with what probability"}),
                   .enlarge = 3,
                   .dark_on_light = true,
                   .correct = board({"bien", "correct"}),
                   .wrong = board({"mal", "wrong"}),
                   .truth = board({"era:", "true:"})};
  const auto drawing = data::draw_digits(count, 2);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto begin = drawing.images.begin() + i * 28 * 28;
    pixels.emplace_back(begin, begin + 28 * 28);
  }
  for (std::int64_t i = 0; i < count; ++i)
    sheet.items.push_back({.pixels = pixels[static_cast<std::size_t>(i)],
                           .predicted = number(predicted[i].item()),
                           .truth = number(test.y()[i].item()),
                           .probability = probability[i].item()});
  return render_image_sheet(sheet);
}

void run(Board& board) {
  const auto images = drawn(to_train, 1), test = drawn(to_test, 2);
  nn::Sequential net(nn::Linear(28 * 28, hidden, {.dtype = f64}), nn::ReLU(),
                     nn::Linear(hidden, 10, {.dtype = f64}));
  board.math("");
  board.write({std::to_string(to_train) + " dígitos de 28 × 28 píxeles para aprender y " +
                   std::to_string(to_test) + " para probar,",
               std::to_string(to_train) + " digits of 28 × 28 pixels to learn from and " +
                   std::to_string(to_test) + " to test,"});
  board.write({"dibujados por el programa: no hace falta ningún archivo ni red.",
               "drawn by the program: no file and no network is needed."});
  board.math("");
  board.write(
      {"784 → 64 → 10, ReLU, entropía cruzada, Adam; " + std::to_string(net.num_parameters()) + " parámetros",
       "784 → 64 → 10, ReLU, cross-entropy, Adam; " + std::to_string(net.num_parameters()) + " parameters"});
  board.step({"Entrenamiento", "Training"});
  train(board, net, images, test);
  board.step({"En serio", "In earnest"});
  board.math("./run digits");
  board.say(
      {"entrena una red mayor con 60 000 imágenes y deja curvas, matriz de confusión y pesos en out/.",
       "trains a larger net on 60,000 images and leaves curves, confusion matrix and weights in out/."});
  board.picture(
      "digits", draw(board, net, test),
      {"dígitos de prueba y lo que la red ve en ellos", "test digits and what the net sees in them"});
}

}  // namespace

Slide digits() {
  return {.name = "digits",
          .title = {"Dígitos manuscritos", "Handwritten digits"},
          .about = {"un entrenamiento corto, sin red ni archivos; en serio: ./run digits",
                    "a short training, without network or files; in earnest: ./run digits"},
          .run = run};
}

}  // namespace cadena::examples::course
