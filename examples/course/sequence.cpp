// A task with memory: which symbol came first? A feedforward net sees a window, a recurrent one everything.
#include "autodiff/autodiff.hpp"
#include "examples/course/slides.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "plot/chart.hpp"
#include "plot/format.hpp"

namespace cadena::examples::course {
using namespace plot;

namespace {

constexpr std::int64_t window = 8, batch = 64, steps = 1500, tested = 500;

/// Symbols of -1 and 1: x (length, N, 1), and y (N, 1) is 1 where the first one was 1.
struct Sequences {
  Tensor x, y;
};

Sequences draw_sequences(std::int64_t length, std::int64_t n) {
  const Tensor x = to(randint(0, 2, {length, n, 1}), f64) * 2 - 1;
  return {x, to(x[0] > 0, f64)};
}

/// The last `window` symbols, zeros before the beginning, into a multilayer perceptron.
struct WindowNet : nn::Module {
  nn::Linear fc1{window, 32, {.dtype = f64}}, fc2{32, 1, {.dtype = f64}};

  Tensor operator()(const Tensor& x) {
    const std::int64_t length = x.size(0);
    Tensor seen = x.squeeze({2}).t();  // (N, length)
    seen = length < window ? pad(seen, {{window - length, 0}}) : slice(seen, 1, {length - window, length});
    return fc2(relu(fc1(seen)));
  }
  void visit(nn::Visitor& v) override {
    v("fc1", fc1);
    v("fc2", fc2);
  }
};

/// A recurrent layer that reads symbol after symbol; its last state decides.
struct MemoryNet : nn::Module {
  nn::RNN rnn{1, 8, {.dtype = f64}};
  nn::Linear out{8, 1, {.dtype = f64}};

  Tensor operator()(const Tensor& x) { return out(rnn(x).h_n[0]); }
  void visit(nn::Visitor& v) override {
    v("rnn", rnn);
    v("out", out);
  }
};

/// On lengths from 2 to the window's.
template <class Net>
void train(Net& net) {
  manual_seed(4);
  optim::Adam adam(net.parameters(), {.lr = 1e-2});
  for (std::int64_t step = 0; step < steps; ++step) {
    const auto [x, y] = draw_sequences(2 + step % (window - 1), batch);
    const Tensor loss = binary_cross_entropy_with_logits(net(x), y);
    adam.zero_grad();
    loss.backward();
    adam.step();
  }
}

template <class Net>
double accuracy(Net& net, std::int64_t length) {
  manual_seed(100 + static_cast<std::uint64_t>(length));
  const NoGrad guard;
  const auto [x, y] = draw_sequences(length, tested);
  return mean(to(eq(to(net(x) > 0, f64), y), f64)).item();
}

std::string draw(const Board& board, const Series& feedforward, const Series& recurrent) {
  return render_chart(
      {.title = board({"¿Cuál fue el primer símbolo?", "Which symbol came first?"}),
       .subtitle = board({"ambas aprendieron con largos de 2 a 8; a la derecha, largos que nunca vieron",
                          "both learnt from lengths 2 to 8; to the right, lengths they never saw"}),
       .x_label = board({"largo de la secuencia", "length of the sequence"}),
       .y_label = board({"aciertos", "right"}),
       .series = {feedforward, recurrent},
       .x_integer = true,
       .y_percent = true,
       .y_min = 0,
       .y_max = 1,
       .show_last = false});
}

void run(Board& board) {
  board.math("");
  board.write({"entrada: una secuencia de -1 y 1, de cualquier largo   salida: el primer símbolo",
               "input: a sequence of -1 and 1, of any length   output: the first symbol"});

  board.step({"Dos redes", "Two nets"});
  WindowNet feedforward;
  MemoryNet recurrent;
  board.write({"hacia adelante: los últimos 8 símbolos → 32 → 1, ReLU    " +
                   number(static_cast<double>(feedforward.num_parameters())) + " parámetros",
               "feedforward: the last 8 symbols → 32 → 1, ReLU    " +
                   number(static_cast<double>(feedforward.num_parameters())) + " parameters"});
  board.write({"recurrente: h ← tanh(W·x + U·h + b), h de 8 números      " +
                   number(static_cast<double>(recurrent.num_parameters())) + " parámetros",
               "recurrent: h ← tanh(W·x + U·h + b), h of 8 numbers  " +
                   number(static_cast<double>(recurrent.num_parameters())) + " parameters"});
  board.say(
      {"La primera tiene un número fijo de entradas, y alguno hay que elegir. La segunda lee un símbolo tras "
       "otro y "
       "lleva lo leído en h (nn::RNN).",
       "The first has a fixed number of inputs, and one must be chosen. The second reads symbol after symbol "
       "and "
       "carries what it read in h (nn::RNN)."});
  train(feedforward);
  train(recurrent);

  board.step({"Aciertos por largo, en secuencias nuevas", "Right answers by length, in new sequences"});
  std::vector<std::vector<std::string>> rows{
      {board({"largo", "length"}), board({"hacia adelante", "feedforward"}),
       board({"recurrente", "recurrent"}), board({"largo visto al aprender", "length seen in training"})}};
  Series window_line{.name = board({"hacia adelante, ventana de 8", "feedforward, window of 8"})};
  Series memory_line{.name = board({"recurrente", "recurrent"}), .dashed = true};
  for (const std::int64_t length : {2, 5, 8, 9, 12, 20, 40}) {
    const double a = accuracy(feedforward, length), b = accuracy(recurrent, length);
    rows.push_back({std::to_string(length), format_percent(a, 0), format_percent(b, 0),
                    board(yes_or_no(length <= window))});
    for (auto [line, value] : {std::pair{&window_line, a}, {&memory_line, b}}) {
      line->x.push_back(static_cast<double>(length));
      line->y.push_back(value);
    }
  }
  board.table(rows);
  board.say(
      {"En cuanto el primer símbolo sale de la ventana, la red hacia adelante adivina: 50 %. No es falta de "
       "entrenamiento: el dato no le llega. La recurrente lo recuerda a cualquier distancia.",
       "As soon as the first symbol leaves the window the feedforward net guesses: 50%. This is no lack of "
       "training: the symbol does not reach it. The recurrent one remembers it over any distance."});
  board.picture("sequence", draw(board, window_line, memory_line),
                {"aciertos frente al largo", "right answers against length"});
}

}  // namespace

Slide sequence() {
  return {.name = "sequence",
          .title = {"Límites de las redes hacia adelante: secuencias",
                    "Limits of feedforward networks: sequences"},
          .about = {"recordar el primer símbolo: una red con ventana no puede, una recurrente sí",
                    "remembering the first symbol: a net with a window cannot, a recurrent one can"},
          .run = run};
}

}  // namespace cadena::examples::course
