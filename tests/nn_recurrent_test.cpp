// RNN, LSTM, GRU and their cells: against recorded values and gradients of PyTorch's (fixtures/recurrent.py),
// and against each other.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "autodiff/gradcheck.hpp"
#include "fixtures/recurrent.hpp"
#include "nn/nn.hpp"
#include "nn/recurrent.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

using Named = std::map<std::string, Tensor>;

/// The script's numbers, multiples of 2^-10.
Tensor numbers(std::int64_t key, const Shape& shape) {
  std::vector<double> values;
  std::int64_t n = 1;
  for (int axis = 0; axis < shape.rank(); ++axis) n *= shape[axis];
  for (std::int64_t i = 0; i < n; ++i)
    values.push_back(static_cast<double>((i * 7919 + key * 104729 + i * i * 31) % 1024) / 1024 - 0.5);
  return tensor(values, shape);
}

nn::init::Nonlinearity nonlinearity(const fixtures::Recurrent& r) {
  return r.nonlinearity == "relu" ? nn::init::Nonlinearity::relu : nn::init::Nonlinearity::tanh;
}

/// Sets parameters, runs, differentiates, and returns everything by the names of the script.
template <class Module, class Run>
Named record(const fixtures::Recurrent& r, Module module, const Run& run) {
  using namespace fixtures;
  std::int64_t key = 6;
  for (auto& p : module.parameters()) {
    NoGrad no_grad;
    p.copy_(numbers(key++, p.shape()));
  }
  const bool cell = r.kind.ends_with("Cell");
  const auto with_batch = [&](Shape shape, int axis) {
    if (r.batched) shape.insert(axis, batch);
    return shape;
  };
  const auto layers = r.num_layers * (r.bidirectional ? 2 : 1);
  const auto state_shape = [&](std::int64_t size) {
    return cell ? with_batch({size}, 0) : with_batch({layers, size}, 1);
  };
  Named leaves;
  leaves["x"] =
      numbers(0, cell ? with_batch({input}, 0) : with_batch({length, input}, r.batch_first ? 0 : 1));
  leaves["h_0"] = numbers(1, state_shape(r.proj_size > 0 ? r.proj_size : hidden));
  if (r.kind.starts_with("LSTM")) leaves["c_0"] = numbers(2, state_shape(hidden));
  for (auto& [name, t] : leaves) t.requires_grad_();
  Named result = run(module, leaves);
  Tensor loss = zeros({}, f64);
  for (auto& [name, t] : result) {
    const std::int64_t coefficients = name == "output" ? 3 : name == "h_n" ? 4 : 5;
    loss = loss + sum(t * numbers(coefficients, t.shape()));
  }
  loss.backward();
  for (auto& [name, t] : leaves) result[name + ".grad"] = t.grad();
  for (auto& [name, p] : module.named_parameters()) result[name + ".grad"] = p.grad();
  return result;
}

Named run_rnn(auto& module, Named& in) {
  auto [output, h_n] = module(in["x"], in["h_0"]);
  return {{"output", output}, {"h_n", h_n}};
}
Named run_lstm(nn::LSTM& module, Named& in) {
  auto [output, state] = module(in["x"], {in["h_0"], in["c_0"]});
  return {{"output", output}, {"h_n", state.h}, {"c_n", state.c}};
}
Named run_cell(auto& module, Named& in) { return {{"h_n", module(in["x"], in["h_0"])}}; }
Named run_lstm_cell(nn::LSTMCell& module, Named& in) {
  auto [h, c] = module(in["x"], {in["h_0"], in["c_0"]});
  return {{"h_n", h}, {"c_n", c}};
}

Named record(const fixtures::Recurrent& r) {
  using fixtures::hidden, fixtures::input;
  const nn::GRUOptions gru{.num_layers = r.num_layers,
                           .bias = r.bias,
                           .batch_first = r.batch_first,
                           .bidirectional = r.bidirectional,
                           .dtype = f64};
  const nn::RNNOptions rnn{.num_layers = r.num_layers,
                           .nonlinearity = nonlinearity(r),
                           .bias = r.bias,
                           .batch_first = r.batch_first,
                           .bidirectional = r.bidirectional,
                           .dtype = f64};
  const nn::LSTMOptions lstm{.num_layers = r.num_layers,
                             .bias = r.bias,
                             .batch_first = r.batch_first,
                             .bidirectional = r.bidirectional,
                             .proj_size = r.proj_size,
                             .dtype = f64};
  if (r.kind == "RNN") return record(r, nn::RNN(input, hidden, rnn), run_rnn<nn::RNN>);
  if (r.kind == "LSTM") return record(r, nn::LSTM(input, hidden, lstm), run_lstm);
  if (r.kind == "GRU") return record(r, nn::GRU(input, hidden, gru), run_rnn<nn::GRU>);
  if (r.kind == "LSTMCell")
    return record(r, nn::LSTMCell(input, hidden, {.bias = r.bias, .dtype = f64}), run_lstm_cell);
  if (r.kind == "GRUCell")
    return record(r, nn::GRUCell(input, hidden, {.bias = r.bias, .dtype = f64}), run_cell<nn::GRUCell>);
  return record(r,
                nn::RNNCell(input, hidden, {.bias = r.bias, .nonlinearity = nonlinearity(r), .dtype = f64}),
                run_cell<nn::RNNCell>);
}

TEST(NnRecurrent, ValuesAndGradientsArePyTorchs) {
  ASSERT_EQ(fixtures::recurrent.size(), 16u);
  for (const auto& r : fixtures::recurrent) {
    SCOPED_TRACE(r.kind + ", " + std::to_string(r.num_layers) + " layers, bidirectional " +
                 std::to_string(r.bidirectional) + ", projection " + std::to_string(r.proj_size));
    const auto got = record(r);
    EXPECT_EQ(got.size(), r.values.size());
    for (const auto& [name, expected] : r.values) {
      ASSERT_TRUE(got.contains(name)) << name;
      const auto values = got.at(name).to_vector<double>();
      ASSERT_EQ(values.size(), expected.size()) << name;
      for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_NEAR(values[i], expected[i], 1e-13) << name << ", element " << i;
    }
  }
}

TEST(NnRecurrent, NamesShapesAndFirstValues) {
  manual_seed(1);
  nn::LSTM lstm(5, 64, {.num_layers = 2, .bidirectional = true, .proj_size = 7});
  std::vector<std::pair<std::string, Shape>> expected;
  for (const char* suffix : {"_l0", "_l0_reverse", "_l1", "_l1_reverse"}) {
    expected.push_back({std::string("weight_ih") + suffix, {256, suffix[2] == '0' ? 5 : 14}});
    expected.push_back({std::string("weight_hh") + suffix, {256, 7}});
    expected.push_back({std::string("bias_ih") + suffix, {256}});
    expected.push_back({std::string("bias_hh") + suffix, {256}});
    expected.push_back({std::string("weight_hr") + suffix, {7, 64}});
  }
  const auto named = lstm.named_parameters();
  ASSERT_EQ(named.size(), expected.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    EXPECT_EQ(named[i].first, expected[i].first);
    EXPECT_EQ(named[i].second.shape(), expected[i].second);
    const double largest = max(abs(named[i].second)).item();
    EXPECT_LE(largest, 1.0 / 8);
    EXPECT_GT(largest, 0.9 / 8);
  }
  EXPECT_EQ(lstm.weights(1, true).weight_ih.raw(), named[15].second.raw());
  EXPECT_EQ(nn::GRU(2, 3).weights(0).weight_hh.shape(), (Shape{9, 3}));
  EXPECT_EQ(nn::RNNCell(2, 3).weight_ih.shape(), (Shape{3, 2}));
  EXPECT_EQ(lstm.to_string(), "LSTM(5, 64, proj_size=7, num_layers=2, bidirectional=True)");
  EXPECT_EQ(nn::GRU(5, 6, {.num_layers = 3, .bias = false, .batch_first = true, .dropout = 0.25}).to_string(),
            "GRU(5, 6, num_layers=3, bias=False, batch_first=True, dropout=0.25)");
  EXPECT_EQ(nn::RNNCell(5, 6, {.bias = false, .nonlinearity = nn::init::Nonlinearity::relu}).to_string(),
            "RNNCell(5, 6, bias=False, nonlinearity=relu)");
}

TEST(NnRecurrent, LayersAreCellsInALoop) {
  manual_seed(2);
  nn::GRU gru(3, 4, {.dtype = f64});
  nn::GRUCell cell(3, 4, {.dtype = f64});
  const auto& w = gru.weights(0);
  cell.load_state_dict({{"weight_ih", w.weight_ih},
                        {"weight_hh", w.weight_hh},
                        {"bias_ih", w.bias_ih},
                        {"bias_hh", w.bias_hh}});
  const auto x = randn({6, 2, 3}, f64);
  const auto [output, h_n] = gru(x);
  Tensor h;
  for (std::int64_t t = 0; t < 6; ++t) {
    h = cell(x[t], h);
    EXPECT_TRUE(allclose(output[t], h, 1e-12, 1e-14));
  }
  EXPECT_TRUE(allclose(h_n[0], h, 1e-12, 1e-14));
}

TEST(NnRecurrent, ASequenceMayBeCutAnywhere) {
  manual_seed(3);
  nn::LSTM lstm(3, 4, {.num_layers = 2, .batch_first = true, .dtype = f64});
  const auto x = randn({2, 7, 3}, f64);
  const auto [whole, last] = lstm(x);
  const auto [first, middle] = lstm(x.slice(1, {0, 3}));
  const auto [second, end] = lstm(x.slice(1, {3, 7}), middle);
  EXPECT_TRUE(allclose(whole, cat({first, second}, 1), 1e-12, 1e-14));
  EXPECT_TRUE(allclose(last.h, end.h, 1e-12, 1e-14) && allclose(last.c, end.c, 1e-12, 1e-14));
}

TEST(NnRecurrent, HigherOrdersAndForwardModeFollow) {
  manual_seed(4);
  nn::LSTM lstm(2, 3, {.bidirectional = true, .dtype = f64});
  nn::GRU gru(2, 3, {.dtype = f64});
  const auto x = randn({3, 2, 2}, f64);
  EXPECT_TRUE(gradgradcheck([&](const Tensor& t) { return lstm(t).output; }, x));
  EXPECT_TRUE(gradgradcheck([&](const Tensor& t) { return gru(t).output; }, x));
}

TEST(NnRecurrent, DropoutLiesBetweenLayers) {
  manual_seed(5);
  nn::RNN deep(3, 50, {.num_layers = 2, .dropout = 0.5}), flat(3, 50, {.dropout = 0.5});
  const auto x = randn({4, 2, 3});
  EXPECT_FALSE(equal(deep(x).output, deep(x).output));
  EXPECT_TRUE(equal(flat(x).output, flat(x).output)) << "the last layer's output is left alone";
  EXPECT_TRUE(equal(deep(x).h_n[0], deep(x).h_n[0])) << "so is the first layer's state";
  deep.eval();
  EXPECT_TRUE(equal(deep(x).output, deep(x).output));
  nn::RNN all(3, 4, {.num_layers = 2, .dropout = 1});
  const auto zero_input = all(x).output, other = all(x * 3).output;
  EXPECT_TRUE(equal(zero_input, other)) << "nothing of the first layer arrives";
}

TEST(NnRecurrent, LearnsToRememberTheFirstElement) {
  manual_seed(6);
  nn::LSTM lstm(1, 8, {.batch_first = true});
  nn::Linear read(8, 1);
  auto parameters = lstm.parameters();
  for (auto& p : read.parameters()) parameters.push_back(p);
  optim::Adam adam(parameters, {.lr = 0.02});
  double loss = 1;
  for (int step = 0; step < 250; ++step) {
    const auto x = to(rand({32, 6, 1}) < 0.5, f32);
    const auto target = x.select(1, 0);
    const auto error = binary_cross_entropy_with_logits(read(lstm(x).state.h[0]), target);
    adam.zero_grad();
    error.backward();
    adam.step();
    loss = error.item();
  }
  EXPECT_LT(loss, 0.1);  // 0.69 by guessing
}

TEST(NnRecurrent, CopiesConvertsAndSaves) {
  manual_seed(7);
  nn::GRU gru(2, 3, {.num_layers = 2, .bidirectional = true});
  const auto x = randn({4, 1, 2});
  auto copy = nn::clone(gru);
  nn::GRU loaded(2, 3, {.num_layers = 2, .bidirectional = true});
  loaded.load_state_dict(gru.state_dict());
  EXPECT_TRUE(equal(copy(x).output, gru(x).output) && equal(loaded(x).output, gru(x).output));
  nn::init::zeros_(copy.weights(0).weight_ih);
  EXPECT_FALSE(equal(copy(x).output, gru(x).output));
  gru.to(f64);
  EXPECT_EQ(gru(x.to(f64)).output.dtype(), f64);
}

TEST(NnRecurrent, EmptyBatchesAndOneStep) {
  nn::LSTM lstm(2, 3, {.num_layers = 2, .bidirectional = true});
  const auto [output, state] = lstm(zeros({4, 0, 2}));
  EXPECT_EQ(output.shape(), (Shape{4, 0, 6}));
  EXPECT_EQ(state.c.shape(), (Shape{4, 0, 3}));
  sum(output).backward();
  EXPECT_TRUE(equal(lstm.weights(0).weight_hh.grad(), zeros({12, 3})));
  EXPECT_EQ(lstm(zeros({1, 2})).output.shape(), (Shape{1, 6}));
  EXPECT_EQ(lstm(zeros({1, 2})).state.h.shape(), (Shape{4, 3}));
}

TEST(NnRecurrent, WrongUseIsRefused) {
  nn::RNN rnn(2, 3);
  nn::LSTM lstm(2, 3, {.batch_first = true});
  nn::GRUCell cell(2, 3);
  EXPECT_THROW(rnn(zeros({4, 1, 3})), ShapeError);
  EXPECT_THROW(rnn(zeros({2})), ShapeError);
  EXPECT_THROW(rnn(zeros({0, 1, 2})), ShapeError);
  EXPECT_THROW(lstm(zeros({1, 0, 2})), ShapeError);
  EXPECT_THROW(rnn(zeros({4, 5, 2}), zeros({1, 4, 3})), ShapeError);
  EXPECT_THROW(rnn(zeros({4, 2}), zeros({1, 1, 3})), ShapeError);
  EXPECT_THROW(lstm(zeros({5, 4, 2}), {zeros({1, 5, 3}), zeros({1, 4, 3})}), ShapeError);
  EXPECT_NO_THROW(lstm(zeros({5, 4, 2}), {zeros({1, 5, 3}), zeros({1, 5, 3})}));
  EXPECT_THROW(cell(zeros({5, 3})), ShapeError);
  EXPECT_THROW(cell(zeros({5, 2}), zeros({3})), ShapeError);
  EXPECT_THROW(nn::RNN(2, 0), ValueError);
  EXPECT_THROW(nn::GRU(2, 3, {.num_layers = 0}), ValueError);
  EXPECT_THROW(nn::GRU(2, 3, {.dropout = 1.5}), ValueError);
  EXPECT_THROW(nn::LSTM(2, 3, {.proj_size = 3}), ValueError);
  EXPECT_THROW(nn::RNN(2, 3, {.nonlinearity = nn::init::Nonlinearity::sigmoid}), ValueError);
  EXPECT_THROW(nn::RNNCell(2, 3, {.nonlinearity = nn::init::Nonlinearity::linear}), ValueError);
  EXPECT_THROW(nn::LSTMCell(2, -1), ValueError);
  EXPECT_THROW(nn::LSTM(-1, 2), ShapeError);
  EXPECT_THROW(nn::LSTM(1, 2, {.dtype = i64}), DtypeError);
  EXPECT_THROW(rnn.weights(1), IndexError);
  EXPECT_THROW(rnn.weights(0, true), IndexError);
  try {
    rnn(zeros({4, 5, 2}), zeros({1, 4, 3}));
  } catch (const ShapeError& e) {
    EXPECT_STREQ(e.what(), "[RNN] expected h_0 of shape (1, 5, 3), got (1, 4, 3)");
  }
}

}  // namespace
}  // namespace cadena
