// Whole steps, captured and not, side by side: the same bits after every call.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "autodiff/autodiff.hpp"
#include "autodiff/capture.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/transforms.hpp"
#include "nn/nn.hpp"
#include "optim/optim.hpp"
#include "tests/capture/bits.hpp"
#include "tests/values.hpp"

namespace cadena {
namespace {

/// Something to call, and the tensors that a call may change.
struct Program {
  Function step;
  std::vector<Tensor> state;
};

/// Calls two copies of a program, one of them captured, with the same inputs from the same generator.
void expect_same_steps(const std::function<Program()>& make, const std::function<TensorList(int)>& inputs,
                       int calls = 5) {
  manual_seed(11);
  Program plain = make();
  manual_seed(11);
  Program other = make();
  Captured captured = capture(other.step);
  Generator theirs = default_generator(), ours = theirs;
  for (int k = 0; k < calls; ++k) {
    SCOPED_TRACE(k);
    default_generator() = theirs;
    const TensorList expected = plain.step(inputs(k));
    theirs = default_generator();
    default_generator() = ours;
    const TensorList got = captured(inputs(k));
    ours = default_generator();
    EXPECT_EQ(ours.position(), theirs.position());
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i)
      EXPECT_TRUE(same_bits(got[i], expected[i])) << "output " << i;
    for (std::size_t i = 0; i < plain.state.size(); ++i) {
      EXPECT_TRUE(same_bits(other.state[i], plain.state[i])) << "state " << i;
      EXPECT_TRUE(same_bits(other.state[i].grad(), plain.state[i].grad())) << "gradient " << i;
    }
  }
}

TensorList drawn(const Shape& shape, std::int64_t classes, int k) {
  Generator g(static_cast<std::uint64_t>(100 + k));
  return {randn(shape, g), randint(0, classes, {shape[0]}, g)};
}

/// A step of `optimizer` on a network; `clip` and the schedule as a user would write them.
template <class Optimizer, class Net>
Program training(const std::shared_ptr<Net>& net, Optimizer optimizer, bool clip = false) {
  const auto o = std::make_shared<decltype(optimizer(net->parameters()))>(optimizer(net->parameters()));
  std::vector<Tensor> state = net->parameters();
  for (auto& [name, t] : net->named_buffers()) state.push_back(t);
  return {[=](const TensorList& in) -> TensorList {
            (*o)->zero_grad();
            const Tensor loss = cross_entropy((*net)(in[0]), in[1]);
            loss.backward();
            if (clip) optim::clip_grad_norm_(net->parameters(), 0.05);
            (*o)->step();
            return {loss};
          },
          state};
}

template <class O, class Options>
auto with(const Options& options) {
  return [options](const std::vector<Tensor>& p) { return std::make_unique<O>(p, options); };
}

TEST(CaptureSteps, MlpWithAdam) {
  const auto make = [] {
    return training(std::make_shared<nn::Sequential>(nn::Linear(7, 16), nn::ReLU(), nn::Linear(16, 4)),
                    with<optim::Adam>(optim::AdamOptions{.lr = 0.01}));
  };
  expect_same_steps(
      make,
      [](int k) {
        return drawn({5, 7}, 4, k);
      },
      8);
}

TEST(CaptureSteps, MlpWithMomentumAndClipping) {
  const auto make = [] {
    return training(std::make_shared<nn::Sequential>(nn::Linear(7, 16), nn::Tanh(), nn::Linear(16, 4)),
                    with<optim::SGD>(optim::SGDOptions{.lr = 0.1, .momentum = 0.9}), true);
  };
  expect_same_steps(make, [](int k) { return drawn({5, 7}, 4, k); });
}

TEST(CaptureSteps, ConvolutionsNormsAndDropout) {
  const auto make = [] {
    return training(std::make_shared<nn::Sequential>(nn::Conv2d(2, 4, 3), nn::BatchNorm2d(4), nn::ReLU(),
                                                     nn::MaxPool2d(2), nn::Dropout2d(0.3), nn::Flatten(),
                                                     nn::Dropout(0.4), nn::LayerNorm(Shape{36}),
                                                     nn::AlphaDropout(0.2), nn::Linear(36, 4)),
                    with<optim::AdamW>(optim::AdamWOptions{.lr = 0.01}));
  };
  expect_same_steps(make, [](int k) { return drawn({3, 2, 8, 8}, 4, k); });
}

struct SequenceNet : nn::Layer {
  nn::LSTM lstm{6, 8};
  nn::TransformerEncoderLayer layer{8, 2, {.dim_feedforward = 16, .dropout = 0.1}};
  nn::Linear out{8, 3};
  Tensor forward(const Tensor& x) override { return out(mean(layer(lstm(x).output), 0)); }
  void visit(nn::Visitor& v) override { v("lstm", lstm), v("layer", layer), v("out", out); }
};

TEST(CaptureSteps, LstmAndAttention) {
  const auto make = [] {
    return training(std::make_shared<SequenceNet>(), with<optim::Adam>(optim::AdamOptions{.lr = 0.01}));
  };
  expect_same_steps(make, [](int k) {
    Generator g(static_cast<std::uint64_t>(k));
    return TensorList{randn({4, 5, 6}, g), randint(0, 3, {5}, g)};
  });
}

TEST(CaptureSteps, EmbeddingAndTargetsThatAreIgnored) {
  const auto make = [] {
    const auto table = std::make_shared<nn::Embedding>(9, 4);
    const auto adam = std::make_shared<optim::Adam>(table->parameters());
    return Program{[=](const TensorList& in) -> TensorList {
                     adam->zero_grad();
                     const Tensor scores = matmul((*table)(in[0]), table->weight.t());
                     // As many targets are ignored as the values say, so the mean divides by another number.
                     const Tensor loss = cross_entropy(scores, in[1], {.ignore_index = 2}) +
                                         nll_loss(log_softmax(scores, 1), in[1], {.ignore_index = 3});
                     loss.backward();
                     adam->step();
                     return {loss, argmax(scores, 1)};
                   },
                   table->parameters()};
  };
  expect_same_steps(make, [](int k) {
    Generator g(static_cast<std::uint64_t>(k));
    return TensorList{randint(0, 9, {12}, g), randint(0, 5, {12}, g)};
  });
}

TEST(CaptureSteps, GradientsAccumulateAsInTheProgram) {
  for (bool zero_first : {true, false}) {
    const auto make = [zero_first] {
      const Tensor w = randn({3}).requires_grad_(), v = randn({3}).requires_grad_();
      return Program{[=](const TensorList& in) -> TensorList {
                       Tensor a = w, b = v;
                       if (zero_first) a.zero_grad(), b.zero_grad();
                       sum(a * in[0]).backward();
                       sum(a * a * b).backward();
                       const Tensor seen = a.grad().clone();
                       if (!zero_first) a.zero_grad(), b.zero_grad();
                       return {seen};
                     },
                     {w, v}};
    };
    expect_same_steps(make, [](int k) { return TensorList{full({3}, k + 1)}; });
  }
}

TEST(CaptureSteps, GradientsOfInputsAndOfValuesBetween) {
  const auto make = [] {
    return Program{[](const TensorList& in) -> TensorList {
                     Tensor x = in[0];
                     x.requires_grad_();
                     Tensor y = x * x;
                     y.retain_grad();
                     y.register_hook([](const Tensor& g) { return g * 2; });
                     sum(y * y).backward();
                     return {x.grad(), y.grad()};
                   },
                   {}};
  };
  expect_same_steps(make, [](int k) { return TensorList{full({3}, k + 1)}; });
}

TEST(CaptureSteps, GradientsOfBeforeGrowOn) {
  const auto make = [] {
    Tensor w = ones({2}).requires_grad_();
    w.set_grad(full({2}, 0.5));
    return Program{[=](const TensorList& in) -> TensorList {
                     const Tensor y = sum(w * in[0]);
                     y.backward();
                     return {y};
                   },
                   {w}};
  };
  expect_same_steps(make, [](int k) { return TensorList{full({2}, k + 1)}; });
}

TEST(CaptureSteps, AGradientKeptWithinACallStaysWhatItWas) {
  const auto make = [] {
    const Tensor a = randn({3}).requires_grad_(), b = randn({3}).requires_grad_();
    return Program{[=](const TensorList& in) -> TensorList {
                     Tensor u = a, v = b;
                     u.zero_grad(), v.zero_grad();
                     sum(u * in[0]).backward();
                     const Tensor first = u.grad();
                     sum(u * u * in[0]).backward();
                     const Tensor shared = zeros({3});
                     v.set_grad(shared), u.set_grad(shared);
                     sum(u * v * in[0]).backward();
                     return {first, u.grad(), v.grad()};
                   },
                   {a, b}};
  };
  expect_same_steps(make, [](int k) { return TensorList{full({3}, k + 1)}; });
}

TEST(CaptureSteps, WhatIsDoneToGradientsBetweenCalls) {
  // The seed of a loss that is a leaf itself, and gradients that are written to outside.
  Tensor w = zeros({}).requires_grad_(), v = zeros({}).requires_grad_();
  const auto step_of = [](Tensor& t) {
    return [&t](const TensorList& in) -> TensorList {
      t.zero_grad();
      (sum(in[0]) + t).backward();
      return {};
    };
  };
  auto captured = capture(step_of(v));
  for (int k = 0; k < 5; ++k) {
    step_of(w)({ones({2})}), captured({ones({2})});
    EXPECT_TRUE(same_bits(w.grad(), v.grad()));
    Tensor g = w.grad(), h = v.grad();
    g.mul_(0.5), h.mul_(0.5);
  }
}

TEST(CaptureSteps, CheckpointsOfWhatChanges) {
  const auto make = [] {
    const auto w = std::make_shared<nn::Linear>(4, 4);
    const auto adam = std::make_shared<optim::Adam>(w->parameters());
    return Program{[=](const TensorList& in) -> TensorList {
                     adam->zero_grad();
                     const Tensor mask = dropout(ones({4}), 0.5), h = dropout(in[0], 0.3);
                     const auto body = [=](const Tensor& t) { return dropout(tanh((*w)(t)), 0.2) * mask; };
                     const Tensor loss = sum(checkpoint(body, h));
                     loss.backward();
                     adam->step();
                     return {loss};
                   },
                   w->parameters()};
  };
  expect_same_steps(make, [](int k) { return TensorList{full({2, 4}, k + 1)}; });
}

TEST(CaptureSteps, HandedOutTensorsAreNewEveryTime) {
  auto f = capture([](const TensorList& in) -> TensorList { return {in[0] * 2}; });
  for (int k = 1; k < 6; ++k) {
    Tensor y = f({full({2}, k)})[0];
    EXPECT_FALSE(y.requires_grad());
    y.requires_grad_();
    sum(y * y).backward();
    expect_values(y.grad(), {4.0 * k, 4.0 * k});
  }
}

TEST(CaptureSteps, ReplayedWritesAreSeenByOtherGraphs) {
  Tensor w = ones({2});
  const Tensor a = ones({2}).requires_grad_();
  auto f = capture([&](const TensorList& in) -> TensorList {
    NoGrad guard;
    w.copy_(in[0]);
    return {};
  });
  for (int k = 0; k < 3; ++k) f({full({2}, k)});
  const Tensor y = sum(a * w * w);
  f({full({2}, 7)});
  EXPECT_THROW(y.backward(), GraphError);
}

TEST(CaptureSteps, WritesInPlace) {
  const auto make = [] {
    const Tensor memory = zeros({2, 3}), count = zeros({}, i64);
    return Program{[=](const TensorList& in) -> TensorList {
                     NoGrad guard;
                     Tensor m = memory, n = count, fresh = zeros({3}), ones_ = ones({3});
                     m.mul_(0.5).add_(in[0]);
                     n.add_(ones({}, i64));
                     m.select(0, 1).fill_(7);
                     fresh.add_(m[0]).add_(fresh, 2);
                     ones_ += in[0][1];
                     ones_.copy_(ones_ * fresh);
                     return {fresh, ones_, m, to(n, f32)};
                   },
                   {memory, count}};
  };
  expect_same_steps(make, [](int k) {
    Generator g(static_cast<std::uint64_t>(k));
    return TensorList{randn({2, 3}, g)};
  });
}

TEST(CaptureSteps, RecordedWritesInPlace) {
  const auto make = [] {
    const Tensor w = randn({3}).requires_grad_();
    return Program{[=](const TensorList& in) -> TensorList {
                     Tensor a = w, h = in[0] * w;
                     a.zero_grad();
                     h.add_(in[0]).mul_(3);
                     sum(h * h).backward();
                     return {h};
                   },
                   {w}};
  };
  expect_same_steps(make, [](int k) { return TensorList{full({3}, 0.3 * k + 1)}; });
}

TEST(CaptureSteps, RandomDraws) {
  const auto make = [] {
    const auto g = std::make_shared<Generator>(5);
    return Program{[=](const TensorList& in) -> TensorList {
                     const Tensor x = in[0].detach().requires_grad_();
                     const Tensor y = dropout(x, 0.5) * dropout(x * 2, 0.3, true, *g) +
                                      random::normal(x, 1, {.generator = g.get()}) + rand({4}, *g) +
                                      randn({4});
                     // The second derivative of a product of two dropouts meets both masks again.
                     const Tensor first = grad(sum(y * y), x, {.create_graph = true});
                     return {y,
                             first,
                             grad(sum(first * first), x),
                             random::permutation(x, 0),
                             randint(0, 9, {5}),
                             random::gamma(x * x + 1, 2),
                             random::bernoulli(sigmoid(x)),
                             jvp([](const Tensor& t) { return dropout(t, 0.5); }, x, x).tangent,
                             scaled_dot_product_attention(reshape(x, {2, 2}), ones({2, 2}), ones({2, 2}),
                                                          {.dropout_p = 0.5})};
                   },
                   {}};
  };
  expect_same_steps(
      make, [](int k) { return TensorList{full({4}, k + 0.5)}; }, 8);
}

TEST(CaptureSteps, Transforms) {
  const auto make = [] {
    const auto f = [](const Tensor& x) { return sum(x * x * x) + prod(x); };
    const auto user = elementwise("user", [](auto x, auto y) { return x * sigmoid(y) + exp(x); });
    const CustomOp twice{
        .name = "twice",
        .forward =
            [](const TensorList& x) {
              Tensor y = x[0].clone();
              for (int i = 0; i < y.numel(); ++i) y.mutable_data<double>()[i] *= 2;
              return y;
            },
        .vjp = [](const Tensor& g, const TensorList&, const Tensor&) { return TensorList{g * 2}; }};
    return Program{[=](const TensorList& in) -> TensorList {
                     const Tensor x = in[0];
                     const Tensor w = x.detach().requires_grad_();
                     const Tensor through =
                         sum(user(twice({w}), checkpoint([](const Tensor& t) { return tanh(t); }, w)));
                     return {hessian(f, x), jacobian([](const Tensor& t) { return sin(t) * t; }, x),
                             hvp(f, x, ones_like(x)).hvp, grad(through, w),
                             vmap([](const Tensor& t) { return t * t + 1; })(x)};
                   },
                   {}};
  };
  expect_same_steps(make, [](int k) { return TensorList{add(arange(0, 4, 1, f64), 0.1 * k)}; });
}

TEST(CaptureSteps, OptionsChangeBetweenCalls) {
  Tensor w = ones({2}).requires_grad_(), v = ones({2}).requires_grad_();
  optim::SGD plain({w}, {.lr = 0.5}), other({v}, {.lr = 0.5});
  optim::ExponentialLR one(plain, {.gamma = 0.7}), two(other, {.gamma = 0.7});
  const auto step_of = [](Tensor& t, optim::SGD& sgd) {
    return [&](const TensorList& in) -> TensorList {
      sgd.zero_grad();
      sum(t * t * in[0]).backward();
      sgd.step();
      return {};
    };
  };
  auto captured = capture(step_of(v, other));
  for (int k = 0; k < 6; ++k) {
    const TensorList in{full({2}, 0.1 * k)};
    step_of(w, plain)(in);
    captured(in);
    one.step(), two.step();
    EXPECT_TRUE(same_bits(w, v));
  }
}

TEST(CaptureSteps, AveragesAndActions) {
  Tensor w = ones({2}).requires_grad_();
  optim::SGD sgd({w}, {.lr = 0.1});
  optim::AveragedModel swa({w});
  std::vector<double> losses;
  auto step = capture([&](const TensorList& in) -> TensorList {
    sgd.zero_grad();
    const Tensor loss = sum(w * w * in[0]);
    loss.backward();
    sgd.step();
    swa.update_parameters();
    on_every_call("log", [&, loss] { losses.push_back(loss.item()); });
    return {loss};
  });
  Tensor sum_of_all = zeros({2}, f64);
  for (int k = 0; k < 4; ++k) {
    const double loss = step({ones({2})})[0].item();
    EXPECT_EQ(losses.back(), loss);
    sum_of_all = sum_of_all + to(w.detach(), f64);
  }
  EXPECT_EQ(losses.size(), 4U);
  EXPECT_LT(losses.back(), losses.front());
  EXPECT_EQ(swa.n_averaged(), 4);
  EXPECT_TRUE(allclose(to(swa.parameters()[0], f64), sum_of_all / 4.0, 1e-6, 0));
}

TEST(CaptureSteps, OutputsKeepTheirValues) {
  auto twice = capture([](const TensorList& in) -> TensorList { return {in[0] * 2, in[0]}; });
  std::vector<TensorList> all;
  for (int k = 0; k < 4; ++k) all.push_back(twice({full({2}, k)}));
  for (int k = 0; k < 4; ++k) {
    expect_values(all[static_cast<std::size_t>(k)][0], {2.0 * k, 2.0 * k});
    expect_values(all[static_cast<std::size_t>(k)][1], {1.0 * k, 1.0 * k});
  }
  // What nobody has kept is used again.
  const float* place = twice({full({2}, 1)})[0].data<float>();
  EXPECT_EQ(twice({full({2}, 2)})[0].data<float>(), place);
}

TEST(CaptureSteps, ParametersAreReadWhereTheyAre) {
  Tensor w = ones({2});
  auto f = capture([w](const TensorList& in) -> TensorList { return {in[0] * w}; });
  f({ones({2})});
  w.fill_(3);
  expect_values(f({ones({2})})[0], {3, 3});
}

TEST(CaptureSteps, StridedInputsAndNoInputs) {
  auto f = capture([](const TensorList& in) -> TensorList { return {sum(in[0], 0), in[0].t() + 1}; });
  const Tensor x = arange(0, 6, 1, f32).reshape({2, 3});
  f({zeros({3, 2})});
  expect_values(f({x.t()})[0], {3, 12});
  expect_values(f({x.t()})[1], {1, 2, 3, 4, 5, 6});
  int runs = 0;
  auto constant = capture([&](const TensorList&) -> TensorList {
    ++runs;
    return {arange(0, 3, 1, f32) * 2, Tensor()};
  });
  for (int k = 0; k < 3; ++k) {
    const TensorList out = constant({});
    expect_values(out[0], {0, 2, 4});
    EXPECT_FALSE(out[1].defined());
  }
  EXPECT_EQ(runs, 2);
}

TEST(CaptureSteps, ACallWithinAnotherIsRecordedThere) {
  auto inner = capture([](const TensorList& in) -> TensorList { return {in[0] * in[0]}; });
  auto outer = capture([&](const TensorList& in) -> TensorList { return {inner({in[0] + 1})[0] + 1}; });
  for (double v : {1.0, 2.0, 3.0}) expect_values(outer({full({1}, v)})[0], {(v + 1) * (v + 1) + 1});
  EXPECT_EQ(inner.size(), 0U);
}

}  // namespace
}  // namespace cadena
