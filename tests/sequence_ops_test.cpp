// ctc_loss, recurrent steps, rotary positions, unique slices, shifts and rrelu: what neither the op table nor
// PyTorch's records show.
#include <gtest/gtest.h>

#include <cmath>

#include "autodiff/autodiff.hpp"
#include "nn/nn.hpp"
#include "values.hpp"

namespace cadena {
namespace {

Tensor drawn(const Shape& shape, std::uint64_t seed, DType dtype = f64) {
  Generator g(seed);
  return randn(shape, g, dtype);
}

/// All alignments of two labels with three steps, one by one.
TEST(CtcLoss, IsTheSumOverAlignments) {
  const Tensor x = log_softmax(drawn({3, 1, 3}, 1), -1), p = exp(x.select(1, 0));
  const auto path = [&](int a, int b, int c) { return p[0][a] * p[1][b] * p[2][c]; };
  const Tensor total = path(1, 2, 0) + path(1, 0, 2) + path(0, 1, 2) + path(1, 1, 2) + path(1, 2, 2);
  const CtcLossOptions o{.reduction = Reduction::sum};
  EXPECT_NEAR(ctc_loss(x, tensor({{1, 2}}), tensor({3}), tensor({2}), o).item(), -std::log(total.item()),
              1e-14);
  // Equal labels need a blank between them.
  EXPECT_NEAR(ctc_loss(x, tensor({{1, 1}}), tensor({3}), tensor({2}), o).item(),
              -std::log(path(1, 0, 1).item()), 1e-14);
}

TEST(CtcLoss, LabelsThatDoNotFitAreInfinitelyUnlikelyAndPassNothingOn) {
  Tensor x = log_softmax(drawn({2, 3, 3}, 1), -1).detach().requires_grad_();
  const Tensor labels = tensor({{1, 1}, {1, 2}, {2, 0}}), steps = tensor({2, 2, 0}),
               count = tensor({2, 2, 0});
  const Tensor y = ctc_loss(x, labels, steps, count, {.reduction = Reduction::none});
  EXPECT_EQ(y[0].item(), inf);
  EXPECT_EQ(y[2].item(), 0);
  const Tensor g = grad(y, x, {}, ones_like(y));
  expect_values(g.select(1, 0), {0, 0, 0, 0, 0, 0});
  expect_values(g.select(1, 1), {0, -1, 0, 0, 0, -1}, 1e-14);
  expect_values(g.select(1, 2), {0, 0, 0, 0, 0, 0});
  const auto options = CtcLossOptions{.reduction = Reduction::none, .zero_infinity = true};
  EXPECT_EQ(ctc_loss(x, labels, steps, count, options)[0].item(), 0);
}

TEST(CtcLoss, LongSequencesKeepTheirDigits) {
  const Tensor x = log_softmax(drawn({400, 2, 20}, 1, f32), -1);
  const Tensor labels = randint(1, 20, {2, 90}), steps = tensor({400, 350}), count = tensor({90, 70});
  const Tensor narrow = ctc_loss(x, labels, steps, count), wide = ctc_loss(x.to(f64), labels, steps, count);
  EXPECT_NEAR(narrow.item(), wide.item(), 1e-6 * wide.item());
  EXPECT_EQ(nn::CTCLoss()(x, labels, steps, count).item(), narrow.item());
}

/// A sequence walked backwards is the reversed sequence walked forwards.
TEST(RecurrentSteps, Reverse) {
  const Tensor p = drawn({5, 2, 12}, 1), h = drawn({2, 3}, 2), c = drawn({2, 3}, 3), w = drawn({12, 3}, 4);
  const auto back = lstm_steps(p, h, c, w, true), forth = lstm_steps(flip(p, 0), h, c, w);
  EXPECT_TRUE(equal(back.h, flip(forth.h, 0)));
  EXPECT_TRUE(equal(back.c, forth.c));
  const Tensor g = p.slice(-1, {0, 9}), v = w.slice(0, {0, 9}), b = drawn({9}, 5);
  EXPECT_TRUE(equal(gru_steps(g, h, v, b, true), flip(gru_steps(flip(g, 0), h, v, b), 0)));
}

TEST(RecurrentSteps, ReluAndItsDerivative) {
  Tensor p = tensor({{{-1.0, 2.0}}, {{0.5, -3.0}}}, f64).requires_grad_();
  const Tensor y = rnn_steps(p, zeros({1, 2}, f64), eye(2, f64), RecurrentNonlinearity::relu);
  expect_values(y, {0, 2, 0.5, 0});
  expect_values(grad(sum(y), p), {0, 1, 1, 0});
}

TEST(RotaryEmbedding, ProductsDependOnTheDistance) {
  const Tensor q = drawn({1, 8}, 1), k = drawn({1, 8}, 2);
  for (const bool interleaved : {false, true}) {
    const auto turned = [&](const Tensor& x, std::int64_t at) {
      return rotary_embedding(x, {.offset = at, .interleaved = interleaved});
    };
    const Tensor near = sum(turned(q, 7) * turned(k, 4)), far = sum(turned(q, 503) * turned(k, 500));
    EXPECT_NEAR(near.item(), far.item(), 1e-12);
    EXPECT_GT(std::abs(near.item() - sum(turned(q, 7) * turned(k, 5)).item()), 1e-3);
    EXPECT_TRUE(allclose(turned(q, 0), q, 1e-15));
  }
  // The first pair turns by one radian a step.
  expect_values(rotary_embedding(tensor({{1.0, 0.0}, {1.0, 0.0}}, f64))[1], {std::cos(1.0), std::sin(1.0)},
                1e-15);
  EXPECT_TRUE(equal(rotary_embedding(drawn({4, 6}, 3)).slice(0, {2, 4}),
                    rotary_embedding(drawn({4, 6}, 3).slice(0, {2, 4}), {.offset = 2})));
}

TEST(UniqueSlices, InLexicographicOrder) {
  const Tensor x = tensor({{2.0, 1.0}, {1.0, 9.0}, {2.0, 1.0}, {1.0, nan}, {1.0, 3.0}});
  const auto u = unique(x, 0);
  expect_values(u.values, {1, 3, 1, 9, 1, nan, 2, 1});
  expect_values(u.inverse, {3, 1, 3, 2, 0});
  expect_values(u.counts, {1, 1, 1, 2});
  const auto columns = unique(tensor({{3, 1, 3}, {4, 0, 4}}), 1);
  EXPECT_TRUE(equal(columns.values, tensor({{1, 3}, {0, 4}})));
  expect_values(columns.inverse, {1, 0, 1});
  expect_values(columns.counts, {1, 2});
  EXPECT_EQ(unique(zeros({0, 2}), 0).values.shape(), (Shape{0, 2}));
}

TEST(UniqueConsecutive, KeepsTheOrder) {
  const auto u = unique_consecutive(tensor({{5, 5, 1}, {1, 5, 5}}));
  expect_values(u.values, {5, 1, 5});
  EXPECT_TRUE(equal(u.inverse, tensor({{0, 0, 1}, {1, 2, 2}})));
  expect_values(u.counts, {2, 2, 2});
  const auto rows = unique_consecutive(tensor({{true, false}, {true, false}, {false, false}}), 0);
  EXPECT_TRUE(equal(rows.values, tensor({{true, false}, {false, false}})));
  expect_values(rows.counts, {2, 1});
  EXPECT_EQ(unique_consecutive(zeros({0})).values.shape(), (Shape{0}));
}

TEST(Shifts, OfWholeNumbers) {
  const Tensor by = tensor({0, 3, 62, 64, -1});
  EXPECT_TRUE(equal(bitwise_left_shift(tensor(3), by), tensor({3, 24, -4611686018427387904, 0, 0})));
  EXPECT_TRUE(equal(bitwise_right_shift(tensor(-9), by), tensor({-9, -2, -1, -1, -1})));
  EXPECT_TRUE(equal(bitwise_right_shift(tensor({9, 8}), tensor({{1}, {2}})), tensor({{4, 4}, {2, 2}})));
}

TEST(RRelu, DrawsSlopesInTraining) {
  Tensor x = tensor({-1.0, 2.0, -4.0, -1.0}, f64).requires_grad_();
  Generator a(3), b(3);
  const Tensor y = rrelu(x, 0.1, 0.3, true, a), slopes = grad(sum(y), x);
  EXPECT_TRUE(equal(y, x * slopes));
  EXPECT_EQ(slopes[1].item(), 1);
  for (int i : {0, 2, 3}) EXPECT_TRUE(slopes[i].item() > 0.1 && slopes[i].item() < 0.3);
  EXPECT_NE(slopes[0].item(), slopes[3].item());
  EXPECT_TRUE(equal(y, rrelu(x, 0.1, 0.3, true, b)));
  nn::RReLU layer(0.1, 0.3);
  EXPECT_EQ(layer.to_string(), "RReLU(lower=0.1, upper=0.3)");
  EXPECT_FALSE(equal(layer(x), leaky_relu(x, 0.2)));
  layer.eval();
  EXPECT_TRUE(equal(layer(x), leaky_relu(x, 0.2)));
}

}  // namespace
}  // namespace cadena
