// What all optimizers have in common: groups, checks, state, memory, and writing one's own.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>

#include "autodiff/autodiff.hpp"
#include "optim/optim.hpp"

namespace {
std::atomic<long> allocations = 0;
}
[[gnu::noinline]] void* operator new(std::size_t n) {
  ++allocations;
  if (void* p = std::malloc(n ? n : 1)) return p;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace cadena {
namespace {

using Named = std::vector<std::pair<std::string, Tensor>>;

Tensor leaf(const Tensor& t) { return t.detach().clone().requires_grad_(); }
Tensor with_grad(const Tensor& t, const Tensor& g) {
  auto w = leaf(t);
  w.set_grad(g);
  return w;
}

template <class E, class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

TEST(Optimizer, StepAndZeroGrad) {
  auto w = leaf(tensor({1.0, 2.0}));
  optim::SGD sgd({w}, {.lr = 0.5});
  (w * w).sum().backward();
  sgd.step();
  EXPECT_TRUE(equal(w.detach(), tensor({0.0, 0.0}, f32)));
  EXPECT_TRUE(w.is_leaf() && w.requires_grad());
  sgd.zero_grad();
  EXPECT_FALSE(w.grad().defined());
}

TEST(Optimizer, LearnsABowl) {
  const auto target = randn({20});
  const auto distance = [&](auto&& make) {
    auto w = leaf(zeros({20}));
    auto optimizer = make(w);
    for (int i = 0; i < 300; ++i) {
      optimizer->zero_grad();
      mse_loss(w, target, Reduction::sum).backward();
      optimizer->step();
    }
    return max(abs(w - target)).item();
  };
  using P = std::unique_ptr<optim::Optimizer>;
  EXPECT_LT(distance([](auto& w) -> P {
              return std::make_unique<optim::SGD>(optim::Params{w}, optim::SGDOptions{.lr = 0.1});
            }),
            1e-5);
  EXPECT_LT(distance([](auto& w) -> P {
              return std::make_unique<optim::Adam>(optim::Params{w}, optim::AdamOptions{.lr = 0.1});
            }),
            1e-2);
}

TEST(Optimizer, ParametersWithoutGradientAreSkipped) {
  auto a = with_grad(ones({2}), ones({2})), b = leaf(ones({2}));
  optim::Adam adam({a, b}, {.lr = 0.1, .weight_decay = 0.5});
  adam.step();
  EXPECT_FALSE(equal(a, ones({2})));
  EXPECT_TRUE(equal(b, ones({2})));
  const auto state = adam.state_dict();
  EXPECT_EQ(state.groups[0].parameters[0].step, 1);
  EXPECT_EQ(state.groups[0].parameters[1].step, 0);
  EXPECT_TRUE(state.groups[0].parameters[1].slots.empty());
}

TEST(Optimizer, GroupsHaveTheirOwnOptions) {
  auto a = with_grad(zeros({1}), ones({1})), b = with_grad(zeros({1}), ones({1}));
  optim::SGD sgd({a}, {.lr = 1});
  sgd.add_param_group({b}, {.lr = 10});
  ASSERT_EQ(sgd.num_groups(), 2u);
  sgd.step();
  EXPECT_EQ(a.item(), -1);
  EXPECT_EQ(b.item(), -10);
  sgd.set_lr(2, 1);
  EXPECT_EQ(sgd.lr(0), 1);
  EXPECT_EQ(sgd.options(1).lr, 2);
  sgd.step();
  EXPECT_EQ(b.item(), -12);
  sgd.set_lr(0);
  sgd.step();
  EXPECT_EQ(a.item(), -2);
  EXPECT_EQ(sgd.parameters().size(), 2u);
  sgd.add_param_group({leaf(zeros({1}))});
  EXPECT_EQ(sgd.lr(2), 1) << "a group without options takes the constructor's";
  EXPECT_THROW(sgd.lr(3), IndexError);
  EXPECT_THROW(sgd.set_lr(-1), ValueError);
}

TEST(Optimizer, BadOptions) {
  auto w = leaf(ones({1}));
  EXPECT_EQ(error_of<ValueError>([&] { optim::SGD({w}, {.lr = -1}); }), "[SGD] lr: expected >= 0, got -1");
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(optim::SGD({w}, {.lr = nan}), ValueError);
  EXPECT_THROW(optim::SGD({w}, {.momentum = -0.1}), ValueError);
  EXPECT_THROW(optim::SGD({w}, {.weight_decay = -0.1}), ValueError);
  EXPECT_THROW(optim::SGD({w}, {.nesterov = true}), ValueError);
  EXPECT_THROW(optim::SGD({w}, {.momentum = 0.9, .dampening = 0.1, .nesterov = true}), ValueError);
  EXPECT_THROW(optim::Adam({w}, {.lr = -1}), ValueError);
  EXPECT_THROW(optim::Adam({w}, {.betas = {1.0, 0.9}}), ValueError);
  EXPECT_THROW(optim::Adam({w}, {.betas = {0.9, -0.1}}), ValueError);
  EXPECT_THROW(optim::Adam({w}, {.eps = -1}), ValueError);
  EXPECT_THROW(optim::AdamW({w}, {.weight_decay = nan}), ValueError);
}

TEST(Optimizer, BadParameters) {
  auto w = leaf(ones({1}));
  EXPECT_THROW(optim::SGD(std::vector<Tensor>{}), ValueError);
  EXPECT_THROW(optim::SGD({Tensor()}), ValueError);
  EXPECT_THROW(optim::SGD({w * 2}), ValueError);
  EXPECT_THROW(optim::SGD({ones({2}, i64)}), DtypeError);
  EXPECT_THROW(optim::SGD({w, w}), ValueError);
  EXPECT_EQ(error_of<ValueError>([&] {
              optim::SGD(Named{{"x", w}, {"x", leaf(w)}});
            }),
            "[SGD] expected different names, got one twice as \"x\"");
  optim::SGD sgd({w});
  EXPECT_THROW(sgd.add_param_group({w}), ValueError);
  EXPECT_THROW(sgd.add_param_group({leaf(w)}, {.lr = -1}), ValueError);
  EXPECT_EQ(sgd.num_groups(), 1u);
}

TEST(Optimizer, NanPassesThrough) {
  const auto nan = std::numeric_limits<float>::quiet_NaN();
  const auto bad = tensor({1.0f, nan, 1.0f}, f32);
  auto a = with_grad(ones({3}), bad), b = with_grad(ones({3}), bad), c = with_grad(ones({3}), bad);
  optim::SGD({a}, {.momentum = 0.9}).step();
  optim::Adam({b}).step();
  optim::Adam amsgrad({c}, {.amsgrad = true});
  amsgrad.step();
  c.set_grad(ones({3}));
  amsgrad.step();
  for (auto& w : {a, b, c}) {
    const auto v = w.to_vector<float>();
    EXPECT_TRUE(std::isfinite(v[0]) && std::isnan(v[1]) && std::isfinite(v[2]));
  }
}

TEST(Optimizer, StridedWeightsAndGradients) {
  const auto start = randn({5, 3}, f64), g = randn({5, 3}, f64);
  auto plain = with_grad(start, g);
  // A column-major weight, a gradient that repeats and one that runs with steps.
  auto base = start.t().contiguous();
  auto strided = base.t().detach().requires_grad_();
  strided.set_grad(g.t().contiguous().t());
  auto repeated = leaf(zeros({4})), same = with_grad(zeros({4}), full({4}, 2));
  repeated.set_grad(full({1}, 2).expand({4}));
  ASSERT_FALSE(strided.is_contiguous());
  optim::Adam a({plain, same}), b({strided, repeated});
  for (int i = 0; i < 3; ++i) a.step(), b.step();
  EXPECT_TRUE(equal(plain, strided));
  EXPECT_TRUE(equal(base, plain.t()));
  EXPECT_TRUE(equal(same, repeated));
}

TEST(Optimizer, EmptyAndScalarParameters) {
  auto none = with_grad(zeros({0, 3}), zeros({0, 3})), number = with_grad(ones({}), ones({}));
  optim::Adam adam({none, number}, {.lr = 0.5});
  adam.step();
  EXPECT_NEAR(number.item(), 0.5, 1e-6);
}

TEST(Optimizer, StepsAreUnrecordedWritesThatMakeSavedValuesStale) {
  auto w = leaf(full({3}, 2));
  optim::SGD sgd({w}, {.lr = 0.1});
  const auto y = (w * w).sum();
  y.backward({}, {.retain_graph = true});
  sgd.step();
  EXPECT_TRUE(w.is_leaf());
  EXPECT_THROW(y.backward(), GraphError);
}

TEST(Optimizer, ClosureRunsRecordedAndReturnsTheLoss) {
  auto w = leaf(full({2}, 3));
  optim::SGD sgd({w}, {.lr = 0.25});
  NoGrad no_grad;
  const auto loss = sgd.step([&] {
    sgd.zero_grad();
    auto l = (w * w).sum();
    l.backward();
    return l;
  });
  EXPECT_EQ(loss.item(), 18);
  EXPECT_TRUE(equal(w, full({2}, 1.5)));
  EXPECT_THROW(sgd.step([]() -> Tensor { throw ValueError("stop"); }), ValueError);
  EXPECT_TRUE(equal(w, full({2}, 1.5)));
}

template <class Optimizer, class Options>
void expect_no_allocations(const Options& options) {
  auto a = with_grad(randn({40, 30}), randn({40, 30})), b = with_grad(randn({7}, f64), randn({7}, f64));
  Optimizer optimizer({a, b}, options);
  optimizer.step();
  const auto before = allocations.load();
  for (int i = 0; i < 10; ++i) optimizer.step();
  EXPECT_EQ(allocations.load(), before);
}

TEST(Optimizer, SteadyStateAllocatesNothing) {
  expect_no_allocations<optim::SGD>(
      optim::SGDOptions{.momentum = 0.9, .weight_decay = 0.1, .nesterov = true});
  expect_no_allocations<optim::Adam>(optim::AdamOptions{.amsgrad = true});
  expect_no_allocations<optim::AdamW>(optim::AdamWOptions{});
}

TEST(Optimizer, SteadyStateAllocatesNothingWhereItIsElementwise) {
  for (auto& name : optim::optimizer_names()) {
    if (name == "Adafactor" || name == "Muon" || name == "LBFGS") continue;  // these work on whole matrices
    auto w = with_grad(randn({40, 30}), randn({40, 30}));
    const auto optimizer = optim::make_optimizer(name, {w});
    optimizer->step();
    const auto before = allocations.load();
    for (int i = 0; i < 10; ++i) optimizer->step();
    EXPECT_EQ(allocations.load(), before) << name;
  }
}

TEST(Optimizer, SameBitsWherevertheMemoryLies) {
  const auto start = randn({1003}), g = randn({1003});
  auto whole = with_grad(start, g);
  optim::Adam reference({whole}, {.weight_decay = 0.1});
  for (int i = 0; i < 3; ++i) reference.step();
  for (std::int64_t offset : {1, 3, 7}) {
    const auto w_home = zeros({1020}), g_home = zeros({1020});
    auto w = w_home.slice(0, {.start = offset, .stop = offset + 1003}).detach();
    w.copy_(start);
    w.requires_grad_();
    auto grad = g_home.slice(0, {.start = offset + 2, .stop = offset + 1005});
    grad.copy_(g);
    w.set_grad(grad);
    optim::Adam adam({w}, {.weight_decay = 0.1});
    for (int i = 0; i < 3; ++i) adam.step();
    EXPECT_TRUE(equal(w, whole)) << offset;
  }
}

TEST(Optimizer, ThreadsDoNotChangeBits) {
  const int before = num_threads();
  for (const auto& name : optim::optimizer_names()) {
    Tensor expected;
    for (const int threads : {1, 2, 3}) {
      set_num_threads(threads);
      manual_seed(5);
      // Large enough for several threads, and the last piece is a short one.
      const auto w = with_grad(randn({301, 303}), randn({301, 303}));
      const auto optimizer = optim::make_optimizer(name, std::vector<Tensor>{w});
      for (int i = 0; i < 3; ++i) optimizer->step([] { return zeros({}); });
      if (threads == 1)
        expected = w.detach().clone();
      else
        EXPECT_TRUE(equal(w, expected)) << name << " on " << threads;
    }
  }
  set_num_threads(before);
}

// An optimizer of one's own, as the head of optim/optimizer.hpp shows it.
struct SignOptions {
  static constexpr const char* name = "Sign";
  double lr = 1e-3;
  template <class V>
  void visit(V&& v) {
    v("lr", lr, optim::non_negative);
  }
};
class Sign : public optim::OptimizerWith<SignOptions> {
  using OptimizerWith::OptimizerWith;
  void update(optim::Update& u, const SignOptions& o) override {
    u.each<0>([&o]<class T>(T& w, T g) { w -= T(o.lr) * T((g > 0) - (g < 0)); });
  }
};

TEST(Optimizer, OneOfOnesOwn) {
  auto w = with_grad(zeros({3}), tensor({2.0, -3.0, 0.0}, f32));
  Sign sign({w}, {.lr = 0.5});
  sign.step();
  EXPECT_TRUE(equal(w, tensor({-0.5, 0.5, 0.0}, f32)));
  EXPECT_THROW(Sign({w}, {.lr = -1}), ValueError);
}

}  // namespace
}  // namespace cadena
