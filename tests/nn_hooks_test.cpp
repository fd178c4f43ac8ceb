// Hooks of modules: what they see, what they may replace, when they run, and that they go away.
#include <gtest/gtest.h>

#include "autodiff/autodiff.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"
#include "values.hpp"

namespace cadena {
namespace {

/// Two inputs of one's own.
struct Product : nn::Callable {
  Tensor operator()(const Tensor& a, const Tensor& b) {
    return call([](const Tensor& x, const Tensor& y) { return x * y; }, a, b);
  }
};

nn::Linear linear_of(double weight, double bias) {
  nn::Linear layer(1, 1, {.dtype = f64});
  nn::init::constant_(layer.weight, weight);
  nn::init::constant_(layer.bias, bias);
  return layer;
}

TEST(NnHooks, SeeAndReplaceInputsAndOutputs) {
  auto layer = linear_of(2, 1);
  const Tensor x = tensor({{3.0}}, f64);
  std::vector<std::string> order;
  auto first = layer.register_forward_pre_hook([&](nn::Module& m, const TensorList& in) {
    EXPECT_EQ(&m, &layer);
    expect_values(in[0], {3});
    order.push_back("pre");
  });
  auto second = layer.register_forward_pre_hook(
      [&](nn::Module&, const TensorList& in) { return TensorList{in[0] * 10}; });
  auto third = layer.register_forward_hook([&](nn::Module&, const TensorList& in, const TensorList& out) {
    expect_values(in[0], {30});
    order.push_back("post");
    return out[0] + 0.5;
  });
  expect_values(layer(x), {61.5});
  EXPECT_EQ(order, (std::vector<std::string>{"pre", "post"}));
  second.remove();
  third.remove();
  third.remove();
  expect_values(layer(x), {7});
  first.remove();
  expect_values(layer(x), {7});
  EXPECT_EQ(order.size(), 3u);
}

TEST(NnHooks, AHookMayRemoveItself) {
  auto layer = linear_of(1, 0);
  int calls = 0;
  nn::RemovableHandle handle;
  handle = layer.register_forward_hook([&](nn::Module&, const TensorList&, const TensorList&) {
    ++calls;
    handle.remove();
  });
  for (int i = 0; i < 3; ++i) layer(ones({1, 1}, f64));
  EXPECT_EQ(calls, 1);
}

TEST(NnHooks, BackwardHooksSeeBothSides) {
  auto layer = linear_of(2, 1);
  Tensor x = tensor({{3.0}}, f64).requires_grad_();
  int calls = 0;
  layer.register_full_backward_hook([&](nn::Module& m, const TensorList& in, const TensorList& out) {
    EXPECT_EQ(&m, &layer);
    expect_values(in[0], {10});
    expect_values(out[0], {5});
    ++calls;
  });
  // x is used elsewhere, too, which is none of the layer's business.
  (layer(x) * 5 + x * 7).sum().backward();
  EXPECT_EQ(calls, 1);
  expect_values(x.grad(), {17});
  expect_values(layer.weight.grad(), {15});
}

TEST(NnHooks, BackwardHooksReplaceGradientsOfInputs) {
  auto layer = linear_of(2, 1);
  Tensor x = tensor({{3.0}}, f64).requires_grad_();
  layer.register_full_backward_hook(
      [](nn::Module&, const TensorList& in, const TensorList&) { return TensorList{in[0] * 100}; });
  layer(x).sum().backward();
  expect_values(x.grad(), {200});
  expect_values(layer.weight.grad(), {3});
}

TEST(NnHooks, BackwardHooksWithSeveralInputs) {
  Product product;
  Tensor a = tensor({1.0, 2.0}, f64).requires_grad_(), b = tensor({5.0}, f32).requires_grad_();
  int calls = 0;
  product.register_full_backward_hook([&](nn::Module&, const TensorList& in, const TensorList& out) {
    ++calls;
    EXPECT_EQ(in.size(), 2u);
    expect_values(in[0], {5, 5});
    expect_values(out[0], {1, 1});
    if (!in[1].defined()) return TensorList();
    expect_values(in[1], {3});
    EXPECT_EQ(in[1].dtype(), f32);
    return TensorList{Tensor(), in[1] * 2};
  });
  product(a, b).sum().backward();
  expect_values(a.grad(), {5, 5});
  expect_values(b.grad(), {6});
  product(a, tensor({5.0}, f32)).sum().backward();  // one of them is a constant now
  EXPECT_EQ(calls, 2);
}

TEST(NnHooks, BackwardHooksOfTheFirstLayerHaveNoGradientOfItsInput) {
  auto layer = linear_of(2, 1);
  int calls = 0;
  layer.register_full_backward_hook([&](nn::Module&, const TensorList& in, const TensorList& out) {
    EXPECT_FALSE(in[0].defined());
    expect_values(out[0], {1});
    ++calls;
  });
  layer(ones({1, 1}, f64)).sum().backward();
  EXPECT_EQ(calls, 1);
}

TEST(NnHooks, DerivativesOfHigherOrderAndForwardModePassThrough) {
  auto layer = linear_of(2, 1);
  int calls = 0;
  layer.register_full_backward_hook([&](nn::Module&, const TensorList&, const TensorList&) { ++calls; });
  const auto f = [&](const Tensor& x) { return layer(x * x * x).sum(); };
  Tensor x = tensor({{3.0}}, f64).requires_grad_();
  const Tensor g = grad(f(x), x, {.create_graph = true});
  expect_values(g, {54});
  expect_values(grad(g.sum(), x), {36});
  EXPECT_GE(calls, 1);
  expect_values(jvp(f, x.detach(), ones({1, 1}, f64)).tangent, {54});
}

TEST(NnHooks, StateOfARecurrentLayerIsAmongTheTensors) {
  nn::LSTM lstm(2, 3);
  std::vector<std::size_t> seen;
  lstm.register_forward_hook([&](nn::Module&, const TensorList& in, const TensorList& out) {
    seen = {in.size(), out.size()};
    return TensorList{out[0] * 0, out[1], out[2]};
  });
  const auto [output, state] = lstm(randn({4, 1, 2}));
  EXPECT_EQ(seen, (std::vector<std::size_t>{3, 3}));
  EXPECT_TRUE(equal(output, zeros({4, 1, 3})));
  EXPECT_EQ(state.c.shape(), (Shape{1, 1, 3}));
}

TEST(NnHooks, MovedModulesKeepThemAndCopiesHaveNone) {
  auto layer = linear_of(1, 0);
  nn::Module* seen = nullptr;
  auto handle =
      layer.register_forward_hook([&](nn::Module& m, const TensorList&, const TensorList&) { seen = &m; });
  auto copy = nn::clone(layer);
  copy(ones({1, 1}, f64));
  EXPECT_EQ(seen, nullptr);
  nn::Linear moved = std::move(layer);
  moved(ones({1, 1}, f64));
  EXPECT_EQ(seen, &moved);
  handle.remove();
  seen = nullptr;
  moved(ones({1, 1}, f64));
  EXPECT_EQ(seen, nullptr);
}

TEST(NnHooks, OutliveTheirModuleHarmlessly) {
  nn::RemovableHandle handle;
  Tensor x = ones({1, 1}, f64).requires_grad_(), y;
  int calls = 0;
  {
    auto layer = linear_of(2, 0);
    handle = layer.register_full_backward_hook(
        [&](nn::Module&, const TensorList&, const TensorList&) { ++calls; });
    y = layer(x);
  }
  y.sum().backward();
  expect_values(x.grad(), {2});
  EXPECT_EQ(calls, 0);
  handle.remove();
  nn::RemovableHandle().remove();
}

TEST(NnHooks, WrongCountsAreRefused) {
  auto layer = linear_of(1, 0);
  const Tensor x = ones({1, 1}, f64);
  auto handle = layer.register_forward_pre_hook([&](nn::Module&, const TensorList&) {
    return TensorList{x, x};
  });
  EXPECT_EQ(message_of<ValueError>([&] { layer(x); }),
            "[register_forward_pre_hook] expected 1 tensors for Linear, or none, got 2");
  handle.remove();
  layer.register_forward_hook([&](nn::Module&, const TensorList&, const TensorList&) {
    return TensorList{x, x, x};
  });
  EXPECT_EQ(message_of<ValueError>([&] { layer(x); }),
            "[register_forward_hook] expected 1 tensors for Linear, or none, got 3");
}

}  // namespace
}  // namespace cadena
