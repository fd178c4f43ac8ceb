// Clipping, averaging, the rate finder, and what LBFGS alone can do.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "optim/optim.hpp"
#include "values.hpp"

namespace cadena {
namespace {

using Named = std::vector<std::pair<std::string, Tensor>>;

Tensor leaf(const Tensor& t) { return t.detach().clone().requires_grad_(); }
Tensor with_grad(const Tensor& g) {
  auto w = leaf(zeros(g.shape(), g.dtype()));
  w.set_grad(g);
  return w;
}

// ---- clip_grad_norm_, clip_grad_value_

double norm_of(const Values& v, double p) {
  long double sum = 0;
  for (const double x : v)
    sum += std::pow(std::fabs(static_cast<long double>(x)), static_cast<long double>(p));
  return static_cast<double>(std::pow(sum, 1 / static_cast<long double>(p)));
}

TEST(ClipGradNorm, ScalesAllTogetherForEveryP) {
  for (const double p : {1.0, 2.0, 3.5, 0.5, inf}) {
    Generator g(5);
    auto a = with_grad(randn({7, 9}, g, f64)), b = with_grad(randn({3}, g)), unused = leaf(zeros({2}));
    auto all = values(a.grad());
    for (const double x : values(b.grad())) all.push_back(x);
    double expected = 0;
    for (const double x : all) expected = std::max(expected, std::abs(x));
    if (p != inf) expected = norm_of(all, p);
    const auto before = a.grad().clone(), held = a.grad();
    EXPECT_NEAR(optim::clip_grad_norm_({a, unused, b}, 1e6, {.norm_type = p}), expected, 1e-12 * expected);
    EXPECT_TRUE(equal(a.grad(), before)) << "nothing to clip";
    EXPECT_NEAR(optim::clip_grad_norm_({a, unused, b}, 0.5, {.norm_type = p}), expected, 1e-12 * expected);
    EXPECT_TRUE(allclose(a.grad(), before * (0.5 / (expected + 1e-6)), 1e-12, 0));
    EXPECT_NEAR(optim::clip_grad_norm_({a, b}, 0.5, {.norm_type = p}), 0.5, 1e-5);
    EXPECT_FALSE(unused.grad().defined());
    EXPECT_TRUE(equal(held, before)) << "gradients are replaced: they may be shared";
  }
}

TEST(ClipGradNorm, SharedGradientsAreScaledOnce) {
  const auto g = full({4}, 3, f64);
  auto a = leaf(zeros({4}, f64)), b = leaf(zeros({4}, f64));
  a.set_grad(g), b.set_grad(g);
  const double norm = optim::clip_grad_norm_({a, b}, 1);
  expect_values(a.grad(), Values(4, 3 / (norm + 1e-6)), 1e-15);
  expect_values(b.grad(), Values(4, 3 / (norm + 1e-6)), 1e-15);
}

TEST(ClipGradNorm, SizesBeyondTheirSquares) {
  auto large = with_grad(full({4}, 1e200, f64)), small = with_grad(full({4}, 1e-200, f64)),
       none = with_grad(zeros({0}));
  EXPECT_DOUBLE_EQ(optim::clip_grad_norm_({large}, 1), 2e200);
  expect_values(large.grad(), Values(4, 0.5), 1e-12);
  EXPECT_DOUBLE_EQ(optim::clip_grad_norm_({small}, 1), 2e-200);
  EXPECT_EQ(optim::clip_grad_norm_({none}, 1), 0);
  EXPECT_EQ(optim::clip_grad_norm_({}, 1), 0);
}

TEST(ClipGradNorm, WhatIsNotFinite) {
  for (const double bad : {inf, nan}) {
    auto a = with_grad(tensor(Values{1, bad})), b = with_grad(tensor(Values{2}));
    const auto text = message_of<ValueError>([&] {
      optim::clip_grad_norm_({a, b}, 1, {.error_if_nonfinite = true});
    });
    EXPECT_EQ(text, std::string("[clip_grad_norm_] expected gradients of a finite norm, got ") +
                        optim::to_text(bad));
    expect_values(b.grad(), {2});
    const double norm = optim::clip_grad_norm_({a, b}, 1);
    EXPECT_TRUE(norm == bad || (std::isnan(norm) && std::isnan(bad)));
    expect_values(a.grad(), {std::isnan(bad) ? nan : 0, nan});
    expect_values(b.grad(), {std::isnan(bad) ? nan : 0});
  }
  auto a = with_grad(ones({2}));
  EXPECT_EQ(message_of<ValueError>([&] { optim::clip_grad_norm_({a}, -1); }),
            "[clip_grad_norm_] max_norm: expected >= 0, got -1");
  EXPECT_EQ(message_of<ValueError>([&] { optim::clip_grad_norm_({a}, 1, {.norm_type = 0}); }),
            "[clip_grad_norm_] norm_type: expected > 0, got 0");
}

TEST(ClipGradValue, EveryElement) {
  auto a = with_grad(tensor(Values{-3, -0.5, nan, 0.5, inf})), unused = leaf(ones({2}));
  optim::clip_grad_value_({a, unused}, 1);
  expect_values(a.grad(), {-1, -0.5, nan, 0.5, 1});
  EXPECT_FALSE(unused.grad().defined());
  EXPECT_EQ(message_of<ValueError>([&] { optim::clip_grad_value_({a}, nan); }),
            "[clip_grad_value_] clip_value: expected >= 0, got nan");
}

// ---- AveragedModel

TEST(AveragedModel, IsTheMeanOrTheExponentialAverage) {
  auto w = leaf(zeros({2}, f64)), buffer = zeros({1});
  optim::AveragedModel swa(Named{{"w", w}, {"buffer", buffer}}), ema({w, buffer}, {.decay = 0.75});
  double expected = 0;
  for (int t = 1; t <= 5; ++t) {
    NoGrad guard;
    w.fill_(t * t), buffer.fill_(t);
    swa.update_parameters(), ema.update_parameters();
    expected = t == 1 ? 1 : 0.75 * expected + 0.25 * t * t;
  }
  expect_values(swa.parameters()[0], {11, 11}, 1e-12);
  expect_values(swa.parameters()[1], {3}, 1e-6);
  expect_values(ema.parameters()[0], {expected, expected}, 1e-12);
  EXPECT_EQ(swa.n_averaged(), 5);
}

TEST(AveragedModel, IsLentForAScope) {
  auto w = leaf(ones({2}));
  optim::AveragedModel swa({w});
  swa.update_parameters();
  {
    NoGrad guard;
    w.fill_(3);
  }
  swa.update_parameters();
  try {
    optim::UseAverage guard(swa);
    expect_values(w, {2, 2});
    EXPECT_TRUE(w.is_leaf() && w.requires_grad());
    EXPECT_EQ(message_of<GraphError>([&] { swa.update_parameters(); }),
              "[AveragedModel] expected the model's own values, got the averages (UseAverage)");
    EXPECT_EQ(message_of<GraphError>([&] { optim::UseAverage again(swa); }),
              "[UseAverage] expected the model's own values, got the averages");
    expect_values(swa.state_dict().parameters.at("0"), {2, 2});
    throw ValueError("evaluation failed");
  } catch (const ValueError&) {
  }
  expect_values(w, {3, 3});
  expect_values(swa.parameters()[0], {2, 2});
}

TEST(AveragedModel, ResumesWithTheSameBits) {
  for (const std::optional<double> decay : {std::optional<double>(), std::optional(0.9)}) {
    auto w = leaf(zeros({9}));
    const auto move = [&](int t) {
      NoGrad guard;
      Generator g(static_cast<std::uint64_t>(t));
      w.copy_(randn({9}, g));
    };
    optim::AveragedModel straight(Named{{"w", w}}, {.decay = decay}),
        resumed(Named{{"w", w}}, {.decay = decay});
    for (int t = 0; t < 3; ++t) move(t), straight.update_parameters();
    resumed.load_state_dict(straight.state_dict());
    for (int t = 3; t < 6; ++t) move(t), straight.update_parameters(), resumed.update_parameters();
    EXPECT_TRUE(equal(straight.parameters()[0], resumed.parameters()[0]));
    EXPECT_EQ(resumed.n_averaged(), 6);
  }
}

TEST(AveragedModel, Refuses) {
  auto w = leaf(ones({2}));
  const auto refusal = [](optim::Params params, optim::AveragedModelOptions o = {}) {
    return message_of<Error>([&] { optim::AveragedModel(std::move(params), o); });
  };
  EXPECT_EQ(refusal({w}, {.decay = 1.5}), "[AveragedModel] decay: expected a number in [0, 1], got 1.5");
  EXPECT_EQ(refusal(std::vector<Tensor>{}), "[AveragedModel] expected tensors, got none");
  EXPECT_EQ(refusal({Tensor()}), "[AveragedModel] expected a defined tensor, got an undefined one as \"0\"");
  EXPECT_EQ(refusal({ones({2}, i64)}), "[AveragedModel] expected f32 or f64, got i64 as \"0\"");
  EXPECT_EQ(refusal(Named{{"a", w}, {"a", w}}),
            "[AveragedModel] expected different names, got one twice as \"a\"");
  optim::AveragedModel swa(Named{{"w", w}});
  const auto good = swa.state_dict();
  const auto load = [&](auto change) {
    auto state = good;
    change(state);
    const auto text = message_of<Error>([&] { swa.load_state_dict(state); });
    EXPECT_EQ(swa.n_averaged(), 0);
    return text;
  };
  const std::string op = "[AveragedModel::load_state_dict] expected ";
  EXPECT_EQ(load([](auto& s) { s.n_averaged = -1; }), op + "n_averaged >= 0, got -1");
  EXPECT_EQ(load([](auto& s) { s.parameters.clear(); }), op + "1 tensors, got 0");
  EXPECT_EQ(load([](auto& s) { s.parameters = {{"v", ones({2})}}; }), op + "a tensor \"w\", got none");
  EXPECT_EQ(load([](auto& s) { s.parameters["w"] = ones({3}); }), op + "(2,) as \"w\", got (3,)");
}

// ---- lr_find

/// mean((w - 2)^2) of 8 elements: plain descent diverges from lr = 8 on.
std::function<Tensor()> bowl(Tensor& w, optim::Optimizer& optimizer) {
  return [&] {
    optimizer.zero_grad();
    const Tensor loss = mean(square(w - 2));
    loss.backward();
    return loss;
  };
}

TEST(LrFind, FindsARateThatWorksAndPutsEverythingBack) {
  auto w = leaf(zeros({8}, f64));
  optim::SGD sgd({w}, {.lr = 0.123, .momentum = 0.5});
  const auto closure = bowl(w, sgd);
  sgd.step(closure);
  const auto weights = w.detach().clone(), grad = w.grad().clone();
  const auto state = sgd.state_dict();
  const auto found = optim::lr_find(sgd, closure, {.start_lr = 1e-4, .end_lr = 1e4});
  EXPECT_TRUE(equal(w, weights) && equal(w.grad(), grad));
  EXPECT_EQ(sgd.lr(), 0.123);
  const auto after = sgd.state_dict();
  EXPECT_EQ(after.groups[0].parameters[0].step, state.groups[0].parameters[0].step);
  EXPECT_TRUE(equal(after.groups[0].parameters[0].slots.at("momentum_buffer"),
                    state.groups[0].parameters[0].slots.at("momentum_buffer")));

  ASSERT_EQ(found.lrs.size(), found.losses.size());
  EXPECT_LT(found.lrs.size(), 100u) << "it stops when the loss has diverged";
  EXPECT_DOUBLE_EQ(found.lrs[0], 1e-4);
  EXPECT_NEAR(found.lrs[1] / found.lrs[0], std::pow(1e8, 1 / 99.0), 1e-9);
  EXPECT_GT(found.suggestion, 0.01);
  EXPECT_LT(found.suggestion, 8);
  sgd.set_lr(found.suggestion);
  for (int i = 0; i < 2000; ++i) sgd.step(closure);
  EXPECT_LT(mean(square(w - 2)).item(), 1e-3);
}

TEST(LrFind, PutsEverythingBackWhenTheClosureThrows) {
  auto w = leaf(zeros({8}, f64));
  optim::Adam adam({w}, {.lr = 0.5});
  int calls = 0;
  const auto closure = bowl(w, adam);
  EXPECT_THROW(optim::lr_find(adam,
                              [&] {
                                if (++calls == 5) throw ValueError("no more data");
                                return closure();
                              }),
               ValueError);
  EXPECT_TRUE(equal(w, zeros({8}, f64)));
  EXPECT_FALSE(w.grad().defined());
  EXPECT_EQ(adam.lr(), 0.5);
  EXPECT_TRUE(adam.state_dict().groups[0].parameters[0].slots.empty());
}

TEST(LrFind, Refuses) {
  auto w = leaf(zeros({8}, f64));
  optim::SGD sgd({w});
  const auto refusal = [&](optim::LrFindOptions o) {
    return message_of<ValueError>([&] { optim::lr_find(sgd, bowl(w, sgd), o); });
  };
  EXPECT_EQ(refusal({.start_lr = 0}), "[lr_find] start_lr: expected > 0, got 0");
  EXPECT_EQ(refusal({.start_lr = 1, .end_lr = 1}),
            "[lr_find] end_lr: expected a finite number above start_lr, got 1");
  EXPECT_EQ(refusal({.num_steps = 1}), "[lr_find] num_steps: expected >= 2, got 1");
  EXPECT_EQ(refusal({.smoothing = 1}), "[lr_find] smoothing: expected a number in [0, 1), got 1");
  EXPECT_EQ(refusal({.diverged = 0.5}), "[lr_find] diverged: expected >= 1, got 0.5");
  EXPECT_EQ(message_of<ValueError>([&] { optim::lr_find(sgd, [] { return full({}, nan); }); }),
            "[lr_find] expected a finite loss at start_lr, got nan");
}

// ---- LBFGS

Tensor rosenbrock(const Tensor& w) { return square(1 - w[0]) + 100 * square(w[1] - square(w[0])); }

TEST(Lbfgs, SolvesRosenbrock) {
  auto w = leaf(tensor(Values{-1.2, 1}));
  optim::LBFGS lbfgs(
      {w}, {.max_iter = 100, .tolerance_change = 1e-16, .line_search_fn = optim::LineSearch::strong_wolfe});
  int calls = 0;
  const auto first = lbfgs.step([&] {
    ++calls;
    lbfgs.zero_grad();
    const Tensor loss = rosenbrock(w);
    loss.backward();
    return loss;
  });
  EXPECT_NEAR(first.item(), 24.2, 1e-12) << "the loss before the step";
  expect_values(w, {1, 1}, 1e-8);
  EXPECT_LT(calls, 60);
}

TEST(Lbfgs, SolvesALinearSystemOfTwoDtypesAndStopsThere) {
  auto a = leaf(zeros({3})), b = leaf(zeros({2, 2}, f64));
  optim::LBFGS lbfgs(Named{{"a", a}, {"b", b}},
                     {.max_iter = 50, .line_search_fn = optim::LineSearch::strong_wolfe});
  int calls = 0;
  const auto closure = [&] {
    ++calls;
    lbfgs.zero_grad();
    const Tensor loss = sum(square(a - 2).to(f64)) + sum(square(b * 3 - 1)) + a[0].to(f64) * b[0][0];
    loss.backward();
    return loss;
  };
  lbfgs.step(closure);
  const double b00 = 8.0 / 35, a0 = 2 - b00 / 2;  // 2 (a0 - 2) + b00 = 0, 6 (3 b00 - 1) + a0 = 0
  expect_values(a, {a0, 2, 2}, 1e-5);
  expect_values(b, {(6 - a0) / 18, 1 / 3.0, 1 / 3.0, 1 / 3.0}, 1e-5);
  EXPECT_EQ(lbfgs.state_dict().groups[0].parameters[1].slots.at("d").shape(), (Shape{2, 2}));
  EXPECT_EQ(a.dtype(), f32);
}

TEST(Lbfgs, IsAsItWasWhenTheClosureThrows) {
  auto w = leaf(tensor(Values{-1.2, 1}));
  optim::LBFGS lbfgs({w}, {.line_search_fn = optim::LineSearch::strong_wolfe});
  int calls = 0;
  EXPECT_THROW(lbfgs.step([&]() -> Tensor {
    if (++calls == 4) throw ValueError("stop");
    lbfgs.zero_grad();
    const Tensor loss = rosenbrock(w);
    loss.backward();
    return loss;
  }),
               ValueError);
  expect_values(w, {-1.2, 1});
  EXPECT_TRUE(lbfgs.state_dict().groups[0].parameters[0].slots.empty());
}

TEST(Lbfgs, ComesBackFromWhereTheLossIsNaN) {
  auto w = leaf(full({1}, 0.5, f64));
  optim::LBFGS lbfgs({w}, {.lr = 10,
                           .max_iter = 50,
                           .tolerance_change = 1e-14,
                           .line_search_fn = optim::LineSearch::strong_wolfe});
  lbfgs.step([&] {
    lbfgs.zero_grad();
    const Tensor loss = (w - log(w)).sum();  // NaN for w < 0, least at 1
    loss.backward();
    return loss;
  });
  EXPECT_NEAR(w.item(), 1, 1e-6);
}

TEST(Lbfgs, Refuses) {
  auto w = leaf(ones({2}));
  optim::LBFGS lbfgs({w});
  EXPECT_EQ(message_of<GraphError>([&] { lbfgs.step(); }),
            "[LBFGS::step] expected a closure as step(closure), got none");
  EXPECT_EQ(message_of<ValueError>([&] { lbfgs.add_param_group_by_name({leaf(w)}, {}); }),
            "[LBFGS] expected one group, got another one");
  lbfgs.step([&] {
    lbfgs.zero_grad();
    const Tensor loss = sum(square(square(w)));
    loss.backward();
    return loss;
  });
  const auto good = lbfgs.state_dict();
  const auto weights = w.detach().clone();
  const auto load = [&](auto change) {
    auto state = good;
    change(state.groups[0].parameters[0].slots);
    return message_of<Error>([&] { lbfgs.load_state_dict(state); });
  };
  const std::string op = "[LBFGS::load_state_dict] expected ";
  EXPECT_EQ(load([](auto& s) { s.erase("d"); }), op + "slot \"d\" of \"0\", got none");
  EXPECT_EQ(load([](auto& s) { s["d"] = ones({3}); }),
            op + "vectors like (2,) as slot \"d\" of \"0\", got (1, 3)");
  EXPECT_EQ(load([](auto& s) { s["old_stps"] = ones({}); }),
            op + "vectors like (2,) as slot \"old_stps\" of \"0\", got ()");
  EXPECT_TRUE(contains(load([](auto& s) { s["old_stps"] = ones({99, 2}); }), " \"old_stps\", got 99"));
  lbfgs.load_state_dict(good);
}

}  // namespace
}  // namespace cadena
