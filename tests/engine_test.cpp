// The graph and its walks: accumulation, freeing, hooks, exceptions, depth.
#include <gtest/gtest.h>
#include <pthread.h>

#include <chrono>
#include <cmath>
#include <thread>

#include "autodiff/autodiff.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/memory.hpp"
#include "messages.hpp"

namespace cadena {
namespace {

Tensor leaf(double v) { return full({}, v, f64).requires_grad_(); }

TEST(Backward, AccumulatesIntoLeaves) {
  Tensor x = leaf(3);
  (x * x).backward();
  EXPECT_EQ(x.grad().item(), 6);
  (x * x * x).backward();
  EXPECT_EQ(x.grad().item(), 33);
  x.zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(Backward, AddsBothEdgesOfOneTensor) {
  Tensor x = leaf(2);
  (x + x).backward();
  EXPECT_EQ(x.grad().item(), 2);
  x.zero_grad();
  (x * x).backward();
  EXPECT_EQ(x.grad().item(), 4);
}

TEST(Backward, GradientsShareNoBuffer) {
  Tensor a = tensor({1., 2.}, f64).requires_grad_(), b = tensor({3., 4.}, f64).requires_grad_();
  const Tensor seed = tensor({1., 1.}, f64);
  (a + b).backward(seed);
  EXPECT_FALSE(a.grad().shares_storage(b.grad()));
  EXPECT_FALSE(a.grad().shares_storage(seed));
  NoGrad guard;
  Tensor ga = a.grad();
  ga.fill_(7);
  EXPECT_EQ(b.grad().to_vector<double>(), (std::vector<double>{1, 1}));
}

TEST(Backward, KeptGradientIsNotChangedByTheNext) {
  Tensor x = leaf(3);
  (x * x).backward();
  const Tensor first = x.grad();
  (x * x).backward();
  EXPECT_EQ(first.item(), 6);
  EXPECT_EQ(x.grad().item(), 12);
}

TEST(Backward, NeedsASeedForSeveralElements) {
  Tensor x = ones({2, 3}, f64).requires_grad_();
  EXPECT_TRUE(contains(message_of<GraphError>([&] { (x * 2).backward(); }), "(2, 3)"));
  EXPECT_TRUE(contains(message_of<ShapeError>([&] { (x * 2).backward(ones({3}, f64)); }), "(3,)"));
  EXPECT_TRUE(contains(message_of<DtypeError>([&] { (x * 2).backward(ones({2, 3})); }), "f32"));
  EXPECT_TRUE(contains(message_of<GraphError>([&] { ones({}).backward(); }), "constant"));
  EXPECT_FALSE(x.grad().defined());
}

TEST(Backward, TwiceIsRefusedAndRetainGraphPermitsIt) {
  Tensor x = leaf(2);
  Tensor y = exp(x) * x;
  y.backward();
  const Tensor g = x.grad();
  EXPECT_TRUE(contains(message_of<GraphError>([&] { y.backward(); }), "already freed"));
  EXPECT_TRUE(equal(x.grad(), g));
  Tensor z = exp(x) * x;
  x.zero_grad();
  z.backward({}, {.retain_graph = true});
  z.backward();
  EXPECT_EQ(x.grad().item(), 2 * g.item());
}

TEST(Backward, SharedPartFreedByAnotherIsReported) {
  Tensor x = leaf(2);
  const Tensor shared = x * x;
  const Tensor a = shared * 3, b = exp(shared);
  a.backward();
  const Tensor before = x.grad();
  EXPECT_THROW(b.backward(), GraphError);
  EXPECT_TRUE(equal(x.grad(), before));
  EXPECT_THROW(grad(b, x), GraphError);
}

TEST(Grad, StopsAtTheInputsAndLeavesGradAlone) {
  Tensor x = leaf(2), w = leaf(5);
  const Tensor h = x * w, y = h * h;
  const TensorList g = grad(TensorList{y}, {h, x}, {.retain_graph = true});
  EXPECT_EQ(g[0].item(), 20);
  EXPECT_EQ(g[1].item(), 100);
  EXPECT_FALSE(x.grad().defined());
  // A target's own node is not used up: y's graph above h is gone, h's is not.
  EXPECT_EQ(grad(y, h).item(), 20);
  EXPECT_EQ(grad(h, w).item(), 2);
}

TEST(Grad, UnusedInputs) {
  Tensor x = leaf(2), z = leaf(1);
  const Tensor y = x * x;
  EXPECT_TRUE(contains(message_of<GraphError>([&] { grad(TensorList{y}, {x, z}); }), "input 1"));
  const TensorList g = grad(TensorList{y}, {x, z}, {.allow_unused = true});
  EXPECT_EQ(g[0].item(), 4);
  EXPECT_FALSE(g[1].defined());
  EXPECT_THROW(grad(x * x, ones({})), GraphError);
}

TEST(Grad, ZeroWhereAnOpStopsTheGradient) {
  Tensor x = leaf(2);
  EXPECT_EQ(grad(heaviside(x, 0.5), x).item(), 0);
}

TEST(Grad, ManyOutputsWithSeeds) {
  Tensor x = tensor({1., 2.}, f64).requires_grad_();
  const Tensor g = grad(TensorList{x * 2, sum(x * x)}, {x}, {}, {tensor({1., 10.}, f64), Tensor()})[0];
  EXPECT_EQ(g.to_vector<double>(), (std::vector<double>{4, 24}));
}

TEST(Grad, OutputThatIsTheInput) {
  Tensor x = leaf(2);
  EXPECT_EQ(grad(x, x).item(), 1);
}

TEST(HigherOrder, NestsToAnyDepth) {
  Tensor x = leaf(0.7);
  Tensor d = sin(x) * exp(x);
  for (int order = 1; order <= 5; ++order) d = grad(d, x, {.create_graph = true});
  // d^5/dx^5 e^x sin x = 2^(5/2) e^x sin(x + 5 pi/4)
  EXPECT_NEAR(d.item(), std::pow(2, 2.5) * std::exp(0.7) * std::sin(0.7 + 5 * M_PI / 4), 1e-12);
}

TEST(HigherOrder, CreateGraphThroughBackward) {
  Tensor x = leaf(3);
  (x * x * x).backward({}, {.create_graph = true});
  Tensor g = x.grad();
  x.zero_grad();
  g.backward();
  EXPECT_EQ(x.grad().item(), 18);
}

TEST(ForwardMode, JvpOfGradAndGradOfJvp) {
  const Tensor x = tensor({0.3, -0.7}, f64), v = tensor({1., 2.}, f64);
  auto f = [](const Tensor& t) { return sum(tanh(t) * t * t); };
  auto gradient = [&](const Tensor& t) { return value_and_grad(f, t, true).grad; };
  const Tensor hvp = jvp(gradient, x, v).tangent;
  // Reverse over forward gives the same.
  auto directional = [&](const Tensor& t) { return jvp(f, t, v).tangent; };
  const Tensor vhp = value_and_grad(directional, x).grad;
  EXPECT_TRUE(allclose(hvp, vhp, 1e-13, 1e-14));
  const double h = 1e-5;
  const Tensor numerical = (gradient(x + v * h).detach() - gradient(x - v * h).detach()) / (2 * h);
  EXPECT_TRUE(allclose(hvp, numerical, 1e-7, 1e-9));
}

TEST(ForwardMode, NestedJvpDoesNotConfuseDirections) {
  // d/dx (x * d/dy (x + y) at y = 1) = 1
  auto outer = [](const Tensor& x) {
    auto inner = [&](const Tensor& y) { return x + y; };
    return x * jvp(inner, ones({}, f64), ones({}, f64)).tangent;
  };
  EXPECT_EQ(jvp(outer, full({}, 2, f64), ones({}, f64)).tangent.item(), 1);
}

TEST(Vjp, PullbackCanBeCalledOften) {
  const Tensor x = tensor({1., 2., 3.}, f64);
  const Vjp r = vjp([](const TensorList& in) { return TensorList{in[0] * in[0], sum(in[0])}; }, {x});
  const auto pulled = r.pullback({tensor({1., 0., 0.}, f64), full({}, 10, f64)});
  EXPECT_EQ(pulled[0].to_vector<double>(), (std::vector<double>{12, 10, 10}));
  EXPECT_EQ(r.pullback({zeros({3}, f64), ones({}, f64)})[0].to_vector<double>(),
            (std::vector<double>{1, 1, 1}));
}

TEST(ValueAndGrad, OfSeveralInputs) {
  const ValueGrads r = value_and_grad([](const TensorList& in) { return sum(in[0] * in[1]); },
                                      TensorList{tensor({1., 2.}, f64), tensor({3., 4.}, f64)});
  EXPECT_EQ(r.value.item(), 11);
  EXPECT_EQ(r.grads[0].to_vector<double>(), (std::vector<double>{3, 4}));
  EXPECT_EQ(r.grads[1].to_vector<double>(), (std::vector<double>{1, 2}));
  EXPECT_FALSE(r.value.requires_grad());
}

TEST(Modes, NoGradRecordsNothingAndIsRestoredByExceptions) {
  Tensor x = leaf(1);
  try {
    NoGrad guard;
    EXPECT_FALSE((x * 2).requires_grad());
    throw 1;
  } catch (int) {
  }
  EXPECT_TRUE((x * 2).requires_grad());
  std::thread([] { EXPECT_TRUE(is_grad_enabled()); }).join();
  EXPECT_FALSE(x.detach().requires_grad());
}

TEST(RequiresGrad, OnlyForFloatingLeaves) {
  EXPECT_TRUE(contains(message_of<DtypeError>([] { arange(3).requires_grad_(); }), "i64"));
  Tensor x = leaf(1);
  Tensor y = x * 2;
  EXPECT_TRUE(contains(message_of<GraphError>([&] { y.requires_grad_(false); }), "mul"));
  EXPECT_EQ(y.grad_fn(), "mul");
}

TEST(Hooks, SeeReplaceAndCanBeRemoved) {
  Tensor x = leaf(3);
  Tensor y = x * 2;
  double seen = 0;
  HookHandle look = y.register_hook([&](const Tensor& g) {
    seen = g.item();
    return Tensor();
  });
  HookHandle scale = y.register_hook([](const Tensor& g) { return g * 10; });
  (y * y).backward({}, {.retain_graph = true});
  EXPECT_EQ(seen, 12);
  EXPECT_EQ(x.grad().item(), 240);
  scale.remove();
  x.zero_grad();
  (y * 1).backward();
  EXPECT_EQ(x.grad().item(), 2);
}

TEST(Hooks, MayRemoveThemselvesWhileCalled) {
  Tensor x = leaf(3);
  int calls = 0;
  HookHandle once;
  once = x.register_hook([&](const Tensor&) {
    ++calls;
    once.remove();
    return Tensor();
  });
  (x * x).backward();
  (x * x).backward();
  EXPECT_EQ(calls, 1);
}

TEST(Hooks, WrongResultsAreRefused) {
  Tensor x = leaf(3);
  x.register_hook([](const Tensor&) { return ones({2}, f64); });
  EXPECT_TRUE(contains(message_of<ShapeError>([&] { (x * x).backward(); }), "a hook"));
  EXPECT_FALSE(x.grad().defined());
}

TEST(RetainGrad, KeepsIntermediateGradients) {
  Tensor x = leaf(3);
  Tensor y = x * x;
  y.retain_grad();
  (y * 5).backward();
  EXPECT_EQ(y.grad().item(), 5);
}

/// Throws at the k-th of n nodes, for all k: no `.grad` changes, and the next pass is right.
TEST(Exceptions, BackwardIsAllOrNothing) {
  for (int k = 0; k < 8; ++k) {
    Tensor a = leaf(2), b = leaf(3);
    (a * b).backward();
    const double ga = a.grad().item(), gb = b.grad().item();
    Tensor y = a * b;
    for (int i = 0; i < 8; ++i) {
      y = tanh(y * b) + a;
      if (i == k) y.register_hook([](const Tensor&) -> Tensor { throw std::runtime_error("hook"); });
    }
    EXPECT_THROW(y.backward(), std::runtime_error);
    EXPECT_EQ(a.grad().item(), ga);
    EXPECT_EQ(b.grad().item(), gb);
    (a * b).backward();
    EXPECT_EQ(a.grad().item(), 2 * ga);
  }
}

/// Runs f on a thread with a stack of 256 KiB: nothing may recurse over the graph.
void on_small_stack(void (*f)()) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
  pthread_t thread;
  auto run = [](void* p) -> void* {
    reinterpret_cast<void (*)()>(p)();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, run, reinterpret_cast<void*>(f)), 0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(Depth, AMillionNodesOnASmallStack) {
  on_small_stack([] {
    Tensor x = leaf(1);
    Tensor y = x;
    for (int i = 0; i < 1'000'000; ++i) y = y * 0.999999;
    y.backward();
    EXPECT_NEAR(x.grad().item(), std::exp(-1.0), 1e-6);
  });
}

TEST(Depth, AMillionNodesDestroyedWithoutBackward) {
  on_small_stack([] {
    const auto before = memory_stats().live_bytes;
    {
      Tensor x = leaf(1);
      Tensor y = x;
      for (int i = 0; i < 1'000'000; ++i) y = tanh(y);
    }
    EXPECT_EQ(memory_stats().live_bytes, before);
  });
}

TEST(Depth, GradJvpAndCreateGraphAreIterative) {
  on_small_stack([] {
    Tensor x = leaf(1);
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = y * 1.0;
    EXPECT_EQ(jvp_replay({y}, {x}, {full({}, 2, f64)})[0].item(), 2);
    const Tensor g = grad(y, x, {.create_graph = true});
    EXPECT_EQ(g.item(), 1);
  });
}

TEST(Depth, DiamondsAreLinear) {
  Tensor x = leaf(1);
  Tensor y = x;
  for (int i = 0; i < 10'000; ++i) y = (y + y) * 0.5;
  y.backward();
  EXPECT_EQ(x.grad().item(), 1);
}

TEST(Depth, ManyConsumersAndWideCat) {
  Tensor x = leaf(1);
  TensorList parts;
  for (int i = 0; i < 100'000; ++i) parts.push_back(x.reshape({1}));
  sum(cat(parts)).backward();
  EXPECT_EQ(x.grad().item(), 100'000);
}

TEST(Depth, ReadingRowByRowIsLinear) {
  Tensor x = zeros({20'000, 100}).requires_grad_();
  Tensor y = zeros({100});
  for (std::int64_t i = 0; i < 20'000; ++i) y = y + x[i];
  const auto start = std::chrono::steady_clock::now();
  sum(y).backward();
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  EXPECT_TRUE(equal(x.grad(), ones({20'000, 100})));
  EXPECT_LT(seconds.count(), 10) << "0.02 s are usual; a tensor of x's size for every row would take minutes";
}

/// What slices add in place is what they would add as whole tensors; a recorded backward does the latter.
TEST(Backward, PartsAddUpInPlace) {
  Tensor x = rand({6, 5}, f64).requires_grad_();
  const Tensor a = rand({6, 5}, f64), seed = ones({}, f64);
  const auto f = [&] {
    const Tensor inner = x * a;  // a sum that arrives at a node, not at a leaf
    return sum(inner.slice(0, {1, 4}) * a.slice(0, {1, 4})) + sum(square(inner.slice(1, {0, 5, 2}))) +
           sum(inner * inner) + sum(inner[2] * inner.select(1, 3)[4]) + sum(inner.slice(0, {2, 2})) +
           sum(x.slice(0, {3, 6}).slice(1, {1, 3})) + sum(x[5]);
  };
  Tensor expected = grad(f(), x, {.create_graph = true}).detach();
  EXPECT_TRUE(allclose(grad(f(), x), expected, 1e-14));
  f().backward();
  EXPECT_TRUE(allclose(x.grad(), expected, 1e-14));
  // The gradient is an ordinary tensor afterwards, its buffer nobody else's.
  const Tensor kept = x.grad(), again = sum(x.grad() * x);
  f().backward();
  EXPECT_TRUE(allclose(kept, expected, 1e-14));
  // A cotangent that a hook or the user still holds is not written to.
  Tensor seen;
  Tensor z = x * 1.0;
  z.register_hook([&](const Tensor& g) {
    seen = g;
    return Tensor();
  });
  const Tensor whole = ones({6, 5}, f64), part = z[0];
  grad({part, z}, {x}, {}, {ones({5}, f64), whole});
  EXPECT_TRUE(equal(whole, ones({6, 5}, f64)));
  EXPECT_EQ(sum(seen).item(), 35);
}

TEST(Memory, StepsLeaveNothingBehind) {
  Tensor w = ones({4, 4}, f64).requires_grad_();
  auto step = [&] {
    w.zero_grad();
    const Tensor g = grad(sum(tanh(matmul(w, w))), w, {.create_graph = true});
    sum(g * g).backward();
  };
  step();
  const auto before = memory_stats().live_bytes;
  for (int i = 0; i < 200; ++i) step();
  EXPECT_EQ(memory_stats().live_bytes, before);
}

TEST(Memory, TheSweepFreesAsItPasses) {
  Tensor x = ones({1 << 14}).requires_grad_();
  Tensor y = x;
  for (int i = 0; i < 64; ++i) y = tanh(y);
  const auto before = memory_stats().live_bytes;
  std::int64_t last = 0;
  x.register_hook([&](const Tensor&) {
    last = memory_stats().live_bytes;
    return Tensor();
  });
  Tensor loss = sum(y);
  y = Tensor();
  loss.backward();
  EXPECT_LT(last, before / 4);
}

TEST(Threads, DisjointGraphsGiveTheSerialBits) {
  auto work = [](std::uint64_t seed) {
    Generator g(seed);
    Tensor x = randn({64}, g).requires_grad_();
    Tensor y = x;
    for (int i = 0; i < 200; ++i) y = tanh(y * 1.01 + 0.1);
    return grad(sum(y), x).to_vector<float>();
  };
  std::vector<std::vector<float>> parallel(4);
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back([&, i] { parallel[i] = work(i); });
  for (auto& t : threads) t.join();
  for (std::uint64_t i = 0; i < 4; ++i) EXPECT_EQ(parallel[i], work(i));
}

TEST(Threads, GraphsMayDieOnAnotherThread) {
  Tensor y;
  std::thread([&] {
    Tensor x = leaf(2);
    y = x;
    for (int i = 0; i < 1000; ++i) y = y * 1.001;
  }).join();
  y.backward();
  y = Tensor();
}

TEST(Custom, RulesAreUsedAndDerived) {
  CustomOp cube{.name = "cube",
                .forward = [](const TensorList& x) { return x[0] * x[0] * x[0]; },
                .vjp = [](const Tensor& g, const TensorList& x,
                          const Tensor&) { return TensorList{g * (x[0] * x[0]) * 3}; }};
  auto f = [&](const Tensor& x) { return cube({x}); };
  EXPECT_TRUE(gradcheck(f, tensor({0.5, -1.5}, f64)));
  EXPECT_TRUE(gradgradcheck(f, tensor({0.5, -1.5}, f64)));
  CustomOp plain{.name = "plain", .forward = cube.forward};
  EXPECT_TRUE(gradcheck([&](const Tensor& x) { return plain({x}); }, tensor({0.5, -1.5}, f64)));
}

TEST(Custom, WrongRulesAreRefused) {
  auto with = [](TensorList result) {
    CustomOp op{.name = "bad",
                .forward = [](const TensorList& x) { return x[0] * 2; },
                .vjp = [result](const Tensor&, const TensorList&, const Tensor&) { return result; }};
    Tensor x = ones({2}, f64).requires_grad_();
    sum(op({x})).backward();
  };
  EXPECT_TRUE(contains(message_of<GraphError>([&] { with({}); }), "[bad]"));
  EXPECT_TRUE(contains(message_of<ShapeError>([&] { with({ones({3}, f64)}); }), "(3,)"));
  EXPECT_TRUE(contains(message_of<DtypeError>([&] { with({ones({2})}); }), "f32"));
}

TEST(Custom, BackwardInsideARule) {
  CustomOp op{.name = "nested",
              .forward = [](const TensorList& x) { return x[0] * x[0]; },
              .vjp =
                  [](const Tensor& g, const TensorList& x, const Tensor&) {
                    EnableGrad mode;
                    Tensor t = x[0].detach().requires_grad_();
                    return TensorList{g * grad(t * t, t)};
                  }};
  Tensor x = leaf(3);
  Tensor y = x;
  for (int i = 0; i < 3; ++i) y = op({y});
  y.backward();
  EXPECT_EQ(x.grad().item(), 8 * std::pow(3.0, 7));
}

TEST(Elementwise, UserFormulasNeedNoDerivative) {
  auto swish = elementwise("swish", [](auto x) { return x / (1 + exp(-x)); });
  auto gate = elementwise("gate", [](auto x, auto y) { return where(x > 0, x, 0.1 * x) * sigmoid(y); });
  auto three =
      elementwise("three", [](auto x, auto y, auto z) { return tanh(x * y) + pow(2.5 + z * z, 1.5) * y; });
  Generator g(1);
  auto sample = [&](const Shape& s) { return randn(s, g, f64); };
  for (const Shape& shape : {Shape{}, Shape{5}, Shape{3, 7}, Shape{0}}) {
    EXPECT_TRUE(gradcheck(swish, sample(shape)));
    EXPECT_TRUE(gradgradcheck(swish, sample(shape)));
  }
  auto two = [&](const TensorList& x) { return TensorList{gate(x[0], x[1])}; };
  EXPECT_TRUE(gradcheck(two, {tensor({0.5, -0.7, 1.2}, f64), sample({2, 1})}));
  EXPECT_TRUE(gradgradcheck(two, {tensor({0.5, -0.7, 1.2}, f64), sample({2, 1})}));
  auto all = [&](const TensorList& x) { return TensorList{three(x[0], x[1], x[2])}; };
  EXPECT_TRUE(gradcheck(all, {sample({4}), sample({3, 1}), sample({})}));
  EXPECT_TRUE(gradgradcheck(all, {sample({2}), sample({2, 1}), sample({})}));
  Tensor x = full({}, 0.3, f64).requires_grad_();
  EXPECT_EQ(swish(x).grad_fn(), "swish");
}

TEST(Elementwise, LiteralsKeepTheTensorsPrecision) {
  auto leaky = elementwise("leaky", [](auto x) { return where(x > 0, 1.0, 0.1) * x; });
  Tensor x = full({}, -2, f64).requires_grad_();
  const Tensor y = leaky(x);
  EXPECT_EQ(y.item(), -0.2);
  EXPECT_EQ(grad(y, x, {.create_graph = true}).item(), 0.1);
  EXPECT_EQ(leaky(tensor({1.f, 2.f, 3.f})).dtype(), f32);
}

}  // namespace
}  // namespace cadena
