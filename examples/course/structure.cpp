// A network with two hidden layers: built, summarised, drawn.
#include "autodiff/autodiff.hpp"
#include "autodiff/inspect.hpp"
#include "examples/course/slides.hpp"
#include "nn/nn.hpp"
#include "plot/network.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

constexpr std::int64_t inputs = 3, hidden1 = 5, hidden2 = 4, outputs = 2;

std::string shape_of(const Tensor& t) {
  std::string text;
  for (const std::int64_t extent : t.shape()) text += (text.empty() ? "" : " × ") + std::to_string(extent);
  return text;
}

void summarise(Board& board, const nn::Sequential& net) {
  std::vector<std::vector<std::string>> rows{
      {board({"capa", "layer"}), "W", "b", board({"parámetros", "parameters"})}};
  std::string total;
  std::size_t k = 0;
  for (const auto& [name, module] : net.named_children()) {
    const auto* layer = dynamic_cast<const nn::Linear*>(module);
    if (layer == nullptr) continue;
    const std::int64_t out = layer->weight.size(0), in = layer->weight.size(1);
    const std::string count = std::to_string(layer->num_parameters());
    rows.push_back(
        {std::to_string(++k) + ": " + std::to_string(in) + " → " + std::to_string(out),
         shape_of(layer->weight), shape_of(layer->bias),
         std::to_string(out) + "·" + std::to_string(in) + " + " + std::to_string(out) + " = " + count});
    total += (total.empty() ? "" : " + ") + count;
  }
  board.table(rows);
  board.math("");
  board.write({"en total: " + total + " = " + std::to_string(net.num_parameters()),
               "in total: " + total + " = " + std::to_string(net.num_parameters())});
}

std::string draw(const Board& board) {
  NetworkPicture picture{.title = board({"Red con dos capas ocultas", "A network with two hidden layers"}),
                         .subtitle = "3 → 5 → 4 → 2",
                         .layers = {{.name = board({"entrada", "input"})},
                                    {.name = board({"oculta 1", "hidden 1"})},
                                    {.name = board({"oculta 2", "hidden 2"})},
                                    {.name = board({"salida", "output"})}},
                         .width = 760,
                         .height = 480};
  const std::int64_t sizes[] = {inputs, hidden1, hidden2, outputs};
  for (std::size_t k = 0; k < 4; ++k) picture.layers[k].units.resize(static_cast<std::size_t>(sizes[k]));
  const char* const index[] = {"₁", "₂", "₃"};
  for (std::size_t i = 0; i < 3; ++i) picture.layers[0].units[i].label = std::string("x") + index[i];
  for (std::size_t i = 0; i < 2; ++i) picture.layers[3].units[i].label = std::string("y") + index[i];
  picture.links = all_links(picture.layers);
  return render_network(picture);
}

void add_layers(TensorNames& names, const nn::Sequential& net) {
  const char* const layers[] = {"¹", "²", "³"};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto& layer = net.at<nn::Linear>(2 * k);
    names.add(std::string("W") + layers[k], layer.weight).add(std::string("b") + layers[k], layer.bias);
  }
}

void run(Board& board) {
  board.step({"Construir", "Build"});
  board.math("nn::Sequential net(nn::Linear(3, 5), nn::ReLU(),");
  board.math("                   nn::Linear(5, 4), nn::ReLU(),");
  board.math("                   nn::Linear(4, 2));");
  nn::Sequential net(nn::Linear(inputs, hidden1), nn::ReLU(), nn::Linear(hidden1, hidden2), nn::ReLU(),
                     nn::Linear(hidden2, outputs));

  board.step({"Resumir", "Summarise"});
  summarise(board, net);

  board.step({"Un lote la recorre", "A batch goes through it"});
  Tensor a = rand({10, inputs});
  std::string way = shape_of(a);
  for (std::size_t i = 0; i < net.size(); ++i) {
    a = dynamic_cast<nn::Layer&>(net[i])(a);
    if (i % 2 == 0) way += "  →  " + shape_of(a);
  }
  board.math(way);
  board.say(
      {"10 ejemplos a la vez; cada capa calcula a = f(a·Wᵀ + b), y las activaciones no cambian la forma.",
       "10 examples at a time; each layer computes a = f(a·Wᵀ + b), and activations do not change the "
       "shape."});
  board.picture("structure", draw(board), {"la red, neurona por neurona", "the network, neuron by neuron"});

  board.step({"Lo que registra el motor", "What the engine records"});
  board.say({"Cada operación queda en un grafo, por el que luego vuelven los gradientes.",
             "Every operation is kept in a graph, through which the gradients come back later."});
  const Tensor x = rand({10, inputs}), y = rand({10, outputs});
  const Tensor loss = mse_loss(net(x), y, Reduction::sum);
  TensorNames names{{"x", x}, {"y", y}, {"L", loss}};
  add_layers(names, net);
  board.picture("structure-graph",
                to_svg(loss, names, {.values = false, .gradients = false, .language = board.language()}),
                {"el grafo del lote y su pérdida", "the graph of the batch and its loss"});
}

}  // namespace

Slide structure() {
  return {.name = "structure",
          .title = {"Estructura de una red neuronal artificial", "Structure of an artificial neural network"},
          .about = {"dos capas ocultas: construida, resumida y dibujada",
                    "two hidden layers: built, summarised and drawn"},
          .run = run};
}

}  // namespace cadena::examples::course
