// Recomputing instead of storing: the same bits as without, less memory, or a typed error.
#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "autodiff/autodiff.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/memory.hpp"
#include "autodiff/transforms.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

Tensor leaf(std::initializer_list<double> v) { return tensor(std::vector<double>(v)).requires_grad_(); }

std::vector<double> values(const Tensor& t) { return t.to_vector<double>(); }

TEST(Checkpoint, SameBitsAsWithout) {
  Generator g(1);
  Tensor x = randn({8, 16}, g).requires_grad_(), w = randn({16, 16}, g).requires_grad_();
  auto f = [w](const Tensor& t) { return tanh(matmul(t, w)) * sigmoid(t); };
  const Tensor plain = sum(f(f(x))), y = sum(checkpoint(f, checkpoint(f, x)));
  EXPECT_TRUE(equal(plain, y));
  const TensorList expected = grad({plain}, {x, w}), got = grad({y}, {x, w});
  EXPECT_TRUE(equal(expected[0], got[0]));
  EXPECT_TRUE(equal(expected[1], got[1]));
}

TEST(Checkpoint, CapturedTensorsGetTheirGradients) {
  Tensor x = leaf({1, 2}), w = leaf({3, 5}), b = leaf({0.5, -0.5});
  // h is captured and depends on the input itself: each edge gets its own share, none twice.
  const Tensor h = x * x;
  sum(checkpoint([=](const Tensor& t) { return t * w * h + b; }, x)).backward();
  EXPECT_EQ(values(x.grad()), (std::vector<double>{3 * 3 * 1, 3 * 5 * 4}));
  EXPECT_EQ(values(w.grad()), (std::vector<double>{1, 8}));
  EXPECT_EQ(values(b.grad()), (std::vector<double>{1, 1}));
  // The same from a walk that has numbered the whole graph before it starts.
  const Tensor again = sum(checkpoint([h = x * x](const Tensor& t) { return t * h; }, x));
  EXPECT_EQ(values(grad(again, x)), (std::vector<double>{3, 12}));
  // The input captured as well, and nothing but captured tensors.
  EXPECT_EQ(grad(sum(checkpoint([=](const Tensor& t) { return t * x; }, x)), x).to_vector<double>(),
            (std::vector<double>{2, 4}));
  EXPECT_EQ(values(grad(sum(checkpoint([=](const Tensor&) { return w * w; }, ones({2}, f64))), w)),
            (std::vector<double>{6, 10}));
}

TEST(Checkpoint, ModulesAreHeldByReference) {
  manual_seed(3);
  nn::Linear layer{4, 4};
  const Tensor x = randn({2, 4});
  sum(checkpoint(layer, x)).backward();
  const Tensor g = layer.weight.grad();
  ASSERT_TRUE(g.defined());
  layer.zero_grad();
  sum(layer(x)).backward();
  EXPECT_TRUE(equal(layer.weight.grad(), g));
}

TEST(Checkpoint, RandomNumbersAreTheSameAgain) {
  Tensor x = ones({1000}, f64).requires_grad_();
  auto noisy = [](const Tensor& t) { return t * rand(t.shape(), f64) + randn(t.shape(), f64); };
  manual_seed(5);
  const Tensor expected = grad(sum(noisy(noisy(x))), x), after = rand({4});
  manual_seed(5);
  const Tensor y = checkpoint([=](const Tensor& t) { return noisy(checkpoint(noisy, t)); }, x);
  const Generator before = default_generator();
  const Tensor g = grad(sum(y), x);
  EXPECT_EQ(default_generator().position(), before.position());
  EXPECT_TRUE(equal(g, expected));
  EXPECT_TRUE(equal(rand({4}), after));
}

TEST(Checkpoint, EveryOrderAndModeOfItself) {
  auto cubic = elementwise("cubic", [](auto x) { return x * x * x; });
  Tensor w = leaf({2, -1});
  auto f = [=](const Tensor& x) { return checkpoint([=](const Tensor& t) { return cubic(t) * w; }, x); };
  auto nested = [=](const Tensor& x) { return checkpoint([=](const Tensor& t) { return f(sin(t)); }, x); };
  const Tensor x = tensor({0.4, 1.1}, f64);
  EXPECT_TRUE(gradcheck(nested, x));
  EXPECT_TRUE(gradgradcheck(nested, x));
  const Function of_w = [&](const TensorList& in) {
    return TensorList{checkpoint([k = in[1]](const Tensor& t) { return exp(t) * square(k); }, in[0])};
  };
  EXPECT_TRUE(gradcheck(of_w, {x, w.detach()}));
  EXPECT_TRUE(gradgradcheck(of_w, {x, w.detach()}));
  const auto h = values(hessian([&](const Tensor& t) { return sum(f(t)); }, x));
  EXPECT_NEAR(h[0], 6 * 0.4 * 2, 1e-14);
  EXPECT_NEAR(h[3], 6 * 1.1 * -1, 1e-14);
  EXPECT_EQ(h[1], 0);
  // d3/dx3 of x^3 w = 6 w, through w as well: d/dw of that is 6.
  const Tensor third =
      jacobian([&](const Tensor& t) { return hessian([&](const Tensor& u) { return sum(f(u)); }, t); }, x);
  EXPECT_NEAR(third.reshape({8})[0].item(), 12, 1e-13);
  EXPECT_NEAR(third.reshape({8})[7].item(), -6, 1e-13);
  EXPECT_NEAR(grad(sum(third), w).to_vector<double>()[0], 6, 1e-13);
  for (auto mode : {JacobianMode::forward, JacobianMode::reverse})
    EXPECT_NEAR(jacobian(f, x, {.mode = mode}).reshape({4})[3].item(), -3 * 1.21, 1e-14);
  EXPECT_NEAR(jvp(grad([&](const Tensor& t) { return sum(f(t)); }), x, ones({2}, f64)).tangent[1].item(),
              -6.6, 1e-14);
}

TEST(Checkpoint, SeveralOutputs) {
  const Function f = [](const TensorList& in) {
    return TensorList{in[0] * in[1], argmax(in[0]), Tensor(), sum(in[0]).to(f32), ones({0}, f64)};
  };
  Tensor a = leaf({1, 2, 3}), b = leaf({4, 5, 6});
  const TensorList y = checkpoint(f, {a, b});
  ASSERT_EQ(y.size(), 5u);
  EXPECT_EQ(values(y[0]), (std::vector<double>{4, 10, 18}));
  EXPECT_EQ(y[1].item<std::int64_t>(), 2);
  EXPECT_FALSE(y[2].defined());
  EXPECT_EQ(y[3].dtype(), f32);
  EXPECT_EQ(y[3].item(), 6);
  EXPECT_EQ(y[4].shape(), (Shape{0}));
  const TensorList g = grad({sum(y[0]), y[3]}, {a, b}, {}, {});
  EXPECT_EQ(values(g[0]), (std::vector<double>{5, 6, 7}));
  EXPECT_EQ(values(g[1]), (std::vector<double>{1, 2, 3}));
}

TEST(Checkpoint, WithoutRecordingItIsACall) {
  int calls = 0;
  auto f = [&](const Tensor& t) { return ++calls, t * 2; };
  Tensor x = leaf({1});
  EXPECT_FALSE(checkpoint(f, x.detach()).requires_grad());
  EXPECT_EQ(calls, 1);
  {
    NoGrad guard;
    EXPECT_FALSE(checkpoint(f, x).requires_grad());
  }
  EXPECT_EQ(calls, 2);
  Tensor y = checkpoint(f, x);
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(y.grad_fn(), "checkpoint");
  y.add_(y.detach());  // the result may be written like any other
  sum(y).backward();
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(x.grad().item(), 2);
  EXPECT_THROW(y.backward(), GraphError);
}

template <class E, class F>
std::string message_of(const F& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Checkpoint, ADifferentSecondRunIsRefused) {
  Tensor x = leaf({1, 2}), w = leaf({3, 4});
  auto expect = [&](const Tensor& y, const char* part) {
    const std::string text = message_of<GraphError>([&] { sum(y).backward(); });
    EXPECT_EQ(text.rfind("[checkpoint]", 0), 0u) << text;
    EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_FALSE(x.grad().defined());
  };
  Generator own(1);
  expect(checkpoint([&](const Tensor& t) { return t * rand({2}, own, f64); }, x), "generator of its own");
  const Tensor y = checkpoint([w](const Tensor& t) { return t * w; }, x);
  {
    NoGrad guard;
    w.add_(ones({2}, f64));
  }
  expect(y, "same values");
  const Tensor z = checkpoint([](const Tensor& t) { return t * t; }, x);
  {
    NoGrad guard;
    x.add_(ones({2}, f64));
  }
  expect(z, "overwritten in place");
  Tensor other = w.detach().clone().requires_grad_(), chosen = w;
  const Tensor u = checkpoint([&](const Tensor& t) { return t * chosen; }, x);
  chosen = other;
  expect(u, "same tensors");
  bool longer = false;
  const Tensor v = checkpoint([&](const Tensor& t) { return longer ? cat({t, t}) : t * 1; }, x);
  longer = true;
  expect(v, "(4,)");
  EXPECT_THROW(checkpoint_sequential({}, 2, x), ValueError);
  EXPECT_THROW(checkpoint_sequential({[](const Tensor& t) { return t; }}, 0, x), ValueError);
}

TEST(Checkpoint, AcrossThreads) {
  // Parameters made where more was recorded than here: their creation numbers are larger than this thread's.
  Tensor w;
  std::thread([&] {
    Tensor t = leaf({1});
    for (int i = 0; i < 100000; ++i) t = t * 1;
    w = leaf({2});
  }).join();
  Tensor x = leaf({5}), y;
  std::thread([&] { y = checkpoint([w](const Tensor& t) { return t * w * w; }, x); }).join();
  EXPECT_EQ(grad(y, w, {.retain_graph = true}).item(), 20);
  std::thread([&] { y.backward(); }).join();
  EXPECT_EQ(w.grad().item(), 20);
  EXPECT_EQ(x.grad().item(), 4);
}

/// Live bytes at their highest while a deep chain is run and differentiated in `segments` checkpoints.
std::int64_t peak_of_chain(std::int64_t layers, std::int64_t segments, std::vector<double>* gradient) {
  const Tensor w = full({1 << 14}, 0.9, f32);
  Tensor x = full({1 << 14}, 0.3, f32).requires_grad_();
  const auto before = memory_stats().live_bytes;
  std::int64_t peak = 0;
  auto layer = [&](const Tensor& t) {
    const Tensor y = tanh(t * w);
    peak = std::max(peak, memory_stats().live_bytes - before);
    return y;
  };
  sum(checkpoint_sequential(
          std::vector<std::function<Tensor(const Tensor&)>>(static_cast<std::size_t>(layers), layer),
          segments, x))
      .backward();
  *gradient = values(x.grad());
  return peak;
}

TEST(Checkpoint, MemoryGrowsAsTheRootOfTheDepth) {
  std::vector<double> expected, got;
  std::int64_t former = std::int64_t{1} << 40;
  for (std::int64_t root : {8, 16, 32}) {
    const auto all = peak_of_chain(root * root, 1, &expected);
    const auto some = peak_of_chain(root * root, root, &got);
    EXPECT_EQ(got, expected);
    std::cout << root * root << " layers: " << all / 1024 << " KiB stored, " << some / 1024 << " KiB in "
              << root << " checkpoints\n";
    EXPECT_LT(some, all * 3 / root);
    EXPECT_LT(some, former * 23 / 10) << "four times the layers, about twice the memory";
    former = some;
  }
}

}  // namespace
}  // namespace cadena
