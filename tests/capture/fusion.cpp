// Loops that run together, tile by tile: the same bits as one after the other, with less memory.
#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "autodiff/autodiff.hpp"
#include "autodiff/capture.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/parallel.hpp"
#include "tests/capture/bits.hpp"

namespace cadena {
namespace {

constexpr std::int64_t few_tiles = 9001, parallel_size = 70001;

Tensor drawn(std::int64_t n, DType dtype, int k) {
  Generator g(static_cast<std::uint64_t>(300 + k));
  return randn({n}, g).to(dtype);
}

void expect_same(const Function& f, std::int64_t n, DType dtype = f32) {
  Captured captured = capture(f);
  for (int k = 0; k < 5; ++k) {
    SCOPED_TRACE(k);
    const Tensor x = drawn(n, dtype, k);
    const TensorList expected = f({x}), got = captured({x});
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_TRUE(same_bits(got[i], expected[i])) << "output " << i;
  }
}

Tensor bent(const Tensor& x) { return 0.5 * x * (1 + tanh(0.8 * (x + 0.04 * x * x * x))); }

TensorList derivatives(const TensorList& in) {
  Tensor x = in[0].detach().requires_grad_();
  const Tensor y = bent(x);
  const Tensor first = grad(TensorList{y}, {x}, {.create_graph = true}, {cos(in[0])})[0];
  return {y, first, grad(TensorList{first}, {x}, {}, {sin(in[0])})[0]};
}

TEST(CaptureFusion, ValuesAndDerivatives) {
  for (const DType dtype : {f32, f64})
    for (const std::int64_t n :
         {std::int64_t{1}, std::int64_t{4095}, std::int64_t{4096}, few_tiles, parallel_size})
      expect_same(derivatives, n, dtype);
}

TEST(CaptureFusion, AnyNumberOfThreads) {
  const int threads = num_threads();
  for (const int n : {1, 2, 3}) {
    set_num_threads(n);
    expect_same(derivatives, parallel_size);
  }
  set_num_threads(threads);
}

TEST(CaptureFusion, WhatOnlyLoopsSeeIsLetGo) {
  const auto bytes_kept = [](std::int64_t n) {
    const std::int64_t before = memory_stats().live_bytes;
    Captured captured = capture([](const TensorList& in) {
      Tensor x = in[0].detach().requires_grad_();
      bent(bent(x)).backward(in[1]);
      return TensorList{x.grad()};
    });
    for (int k = 0; k < 3; ++k) captured({drawn(n, f32, 0), drawn(n, f32, 1)});
    return memory_stats().live_bytes - before;
  };
  // The copies of the inputs, the gradient, and what of it is handed out; of some fifty results none.
  EXPECT_LT(bytes_kept(parallel_size) - bytes_kept(64), 5 * 4 * parallel_size);
}

TEST(CaptureFusion, SingleElementsOfResults) {
  // The element is computed by the same loops, far from where it is used.
  expect_same(
      [](const TensorList& in) {
        const Tensor y = exp(in[0]) * 0.5;
        const Tensor z = y * y.slice(0, {few_tiles - 1, few_tiles}) + 1;
        return TensorList{z / z.slice(0, {3, 4})};
      },
      few_tiles);
}

TEST(CaptureFusion, PartsOfResults) {
  expect_same(
      [](const TensorList& in) {
        const Tensor y = tanh(in[0]), last = y.slice(0, {few_tiles - 4500, few_tiles});
        return TensorList{square(last) + y.slice(0, {0, 4500}) - last};
      },
      few_tiles);
}

TEST(CaptureFusion, ResultsThatOthersReadToo) {
  expect_same(
      [](const TensorList& in) {
        const Tensor a = sin(in[0]) + 2, b = a * a, c = b - a;
        return TensorList{c * b.sum(), cumsum(a, 0), maximum(c, b) + b.mean()};
      },
      few_tiles);
}

TEST(CaptureFusion, ResultsThatAreBroadcast) {
  const Tensor row = drawn(3, f32, 7);
  expect_same(
      [row](const TensorList& in) {
        const Tensor column = (exp(in[0]) + 1).unsqueeze(1);
        const Tensor table = column * row;
        return TensorList{sqrt(abs(table)) + 2 * table};
      },
      few_tiles);
}

TEST(CaptureFusion, ResultsThatNobodyReads) {
  expect_same(
      [](const TensorList& in) {
        const Tensor a = exp(in[0]), lost = sqrt(abs(a)) * 3;
        return TensorList{a + 1};
      },
      few_tiles);
}

TEST(CaptureFusion, HandlesKeepTheirValues) {
  const auto kept = std::make_shared<Tensor>();
  const auto f = [kept](const TensorList& in) {
    *kept = exp(in[0]) + 1;
    return TensorList{log(*kept) * 2};
  };
  Captured captured = capture(f);
  for (int k = 0; k < 4; ++k) {
    const Tensor x = drawn(few_tiles, f32, k);
    captured({x});
    const Tensor seen = kept->clone(), handle = *kept;
    f({x});
    EXPECT_TRUE(same_bits(seen, *kept)) << k;
    *kept = handle;
  }
}

TEST(CaptureFusion, NumbersThatChange) {
  const Tensor scale = full({}, 2.0);
  const Function f = [scale](const TensorList& in) {
    return TensorList{(in[0] * scale + scale) * in[0].mean()};
  };
  Captured captured = capture(f);
  for (int k = 0; k < 4; ++k) {
    const Tensor x = drawn(few_tiles, f32, k);
    EXPECT_TRUE(same_bits(captured({x})[0], f({x})[0])) << k;
    const NoGrad guard;
    Tensor(scale).mul_(1.5);
  }
}

TEST(CaptureFusion, Integers) {
  expect_same(
      [](const TensorList& in) {
        const Tensor i = in[0].to(i64);
        return TensorList{(i * 3 + 1) * i - i * i.slice(0, {2, 3})};
      },
      few_tiles);
}

TEST(CaptureFusion, VerifyComparesWhatWasRecorded) {
  Captured captured = capture([](const TensorList& in) { return TensorList{bent(in[0]) + bent(in[0])}; });
  const Tensor x = drawn(few_tiles, f32, 1);
  const Tensor first = captured({x})[0];
  captured({x});
  EXPECT_TRUE(same_bits(captured.verify({x})[0], first));
  EXPECT_TRUE(same_bits(captured({x})[0], first));
}

}  // namespace
}  // namespace cadena
