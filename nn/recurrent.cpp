#include "nn/recurrent.hpp"

#include <cmath>
#include <cstdio>
#include <utility>

#include "autodiff/ops.hpp"

namespace cadena::nn {

using detail::RecurrentState;
using detail::StepWeights;
using init::Nonlinearity;

namespace {

// ---- A sequence

/// The step that came last, of outputs (L, N, ...).
Tensor last(const Tensor& outputs, bool reverse) { return outputs.select(0, reverse ? 0 : -1); }

Tensor sum_of_biases(const StepWeights& w) { return w.bias_ih.defined() ? w.bias_ih + w.bias_hh : Tensor(); }

template <RecurrentNonlinearity f>
Tensor rnn_sequence(const Tensor& x, const StepWeights& w, bool reverse, RecurrentState& s) {
  const auto h = rnn_steps(linear(x, w.weight_ih, sum_of_biases(w)), s.h, w.weight_hh, f, reverse);
  s = {last(h, reverse), {}};
  return h;
}

/// With W_hr between the output and the next step, which the fused steps do not know.
Tensor projecting_lstm_sequence(const Tensor& x, const StepWeights& w, bool reverse, RecurrentState& s) {
  const auto projected = linear(x, w.weight_ih, sum_of_biases(w));
  const auto n = w.weight_hh.size(0) / 4;
  std::vector<Tensor> outputs(static_cast<std::size_t>(projected.size(0)));
  for (std::size_t k = 0; k < outputs.size(); ++k) {
    const auto t = reverse ? outputs.size() - 1 - k : k;
    const auto gates = projected[static_cast<std::int64_t>(t)] + linear(s.h, w.weight_hh);
    const auto gate = [&](std::int64_t g) { return gates.slice(-1, {g * n, (g + 1) * n}); };
    s.c = sigmoid(gate(1)) * s.c + sigmoid(gate(0)) * tanh(gate(2));
    s.h = outputs[t] = linear(sigmoid(gate(3)) * tanh(s.c), w.weight_hr);
  }
  return stack(outputs);
}

Tensor lstm_sequence(const Tensor& x, const StepWeights& w, bool reverse, RecurrentState& s) {
  if (w.weight_hr.defined()) return projecting_lstm_sequence(x, w, reverse, s);
  const auto [h, c] = lstm_steps(linear(x, w.weight_ih, sum_of_biases(w)), s.h, s.c, w.weight_hh, reverse);
  s = {last(h, reverse), c};
  return h;
}

Tensor gru_sequence(const Tensor& x, const StepWeights& w, bool reverse, RecurrentState& s) {
  const auto h = gru_steps(linear(x, w.weight_ih, w.bias_ih), s.h, w.weight_hh, w.bias_hh, reverse);
  s = {last(h, reverse), {}};
  return h;
}

detail::Sequence rnn_of(Nonlinearity f) {
  return f == Nonlinearity::relu ? rnn_sequence<RecurrentNonlinearity::relu>
                                 : rnn_sequence<RecurrentNonlinearity::tanh>;
}

// ---- Checks and first values

void check(const char* module, const char* option, double value, bool ok, const char* expected) {
  if (!ok)
    throw ValueError(std::string("[") + module + "] " + option + ": expected " + expected + ", got " +
                     std::to_string(value));
}

Nonlinearity checked(const char* module, Nonlinearity f) {
  if (f != Nonlinearity::tanh && f != Nonlinearity::relu)
    throw ValueError(std::string("[") + module + "] nonlinearity: expected tanh or relu, got another");
  return f;
}

/// Uniform within +-1/sqrt(hidden_size), for all parameters alike.
void draw(const Module& module, std::int64_t hidden_size) {
  const double bound = 1 / std::sqrt(static_cast<double>(hidden_size));
  for (auto& p : module.parameters()) init::uniform_(p, -bound, bound);
}

}  // namespace

// ---- Layers

RecurrentLayers::RecurrentLayers(std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size,
                                 const Options& o)
    : input_size_(input_size), hidden_size_(hidden_size), options_(o) {
  const char* name = gates == 4 ? "LSTM" : gates == 3 ? "GRU" : "RNN";
  check(name, "hidden_size", static_cast<double>(hidden_size), hidden_size > 0, "> 0");
  check(name, "num_layers", static_cast<double>(o.num_layers), o.num_layers > 0, "> 0");
  check(name, "dropout", o.dropout, o.dropout >= 0 && o.dropout <= 1, "0 <= dropout <= 1");
  check(name, "proj_size", static_cast<double>(o.proj_size), o.proj_size >= 0 && o.proj_size < hidden_size,
        "0 <= proj_size < hidden_size");
  for (std::int64_t k = 0; k < o.num_layers * num_directions(); ++k) {
    const auto in = k < num_directions() ? input_size : num_directions() * output_size();
    auto& w = weights_.emplace_back();
    w.weight_ih = empty({gates * hidden_size, in}, o.dtype);
    w.weight_hh = empty({gates * hidden_size, output_size()}, o.dtype);
    if (o.bias) w.bias_ih = empty({gates * hidden_size}, o.dtype);
    if (o.bias) w.bias_hh = empty({gates * hidden_size}, o.dtype);
    if (o.proj_size > 0) w.weight_hr = empty({o.proj_size, hidden_size}, o.dtype);
  }
  draw(*this, hidden_size);
}

void RecurrentLayers::reset_parameters() { draw(*this, hidden_size_); }

RecurrentWeights& RecurrentLayers::weights(std::int64_t layer, bool reverse) {
  if (layer < 0 || layer >= num_layers() || (reverse && !options_.bidirectional))
    throw IndexError("[" + type_name() + "::weights] expected a layer below " + std::to_string(num_layers()) +
                     (options_.bidirectional ? "" : ", forwards") + ", got " + std::to_string(layer) +
                     (reverse ? ", reverse" : ""));
  return weights_[static_cast<std::size_t>(layer * num_directions() + (reverse ? 1 : 0))];
}

void RecurrentLayers::visit(Visitor& v) {
  for (std::size_t k = 0; k < weights_.size(); ++k) {
    const auto directions = static_cast<std::size_t>(num_directions());
    const auto suffix = "_l" + std::to_string(k / directions) + (k % directions == 1 ? "_reverse" : "");
    v("weight_ih" + suffix, weights_[k].weight_ih);
    v("weight_hh" + suffix, weights_[k].weight_hh);
    v("bias_ih" + suffix, weights_[k].bias_ih);
    v("bias_hh" + suffix, weights_[k].bias_hh);
    v("weight_hr" + suffix, weights_[k].weight_hr);
  }
}

std::string RecurrentLayers::extra_repr() const {
  auto text = std::to_string(input_size_) + ", " + std::to_string(hidden_size_);
  if (options_.proj_size > 0) text += ", proj_size=" + std::to_string(options_.proj_size);
  if (num_layers() != 1) text += ", num_layers=" + std::to_string(num_layers());
  if (!options_.bias) text += ", bias=False";
  if (options_.batch_first) text += ", batch_first=True";
  if (options_.dropout != 0) {
    char p[32];
    std::snprintf(p, sizeof p, "%g", options_.dropout);
    text += std::string(", dropout=") + p;
  }
  if (options_.bidirectional) text += ", bidirectional=True";
  return text;
}

Tensor RecurrentLayers::initial(const Tensor& given, const char* what, std::int64_t width,
                                const Tensor& x) const {
  const auto layers = num_layers() * num_directions();
  const auto batch = x.size(options_.batch_first ? 0 : 1);  // where x has one
  const auto expected = x.dim() == 3 ? Shape{layers, batch, width} : Shape{layers, width};
  if (!given.defined())
    return zeros({layers, x.dim() == 3 ? batch : 1, width}, weights_[0].weight_ih.dtype());
  if (given.shape() != expected)
    throw ShapeError("[" + type_name() + "] expected " + what + " of shape " + cadena::to_string(expected) +
                     ", got " + cadena::to_string(given.shape()));
  return x.dim() == 3 ? given : given.unsqueeze(1);
}

RecurrentLayers::Result RecurrentLayers::run(const Tensor& x, const Tensor& h_0, const Tensor& c_0,
                                             detail::Sequence steps) const {
  const bool batched = x.dim() == 3, batch_first = batched && options_.batch_first;
  if ((!batched && x.dim() != 2) || x.size(-1) != input_size_ || x.size(batch_first ? 1 : 0) == 0)
    throw ShapeError("[" + type_name() + "] expected x as " + (options_.batch_first ? "(N, L, " : "(L, N, ") +
                     std::to_string(input_size_) + ") or (L, " + std::to_string(input_size_) +
                     ") with L > 0, got " + cadena::to_string(x.shape()));
  const auto h = initial(h_0, "h_0", output_size(), x), c = initial(c_0, "c_0", hidden_size_, x);
  auto sequence = !batched ? x.unsqueeze(1) : batch_first ? x.transpose(0, 1) : x;
  std::vector<Tensor> h_n, c_n;
  for (std::int64_t layer = 0; layer < num_layers(); ++layer) {
    if (layer > 0) sequence = dropout(sequence, options_.dropout, is_training());
    std::vector<Tensor> directions;
    for (std::int64_t d = 0; d < num_directions(); ++d) {
      const auto k = layer * num_directions() + d;
      RecurrentState state{h[k], c[k]};
      const auto& w = weights_[static_cast<std::size_t>(k)];
      const StepWeights all{w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_hr};
      directions.push_back(steps(sequence, all, d == 1, state));
      h_n.push_back(state.h);
      c_n.push_back(state.c);
    }
    sequence = directions.size() == 1 ? directions[0] : cat(directions, 2);
  }
  const auto as_given = [&](const Tensor& t) { return batched ? t : t.squeeze({1}); };
  return {batch_first ? sequence.transpose(0, 1) : as_given(sequence), as_given(stack(h_n)),
          c_n[0].defined() ? as_given(stack(c_n)) : Tensor()};
}

RNN::RNN(std::int64_t input_size, std::int64_t hidden_size, RNNOptions o)
    : RecurrentLayers(1, input_size, hidden_size,
                      {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, 0, o.dtype}),
      nonlinearity_(checked("RNN", o.nonlinearity)) {}

RNNOutput RNN::forward(const Tensor& x, const Tensor& h_0) {
  auto [output, h_n, none] = run(x, h_0, {}, rnn_of(nonlinearity_));
  return {output, h_n};
}

LSTM::LSTM(std::int64_t input_size, std::int64_t hidden_size, LSTMOptions o)
    : RecurrentLayers(
          4, input_size, hidden_size,
          {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, o.proj_size, o.dtype}) {}

LSTMOutput LSTM::forward(const Tensor& x, const LSTMState& state) {
  auto [output, h_n, c_n] = run(x, state.h, state.c, lstm_sequence);
  return {output, {h_n, c_n}};
}

GRU::GRU(std::int64_t input_size, std::int64_t hidden_size, GRUOptions o)
    : RecurrentLayers(3, input_size, hidden_size,
                      {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, 0, o.dtype}) {}

RNNOutput GRU::forward(const Tensor& x, const Tensor& h_0) {
  auto [output, h_n, none] = run(x, h_0, {}, gru_sequence);
  return {output, h_n};
}

// ---- Cells

RecurrentCell::RecurrentCell(std::int64_t gates, std::int64_t input_size, std::int64_t hidden_size, bool bias,
                             DType dtype) {
  check(gates == 4   ? "LSTMCell"
        : gates == 3 ? "GRUCell"
                     : "RNNCell",
        "hidden_size", static_cast<double>(hidden_size), hidden_size > 0, "> 0");
  weight_ih = empty({gates * hidden_size, input_size}, dtype);
  weight_hh = empty({gates * hidden_size, hidden_size}, dtype);
  if (bias) bias_ih = empty({gates * hidden_size}, dtype);
  if (bias) bias_hh = empty({gates * hidden_size}, dtype);
  RecurrentCell::reset_parameters();
}

void RecurrentCell::reset_parameters() { draw(*this, weight_hh.size(1)); }

void RecurrentCell::visit(Visitor& v) {
  v("weight_ih", weight_ih);
  v("weight_hh", weight_hh);
  v("bias_ih", bias_ih);
  v("bias_hh", bias_hh);
}

std::string RecurrentCell::extra_repr() const {
  return std::to_string(weight_ih.size(1)) + ", " + std::to_string(weight_hh.size(1)) +
         (bias_ih.defined() ? "" : ", bias=False");
}

Tensor RecurrentCell::state_for(const Tensor& x, const Tensor& given) const {
  const auto in = weight_ih.size(1), hidden = weight_hh.size(1);
  if ((x.dim() != 1 && x.dim() != 2) || x.size(-1) != in)
    throw ShapeError("[" + type_name() + "] expected x as (N, " + std::to_string(in) + ") or (" +
                     std::to_string(in) + "), got " + cadena::to_string(x.shape()));
  const auto expected = x.dim() == 2 ? Shape{x.size(0), hidden} : Shape{hidden};
  if (!given.defined()) return zeros(expected, weight_hh.dtype());
  if (given.shape() != expected)
    throw ShapeError("[" + type_name() + "] expected a state of shape " + cadena::to_string(expected) +
                     ", got " + cadena::to_string(given.shape()));
  return given;
}

RecurrentState RecurrentCell::step(detail::Sequence steps, const Tensor& x, const Tensor& h,
                                   const Tensor& c) const {
  RecurrentState state{state_for(x, h), state_for(x, c)};
  const bool batched = x.dim() == 2;
  if (!batched) state = {state.h.unsqueeze(0), state.c.unsqueeze(0)};
  const auto one_step = x.reshape({1, batched ? x.size(0) : 1, x.size(-1)});
  steps(one_step, {weight_ih, weight_hh, bias_ih, bias_hh, {}}, false, state);
  if (!batched) state = {state.h.squeeze({0}), state.c.defined() ? state.c.squeeze({0}) : Tensor()};
  return state;
}

RNNCell::RNNCell(std::int64_t input_size, std::int64_t hidden_size, RNNCellOptions o)
    : RecurrentCell(1, input_size, hidden_size, o.bias, o.dtype),
      nonlinearity_(checked("RNNCell", o.nonlinearity)) {}

Tensor RNNCell::forward(const Tensor& x, const Tensor& h) { return step(rnn_of(nonlinearity_), x, h).h; }

std::string RNNCell::extra_repr() const {
  return RecurrentCell::extra_repr() + (nonlinearity_ == Nonlinearity::relu ? ", nonlinearity=relu" : "");
}

LSTMCell::LSTMCell(std::int64_t input_size, std::int64_t hidden_size, LSTMCellOptions o)
    : RecurrentCell(4, input_size, hidden_size, o.bias, o.dtype) {}

LSTMState LSTMCell::forward(const Tensor& x, const LSTMState& state) {
  auto [h, c] = step(lstm_sequence, x, state.h, state.c);
  return {h, c};
}

GRUCell::GRUCell(std::int64_t input_size, std::int64_t hidden_size, GRUCellOptions o)
    : RecurrentCell(3, input_size, hidden_size, o.bias, o.dtype) {}

Tensor GRUCell::forward(const Tensor& x, const Tensor& h) { return step(gru_sequence, x, h).h; }

}  // namespace cadena::nn
