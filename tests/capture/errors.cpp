// What cannot be captured says so, and so does what has changed.
#include <gtest/gtest.h>

#include <memory>
#include <thread>

#include "autodiff/anomaly.hpp"
#include "autodiff/autodiff.hpp"
#include "autodiff/capture.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/messages.hpp"
#include "tests/values.hpp"

namespace cadena {
namespace {

/// The message of the CaptureError of a first call.
std::string refusal(const std::function<Tensor(const Tensor&)>& f) {
  auto captured = capture([&](const TensorList& in) -> TensorList { return {f(in[0])}; });
  const std::string message = message_of<CaptureError>([&] { captured({ones({3})}); });
  EXPECT_EQ(captured.size(), 0U);
  return message;
}

TEST(CaptureErrors, LooksAtValues) {
  EXPECT_EQ(
      refusal([](const Tensor& x) { return sum(x).item() > 0 ? x : -x; }),
      "[item] expected no look at values within capture(), where a replay could not follow: neither control "
      "flow nor numbers may depend on them");
  EXPECT_TRUE(
      contains(refusal([](const Tensor& x) { return x * x.data<float>()[0]; }), "[data] expected no look"));
  EXPECT_TRUE(
      contains(refusal([](const Tensor& x) { return x * (x + 1).to_vector<double>()[0]; }), "[data]"));
  EXPECT_TRUE(contains(refusal([](const Tensor& x) {
                         Tensor y = x + 1;
                         y.mutable_data<float>()[0] = 3;
                         return y;
                       }),
                       "[mutable_data] expected no writing to values within capture()"));
}

TEST(CaptureErrors, MemoryThatNobodyFills) {
  const std::string message = refusal([](const Tensor& x) {
    Tensor t = empty({3});
    for (int i = 0; i < 3; ++i) t.mutable_data<float>()[i] = 2;
    return x * t;
  });
  EXPECT_TRUE(contains(message, "expected values that a replay computes anew, got (3,) f32")) << message;
  EXPECT_TRUE(contains(refusal([](const Tensor&) {
                         Tensor t = empty({3});
                         t.mutable_data<float>()[0] = 2;
                         return t;
                       }),
                       "[capture] expected values that a replay computes anew"));
}

TEST(CaptureErrors, OtherEffects) {
  EXPECT_TRUE(contains(
      refusal([](const Tensor& x) { return x * static_cast<double>(default_generator().next() % 2); }),
      "[random] expected draws by the library's own functions"));
  Tensor w = ones({2}).requires_grad_();
  optim::SGD sgd({w}, {.lr = 0.1});
  optim::ExponentialLR schedule(sgd, {.gamma = 0.9});
  for (const auto& change : {std::function<void()>([&] { sgd.set_lr(0.2); }),
                             {[&] { schedule.step(); }},
                             {[&] { sgd.set_options({.lr = 0.3}); }}})
    EXPECT_EQ(refusal([&](const Tensor& x) {
                change();
                return x * 2;
              }),
              "[SGD] expected options to change between calls of a captured function, got a change within");
  EXPECT_DOUBLE_EQ(sgd.lr(), 0.1);
  nn::LazyLinear lazy(3);
  EXPECT_TRUE(
      contains(refusal([&](const Tensor& x) { return lazy(x); }), "[lazy] expected a module that has"));
  lazy(ones({3}));
  capture([&](const TensorList& in) -> TensorList { return {lazy(in[0])}; })({ones({3})});
  const AnomalyMode watching;
  EXPECT_TRUE(contains(refusal([](const Tensor& x) { return x * 2; }), "expected no AnomalyMode"));
}

TEST(CaptureErrors, InputsThatDoNotFit) {
  EXPECT_EQ(message_of<ValueError>([] { capture(Function()); }),
            "[capture] expected a function, got an empty one");
  auto f = capture([](const TensorList& in) -> TensorList { return {in[0] * 2}; });
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { f({ones({2}).requires_grad_()}); }),
                       "[capture] expected inputs that need no gradient, got (2,) f32 as input 0"));
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { f({Tensor()}); }), "a defined tensor as input 0"));
  f({ones({2})});
  EXPECT_EQ(
      message_of<CaptureError>([&] { f({ones({3})}); }),
      "[capture] expected (2,) f32 as in the first call, got (3,) f32 as input 0; capture another function "
      "for other shapes");
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { f({ones({2}, f64)}); }), "got (2,) f64 as input 0"));
  EXPECT_EQ(message_of<CaptureError>([&] { f({}); }),
            "[capture] expected 1 inputs as in the first call, got 0");
  expect_values(f({full({2}, 4)})[0], {8, 8});
}

TEST(CaptureErrors, AnErrorInTheFirstCallLeavesNothing) {
  bool fail = true;
  auto f = capture([&](const TensorList& in) -> TensorList {
    const Tensor y = in[0] * 2;
    if (fail) throw ValueError("mine");
    return {y};
  });
  EXPECT_EQ(message_of<ValueError>([&] { f({ones({2})}); }), "mine");
  EXPECT_EQ(f.size(), 0U);
  EXPECT_EQ(sum(ones({2})).item(), 2);  // nothing is being recorded any more
  fail = false;
  f({ones({2})});
  EXPECT_EQ(f.size(), 1U);
}

TEST(CaptureErrors, ErrorsOfOpsComeInEveryCall) {
  auto f = capture([](const TensorList& in) -> TensorList { return {embedding(in[0], ones({3, 2}))}; });
  f({tensor({0, 2})});
  EXPECT_TRUE(contains(message_of<IndexError>([&] {
                         f({tensor({0, 3})});
                       }),
                       "expected indices in [0, 3), got 3"));
  expect_values(f({tensor({1, 1})})[0], {1, 1, 1, 1});
  auto g = capture([](const TensorList& in) -> TensorList { return {cross_entropy(ones({2, 3}), in[0])}; });
  g({tensor({0, 2})});
  EXPECT_TRUE(contains(message_of<IndexError>([&] {
                         g({tensor({0, 7})});
                       }),
                       "expected targets in [0, 3), got 7"));
}

TEST(CaptureErrors, GradientsThatAreNotWhereTheyWere) {
  Tensor w = ones({2}).requires_grad_();
  auto f = capture([&](const TensorList& in) -> TensorList {
    const Tensor y = sum(w * in[0]);
    y.backward();
    return {y};
  });
  for (int k = 1; k < 4; ++k) {
    f({ones({2})});
    expect_values(w.grad(), {1.0 * k, 1.0 * k});
  }
  w.zero_grad();
  f({full({2}, 5)});
  expect_values(w.grad(), {5, 5});
  auto g = capture([&](const TensorList& in) -> TensorList {
    const Tensor y = sum(w * in[0]);
    y.backward();
    return {w.grad()};  // another tensor in every call
  });
  w.zero_grad();
  g({ones({2})});
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { g({ones({2})}); }), "only actions may read it"));
  auto h = capture([&](const TensorList& in) -> TensorList {
    sum(w * in[0]).backward();
    return {};
  });
  w.zero_grad();
  h({ones({2})});
  w.zero_grad();
  h({ones({2})});
  EXPECT_TRUE(
      contains(message_of<CaptureError>([&] { h({ones({2})}); }),
               "[backward] expected gradients to be undefined, as they were at this point when it was "
               "captured"));
}

TEST(CaptureErrors, WhatIsGone) {
  Tensor w = ones({2}).requires_grad_();
  auto sgd = std::make_unique<optim::SGD>(optim::Params{w}, optim::SGDOptions{.lr = 0.1});
  auto generator = std::make_unique<Generator>(1);
  auto step = capture([&](const TensorList&) -> TensorList {
    w.zero_grad();
    sum(w * w).backward();
    sgd->step();
    return {};
  });
  auto draw = capture([&](const TensorList&) -> TensorList { return {rand({2}, *generator)}; });
  auto own = capture([](const TensorList&) -> TensorList {
    Generator g(3);
    return {dropout(ones({4}), 0.5, true, g)};
  });
  for (int k = 0; k < 3; ++k) step({}), draw({});
  own({}), own({});
  sgd.reset(), generator.reset();
  EXPECT_TRUE(
      contains(message_of<CaptureError>([&] { step({}); }), "[optim] expected the optimizer to outlive"));
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { draw({}); }), "[random] expected the Generator"));
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { own({}); }), "[random] expected the Generator"));
}

TEST(CaptureErrors, Verify) {
  nn::Sequential net(nn::Linear(3, 3), nn::Dropout(0.5), nn::ReLU());
  auto f = capture([&](const TensorList& in) -> TensorList { return {net(in[0])}; });
  f({ones({3})}), f({ones({3})}), f({ones({3})});
  EXPECT_EQ(f.verify({ones({3})})[0].numel(), 3);
  net.eval();
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { f.verify({ones({3})}); }),
                       "[capture] expected the function to do what was captured, got "));
  net.train();
  f.verify({ones({3})});
  auto g = capture([](const TensorList& in) -> TensorList { return {in[0] * 2}; });
  EXPECT_EQ(g.verify({ones({3})})[0].numel(), 3);  // before there is anything to compare with
}

/// The message of the CaptureError of a second call, which runs the function again.
std::string second(const Function& f) {
  auto captured = capture(f);
  captured({ones({2})});
  return message_of<CaptureError>([&] { captured({ones({2})}); });
}

TEST(CaptureErrors, WhatIsNotTheSameTheSecondTime) {
  int calls = 0;
  EXPECT_TRUE(contains(second([&](const TensorList& in) -> TensorList { return {in[0] * ++calls}; }),
                       "[capture] expected the function to do what was captured, got constant #"));
  EXPECT_TRUE(contains(second([&](const TensorList& in) -> TensorList {
                         return {++calls % 2 == 0 ? in[0] + in[0] : in[0] * in[0]};
                       }),
                       "got elementwise loop"));
  Tensor state = zeros({2});
  EXPECT_TRUE(
      contains(second([&](const TensorList& in) -> TensorList { return {state = tanh(state + in[0])}; }),
               "[capture] expected no state that a handle carries from call to call, got (2,) f32"));
}

TEST(CaptureErrors, OtherTensorsTheSecondTime) {
  // The same operations, but of y and z in turn.
  using Pick = std::function<TensorList(const Tensor& y, const Tensor& z)>;
  const auto changed = [](const Pick& pick) {
    const auto calls = std::make_shared<int>(0);
    return second([=](const TensorList& in) -> TensorList {
      const Tensor x = outer(in[0], ones({2})), y = exp(x), z = tanh(x);
      return ++*calls == 1 ? pick(y, z) : pick(z, y);
    });
  };
  const Tensor row = ones({2});
  for (const auto& [pick, got] : std::vector<std::pair<Pick, std::string>>{
           {[&](auto y, auto) { return TensorList{y * row}; }, "got loop"},
           {[](auto y, auto z) { return TensorList{matmul(y, z.t())}; }, "got matmul"},
           {[](auto y, auto) { return TensorList{y.sum()}; }, "got sum"},
           {[](auto y, auto) {
              return TensorList{cumsum(y.slice(0, {1, 2}), 0)};
            },
            "got cumsum"},
           {[](auto y, auto) { return TensorList{y}; }, "got output"}})
    EXPECT_TRUE(contains(changed(pick), got)) << got;
  int calls = 0;
  EXPECT_TRUE(contains(second([&](const TensorList& in) -> TensorList {
                         const Tensor x = outer(in[0], ones({2}));
                         return {++calls == 1 ? matmul(x, x) : matmul(x, x.t())};
                       }),
                       "strides"));
  EXPECT_TRUE(contains(second([&](const TensorList& in) -> TensorList {
                         const Tensor x = outer(exp(in[0]), ones({2}));
                         return {cumsum(x.slice(0, {calls % 2, calls++ % 2 + 1}), 0)};
                       }),
                       "+8"));
}

TEST(CaptureErrors, ThingsOfOutside) {
  Tensor w = ones({2}).requires_grad_();
  auto f = capture([&](const TensorList& in) -> TensorList { return {w * in[0]}; });
  for (int k = 0; k < 3; ++k) f({ones({2})});
  w.requires_grad_(false);
  EXPECT_TRUE(
      contains(message_of<CaptureError>([&] { f({ones({2})}); }), "as in the first call, got (2,) f32"));
  w.requires_grad_();
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { f({ones({2})}); }), "after requires_grad_()"));
  {
    auto g = capture([&](const TensorList& in) -> TensorList { return {w * in[0]}; });
    g({ones({2})}), g({ones({2})});
    NoGrad guard;
    EXPECT_TRUE(
        contains(message_of<CaptureError>([&] { g({ones({2})}); }), "expected gradients to be recorded"));
  }
  const Tensor outside = exp(w);
  EXPECT_TRUE(
      contains(refusal([&](const Tensor& x) {
                 return grad(sum(outside * slice(x, 0, {0, 2})), w);
               }),
               "expected a graph from within capture(), got one that leads to exp, recorded outside"));
  w.zero_grad();
  sum(w).backward();
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) { return sum(x) * w.grad(); }),
                       "[grad] expected a gradient that was computed within capture()"));
  std::vector<float> memory{1, 2, 3};
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) { return x * from_blob(memory.data(), {3}); }),
                       "[from_blob] expected no memory of the program's"));
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) {
                         manual_seed(3);
                         return x + randn({3});
                       }),
                       "[random] expected draws by the library's own functions"));
  optim::SGD sgd({w}, {.lr = 0.1});
  const auto saved = sgd.state_dict();
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) {
                         sgd.load_state_dict(saved);
                         return x;
                       }),
                       "[SGD] expected options to change between calls"));
}

TEST(CaptureErrors, ExceptionsThatTheFunctionCatches) {
  EXPECT_TRUE(contains(refusal([](const Tensor& x) {
                         try {
                           return x * sum(embedding(tensor({5}), ones({2, 2})));
                         } catch (const IndexError&) {
                           return x;
                         }
                       }),
                       "[capture] expected operations that succeed, got an exception that was caught"));
}

TEST(CaptureErrors, TensorsOfActionsAndOfUserCode) {
  Tensor made;
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) {
                         on_every_call("draw", [&] { made = ones({3}); });
                         return x * made;
                       }),
                       "made by draw, another tensor in every call; only actions may read it"));
  Tensor w = ones({3}).requires_grad_();
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) {
                         w.zero_grad();
                         sum(w * x).backward();
                         optim::clip_grad_norm_({w}, 0.5);
                         return w.grad() * 2;
                       }),
                       "made by clip_grad_norm_"));
  Tensor cache;
  const CustomOp lazy{.name = "lazy", .forward = [&](const TensorList& x) {
                        if (!cache.defined()) cache = full({3}, 7);
                        return x[0] * cache;
                      }};
  EXPECT_TRUE(contains(refusal([&](const Tensor& x) { return lazy({x}); }),
                       "[lazy] expected to keep no tensor beside its result"));
  // What was there before is copied.
  const Tensor table = full({3}, 2);
  const CustomOp constant{.name = "constant", .forward = [&](const TensorList&) { return table; }};
  auto f = capture([&](const TensorList& in) -> TensorList { return {constant({in[0]})}; });
  for (int k = 0; k < 3; ++k) expect_values(f({ones({3})})[0], {2, 2, 2});
  Tensor t = table;
  t.fill_(5);
  expect_values(f({ones({3})})[0], {5, 5, 5});
}

TEST(CaptureErrors, AFunctionMayDropItsCapture) {
  std::unique_ptr<Captured> f;
  f = std::make_unique<Captured>([&](const TensorList& in) -> TensorList {
    on_every_call("drop", [&f, k = std::make_shared<int>()] {
      if (++*k == 2) f.reset();
    });
    return {in[0] * 2};
  });
  for (int k = 0; k < 4 && f; ++k) (*f)({ones({1})});
  EXPECT_FALSE(f);
  Captured copy = capture([](const TensorList& in) -> TensorList { return {in[0] * 2}; });
  const Captured moved = std::move(copy);
  EXPECT_EQ(copy.size(), moved.size());
}

TEST(CaptureErrors, CallsWithinACallAndFromAnotherThread) {
  std::unique_ptr<Captured> f;
  f = std::make_unique<Captured>([&](const TensorList& in) -> TensorList { return {(*f)({in[0]})[0] * 2}; });
  EXPECT_TRUE(contains(message_of<CaptureError>([&] { (*f)({ones({1})}); }), "no call within a call"));
  auto g = capture([](const TensorList& in) -> TensorList { return {in[0] * 2}; });
  g({ones({1})});
  std::thread([&] {
    EXPECT_TRUE(
        contains(message_of<CaptureError>([&] { g({ones({1})}); }), "from the thread of the first one"));
  }).join();
}

}  // namespace
}  // namespace cadena
