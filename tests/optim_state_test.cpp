// Saving and loading optimizers.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "optim/optim.hpp"

namespace cadena {
namespace {

using Named = std::vector<std::pair<std::string, Tensor>>;

Tensor leaf(const Tensor& t) { return t.detach().clone().requires_grad_(); }

template <class Optimizer>
void steps(Optimizer& optimizer, int from, int to) {
  for (int t = from; t < to; ++t) {
    Generator g(static_cast<std::uint64_t>(t));
    for (auto p : optimizer.parameters()) p.set_grad(randn(p.shape(), g, p.dtype()));
    optimizer.step();
  }
}

/// Stopping, saving into fresh objects and going on gives the same bits as never having stopped.
template <class Optimizer, class Options>
void expect_resumes(const Options& options) {
  auto a = leaf(randn({13})), b = leaf(randn({2, 3}, f64));
  Optimizer straight(Named{{"a", a}, {"b", b}}, options);
  steps(straight, 0, 5);

  auto c = leaf(a), d = leaf(b);
  Optimizer resumed(Named{{"a", c}, {"b", d}});
  resumed.load_state_dict(straight.state_dict());
  steps(straight, 5, 10);
  steps(resumed, 5, 10);
  EXPECT_TRUE(equal(a, c) && equal(b, d));
}

TEST(OptimState, ResumesWithTheSameBits) {
  expect_resumes<optim::SGD>(optim::SGDOptions{.lr = 0.1});
  expect_resumes<optim::SGD>(
      optim::SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  expect_resumes<optim::Adam>(optim::AdamOptions{.lr = 0.1, .betas = {0.8, 0.9}});
  expect_resumes<optim::Adam>(optim::AdamOptions{.amsgrad = true, .bias_correction = false});
  expect_resumes<optim::AdamW>(optim::AdamWOptions{.maximize = true});
}

TEST(OptimState, SaysWhatPyTorchSays) {
  auto w = leaf(ones({2}));
  optim::Adam adam(Named{{"fc.weight", w}}, {.lr = 0.5, .amsgrad = true});
  steps(adam, 0, 3);
  const auto state = adam.state_dict();
  EXPECT_EQ(state.optimizer, "Adam");
  ASSERT_EQ(state.groups.size(), 1u);
  EXPECT_EQ(state.groups[0].options.at("lr"), 0.5);
  EXPECT_EQ(state.groups[0].options.at("amsgrad"), 1);
  const auto& p = state.groups[0].parameters.at(0);
  EXPECT_EQ(p.name, "fc.weight");
  EXPECT_EQ(p.step, 3);
  ASSERT_EQ(p.slots.size(), 3u);
  for (const char* slot : {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"})
    EXPECT_TRUE(p.slots.contains(slot)) << slot;

  optim::SGD sgd({w, leaf(w)}, {.momentum = 0.9});
  steps(sgd, 0, 1);
  EXPECT_EQ(sgd.state_dict().groups[0].parameters[1].name, "1");
  EXPECT_TRUE(sgd.state_dict().groups[0].parameters[1].slots.contains("momentum_buffer"));
}

TEST(OptimState, IsASnapshot) {
  auto w = leaf(ones({2}));
  optim::Adam adam({w});
  steps(adam, 0, 1);
  const auto state = adam.state_dict();
  const auto before = state.groups[0].parameters[0].slots.at("exp_avg").clone();
  steps(adam, 1, 2);
  EXPECT_TRUE(equal(state.groups[0].parameters[0].slots.at("exp_avg"), before));
  adam.load_state_dict(state);
  steps(adam, 2, 3);
  EXPECT_TRUE(equal(state.groups[0].parameters[0].slots.at("exp_avg"), before));
}

TEST(OptimState, OptionsSwitchedAtRunTime) {
  auto w = leaf(ones({3}));
  optim::SGD sgd({w}, {.lr = 0.1});
  steps(sgd, 0, 2);
  sgd.set_options({.lr = 0.1, .momentum = 0.9});
  auto copy = leaf(w);
  optim::SGD other({copy});
  other.load_state_dict(sgd.state_dict());  // has steps, but no momentum yet
  steps(sgd, 2, 5);
  steps(other, 2, 5);
  EXPECT_TRUE(equal(w, copy));
  sgd.set_options({.lr = 0.1});
  EXPECT_TRUE(sgd.state_dict().groups[0].parameters[0].slots.empty());
}

TEST(OptimState, LoadsIntoTheParametersDtype) {
  auto w = leaf(ones({3}, f64)), v = leaf(ones({3}));
  optim::Adam wide({w}), narrow({v});
  steps(wide, 0, 2);
  narrow.load_state_dict(wide.state_dict());
  EXPECT_EQ(narrow.state_dict().groups[0].parameters[0].slots.at("exp_avg").dtype(), f32);
}

TEST(OptimState, WhatDoesNotFitChangesNothing) {
  auto w = leaf(ones({3}));
  optim::Adam adam(Named{{"w", w}}, {.lr = 0.5});
  steps(adam, 0, 2);
  const auto good = adam.state_dict();
  const auto refuse = [&]<class E>(E, auto change) {
    auto state = good;
    state.groups[0].options["lr"] = 9;
    change(state);
    EXPECT_THROW(adam.load_state_dict(state), E);
    EXPECT_EQ(adam.lr(), 0.5);
    EXPECT_EQ(adam.state_dict().groups[0].parameters[0].step, 2);
  };
  const ValueError value("");
  refuse(value, [](auto& s) { s.optimizer = "SGD"; });
  refuse(value, [](auto& s) { s.groups.push_back(s.groups[0]); });
  refuse(value, [](auto& s) { s.groups[0].parameters.clear(); });
  refuse(value, [](auto& s) { s.groups[0].parameters[0].name = "v"; });
  refuse(value, [](auto& s) { s.groups[0].options.erase("beta1"); });
  refuse(value, [](auto& s) { s.groups[0].options["beta1"] = 2; });
  refuse(value, [](auto& s) { s.groups[0].parameters[0].step = -1; });
  refuse(value, [](auto& s) { s.groups[0].parameters[0].slots.erase("exp_avg"); });
  refuse(value, [](auto& s) { s.groups[0].parameters[0].slots["more"] = ones({3}); });
  refuse(value, [](auto& s) { s.groups[0].parameters[0].slots["exp_avg"] = Tensor(); });
  refuse(ShapeError(""), [](auto& s) { s.groups[0].parameters[0].slots["exp_avg"] = ones({4}); });
  adam.load_state_dict(good);
}

}  // namespace
}  // namespace cadena
