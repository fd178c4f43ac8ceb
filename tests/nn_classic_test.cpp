// Perceptron, Adaline and Hopfield.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "nn/classic.hpp"
#include "nn/nn.hpp"
#include "optim/rules.hpp"

namespace cadena {
namespace {

/// Patterns of -1 and 1.
Tensor random_signs(const Shape& shape) { return to(rand(shape) < 0.5, f32) * 2 - 1; }

/// `state` with the units of `flipped` turned round.
Tensor with_flips(const Tensor& state, const std::vector<std::int64_t>& flipped) {
  auto values = state.to_vector<double>();
  for (auto i : flipped) values[static_cast<std::size_t>(i)] *= -1;
  return tensor(values);
}

TEST(NnPerceptron, StepsAtZero) {
  for (double at_zero : {0.0, 1.0}) {
    nn::Perceptron unit(2, 1, {.at_zero = at_zero, .dtype = f64});
    const auto x = tensor({{1.0, 1.0}, {2.0, 1.0}, {1.0, 2.0}}, f64);
    EXPECT_TRUE(equal(unit(x), full({3, 1}, at_zero, f64))) << "weights start at 0";
    unit.weight = tensor({{1.0, -1.0}}, f64);
    EXPECT_EQ(unit(x).to_vector<double>(), (std::vector<double>{at_zero, 1, 0}));
  }
  EXPECT_THROW(nn::Perceptron(2, 1, {.at_zero = 0.5}), ValueError);
  EXPECT_THROW(nn::Perceptron(-2, 1), ShapeError);
  EXPECT_THROW(nn::Perceptron(2, 1, {.dtype = i64}), DtypeError);
  EXPECT_EQ(nn::Perceptron(2, 1, {.bias = false}).to_string(),
            "Perceptron(in_features=2, out_features=1, bias=False, at_zero=1)");
}

TEST(NnAdaline, LearnsALineAndQuantizes) {
  nn::Adaline unit(2, 1, {.dtype = f64});
  optim::Delta rule({.lr = 0.05});
  const auto x = tensor({{-1, -1}, {-1, 1}, {1, -1}, {1, 1}}), t = tensor({-1, -1, -1, 1});
  for (int epoch = 0; epoch < 200; ++epoch) rule.step(unit.weight, unit.bias, x, t);
  EXPECT_TRUE(equal(unit.classify(x.to(f64)).squeeze(), t.to(f64)));
  // The least squares solution of AND is w = (1/2, 1/2), b = -1/2; a constant lr stays near it.
  EXPECT_NEAR(unit.weight[0][0].item(), 0.5, 0.05);
  EXPECT_NEAR(unit.weight[0][1].item(), 0.5, 0.05);
  EXPECT_NEAR(unit.bias.item(), -0.5, 0.05);
  EXPECT_EQ(nn::Adaline(1, 1).classify(zeros({1})).item(), 1) << "a sum of 0 counts as positive";
  EXPECT_EQ(nn::Adaline(2, 3).to_string(), "Adaline(in_features=2, out_features=3, bias=True)");
  EXPECT_THROW(nn::Adaline(2, 1, {.dtype = boolean}), DtypeError);
}

TEST(NnHopfield, StoresByHebbsRule) {
  nn::Hopfield net(4, f64);
  net.store(tensor({{1, 1, -1, -1}, {1, -1, 1, -1}}));
  // Products summed by hand: 1-2: 1 - 1, 1-3: -1 + 1, 1-4: -1 - 1, 2-3: -1 - 1, 2-4: -1 + 1, 3-4: 1 - 1;
  // over 4.
  EXPECT_TRUE(equal(
      net.weight,
      tensor({{0.0, 0.0, 0.0, -0.5}, {0.0, 0.0, -0.5, 0.0}, {0.0, -0.5, 0.0, 0.0}, {-0.5, 0.0, 0.0, 0.0}},
             f64)));
  EXPECT_EQ(net.energy(tensor({1, 1, -1, -1})).item(), -1) << "-1/2 * 4 * 1/2";
  EXPECT_EQ(net.energy(tensor({{1, 1, -1, -1}, {1, 1, 1, 1}})).to_vector<double>(),
            (std::vector<double>{-1, 1}));

  // The same as optim::Hebb with the pattern on both sides, one after the other.
  manual_seed(1);
  const auto patterns = random_signs({3, 10}).to(f64);
  nn::Hopfield all(10, f64), single(10, f64);
  all.store(patterns);
  for (std::int64_t i = 0; i < 3; ++i) single.store(patterns[i]);
  auto w = zeros({10, 10}, f64);
  optim::Hebb({.lr = 0.1}).step(w, {}, patterns, patterns);
  EXPECT_TRUE(allclose(all.weight, w * (1 - eye(10, f64)), 1e-12, 1e-12));
  EXPECT_TRUE(allclose(all.weight, single.weight, 1e-12, 1e-12));
}

TEST(NnHopfield, RecallsPatternsFromDamagedOnes) {
  manual_seed(2);
  const auto patterns = random_signs({5, 100});  // far below 13.8
  nn::Hopfield net(100);
  net.store(patterns);
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto damaged = with_flips(patterns[i], {3, 14, 15, 92, 65, 35, 89, 79, 32, 38});
    for (auto update : {nn::HopfieldUpdate::asynchronous, nn::HopfieldUpdate::synchronous}) {
      const auto recalled = net.recall(damaged, {.update = update});
      EXPECT_TRUE(equal(recalled.state, patterns[i])) << "pattern " << i;
      EXPECT_TRUE(recalled.converged);
      EXPECT_LT(recalled.energy.back(), recalled.energy.front());
      EXPECT_NEAR(recalled.energy.back(), net.energy(patterns[i]).item(), 1e-4);
    }
  }
  EXPECT_TRUE(equal(net(patterns), patterns));
  EXPECT_TRUE(equal(net(-patterns), -patterns)) << "the opposite of a pattern is as stable";
}

TEST(NnHopfield, BeyondItsCapacityItForgets) {
  manual_seed(4);
  const auto stable = [](std::int64_t count) {
    const auto patterns = random_signs({count, 200});
    nn::Hopfield net(200);
    net.store(patterns);
    return eq(net(patterns), patterns).to(f32).mean().item();
  };
  EXPECT_GT(stable(16), 0.98);  // 0.08 n
  EXPECT_LT(stable(80), 0.9);   // 0.4 n
}

TEST(NnHopfield, NoAsynchronousUpdateRaisesTheEnergy) {
  manual_seed(6);
  for (int trial = 0; trial < 5; ++trial) {
    nn::Hopfield net(30, f64);
    net.store(random_signs({8, 30}));
    net.bias = randn({30}, f64) * 0.1;
    auto state = random_signs({30}).to(f64);
    double energy = net.energy(state).item();
    int moves = 0;
    for (int step = 0; step < 300; ++step) {
      const auto unit = randint(0, 30, {1}).item<std::int64_t>();
      const double next = net.next(state, unit);
      const bool moved = next != state[unit].item();
      if (moved) state = with_flips(state, {unit});
      const double now = net.energy(state).item();
      EXPECT_LE(now, energy + 1e-12);
      if (moved) {
        EXPECT_LT(now, energy) << "a move lowers it";
      }
      energy = now, moves += moved;
    }
    EXPECT_GT(moves, 0);
    const auto recalled = net.recall(random_signs({30}));
    EXPECT_TRUE(recalled.converged);
    for (std::size_t i = 1; i < recalled.energy.size(); ++i)
      EXPECT_LE(recalled.energy[i], recalled.energy[i - 1] + 1e-12);
  }
}

TEST(NnHopfield, SynchronousUpdatesMayAlternate) {
  nn::Hopfield net(2);
  net.store(tensor({1, 1}));
  const auto recalled = net.recall(tensor({1, -1}), {.update = nn::HopfieldUpdate::synchronous});
  EXPECT_FALSE(recalled.converged);
  EXPECT_EQ(recalled.energy.size(), 3u) << "it stops when a state returns";
  EXPECT_TRUE(net.recall(tensor({1, -1})).converged);
  // A unit whose sum is 0 stays, so that nothing moves without weights.
  const auto still = nn::Hopfield(3).recall(tensor({1, -1, 1}));
  EXPECT_TRUE(equal(still.state, tensor({1.0, -1.0, 1.0})));
  EXPECT_EQ(still.energy, (std::vector<double>{0, 0}));
}

TEST(NnHopfield, RoundingDoesNotMoveAUnitWhoseSumIsZero) {
  manual_seed(12);
  int ties = 0;
  for (int trial = 0; trial < 20; ++trial) {
    const auto patterns = random_signs({6, 10}), state = random_signs({10});
    nn::Hopfield net(10);  // tenths, which f32 cannot hold
    for (std::int64_t i = 0; i < 6; ++i) net.store(patterns[i]);
    // Ten times the sums, in whole numbers.
    const auto sums = matmul(matmul(patterns, state), patterns) - 6 * state;
    for (std::int64_t i = 0; i < 10; ++i) {
      const double expected = sums[i].item() == 0 ? state[i].item() : sums[i].item() > 0 ? 1 : -1;
      EXPECT_EQ(net.next(state, i), expected);
      ties += sums[i].item() == 0;
    }
  }
  EXPECT_GT(ties, 10);
}

TEST(NnHopfield, SameSeedSameRecallAndStateIsSaved) {
  manual_seed(8);
  nn::Hopfield net(40), other(40);
  net.store(random_signs({12, 40}));
  other.load_state_dict(net.state_dict());
  const auto start = random_signs({40});
  Generator a(1), b(1);
  EXPECT_TRUE(equal(net.recall(start, {}, a).state, other.recall(start, {}, b).state));
  EXPECT_TRUE(net.parameters().empty());
  const auto order = default_generator().position();
  net.recall(start, {.shuffle = false});
  EXPECT_EQ(default_generator().position(), order);
  EXPECT_EQ(net.to_string(), "Hopfield(size=40)");
}

TEST(NnHopfield, EmptyAndWrongUse) {
  nn::Hopfield nothing(0), net(3);
  nothing.store(zeros({2, 0}));
  EXPECT_TRUE(nothing.recall(zeros({0})).converged);
  EXPECT_EQ(net(zeros({0, 3})).shape(), (Shape{0, 3}));
  EXPECT_THROW(nn::Hopfield(-1), ShapeError);
  EXPECT_THROW(nn::Hopfield(2, i64), DtypeError);
  EXPECT_THROW(net.store(ones({2})), ShapeError);
  EXPECT_THROW(net.store(zeros({3})), ValueError);
  EXPECT_THROW(net.recall(ones({2, 3})), ShapeError);
  EXPECT_THROW(net.recall(full({3}, 0.5)), ValueError);
  EXPECT_THROW(net.recall(ones({3}), {.max_sweeps = 0}), ValueError);
  EXPECT_THROW(net.energy(ones({4})), ShapeError);
  EXPECT_THROW(net.next(ones({3}), 3), IndexError);
  EXPECT_EQ(net.next(ones({3}), -1), 1);
  EXPECT_TRUE(equal(net.weight, zeros({3, 3})));
}

}  // namespace
}  // namespace cadena
