// Containers, lambdas of several tensors, lazy layers, and the summary of a model.
#include <gtest/gtest.h>

#include <sstream>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "values.hpp"

namespace cadena {
namespace {

using Keys = std::vector<std::string>;
Keys keys(const nn::Module& m) {
  Keys names;
  for (auto& [name, t] : m.named_parameters()) names.push_back(name);
  return names;
}

// ---- Sequential with several tensors

TEST(NnSequential, TakesSeveralTensors) {
  nn::Sequential net(nn::Bilinear(2, 3, 4), nn::ReLU(), nn::Linear(4, 1));
  const Tensor a = randn({5, 2}), b = randn({5, 3});
  const Tensor expected = net.at<nn::Linear>(2)(relu(net.at<nn::Bilinear>(0)(a, b)));
  EXPECT_TRUE(equal(net(a, b), expected));
}

TEST(NnSequential, LambdasMayGiveAndTakeSeveral) {
  const auto both = [](const Tensor& x) { return TensorList{x, x + 1}; };
  const auto product = [](const Tensor& a, const Tensor& b) { return a * b; };
  const auto all = [](const TensorList& x) { return TensorList{x[0] * 2, x[1]}; };
  nn::Sequential net(both, all, product, nn::Sequential(relu));
  expect_values(net(tensor({1.0, 2.0})), {4, 12});
  EXPECT_EQ(nn::Sequential(both, product).to_string(), "Sequential(\n  (0): Lambda()\n  (1): Lambda()\n)");
  const auto copy = nn::clone(net);
  EXPECT_EQ(copy.size(), 4u);
}

TEST(NnSequential, WrongNumbersOfTensors) {
  nn::Sequential net(nn::Linear(2, 2), [](const Tensor& a, const Tensor& b) { return a + b; });
  EXPECT_EQ(message_of<ValueError>([&] {
              net(ones({1, 2}));
            }),
            "[Lambda] expected another number of inputs, got 1 tensors");
  EXPECT_EQ(message_of<ValueError>([&] {
              net(ones({1, 2}), ones({1, 2}));
            }),
            "[Linear] expected another number of inputs, got 2 tensors");
  nn::Sequential open([](const Tensor& x) { return TensorList{x, x}; });
  EXPECT_EQ(message_of<ValueError>([&] { open(ones({1})); }),
            "[Sequential] expected a single output, got 2 tensors");
}

// ---- Lists and dictionaries

TEST(NnContainers, ModuleListHoldsAnyModules) {
  nn::ModuleList list(nn::Linear(2, 3), nn::LSTM(3, 4));
  list.push_back(nn::ModuleList(nn::Linear(4, 1, {.bias = false})));
  EXPECT_EQ(keys(list), (Keys{"0.weight", "0.bias", "1.weight_ih_l0", "1.weight_hh_l0", "1.bias_ih_l0",
                              "1.bias_hh_l0", "2.0.weight"}));
  EXPECT_EQ(list.at<nn::Linear>(0)(ones({1, 2})).shape(), (Shape{1, 3}));
  EXPECT_EQ(list.at<nn::ModuleList>(2).size(), 1u);
  auto copy = list;
  nn::init::zeros_(copy.at<nn::Linear>(0).weight);
  EXPECT_FALSE(equal(list.at<nn::Linear>(0).weight, copy.at<nn::Linear>(0).weight));
  EXPECT_EQ(message_of<IndexError>([&] { list[3]; }), "[ModuleList] expected an index below 3, got 3");
  EXPECT_EQ(message_of<ValueError>([&] { list.at<nn::Linear>(1); }),
            "[ModuleList] expected another type at 1, got LSTM");
}

TEST(NnContainers, SharedModulesStayShared) {
  const auto shared = std::make_shared<nn::Linear>(2, 2);
  nn::ModuleList list(shared, shared, nn::Linear(2, 2));
  EXPECT_EQ(list.parameters().size(), 4u);
  auto copy = nn::clone(list);
  EXPECT_EQ(&copy[0], &copy[1]);
  EXPECT_NE(&copy[0], &list[0]);
}

TEST(NnContainers, ModuleDictKeepsTheOrder) {
  nn::ModuleDict dict({{"second", nn::Linear(1, 2)}, {"first", nn::PReLU()}});
  dict.insert("act", nn::Tanh());
  EXPECT_EQ(dict.keys(), (Keys{"second", "first", "act"}));
  EXPECT_EQ(keys(dict), (Keys{"second.weight", "second.bias", "first.weight"}));
  EXPECT_TRUE(dict.contains("act") && !dict.contains("acts"));
  EXPECT_EQ(dict.at<nn::Linear>("second")(ones({1, 1})).size(1), 2);
  EXPECT_EQ(message_of<ValueError>([&] { dict["third"]; }),
            "[ModuleDict] expected a name that is there, got \"third\"");
  EXPECT_EQ(message_of<ValueError>([&] { dict.insert("act", nn::ReLU()); }),
            "[ModuleDict] expected a new name without dots, got \"act\"");
  EXPECT_EQ(message_of<ValueError>([&] { dict.at<nn::ReLU>("act"); }),
            "[ModuleDict] expected another type at \"act\", got Tanh");
}

TEST(NnContainers, Parameters) {
  nn::ParameterList list({ones({2}), zeros({3}, f64)});
  list.push_back(ones({}));
  EXPECT_EQ(keys(list), (Keys{"0", "1", "2"}));
  EXPECT_EQ(list.to_string(),
            "ParameterList(\n  (0): Parameter of (2,) f32\n  (1): Parameter of (3,) f64\n  (2): Parameter of "
            "() f32\n)");
  EXPECT_TRUE(list[0].requires_grad());
  auto copy = list;
  nn::init::zeros_(copy[0]);
  expect_values(list[0], {1, 1});
  EXPECT_EQ(message_of<IndexError>([&] { list[3]; }), "[ParameterList] expected an index below 3, got 3");
  EXPECT_THROW(list.push_back(ones({2}, i64)), DtypeError);

  nn::ParameterDict dict({{"b", ones({2})}, {"a", zeros({3})}});
  EXPECT_EQ(keys(dict), (Keys{"a", "b"}));
  nn::ParameterDict other({{"b", zeros({2})}, {"a", ones({3})}});
  other.load_state_dict(dict.state_dict());
  expect_values(other["b"], {1, 1});
  EXPECT_EQ(message_of<ValueError>([&] { dict["c"]; }),
            "[ParameterDict] expected a name that is there, got \"c\"");
  EXPECT_EQ(message_of<ValueError>([&] { dict.insert("a", ones({1})); }),
            "[ParameterDict] expected a new name without dots, got \"a\"");
}

// ---- Lazy layers

TEST(NnLazy, ParametersComeWithTheFirstCall) {
  manual_seed(4);
  nn::Sequential net(nn::LazyConv2d(6, 3), nn::LazyBatchNorm2d(), relu, nn::Flatten(), nn::LazyLinear(2));
  EXPECT_EQ(message_of<ValueError>([&] { net.parameters(); }),
            "[parameters] expected a call before, which makes \"0.weight\" by its input, got none");
  EXPECT_EQ(message_of<ValueError>([&] { net.state_dict(); }),
            "[state_dict] expected a call before, which makes \"0.weight\" by its input, got none");
  net.eval();
  EXPECT_EQ(net(randn({2, 3, 5, 6})).shape(), (Shape{2, 2}));
  EXPECT_EQ(net.at<nn::LazyConv2d>(0).weight.shape(), (Shape{6, 3, 3, 3}));
  EXPECT_EQ(net.at<nn::LazyLinear>(4).weight.shape(), (Shape{2, 72}));
  EXPECT_EQ(net.parameters().size(), 6u);
  EXPECT_LE(max(abs(net.at<nn::LazyLinear>(4).weight)).item(), 1 / std::sqrt(72.0));
  const auto copy = nn::clone(net);
  EXPECT_EQ(copy.num_parameters(), net.num_parameters());
}

TEST(NnLazy, PrecisionAndErrors) {
  nn::LazyLinear linear(2);
  linear(ones({1, 3}, f64));
  EXPECT_EQ(linear.weight.dtype(), f64);
  EXPECT_EQ(message_of<DtypeError>([] {
              nn::LazyLinear(2)(ones({1, 3}, i64));
            }),
            "[lazy] expected a first input of f32 or f64, got i64");
  EXPECT_EQ(message_of<ShapeError>([] { nn::LazyConv1d(2, 3)(ones({3})); }),
            "[lazy] expected a first input of 2 or 3 dimensions, got (3,)");
  EXPECT_THROW(nn::Linear(-1, 2), ShapeError);
}

// ---- Adaptive softmax

TEST(NnAdaptiveSoftmax, IsADistributionAndPredictsItsMaximum) {
  manual_seed(2);
  nn::AdaptiveLogSoftmaxWithLoss m(8, 20, {4, 10}, {.div_value = 2, .dtype = f64});
  const Tensor x = randn({5, 8}, f64), all = m.log_prob(x);
  EXPECT_TRUE(allclose(sum(exp(all), 1), ones({5}, f64)));
  EXPECT_TRUE(equal(m.predict(x), argmax(all, 1)));
  const Tensor target = tensor({3, 4, 19, 0, 10});
  const auto [output, loss] = m(x, target);
  EXPECT_TRUE(allclose(output, gather(all, 1, target.unsqueeze(1)).squeeze({1})));
  EXPECT_TRUE(allclose(m(x[2], target[2]).output, output[2]));
}

TEST(NnAdaptiveSoftmax, Errors) {
  using M = nn::AdaptiveLogSoftmaxWithLoss;
  for (const std::vector<std::int64_t>& cutoffs : {std::vector<std::int64_t>{}, {0, 2}, {3, 3}, {2, 9}})
    EXPECT_TRUE(contains(message_of<ValueError>([&] { M(8, 9, cutoffs); }),
                         "[AdaptiveLogSoftmaxWithLoss] expected cutoffs that rise from 1 to 8, got "));
  M m(8, 9, {2, 5});
  EXPECT_EQ(message_of<IndexError>([&] {
              m(zeros({2, 8}), tensor({1, 9}));
            }),
            "[AdaptiveLogSoftmaxWithLoss] expected targets in [0, 9), got 1 to 9");
  EXPECT_EQ(
      message_of<ShapeError>([&] {
        m(zeros({2, 8}), tensor({1}));
      }),
      "[AdaptiveLogSoftmaxWithLoss] expected (N, in) and targets (N), or (in) and (), got (2, 8) and (1,)");
  EXPECT_EQ(message_of<DtypeError>([&] {
              m(zeros({2, 8}), zeros({2}));
            }),
            "[AdaptiveLogSoftmaxWithLoss] expected i64 targets, got f32");
}

// ---- Summary

struct Net : nn::Module {
  nn::Conv2d conv{3, 4, 3, {.padding = 1}};
  nn::BatchNorm2d norm{4};
  nn::Sequential head{nn::Flatten(), nn::Linear(4 * 5 * 6, 10), nn::Dropout()};
  Tensor operator()(const Tensor& x) { return head(relu(norm(conv(conv_again(x))))); }
  Tensor conv_again(const Tensor& x) { return conv(x).slice(1, {0, 3}); }
  void visit(nn::Visitor& v) override {
    v("conv", conv);
    v("norm", norm);
    v("head", head);
  }
};

TEST(NnSummary, CountsParametersMacsAndBytes) {
  Net net;
  net.norm.eval();
  net.conv.bias.requires_grad_(false);
  const auto s = nn::summary(net, zeros({2, 3, 5, 6}));
  EXPECT_TRUE(net.is_training() && !net.norm.is_training() && net.head.is_training());
  expect_values(net.norm.running_mean, {0, 0, 0, 0});
  ASSERT_EQ(s.rows.size(), 7u);
  EXPECT_EQ(s.rows[0].type, "Net");
  EXPECT_EQ(s.rows[0].outputs, (std::vector<Shape>{{2, 10}}));
  EXPECT_EQ(s.rows[1].path, "conv");
  EXPECT_EQ(s.rows[1].calls, 2);
  EXPECT_EQ(s.rows[1].macs, 2 * (2 * 4 * 5 * 6) * 27);
  EXPECT_EQ(s.rows[1].bytes, 2 * 2 * 4 * 5 * 6 * 4);
  EXPECT_EQ(s.rows[1].parameters, 4 * 27 + 4);
  EXPECT_EQ(s.rows[1].trainable, 4 * 27);
  EXPECT_EQ(s.rows[5].path, "head.1");
  EXPECT_EQ(s.rows[5].macs, 2 * 120 * 10);
  EXPECT_EQ(s.parameters, net.num_parameters());
  EXPECT_EQ(s.trainable, net.num_parameters(true));
  EXPECT_EQ(s.parameter_bytes, 4 * s.parameters);
  EXPECT_EQ(s.buffer_bytes, 8 * 4 + 8);
  EXPECT_EQ(s.macs, s.rows[1].macs + s.rows[5].macs);
}

TEST(NnSummary, PrintsATable) {
  nn::Sequential net(nn::Linear(1000, 20), nn::Tanh());
  std::ostringstream out;
  out << nn::summary(net, zeros({4, 1000}));
  EXPECT_EQ(out.str(),
            "module   type        output   parameters  trainable    MACs  bytes\n"
            "(model)  Sequential  (4, 20)           0          0       0    320\n"
            "  0      Linear      (4, 20)      20,020     20,020  80,000    320\n"
            "  1      Tanh        (4, 20)           0          0       0    320\n"
            "total                             20,020     20,020  80,000    640\n"
            "parameters 80,080 bytes, buffers 0 bytes\n");
}

TEST(NnSummary, SeveralInputsAndStructs) {
  nn::LSTM lstm(3, 4);
  const auto s = nn::summary(lstm, zeros({5, 2, 3}));
  EXPECT_EQ(s.rows[0].outputs, (std::vector<Shape>{{5, 2, 4}, {1, 2, 4}, {1, 2, 4}}));
  EXPECT_EQ(s.macs, 5 * 2 * (16 * 3 + 16 * 4));
  nn::MultiheadAttention attention(6, 2);
  const Tensor q = zeros({4, 1, 6}), k = zeros({3, 1, 6});
  EXPECT_EQ(nn::summary(attention, q, k, k).macs, (4 + 3 + 3 + 4) * 36 + 2 * 4 * 3 * 6);
}

}  // namespace
}  // namespace cadena
