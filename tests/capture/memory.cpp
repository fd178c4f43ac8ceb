// Results that lie where others were: the same bits, and memory for what is alive at one time only.
#include "autodiff/memory.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "autodiff/autodiff.hpp"
#include "autodiff/capture.hpp"
#include "tests/capture/bits.hpp"

namespace cadena {
namespace {

Tensor drawn(const Shape& shape, int k) {
  Generator g(static_cast<std::uint64_t>(500 + k));
  return randn(shape, g);
}

/// A recurrence of matrix products, broadcasts and loops; calls `see` with what it computes on the way.
TensorList recurrence(const TensorList& in, const std::function<void(int, const Tensor&)>& see = {}) {
  Tensor w = in[0].detach().requires_grad_(), x = in[1];
  for (int i = 0; i < 12; ++i) {
    const Tensor product = matmul(x, w), gate = sigmoid(product + in[2]);
    if (see) see(i, product);
    x = gate * tanh(product) + (1 - gate) * softmax(x, 1);
  }
  mean(square(x)).backward();
  return {x.detach(), w.grad()};
}

TensorList inputs(int k) { return {0.2 * drawn({24, 24}, k), drawn({40, 24}, k + 50), drawn({24}, k + 90)}; }

void expect_same_calls(const Function& f) {
  Captured captured = capture(f);
  for (int k = 0; k < 5; ++k) {
    const TensorList expected = f(inputs(k)), got = captured(inputs(k));
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_bits(got[i], expected[i])) << k << ' ' << i;
  }
}

TEST(CaptureMemory, AStepHoldsWhatIsAliveAtOneTime) {
  const auto kept = [](int count) {
    const std::int64_t before = memory_stats().live_bytes;
    Captured captured = capture([count](const TensorList& in) {
      const NoGrad guard;
      Tensor x = in[0];
      for (int i = 0; i < count; ++i) x = softmax(matmul(x, x), 1);
      return TensorList{x};
    });
    for (int k = 0; k < 3; ++k) captured({drawn({100, 100}, k)});
    return memory_stats().live_bytes - before;
  };
  EXPECT_LT(kept(40) - kept(10), 2 * 40'000);  // 60 matrices, but what the steps themselves take
}

TEST(CaptureMemory, ShortLoopsShareToo) {
  const auto kept = [](int count) {
    const std::int64_t before = memory_stats().live_bytes;
    Captured captured = capture([count](const TensorList& in) {
      const NoGrad guard;
      Tensor x = in[0];
      for (int i = 0; i < count; ++i) x = 1.0001 * x + x;
      return TensorList{x};
    });
    for (int k = 0; k < 3; ++k) captured({drawn({4000}, k)});
    return memory_stats().live_bytes - before;
  };
  EXPECT_LT(kept(200) - kept(50), 3 * 16'000 + 150 * 1000);  // 300 results of 16,000 bytes
}

TEST(CaptureMemory, ReadingRowByRow) {
  // Derivatives of rows are added to one sum, as in the program: a row of -0 stays one.
  const Function f = [](const TensorList& in) {
    Tensor x = in[0].detach().requires_grad_(), y = (relu(x.select(0, 0)) * -1.0).sum();
    for (std::int64_t i = 1; i < x.size(0); ++i) y = y + (relu(x.select(0, i)) * -1.0).sum();
    return TensorList{grad(y, x)};
  };
  Captured captured = capture(f);
  for (int k = 0; k < 4; ++k) {
    const Tensor x = -abs(drawn({3, 2}, k)) - 0.5;
    EXPECT_TRUE(same_bits(captured({x})[0], f({x})[0])) << k;
  }
}
TEST(CaptureMemory, GradientsOfARecurrence) {
  expect_same_calls([](const TensorList& in) { return recurrence(in); });
}

TEST(CaptureMemory, WhatTheProgramHoldsStays) {
  // Handles of some results, and views of others, which only the program keeps.
  const auto held = std::make_shared<TensorList>();
  const auto f = [held](const TensorList& in) {
    held->clear();
    return recurrence(in, [held](int i, const Tensor& t) {
      if (i % 4 == 1) held->push_back(t);
      if (i % 4 == 2) held->push_back(t.slice(1, {3, 9}));
    });
  };
  const auto values = [held] {
    TensorList list;
    for (const Tensor& t : *held) list.push_back(t.detach().clone());
    return list;
  };
  Captured captured = capture(f);
  captured(inputs(0)), captured(inputs(1));
  const TensorList of_the_capture = *held;
  for (int k = 2; k < 5; ++k) {
    *held = of_the_capture;
    captured(inputs(k));
    const TensorList got = values();
    f(inputs(k));
    const TensorList expected = values();
    ASSERT_EQ(got.size(), 6U);
    for (std::size_t i = 0; i < got.size(); ++i) EXPECT_TRUE(same_bits(got[i], expected[i])) << k << ' ' << i;
  }
}

TEST(CaptureMemory, WritesBetween) {
  expect_same_calls([](const TensorList& in) {
    const NoGrad guard;
    Tensor sum = zeros({40, 24});
    for (int i = 0; i < 6; ++i) {
      Tensor part = matmul(in[1], in[0]);
      part.slice(0, {0, 20}).mul_(2);
      sum.add_(softmax(part, 0) * (i + 1));
      const Tensor column = part.slice(1, {i, i + 1});
      sum = sum + column;
    }
    return TensorList{sum};
  });
}

}  // namespace
}  // namespace cadena
