// Recurrent layers: RNN, LSTM and GRU over whole sequences, and their cells for a single step. Names of
// parameters, shapes, order of the gates, first values and defaults are PyTorch's, so that its weights can be
// loaded as they are.
//
//   nn::LSTM lstm(10, 20, {.num_layers = 2, .batch_first = true});
//   auto [output, state] = lstm(x);             // x (N, L, 10); output (N, L, 20); state.h, state.c (2, N,
//   20) auto [more, later] = lstm(next, state);     // goes on where x ended; detach the state to forget its
//   graph
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/init.hpp"
#include "nn/module.hpp"
#include "nn/packed.hpp"

namespace cadena::nn {

/// Of one layer in one direction. Rows of all gates lie one below the other.
struct RecurrentWeights {
  Parameter weight_ih;  ///< (gates * hidden, input)
  Parameter weight_hh;  ///< (gates * hidden, hidden or projection)
  Parameter bias_ih;    ///< (gates * hidden), or absent
  Parameter bias_hh;    ///< (gates * hidden), or absent; beside bias_ih it matters to a GRU only
  Parameter weight_hr;  ///< (projection, hidden), or absent
};

namespace detail {
/// What goes from one step to the next; only an LSTM has a c.
struct RecurrentState {
  Tensor h, c;
};
/// What the steps of a sequence read besides it. Biases and weight_hr may be undefined.
struct StepWeights {
  const Tensor &weight_ih, &weight_hh, &bias_ih, &bias_hh, &weight_hr;
};
/// @param x (L, N, input) @param state at the start, and then at the end
/// @return h after every step (L, N, hidden), in the order of x, which is walked from the end if `reverse`
using Sequence = Tensor (*)(const Tensor& x, const StepWeights& w, bool reverse, RecurrentState& state);
}  // namespace detail

/// What RNN, LSTM and GRU have in common: `num_layers` layers, each of which reads the output of the one
/// below, in one direction or both. All values start uniform within +-1/sqrt(hidden_size).
///
/// Parameters "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", for an LSTM with projections
/// "weight_hr_l0", then the same with "_reverse" where it is bidirectional, then those of layer 1 ("_l1").
class RecurrentLayers : public Callable {
 public:
  /// @throws IndexError
  RecurrentWeights& weights(std::int64_t layer, bool reverse = false);
  std::int64_t input_size() const { return input_size_; }
  std::int64_t hidden_size() const { return hidden_size_; }
  std::int64_t num_layers() const { return options_.num_layers; }
  std::int64_t num_directions() const { return options_.bidirectional ? 2 : 1; }
  /// Draws new first values.
  void reset_parameters();
  void visit(Visitor& v) override;
  std::string extra_repr() const override;
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;

 protected:
  struct Options {
    std::int64_t num_layers;
    bool bias, batch_first;
    double dropout;
    bool bidirectional;
    std::int64_t proj_size;
    DType dtype;
  };
  struct Result {
    Tensor output, h_n, c_n;
  };

  /// @throws ShapeError, DtypeError, ValueError
  RecurrentLayers(std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                  const Options& options);
  /// @param h_0, c_0 zeros if undefined; c_0 is used by an LSTM only
  Result run(const Tensor& x, const Tensor& h_0, const Tensor& c_0, detail::Sequence steps) const;
  /// @param x, output the data of a PackedSequence; states in the order of the unpacked batch
  Result run(const PackedSequence& x, const Tensor& h_0, const Tensor& c_0, detail::Sequence steps) const;

 private:
  std::int64_t output_size() const { return options_.proj_size > 0 ? options_.proj_size : hidden_size_; }
  Tensor initial(const Tensor& given, const char* what, std::int64_t width, bool batched,
                 std::int64_t batch) const;
  template <class Along>
  Result layers(Tensor sequence, const Tensor& h, const Tensor& c, const Along& along) const;

  std::int64_t input_size_, hidden_size_;
  Options options_;
  std::vector<RecurrentWeights> weights_;  // by layer, then direction
};

struct RNNOptions {
  std::int64_t num_layers = 1;
  init::Nonlinearity nonlinearity = init::Nonlinearity::tanh;  ///< tanh or relu
  bool bias = true;
  bool batch_first = false;  ///< x and output are (N, L, ...) instead of (L, N, ...)
  double dropout = 0;        ///< in training, of the output of every layer but the last
  bool bidirectional = false;
  DType dtype = f32;
};

struct RNNOutput {
  Tensor output;  ///< (L, N, directions * hidden): of the last layer, after every step
  Tensor h_n;     ///< (layers * directions, N, hidden): of every layer, after its last step
};

struct PackedRNNOutput {
  PackedSequence output;  ///< of the last layer, packed as the input
  Tensor h_n;
};

/// h' = tanh(W_ih x + b_ih + W_hh h + b_hh), or with relu. J. L. Elman, "Finding structure in time",
/// Cognitive Science 14 (1990) 179.
class RNN : public RecurrentLayers {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, ValueError
  RNN(std::int64_t input_size, std::int64_t hidden_size, RNNOptions options = {});
  RNNOutput operator()(const Tensor& x, const Tensor& h_0 = {}) {
    return call([this](const Tensor& in, const Tensor& h) { return forward(in, h); }, x, h_0);
  }
  /// @param x (L, N, input) with L > 0, or (L, input) for a single sequence; then nothing has an N
  /// @param h_0 of h_n's shape; zeros unless given @throws ShapeError
  RNNOutput forward(const Tensor& x, const Tensor& h_0 = {});
  /// Each sequence for itself, to its own end. @param x data (sum of lengths, input)
  PackedRNNOutput operator()(const PackedSequence& x, const Tensor& h_0 = {});

 private:
  init::Nonlinearity nonlinearity_;
};

struct LSTMOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  std::int64_t proj_size = 0;  ///< if > 0, h is W_hr (o * tanh(c)), of this size
  DType dtype = f32;
};

struct LSTMState {
  Tensor h;  ///< (layers * directions, N, hidden or projection)
  Tensor c;  ///< (layers * directions, N, hidden)
};

struct LSTMOutput {
  Tensor output;    ///< (L, N, directions * hidden or projection)
  LSTMState state;  ///< h_n and c_n
};

struct PackedLSTMOutput {
  PackedSequence output;
  LSTMState state;
};

/// With i, f, o = sigmoid and g = tanh of W_i* x + b_i* + W_h* h + b_h*:  c' = f * c + i * g,  h' = o *
/// tanh(c'). The rows of the weights are those of i, f, g, o. S. Hochreiter and J. Schmidhuber, "Long
/// short-term memory", Neural Computation 9 (1997) 1735; forget gate: Gers et al. (2000); projections: Sak et
/// al., arXiv:1402.1128.
class LSTM : public RecurrentLayers {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, ValueError
  LSTM(std::int64_t input_size, std::int64_t hidden_size, LSTMOptions options = {});
  LSTMOutput operator()(const Tensor& x, const LSTMState& state = {}) {
    return call(
        [this](const Tensor& in, const Tensor& h, const Tensor& c) {
          return forward(in, {h, c});
        },
        x, state.h, state.c);
  }
  /// As RNN's. @param state h_0 and c_0; zeros unless given @throws ShapeError
  LSTMOutput forward(const Tensor& x, const LSTMState& state = {});
  PackedLSTMOutput operator()(const PackedSequence& x, const LSTMState& state = {});  ///< as RNN's
};

struct GRUOptions {
  std::int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
  DType dtype = f32;
};

/// With r, z = sigmoid(W_i* x + b_i* + W_h* h + b_h*) and n = tanh(W_in x + b_in + r * (W_hn h + b_hn)):
/// h' = (1 - z) * n + z * h. The rows of the weights are those of r, z, n. K. Cho et al., arXiv:1406.1078,
/// with the reset gate behind the product, as in cuDNN.
class GRU : public RecurrentLayers {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, ValueError
  GRU(std::int64_t input_size, std::int64_t hidden_size, GRUOptions options = {});
  RNNOutput operator()(const Tensor& x, const Tensor& h_0 = {}) {
    return call([this](const Tensor& in, const Tensor& h) { return forward(in, h); }, x, h_0);
  }
  RNNOutput forward(const Tensor& x, const Tensor& h_0 = {});                   ///< as RNN's
  PackedRNNOutput operator()(const PackedSequence& x, const Tensor& h_0 = {});  ///< as RNN's
};

/// What the cells have in common: parameters "weight_ih", "weight_hh", "bias_ih", "bias_hh" as in a layer.
class RecurrentCell : public Callable {
 public:
  void reset_parameters();
  void visit(Visitor& v) override;
  std::string extra_repr() const override;
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;

  Parameter weight_ih, weight_hh, bias_ih, bias_hh;

 protected:
  RecurrentCell(std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size, bool bias,
                DType dtype);
  /// @param h, c zeros if undefined. @throws ShapeError for x or a state that does not fit
  detail::RecurrentState step(detail::Sequence steps, const Tensor& x, const Tensor& h,
                              const Tensor& c = {}) const;

 private:
  Tensor state_for(const Tensor& x, const Tensor& given) const;
};

struct RNNCellOptions {
  bool bias = true;
  init::Nonlinearity nonlinearity = init::Nonlinearity::tanh;  ///< tanh or relu
  DType dtype = f32;
};

/// One step of an RNN: x (N, input) and h (N, hidden), or (input) and (hidden), to the next h.
class RNNCell : public RecurrentCell {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, ValueError
  RNNCell(std::int64_t input_size, std::int64_t hidden_size, RNNCellOptions options = {});
  Tensor operator()(const Tensor& x, const Tensor& h = {}) {
    return call([this](const Tensor& in, const Tensor& state) { return forward(in, state); }, x, h);
  }
  Tensor forward(const Tensor& x, const Tensor& h = {});  ///< h is zeros unless given. @throws ShapeError
  std::string extra_repr() const override;

 private:
  init::Nonlinearity nonlinearity_;
};

struct LSTMCellOptions {
  bool bias = true;
  DType dtype = f32;
};

/// One step of an LSTM: `auto [h, c] = cell(x, {h, c})`.
class LSTMCell : public RecurrentCell {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, ValueError
  LSTMCell(std::int64_t input_size, std::int64_t hidden_size, LSTMCellOptions options = {});
  LSTMState operator()(const Tensor& x, const LSTMState& state = {}) {
    return call(
        [this](const Tensor& in, const Tensor& h, const Tensor& c) {
          return forward(in, {h, c});
        },
        x, state.h, state.c);
  }
  LSTMState forward(const Tensor& x, const LSTMState& state = {});  ///< as RNNCell's
};

struct GRUCellOptions {
  bool bias = true;
  DType dtype = f32;
};

/// One step of a GRU.
class GRUCell : public RecurrentCell {
 public:
  /// @throws ShapeError, DtypeError unless f32 or f64, ValueError
  GRUCell(std::int64_t input_size, std::int64_t hidden_size, GRUCellOptions options = {});
  Tensor operator()(const Tensor& x, const Tensor& h = {}) {
    return call([this](const Tensor& in, const Tensor& state) { return forward(in, state); }, x, h);
  }
  Tensor forward(const Tensor& x, const Tensor& h = {});  ///< as RNNCell's
};

}  // namespace cadena::nn
