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

StepWeights all_of(const RecurrentWeights& w) {
  return {w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh, w.weight_hr};
}

/// The same over packed sequences: steps in which equally many are left go together.
Tensor along_packed(const Tensor& data, const std::vector<std::int64_t>& batch_sizes, const StepWeights& w,
                    detail::Sequence steps, bool reverse, RecurrentState& state) {
  const auto rows = [](const RecurrentState& s, std::int64_t from, std::int64_t to) {
    return RecurrentState{s.h.slice(0, {from, to}), s.c.defined() ? s.c.slice(0, {from, to}) : Tensor()};
  };
  const auto joined = [](const std::vector<RecurrentState>& parts) {
    TensorList h, c;
    for (auto& s : parts) h.push_back(s.h), c.push_back(s.c);
    return RecurrentState{cat(h, 0), c[0].defined() ? cat(c, 0) : Tensor()};
  };
  struct Run {
    std::int64_t begin, steps, size;  // first row, steps, rows of each
  };
  std::vector<Run> runs;
  for (std::int64_t begin = 0; const auto size : batch_sizes) {
    if (runs.empty() || runs.back().size != size) runs.push_back({begin, 0, size});
    ++runs.back().steps;
    begin += size;
  }
  const RecurrentState initial = state;
  TensorList outputs(runs.size());
  std::vector<RecurrentState> ended;  // the shortest sequences first
  std::int64_t active = reverse ? 0 : batch_sizes[0];
  RecurrentState now = rows(initial, 0, active);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const auto r = reverse ? runs.size() - 1 - i : i;
    const auto [begin, count, size] = runs[r];
    if (size > active) now = joined({now, rows(initial, active, size)});  // these end here, seen from behind
    if (size < active) {
      ended.push_back(rows(now, size, active));
      now = rows(now, 0, size);
    }
    active = size;
    const auto part = data.slice(0, {begin, begin + count * size}).reshape({count, size, data.size(-1)});
    outputs[r] = steps(part, w, reverse, now).flatten(0, 1);
  }
  ended.push_back(now);
  state = joined({ended.rbegin(), ended.rend()});
  return cat(outputs, 0);
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

std::int64_t RecurrentLayers::macs(const std::vector<Shape>& inputs, const std::vector<Shape>&) const {
  const auto rows = inputs[0].numel() / input_size_;  // steps of all sequences, packed or not
  std::int64_t each = 0;
  for (auto& w : weights_) {
    each += w.weight_ih.numel() + w.weight_hh.numel();
    if (w.weight_hr.defined()) each += w.weight_hr.numel();
  }
  return rows * each;
}

Tensor RecurrentLayers::initial(const Tensor& given, const char* what, std::int64_t width, bool batched,
                                std::int64_t batch) const {
  const auto layers = num_layers() * num_directions();
  const auto expected = batched ? Shape{layers, batch, width} : Shape{layers, width};
  if (!given.defined()) return zeros({layers, batched ? batch : 1, width}, weights_[0].weight_ih.dtype());
  if (given.shape() != expected)
    throw ShapeError("[" + type_name() + "] expected " + what + " of shape " + cadena::to_string(expected) +
                     ", got " + cadena::to_string(given.shape()));
  return batched ? given : given.unsqueeze(1);
}

/// All layers and directions. @param along(sequence, weights, reverse, state) one of them
template <class Along>
RecurrentLayers::Result RecurrentLayers::layers(Tensor sequence, const Tensor& h, const Tensor& c,
                                                const Along& along) const {
  TensorList h_n, c_n;
  for (std::int64_t layer = 0; layer < num_layers(); ++layer) {
    if (layer > 0) sequence = dropout(sequence, options_.dropout, is_training());
    TensorList directions;
    for (std::int64_t d = 0; d < num_directions(); ++d) {
      const auto k = layer * num_directions() + d;
      RecurrentState state{h[k], c[k]};
      directions.push_back(along(sequence, weights_[static_cast<std::size_t>(k)], d == 1, state));
      h_n.push_back(state.h);
      c_n.push_back(state.c);
    }
    sequence = directions.size() == 1 ? directions[0] : cat(directions, -1);
  }
  return {sequence, stack(h_n), c_n[0].defined() ? stack(c_n) : Tensor()};
}

RecurrentLayers::Result RecurrentLayers::run(const Tensor& x, const Tensor& h_0, const Tensor& c_0,
                                             detail::Sequence steps) const {
  const bool batched = x.dim() == 3, batch_first = batched && options_.batch_first;
  if ((!batched && x.dim() != 2) || x.size(-1) != input_size_ || x.size(batch_first ? 1 : 0) == 0)
    throw ShapeError("[" + type_name() + "] expected x as " + (options_.batch_first ? "(N, L, " : "(L, N, ") +
                     std::to_string(input_size_) + ") or (L, " + std::to_string(input_size_) +
                     ") with L > 0, got " + cadena::to_string(x.shape()));
  const auto batch = batched ? x.size(batch_first ? 0 : 1) : 1;
  const auto h = initial(h_0, "h_0", output_size(), batched, batch);
  const auto c = initial(c_0, "c_0", hidden_size_, batched, batch);
  const Tensor sequence = !batched ? x.unsqueeze(1) : batch_first ? x.transpose(0, 1) : x;
  const auto r =
      layers(sequence, h, c, [&](const Tensor& in, const RecurrentWeights& w, bool reverse, auto& state) {
        return steps(in, all_of(w), reverse, state);
      });
  const auto as_given = [&](const Tensor& t) { return batched || !t.defined() ? t : t.squeeze({1}); };
  return {batch_first ? r.output.transpose(0, 1) : as_given(r.output), as_given(r.h_n), as_given(r.c_n)};
}

RecurrentLayers::Result RecurrentLayers::run(const PackedSequence& x, const Tensor& h_0, const Tensor& c_0,
                                             detail::Sequence steps) const {
  if (x.data.dim() != 2 || x.data.size(-1) != input_size_ || x.batch_sizes.empty())
    throw ShapeError("[" + type_name() + "] expected packed data (sum of lengths, " +
                     std::to_string(input_size_) + "), got " + cadena::to_string(x.data.shape()));
  const auto batch = x.batch_sizes[0];
  const auto sorted = [&](const Tensor& t) { return index_select(t, 1, x.sorted_indices); };
  const auto as_given = [&](const Tensor& t) {
    return t.defined() ? index_select(t, 1, x.unsorted_indices) : t;
  };
  const auto h = sorted(initial(h_0, "h_0", output_size(), true, batch));
  const auto c = sorted(initial(c_0, "c_0", hidden_size_, true, batch));
  const auto r =
      layers(x.data, h, c, [&](const Tensor& in, const RecurrentWeights& w, bool reverse, auto& state) {
        return along_packed(in, x.batch_sizes, all_of(w), steps, reverse, state);
      });
  return {r.output, as_given(r.h_n), as_given(r.c_n)};
}

namespace {
/// Data packed as x.
PackedSequence packed_as(const PackedSequence& x, const Tensor& data) {
  return {data, x.batch_sizes, x.sorted_indices, x.unsorted_indices};
}
}  // namespace

RNN::RNN(std::int64_t input_size, std::int64_t hidden_size, RNNOptions o)
    : RecurrentLayers(1, input_size, hidden_size,
                      {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, 0, o.dtype}),
      nonlinearity_(checked("RNN", o.nonlinearity)) {}

RNNOutput RNN::forward(const Tensor& x, const Tensor& h_0) {
  auto [output, h_n, none] = run(x, h_0, {}, rnn_of(nonlinearity_));
  return {output, h_n};
}

PackedRNNOutput RNN::operator()(const PackedSequence& x, const Tensor& h_0) {
  auto r = call(
      [&](const Tensor& data, const Tensor& h) {
        auto [output, h_n, none] = run(packed_as(x, data), h, {}, rnn_of(nonlinearity_));
        return RNNOutput{output, h_n};
      },
      x.data, h_0);
  return {packed_as(x, r.output), r.h_n};
}

LSTM::LSTM(std::int64_t input_size, std::int64_t hidden_size, LSTMOptions o)
    : RecurrentLayers(
          4, input_size, hidden_size,
          {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, o.proj_size, o.dtype}) {}

LSTMOutput LSTM::forward(const Tensor& x, const LSTMState& state) {
  auto [output, h_n, c_n] = run(x, state.h, state.c, lstm_sequence);
  return {output, {h_n, c_n}};
}

PackedLSTMOutput LSTM::operator()(const PackedSequence& x, const LSTMState& state) {
  auto r = call(
      [&](const Tensor& data, const Tensor& h, const Tensor& c) {
        auto [output, h_n, c_n] = run(packed_as(x, data), h, c, lstm_sequence);
        return LSTMOutput{output, {h_n, c_n}};
      },
      x.data, state.h, state.c);
  return {packed_as(x, r.output), r.state};
}

GRU::GRU(std::int64_t input_size, std::int64_t hidden_size, GRUOptions o)
    : RecurrentLayers(3, input_size, hidden_size,
                      {o.num_layers, o.bias, o.batch_first, o.dropout, o.bidirectional, 0, o.dtype}) {}

RNNOutput GRU::forward(const Tensor& x, const Tensor& h_0) {
  auto [output, h_n, none] = run(x, h_0, {}, gru_sequence);
  return {output, h_n};
}

PackedRNNOutput GRU::operator()(const PackedSequence& x, const Tensor& h_0) {
  auto r = call(
      [&](const Tensor& data, const Tensor& h) {
        auto [output, h_n, none] = run(packed_as(x, data), h, {}, gru_sequence);
        return RNNOutput{output, h_n};
      },
      x.data, h_0);
  return {packed_as(x, r.output), r.h_n};
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

std::int64_t RecurrentCell::macs(const std::vector<Shape>& inputs, const std::vector<Shape>&) const {
  return inputs[0].numel() / weight_ih.size(1) * (weight_ih.numel() + weight_hh.numel());
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
