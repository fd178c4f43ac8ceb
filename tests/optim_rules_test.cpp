// Learning rules against tables computed by hand, and against the properties they are known for.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "optim/rules.hpp"

namespace cadena {
namespace {

using optim::Samples;

std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }

void expect_near(const Tensor& t, const std::vector<double>& expected, double tolerance = 1e-12) {
  const auto got = values(t);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], tolerance) << "element " << i;
}

TEST(OptimRules, HebbFollowsTheTablesOfTheCourse) {
  struct Table {
    double lr;
    Tensor x, y;
    std::vector<double> w;
  };
  for (const auto& [lr, x, y, w] :
       {Table{0.1, tensor({{1, 1}, {1, 0}, {0, 1}}), tensor({1, 0, 0}), {0.1, 0.1}},
        Table{0.2, tensor({{1, 0}, {0, 1}, {0, 0}}), tensor({1, 1, 0}), {0.2, 0.2}}}) {
    optim::Hebb rule({.lr = lr});
    auto weight = zeros({1, 2}, f64);
    std::vector<Tensor> changes;
    for (std::int64_t i = 0; i < 3; ++i) changes.push_back(rule.step(weight, {}, x[i], y[i]).weight);
    expect_near(weight, w);
    for (std::int64_t i = 0; i < 3; ++i)
      expect_near(changes[static_cast<std::size_t>(i)],
                  {lr * x[i][0].item() * y[i].item(), lr * x[i][1].item() * y[i].item()});

    for (auto samples : {Samples::in_order, Samples::batch_sum}) {
      auto again = zeros({1, 2}, f64);
      const auto done = optim::Hebb({.lr = lr, .samples = samples}).step(again, {}, x, y);
      expect_near(again, w);
      expect_near(done.weight, w);
      EXPECT_FALSE(done.bias.defined());
    }
  }
}

TEST(OptimRules, HebbWithoutTargetUsesItsOwnOutput) {
  auto w = tensor({{0.5, -1.0}, {2.0, 0.0}}, f64), b = tensor({0.25, 0.0}, f64);
  // y = W x + b = (0.5 - 2 + 0.25, 2) = (-1.25, 2)
  const auto [output, dw, db] = optim::Hebb({.lr = 0.5}).step(w, b, tensor({1.0, 2.0}, f64));
  expect_near(output, {-1.25, 2});
  EXPECT_EQ(output.shape(), (Shape{2}));
  expect_near(dw, {-0.625, -1.25, 1, 2});
  expect_near(db, {-0.625, 1});
  expect_near(w, {-0.125, -2.25, 3, 2});
  expect_near(b, {-0.375, 1});
}

TEST(OptimRules, OjaByHand) {
  auto w = tensor({{1.0, 0.5}}, f64);
  // y = 2 + 0.5 = 2.5; dw = 0.1 * 2.5 * (x - 2.5 w) = 0.25 * (-0.5, -0.25)
  expect_near(optim::Oja({.lr = 0.1}).step(w, {}, tensor({2.0, 1.0}, f64)).weight, {-0.125, -0.0625});
  expect_near(w, {0.875, 0.4375});
}

TEST(OptimRules, OjaFindsThePrincipalDirection) {
  manual_seed(3);
  // Along (3, 4)/5 the deviation is 2, across it 0.3.
  const auto along = tensor({{0.6, 0.8}}, f64), across = tensor({{-0.8, 0.6}}, f64);
  const auto x = randn({4000, 1}, f64) * 2 * along + randn({4000, 1}, f64) * 0.3 * across;
  auto w = tensor({{0.1, -0.2}}, f64);
  optim::Oja({.lr = 0.002}).step(w, {}, x);
  const auto found = values(w);
  EXPECT_NEAR(std::hypot(found[0], found[1]), 1, 0.02);
  EXPECT_NEAR(std::abs(found[0] * 0.6 + found[1] * 0.8), 1, 0.01);

  // Two units follow the rule independently, each as if it were alone; the batch sum is the same formula.
  auto two = tensor({{0.1, -0.2}, {-0.3, 0.1}}, f64), first = tensor({{0.1, -0.2}}, f64);
  for (auto samples : {Samples::in_order, Samples::batch_sum}) {
    optim::Oja rule({.lr = 0.01, .samples = samples});
    rule.step(two, {}, x.slice(0, {0, 20}));
    rule.step(first, {}, x.slice(0, {0, 20}));
    expect_near(two[0], values(first[0]));
  }
}

TEST(OptimRules, PerceptronByHandOnAnd) {
  // AND from zero weights with lr 1, output 1 at a sum of 0; the table written out by hand.
  const auto x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}}), t = tensor({0, 0, 0, 1});
  struct Row {
    int sample;
    double y, w1, w2, b;
  };
  const Row table[] = {{0, 1, 0, 0, -1}, {1, 0, 0, 0, -1}, {2, 0, 0, 0, -1}, {3, 0, 1, 1, 0},
                       {0, 1, 1, 1, -1}, {1, 1, 1, 0, -2}, {2, 0, 1, 0, -2}, {3, 0, 2, 1, -1}};
  auto w = zeros({1, 2}), b = zeros({1});
  optim::Perceptron rule;
  for (const auto& row : table) {
    const auto done = rule.step(w, b, x[row.sample], t[row.sample]);
    EXPECT_EQ(done.output.item(), row.y);
    EXPECT_EQ(done.output.shape(), Shape{});
    EXPECT_EQ(values(w), (std::vector<double>{row.w1, row.w2}));
    EXPECT_EQ(values(b), std::vector<double>{row.b});
  }
}

TEST(OptimRules, PerceptronSeparatesWhatALineSeparatesAndNotXor) {
  const auto x = tensor({{0, 0}, {0, 1}, {1, 0}, {1, 1}});
  const auto errors_after = [&](const Tensor& t, int epochs) {
    nn::Perceptron unit(2, 1);
    optim::Perceptron rule;
    double wrong = 4;
    for (int epoch = 0; epoch < epochs && wrong > 0; ++epoch)
      wrong = ne(rule.step(unit.weight, unit.bias, x, t).output, t).to(f32).sum().item();
    EXPECT_EQ(wrong == 0, equal(unit(x.to(f32)).squeeze(), t.to(f32)));
    return wrong;
  };
  EXPECT_EQ(errors_after(tensor({0, 0, 0, 1}), 20), 0);
  EXPECT_EQ(errors_after(tensor({0, 1, 1, 1}), 20), 0);
  EXPECT_GT(errors_after(tensor({0, 1, 1, 0}), 200), 0);
}

TEST(OptimRules, ThePerceptronsValueAtZeroDecides) {
  auto w = zeros({1, 1}), b = zeros({1});
  EXPECT_EQ(optim::Perceptron({.at_zero = 0}).step(w, b, tensor({1.0}), tensor({0.0})).output.item(), 0);
  EXPECT_EQ(w.item(), 0);
  EXPECT_EQ(optim::Perceptron({.at_zero = 1}).step(w, b, tensor({1.0}), tensor({0.0})).output.item(), 1);
  EXPECT_EQ(w.item(), -1);
}

TEST(OptimRules, DeltaByHandInOrderAndAsASum) {
  const auto x = tensor({{1.0, 2.0}, {-1.0, 1.0}}, f64), t = tensor({1.0, -1.0}, f64);
  auto w = tensor({{0.5, 0.0}}, f64), b = tensor({0.5}, f64);
  // net 1, e 0: nothing. net -0.5 + 0.5 = 0, e -1: w += 0.1 (1, -1), b -= 0.1.
  expect_near(optim::Delta({.lr = 0.1}).step(w, b, x, t).weight, {0.1, -0.1});
  expect_near(w, {0.6, -0.1});
  expect_near(b, {0.4});
  // In order: net 0.6 - 0.2 + 0.4 = 0.8, e 0.2: w (0.62, -0.06), b 0.42; net -0.26, e -0.74.
  auto w2 = w.clone(), b2 = b.clone();
  const auto ordered = optim::Delta({.lr = 0.1}).step(w2, b2, x, t);
  expect_near(ordered.output, {0.8, -0.26});
  expect_near(w2, {0.62 + 0.074, -0.06 - 0.074});
  expect_near(b2, {0.42 - 0.074});
  // As a sum: e 0.2 and -1 - (-0.6 - 0.1 + 0.4) = -0.7, both from the same weights.
  const auto summed = optim::Delta({.lr = 0.1, .samples = Samples::batch_sum}).step(w, b, x, t);
  expect_near(summed.weight, {0.1 * (0.2 + 0.7), 0.1 * (0.4 - 0.7)});
  expect_near(summed.bias, {0.1 * (0.2 - 0.7)});
}

TEST(OptimRules, DeltaIsGradientDescentOnHalfTheSquaredError) {
  manual_seed(5);
  nn::Adaline unit(3, 2, {.dtype = f64});
  nn::init::uniform_(unit.weight, -1, 1);
  const auto x = randn({7, 3}, f64), t = randn({7, 2}, f64);
  auto w = unit.weight.detach().clone().requires_grad_(), b = unit.bias.detach().clone().requires_grad_();
  (square(t - linear(x, w, b)).sum() / 2).backward();
  optim::SGD({w, b}, {.lr = 0.05}).step();
  optim::Delta({.lr = 0.05, .samples = Samples::batch_sum}).step(unit.weight, unit.bias, x, t);
  EXPECT_TRUE(allclose(unit.weight, w, 1e-12));
  EXPECT_TRUE(allclose(unit.bias, b, 1e-12));
  EXPECT_TRUE(unit.weight.requires_grad()) << "parameters stay what they are";
}

TEST(OptimRules, InOrderIsOneSampleAfterTheOther) {
  manual_seed(9);
  const auto x = randn({6, 4}, f64), t = to(randn({6, 3}, f64) > 0, f64);
  std::vector<std::unique_ptr<optim::LearningRule>> rules;
  rules.push_back(std::make_unique<optim::Hebb>());
  rules.push_back(std::make_unique<optim::Perceptron>());
  rules.push_back(std::make_unique<optim::Delta>());
  for (auto& rule : rules) {
    auto w = randn({3, 4}, f64), b = randn({3}, f64), w2 = w.clone(), b2 = b.clone();
    const auto start = w.clone();
    const auto whole = rule->step(w, b, x, t);
    for (std::int64_t i = 0; i < 6; ++i) {
      const auto one = rule->step(w2, b2, x[i], t[i]);
      EXPECT_TRUE(equal(one.output, whole.output[i])) << rule->name();
    }
    EXPECT_TRUE(equal(w, w2) && equal(b, b2)) << rule->name();
    EXPECT_TRUE(allclose(start + whole.weight, w, 1e-12, 1e-12)) << rule->name();
  }
}

TEST(OptimRules, EmptySharedAndStridedInput) {
  auto w = ones({2, 2}, f64);
  const auto none = optim::Hebb().step(w, {}, zeros({0, 2}, f64), zeros({0, 2}, f64));
  EXPECT_EQ(none.output.shape(), (Shape{0, 2}));
  EXPECT_TRUE(equal(w, ones({2, 2}, f64)));
  // The rows of the weight as input: what the first change writes must not be read by the second.
  auto own = tensor({{1.0, 2.0}, {3.0, 4.0}}, f64);
  auto copy = own.clone();
  optim::Hebb().step(own, {}, own, ones({2, 2}, f64));
  optim::Hebb().step(copy, {}, copy.clone(), ones({2, 2}, f64));
  EXPECT_TRUE(equal(own, copy));
  auto base = zeros({2, 3}, f64), plain = zeros({3, 2}, f64);
  optim::Hebb().step(base.t(), {}, tensor({1, 2}), tensor({1, 2, 3}));
  optim::Hebb().step(plain, {}, tensor({1, 2}), tensor({1, 2, 3}));
  EXPECT_TRUE(equal(base.t(), plain));
}

TEST(OptimRules, WrongUseIsRefusedAndChangesNothing) {
  auto w = ones({2, 3}), b = ones({2});
  const auto x = ones({3}), t = ones({2});
  optim::Hebb hebb;
  optim::Oja oja;
  optim::Perceptron perceptron;
  EXPECT_THROW(hebb.step({}, b, x, t), ShapeError);
  EXPECT_THROW(hebb.step(ones({3}), b, x, t), ShapeError);
  EXPECT_THROW(hebb.step(w, ones({3}), x, t), ShapeError);
  EXPECT_THROW(hebb.step(w, b, ones({2}), t), ShapeError);
  EXPECT_THROW(hebb.step(w, b, ones({1, 1, 3}), t), ShapeError);
  EXPECT_THROW(hebb.step(w, b, {}, t), ShapeError);
  EXPECT_THROW(hebb.step(w, b, x, ones({3})), ShapeError);
  EXPECT_THROW(hebb.step(w, b, ones({2, 3}), t), ShapeError);
  EXPECT_THROW(hebb.step(ones({2, 3}, i64), {}, x, t), DtypeError);
  EXPECT_THROW(hebb.step(w, b, ones({3}, f64), t), DtypeError);
  EXPECT_THROW(hebb.step(w, ones({2}, f64), x, t), DtypeError);
  EXPECT_THROW(oja.step(w, b, x), ValueError);
  EXPECT_THROW(oja.step(w, {}, x, t), ValueError);
  EXPECT_THROW(perceptron.step(w, b, x), ValueError);
  EXPECT_THROW(perceptron.step(w, b, x, tensor({1.0, -1.0})), ValueError);
  EXPECT_THROW(optim::Delta().step(w, b, x), ValueError);
  EXPECT_THROW(optim::Perceptron({.at_zero = 0.5}), ValueError);
  EXPECT_THROW(optim::Hebb({.lr = -1}), ValueError);
  EXPECT_THROW(hebb.set_lr(std::nan("")), ValueError);
  EXPECT_THROW(hebb.set_lr(std::numeric_limits<double>::infinity()), ValueError);
  EXPECT_EQ(hebb.lr(), 0.1);
  EXPECT_TRUE(equal(w, ones({2, 3})) && equal(b, ones({2})));
  try {
    hebb.step(w, b, ones({2}), t);
  } catch (const ShapeError& e) {
    EXPECT_STREQ(e.what(),
                 "[Hebb] expected x as (in) or (samples, in), got (2,) f32 for a weight of (2, 3) f32");
  }
}

}  // namespace
}  // namespace cadena
