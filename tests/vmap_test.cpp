// One call for many samples: equal to the loop for every op of the table, its derivatives included; and what
// cannot be batched falls back to the loop and says so.
#include "autodiff/vmap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>
#include <set>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/transforms.hpp"
#include "messages.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

using L = const TensorList&;
using T = const Tensor&;

TensorList by_loop(const Function& f, L batches, std::int64_t n) {
  std::vector<TensorList> rows;
  for (std::int64_t k = 0; k < n; ++k) {
    TensorList x;
    for (const auto& b : batches) x.push_back(b[k]);
    rows.push_back(f(x));
  }
  TensorList out;
  for (std::size_t i = 0; i < rows[0].size(); ++i) {
    TensorList column;
    for (const auto& row : rows) column.push_back(row[i]);
    out.push_back(stack(column));
  }
  return out;
}

void expect_close(T a, T b, const std::string& what) {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  EXPECT_EQ(a.dtype(), b.dtype()) << what;
  EXPECT_TRUE(allclose(a, b, 1e-11, 1e-12, true)) << what << "\n" << a << b;
}

TEST(Vmap, BatchesPlainOperations) {
  Generator g(1);
  const Tensor x = randn({5, 3}, g, f64), y = randn({5, 3}, g, f64), w = randn({3, 3}, g, f64);
  auto f = [&](T a, T b) {
    const Tensor h = tanh(matmul(w, a)) + b.unsqueeze(0).expand({3, 3}).sum(1);
    return where(h > 0, h * h, -h) / (1 + sum(square(b)));
  };
  const Tensor out = vmap(f)(x, y);
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  EXPECT_TRUE(vmap_report().looped.empty());
  expect_close(out, by_loop([&](L in) { return TensorList{f(in[0], in[1])}; }, {x, y}, 5)[0], "f");
}

TEST(Vmap, AxesInAndOut) {
  const Tensor x = arange(24).reshape({2, 3, 4}).to(f64), s = tensor({1., 2.}, f64);
  auto f = [](T a, T scale) { return a.t() * scale; };  // (2, 4) -> (4, 2)
  const Tensor out = vmap(f, {.in_axes = {1, unbatched}, .out_axes = {-1}})(x, s);
  EXPECT_EQ(out.shape(), (Shape{4, 2, 3}));
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(equal(out.select(2, k), x.select(1, k).t() * s));
  // An output that no sample influences, several outputs, integers.
  const Function g = [](L in) { return TensorList{ones({2}, f64), argmax(in[0]), sum(in[0])}; };
  const TensorList many = vmap(g, {x}, {.in_axes = {2}});
  EXPECT_EQ(many[0].shape(), (Shape{4, 2}));
  EXPECT_EQ(many[1].to_vector<std::int64_t>(), (std::vector<std::int64_t>{5, 5, 5, 5}));
  EXPECT_EQ(many[2].to_vector<double>(), (std::vector<double>{60, 66, 72, 78}));
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
}

TEST(Vmap, ResultsThatAllSamplesShare) {
  const Tensor x = arange(6).reshape({3, 2}).to(f64), w = tensor({1., 2.}, f64);
  const Function f = [&](L in) { return TensorList{in[0] * w, sum(w)}; };
  const TensorList out = vmap(f, {x}, {.out_axes = {1, unbatched}});
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  EXPECT_EQ(out[0].shape(), (Shape{2, 3}));
  EXPECT_EQ(out[1].shape(), Shape{});
  EXPECT_EQ(out[1].item(), 3);
  const std::string text = message_of<ValueError>([&] { vmap(f, {x}, {.out_axes = {unbatched, 0}}); });
  EXPECT_TRUE(contains(text, "[vmap] expected result 0") && contains(text, "unbatched")) << text;
  EXPECT_TRUE(contains(message_of<ValueError>([&] { vmap(f, {x}, {.out_axes = {0}}); }), "(2), got 1"));
}

TEST(Vmap, NestsAndGivesMatrixProducts) {
  Generator g(2);
  const Tensor a = randn({4, 3}, g, f64), b = randn({5, 3}, g, f64);
  auto dot = [](T x, T y) { return sum(x * y); };
  auto rows = [&](T x, T m) { return vmap(dot, {.in_axes = {unbatched, 0}})(x, m); };
  const Tensor out = vmap(rows, {.in_axes = {0, unbatched}})(a, b);
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  expect_close(out, matmul(a, b.t()), "a b^T");
}

TEST(Vmap, ComposesWithDerivatives) {
  Generator g(3);
  const Tensor x = randn({4, 3}, g, f64), v = randn({4, 3}, g, f64), w = randn({3, 3}, g, f64);
  auto cube = elementwise("cube", [](auto t) { return t * t * t; });
  auto f = [&](T a) { return sum(cube(matmul(w, a)) + exp(a) * softmax(a, 0)); };
  const std::pair<const char*, Function> transforms[] = {
      {"grad", [&](L in) { return TensorList{grad(f)(in[0])}; }},
      {"jvp", [&](L in) { return TensorList{jvp(f, in[0], in[1]).tangent}; }},
      {"hvp", [&](L in) { return TensorList{hvp(f, in[0], in[1]).hvp}; }},
      {"hessian", [&](L in) { return TensorList{hessian(f, in[0])}; }},
      {"jacobian", [&](L in) { return TensorList{jacobian([&](T t) { return softmax(t * t, 0); }, in[0])}; }},
      {"checkpoint", [&](L in) { return TensorList{grad([&](T t) { return checkpoint(f, t); })(in[0])}; }},
      {"fixed point",
       [&](L in) {
         return TensorList{
             fixed_point([](T z, L p) { return cos(z) * 0.5 + p[0]; }, ones({3}, f64), {in[0]})};
       }},
  };
  for (const auto& [name, transform] : transforms)
    expect_close(vmap(transform, {x, v})[0], by_loop(transform, {x, v}, 4)[0], name);
  // And outside: the gradient of a sum over samples, with respect to a batched and a shared argument.
  const Function outside = [&](L in) {
    auto loss = [&](T a) { return sum(tanh(matmul(in[1], a)) * a); };
    return TensorList{sum(square(vmap([&](T a) { return grad(loss)(a); })(in[0])))};
  };
  const Function looped = [&](L in) {
    auto loss = [&](T a) { return sum(tanh(matmul(in[1], a)) * a); };
    TensorList rows;
    for (int k = 0; k < 4; ++k) rows.push_back(grad(loss)(in[0][k]));
    return TensorList{sum(square(stack(rows)))};
  };
  const ValueGrads a = value_and_grad([&](L in) { return outside(in)[0]; }, TensorList{x, w}),
                   b = value_and_grad([&](L in) { return looped(in)[0]; }, TensorList{x, w});
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  expect_close(a.grads[0], b.grads[0], "by x");
  expect_close(a.grads[1], b.grads[1], "by w");
  const Tensor h = hessian([&](T t) { return outside({x, t})[0]; }, w);
  expect_close(h, hessian([&](T t) { return looped({x, t})[0]; }, w), "third order");
}

TEST(Vmap, WhatReadsValuesIsDoneSampleBySample) {
  const Tensor x = tensor({{1., -2.}, {-3., 1.}, {0.5, 4.}}, f64);
  auto branch = [](T a) { return sum(a).item() > 0 ? exp(a) : a * a; };
  const Tensor out = vmap(branch)(x);
  EXPECT_FALSE(vmap_report().batched);
  EXPECT_NE(vmap_report().reason.find("single values"), std::string::npos);
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(equal(out[k], branch(x[k])));
  auto writes = [](T a) {
    Tensor b = zeros({2}, f64);
    b.add_(a);
    return b * a;
  };
  EXPECT_TRUE(equal(vmap(writes)(x), x * x));
  EXPECT_FALSE(vmap_report().batched);
  auto reads = [](T a) { return full({}, a.data<double>()[0], f64); };
  EXPECT_TRUE(equal(vmap(reads)(x), x.select(1, 0)));
  // Stop-gradients and comparisons vanish from the graph, not from the batch.
  auto masked = [](T a) { return where(eq(a, max(a)), a.detach() * a, 0); };
  EXPECT_TRUE(equal(vmap(masked)(x), where(eq(x, amax(x, 1, true)), x * x, 0)));
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  // .backward() inside: leaves get what the loop gives them.
  Tensor w = full({}, 2, f64).requires_grad_();
  vmap([&](T a) { return sum(a * w).backward(), a; })(x);
  EXPECT_EQ(w.grad().item(), 1.5);
}

TEST(Vmap, RandomNumbersAreDrawnForEachSample) {
  const Tensor x = ones({3, 4}, f64);
  auto noisy = [](T a) { return a * rand({4}, f64); };
  manual_seed(8);
  const Tensor out = vmap(noisy)(x);
  EXPECT_FALSE(vmap_report().batched);
  manual_seed(8);
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(equal(out[k], noisy(x[k])));
  Generator own(2), same(2);
  const Tensor drawn = vmap([&](T a) { return a * rand({4}, own, f64); })(x);
  EXPECT_FALSE(vmap_report().batched);
  EXPECT_TRUE(contains(vmap_report().reason, "random numbers")) << vmap_report().reason;
  for (int k = 0; k < 3; ++k) EXPECT_TRUE(equal(drawn[k], x[k] * rand({4}, same, f64)));
  EXPECT_EQ(own.position(), same.position());
}

TEST(Vmap, EscapedTensorsAreRefused) {
  Tensor kept;
  vmap([&](T a) { return kept = a * 2; })(ones({3, 2}, f64));
  EXPECT_THROW(kept.item(), Error);
  EXPECT_THROW(kept.data<double>(), GraphError);
  EXPECT_THROW(kept.to_vector<double>(), GraphError);
  EXPECT_THROW((kept + 1).to_string(), GraphError);
  EXPECT_THROW(equal(kept, kept), GraphError);
  EXPECT_EQ(kept.shape(), (Shape{2}));
}

TEST(Vmap, WrongArguments) {
  auto f = [](T a, T b) { return a + b; };
  const Tensor x = ones({3, 2});
  EXPECT_THROW(vmap(f)(x, ones({2, 2})), ShapeError);
  EXPECT_THROW(vmap(f, {.in_axes = {0}})(x, x), ValueError);
  EXPECT_THROW(vmap(f, {.in_axes = {0, 2}})(x, x), IndexError);
  EXPECT_THROW(vmap(f, {.in_axes = {unbatched, unbatched}})(x, x), ValueError);
  EXPECT_THROW(vmap(f)(ones({0, 2}), ones({0, 2})), ValueError);
  EXPECT_THROW(vmap(f)(ones({}), ones({})), IndexError);
  EXPECT_THROW(vmap(f, {.out_axes = {2}})(x, x), IndexError);
  EXPECT_THROW(vmap(f)(x, ones({3, 5})), ShapeError);
  EXPECT_THROW(vmap([](T a) {
                 return a[0].item() > 0 ? a : cat({a, a});
               })(tensor({{1., 1.}, {-1., 1.}})),
               ShapeError);
}

TEST(PerSampleGrads, OfANetwork) {
  struct Layer {
    Tensor weight, bias;
  };
  struct Net {
    Layer first, second;
  };
  Generator g(5);
  const Net net{{randn({7, 4}, g, f64), randn({7}, g, f64)}, {randn({3, 7}, g, f64), randn({3}, g, f64)}};
  const Tensor x = randn({6, 4}, g, f64), y = randint(0, 3, {6}, g);
  auto loss = [](const Net& n, T in, T target) {
    return cross_entropy(
        linear(relu(linear(in, n.first.weight, n.first.bias)), n.second.weight, n.second.bias), target);
  };
  const Net all = per_sample_grads(loss, net, x, y);
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  EXPECT_TRUE(vmap_report().looped.empty());
  EXPECT_EQ(all.first.weight.shape(), (Shape{6, 7, 4}));
  for (int k = 0; k < 6; ++k) {
    const Net one = grad(loss)(net, x[k], y[k]);
    expect_close(all.first.weight[k], one.first.weight, "first weight");
    expect_close(all.first.bias[k], one.first.bias, "first bias");
    expect_close(all.second.weight[k], one.second.weight, "second weight");
    expect_close(all.second.bias[k], one.second.bias, "second bias");
  }
}

TEST(PerSampleGrads, OfAModulesOwnParameters) {
  manual_seed(1);
  nn::Sequential net(nn::Linear(4, 5), nn::Tanh(), nn::Linear(5, 3));
  const Tensor x = randn({6, 4}), y = randint(0, 3, {6});
  const Function f = [&](L in) { return grad({cross_entropy(net(in[0]), in[1])}, net.parameters()); };
  const TensorList all = vmap(f, {x, y});
  EXPECT_TRUE(vmap_report().batched) << vmap_report().reason;
  for (int k = 0; k < 6; ++k) {
    const TensorList one = f({x[k], y[k]});
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(allclose(all[i][k], one[i], 1e-5, 1e-6));
  }
}

// Every op of the table: the value and the gradients, every argument batched and each one alone.

/// One case of an op, drawn several times over: what a batch is made of.
struct Drawn {
  const detail::Sample& sample;  ///< whose call is used for all
  std::vector<TensorList> inputs;

  bool uniform() const {
    return std::all_of(inputs.begin(), inputs.end(), [this](const TensorList& x) {
      return std::equal(x.begin(), x.end(), inputs[0].begin(), inputs[0].end(),
                        [](T a, T b) { return a.shape() == b.shape(); });
    });
  }
  std::int64_t size() const {
    return std::accumulate(sample.inputs.begin(), sample.inputs.end(), std::int64_t{0},
                           [](std::int64_t n, T x) { return n + x.numel(); });
  }
};

/// How an op was done, at worst.
struct Outcome {
  std::set<std::string> by_loop, partly;
  void add(const std::string& op, const VmapReport& report) {
    if (!report.batched && by_loop.insert(op.substr(0, op.find(' '))).second)
      std::cout << op << ": " << report.reason << "\n";
    partly.insert(report.looped.begin(), report.looped.end());
  }
};

/// The argument `alone` batched, or all (-1).
void expect_loop(const Drawn& d, int alone, const std::string& name, Outcome& outcome) {
  const auto k = d.sample.inputs.size();
  TensorList batches;
  VmapOptions axes;
  for (std::size_t i = 0; i < k; ++i) {
    const bool shared = alone >= 0 && static_cast<std::size_t>(alone) != i;
    axes.in_axes.push_back(shared ? unbatched : 0);
    TensorList samples;
    for (const auto& x : d.inputs) samples.push_back(x[i]);
    batches.push_back(shared ? samples[0] : stack(samples));
  }
  const Function value = [&](L x) { return TensorList{d.sample.call(x)}; };
  const auto weighted = [&](L x) {
    const Tensor y = d.sample.call(x);
    return sum(y * y * y);
  };
  const Function gradients = [&](L x) { return value_and_grad(weighted, x).grads; };
  for (const auto* f : {&value, &gradients}) {
    const TensorList got = vmap(*f, batches, axes);
    outcome.add(name, vmap_report());
    for (std::size_t row = 0; row < d.inputs.size(); ++row) {
      const auto at = static_cast<std::int64_t>(row);
      TensorList x;
      for (std::size_t i = 0; i < k; ++i)
        x.push_back(axes.in_axes[i] == unbatched ? batches[i] : batches[i][at]);
      const TensorList expected = (*f)(x);
      for (std::size_t i = 0; i < got.size(); ++i) expect_close(got[i][at], expected[i], name);
    }
  }
}

TEST(VmapTable, EveryOpEqualsItsLoop) {
  constexpr std::uint64_t n = 3;
  Outcome outcome;
  for (const auto& op : detail::op_table()) {
    const std::string name(op.meta.name);
    std::vector<std::vector<detail::Sample>> draws;
    for (std::uint64_t seed = 1; seed <= n; ++seed) {
      detail::Sampler sampler(seed);
      draws.push_back(op.samples(sampler));
    }
    int tried = 0;
    for (std::size_t c = 0; c < draws[0].size() && tried < 8; ++c) {
      Drawn d{draws[0][c], {}};
      for (const auto& draw : draws)
        if (c < draw.size()) d.inputs.push_back(draw[c].inputs);
      if (d.inputs.size() < n || !d.uniform() || d.size() > 120) continue;
      ++tried;
      const int k = static_cast<int>(d.sample.inputs.size());
      for (int alone = -1; alone < (k > 1 ? k : 0); ++alone) {
        expect_loop(d, alone, name + " " + d.sample.label, outcome);
        ASSERT_FALSE(testing::Test::HasFailure()) << name << " " << d.sample.label << " argument " << alone;
      }
    }
    EXPECT_GT(tried, 0) << name;
  }
  std::cout << "the whole function sample by sample:";
  for (const auto& name : outcome.by_loop) std::cout << " " << name;
  std::cout << "\ninside the batch sample by sample:";
  for (const auto& name : outcome.partly) std::cout << " " << name;
  std::cout << "\n";
}

}  // namespace
}  // namespace cadena
