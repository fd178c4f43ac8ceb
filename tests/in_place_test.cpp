// In-place writes: what is recorded, what is refused, and that nothing is silently wrong.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"

namespace cadena {
namespace {

Tensor leaf(double v) { return full({}, v, f64).requires_grad_(); }

TEST(InPlace, OnSavedValuesIsAnError) {
  Tensor x = leaf(2);
  Tensor y = exp(x);
  Tensor z = y * 3;
  {
    NoGrad guard;
    y.add_(ones({}, f64));
  }
  const std::string text = message_of<GraphError>([&] { z.backward(); });
  EXPECT_TRUE(contains(text, "[exp]") && contains(text, "version")) << text;
  EXPECT_FALSE(x.grad().defined());
}

TEST(InPlace, ThroughAViewOrDetachIsSeen) {
  for (int way = 0; way < 2; ++way) {
    Tensor x = ones({3}, f64).requires_grad_();
    Tensor h = x * 2;
    const Tensor y = sum(h * h);
    Tensor other = way == 0 ? h.detach() : h.detach().select(0, 1);
    other.fill_(5);
    EXPECT_THROW(y.backward(), GraphError);
  }
}

TEST(InPlace, OnWhatBackwardDoesNotNeedIsAllowed) {
  Tensor x = ones({3}, f64).requires_grad_();
  Tensor h = x + 1;
  const Tensor y = sum(h + 1);
  NoGrad guard;
  h.fill_(100);
  y.backward();
  EXPECT_EQ(x.grad().to_vector<double>(), (std::vector<double>{1, 1, 1}));
}

TEST(InPlace, OptimizerStepBetweenForwardAndBackwardIsAnError) {
  Tensor w = ones({3}, f64).requires_grad_(), x = ones({3}, f64).requires_grad_();
  const Tensor y = sum(w * x);
  {
    NoGrad guard;
    w.add_(ones({3}, f64));
  }
  EXPECT_THROW(y.backward(), GraphError);
}

/// The leaf itself was never told of the write.
TEST(InPlace, WhatAnExpandedViewRepeatsIsWrittenOnce) {
  const Tensor other = ones({3, 4});
  for (const Tensor& term : {other, other.t().contiguous().t()}) {
    const Tensor base = zeros({1, 4});
    Tensor x = base.expand({3, 4});
    x.add_(term);
    EXPECT_TRUE(equal(base, ones({1, 4})));
  }
}

TEST(InPlace, OnAViewOfALeafLetsTheLeafBeReadThroughViews) {
  Tensor w = ones({2, 3}, f64).requires_grad_();
  {
    NoGrad guard;
    w.select(0, 1).fill_(5);
  }
  sum(square(w.select(0, 1))).backward();
  EXPECT_EQ(w.grad().to_vector<double>(), (std::vector<double>{0, 0, 0, 10, 10, 10}));
}

TEST(InPlace, OnALeafOutsideNoGradIsAnError) {
  Tensor x = leaf(1);
  EXPECT_THROW(x.add_(ones({}, f64)), GraphError);
  EXPECT_THROW(x.fill_(2), GraphError);
  EXPECT_EQ(x.item(), 1);
}

TEST(InPlace, RecordedWritesGiveTheRightGradient) {
  Tensor x = leaf(3);
  Tensor y = x * 2;
  y.add_(x * x);
  y.mul_(2);
  y.backward();
  EXPECT_EQ(y.item(), 30);
  EXPECT_EQ(x.grad().item(), 16);
}

TEST(InPlace, AConstantThatReceivesARecordedValueIsRecorded) {
  Tensor x = leaf(3);
  Tensor y = zeros({}, f64);
  y.add_(x * 4);
  EXPECT_TRUE(y.requires_grad());
  y.backward();
  EXPECT_EQ(x.grad().item(), 4);
}

TEST(InPlace, AnotherHandleOfARewrittenTensorIsRefused) {
  Tensor x = leaf(3);
  Tensor y = x * 2;
  const Tensor same = y, view = y.reshape({1});
  y.add_(x);
  EXPECT_THROW(same * 2, GraphError);
  EXPECT_THROW(view * 2, GraphError);
  // Also where the other handle was a plain constant: its gradient would be silently missing.
  Tensor buffer = zeros({2}, f64);
  const Tensor part = buffer.select(0, 0);
  buffer.add_(x);
  EXPECT_THROW(part * 2, GraphError);
}

TEST(InPlace, RecordedWriteToAViewIsRefused) {
  Tensor x = leaf(3);
  Tensor buffer = zeros({2}, f64);
  Tensor part = buffer.select(0, 0);
  EXPECT_THROW(part.copy_(x), GraphError);
}

TEST(InPlace, OverlappingCopyIsTheCopyOfTheFormerValue) {
  Tensor x = arange(6).to(f64);
  Tensor tail = x.slice(0, {1, {}}), head = x.slice(0, {0, 5});
  tail.copy_(head);
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{0, 0, 1, 2, 3, 4}));
}

/// A view shows what was written through its base, while its node describes the value before.
TEST(InPlace, AStaleViewIsRefusedAsAnOutput) {
  Tensor x = tensor({1.0, 2.0}, f64).requires_grad_();
  Tensor base = x * 3;
  const Tensor view = flip(base, 0);
  base.mul_(x.detach() + 1);
  EXPECT_THROW(grad(view, x, {}, ones({2}, f64)), GraphError);
  EXPECT_THROW(view.backward(ones({2}, f64)), GraphError);
  EXPECT_THROW(jvp_replay({view}, {x}, {ones({2}, f64)}), GraphError);
  EXPECT_FALSE(x.grad().defined());
  EXPECT_EQ(grad(base, x, {}, ones({2}, f64)).to_vector<double>(), (std::vector<double>{6, 9}));
}
}  // namespace
}  // namespace cadena
