// Plants NaN and infinities into every op of the table, forward, backward and in forward mode, and expects
// the mode to name the op and the element.
#include "autodiff/anomaly.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <thread>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/node.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/elementwise.hpp"
#include "autodiff/transforms.hpp"
#include "nn/nn.hpp"

namespace cadena {
namespace {

using Phase = AnomalyError::Phase;
using Index = std::vector<std::int64_t>;

const double inf = std::numeric_limits<double>::infinity();
const double nan = std::numeric_limits<double>::quiet_NaN();

Tensor leaf(std::initializer_list<double> v) { return tensor(std::vector<double>(v)).requires_grad_(); }

template <class F>
std::optional<AnomalyError> caught(const F& f, AnomalyOptions options = {}) {
  const AnomalyMode guard(options);
  try {
    f();
  } catch (const AnomalyError& e) {
    return e;
  }
  return std::nullopt;
}

TEST(Anomaly, ForwardNamesOpElementScopeAndCaller) {
  Tensor x = leaf({2, 0, 1});
  const auto e = caught([&] {
    const NamedScope outer("encoder"), inner("fc1");
    return log(x.reshape({3, 1}));
  });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "log");
  EXPECT_EQ(e->phase, Phase::forward);
  EXPECT_EQ(e->index, (Index{1, 0}));
  EXPECT_EQ(e->value, -inf);
  EXPECT_EQ(e->scope, "encoder/fc1");
  const std::string text = e->what();
  EXPECT_EQ(
      text.rfind("[log] expected finite values, got -inf at (1, 0) of its output of shape (3, 1) f64", 0), 0u)
      << text;
  EXPECT_NE(text.find("; recorded in encoder/fc1"), std::string::npos) << text;
#if __has_include(<execinfo.h>)
  EXPECT_GT(e->backtrace.size(), 2u);
  EXPECT_NE(text.find("anomaly_test"), std::string::npos) << text;
#endif
}

TEST(Anomaly, BackwardNamesTheInputAndWhereItWasRecorded) {
  Tensor x = leaf({4, 0});
  const auto e = caught([&] {
    Tensor y;
    {
      const NamedScope scope("roots");
      y = sqrt(x);
    }
    sum(y).backward();
  });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "sqrt");
  EXPECT_EQ(e->phase, Phase::backward);
  EXPECT_EQ(e->input, 0);
  EXPECT_EQ(e->index, (Index{1}));
  EXPECT_EQ(e->value, inf);
  EXPECT_EQ(e->scope, "roots");
  EXPECT_FALSE(x.grad().defined());
}

TEST(Anomaly, ForwardModeIsWatched) {
  Tensor x = leaf({4, 0});
  const Tensor y = sqrt(x);
  const auto e = caught([&] { jvp_replay({y}, {x}, {ones({2}, f64)}); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "sqrt");
  EXPECT_EQ(e->phase, Phase::forward_mode);
  EXPECT_EQ(e->index, (Index{1}));
}

TEST(Anomaly, WhatAZeroCotangentHidesIsFoundAndCanBeLetPass) {
  Tensor x = leaf({4, 0});
  auto masked = [&] { return sum(where(x > 0, sqrt(x), 1)); };
  EXPECT_EQ(grad(masked(), x).to_vector<double>(), (std::vector<double>{0.25, 0}));
  const auto e = caught([&] { masked().backward(); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "sqrt");
  EXPECT_EQ(e->phase, Phase::hidden);
  EXPECT_EQ(e->index, (Index{1}));
  EXPECT_NE(std::string(e->what()).find("hides"), std::string::npos);
  EXPECT_FALSE(caught([&] { masked().backward(); }, {.hidden = false}));
  // A user's formula, and recorded derivatives.
  auto root = elementwise("root", [](auto v) { return sqrt(v); });
  EXPECT_EQ(caught([&] { sum(where(x > 0, root(x), 1)).backward(); })->op, "root");
  EXPECT_EQ(caught([&] { grad(masked(), x, {.create_graph = true}); })->phase, Phase::hidden);
  EXPECT_FALSE(caught([&] { grad(masked(), x, {.create_graph = true}); }, {.hidden = false}));
}

TEST(Anomaly, SeedsHooksAndSums) {
  Tensor x = leaf({1, 2});
  auto e = caught([&] { (x * 2).backward(tensor({1., nan}, f64)); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->phase, Phase::cotangent);
  EXPECT_EQ(e->op, "mul");
  EXPECT_EQ(e->index, (Index{1}));
  e = caught([&] {
    const Tensor y = x * 2;
    y.register_hook([](const Tensor& g) { return g / 0; });
    sum(y).backward();
  });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->phase, Phase::cotangent);
  e = caught([&] { (x + x).backward(tensor({0.5e308, 1.5e308}, f64)); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "leaf");
  EXPECT_EQ(e->index, (Index{1}));
}

TEST(Anomaly, InfinitiesCanBeAllowed) {
  Tensor x = leaf({1, 2});
  auto masked = [&] { return sum(softmax(x + tensor({0., -inf}, f64), 0) * x); };
  EXPECT_EQ(caught([&] { masked(); })->op, "add");
  EXPECT_FALSE(caught([&] { masked().backward(); }, {.check_inf = false}));
  EXPECT_EQ(caught([&] { x* tensor({1., nan}, f64); }, {.check_inf = false})->value != 0, true);
}

TEST(Anomaly, AnEarlierCauseIsMentioned) {
  Tensor x = leaf({1, nan});
  const auto e = caught([&] { exp(x); });
  ASSERT_TRUE(e);
  EXPECT_NE(std::string(e->what()).find("its input 0 already held nan at (1,)"), std::string::npos);
}

TEST(Anomaly, InsideCheckpoints) {
  Tensor x = leaf({4, 0});
  const auto e = caught([&] { sum(checkpoint([](const Tensor& t) { return 2 * sqrt(t); }, x)).backward(); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "sqrt");
  EXPECT_EQ(e->phase, Phase::backward);
}

TEST(Anomaly, EveryPositionOfEveryDtypeAndLayoutIsLookedAt) {
  for (DType dtype : {f32, f64})
    for (std::int64_t n : {1, 7, 1023, 1024, 1025, 3000})
      for (std::int64_t at : {std::int64_t{0}, n / 2, n - 1}) {
        Tensor base = zeros({n, 2}, dtype);
        slice(slice(base, 0, {at, at + 1}), 1, {1, 2}).fill_(nan);
        const Tensor x = base.t().requires_grad_();
        const auto e = caught([&] { neg(x); });
        ASSERT_TRUE(e) << n << " " << at;
        EXPECT_EQ(e->index, (Index{1, at}));
        EXPECT_TRUE(std::isnan(e->value));
      }
}

TEST(Anomaly, LayersAreNamed) {
  nn::Sequential net(nn::Linear(2, 3), nn::Tanh(), nn::Linear(3, 1));
  net.parameters()[2].mutable_data<float>()[1] = std::numeric_limits<float>::infinity();
  const auto e = caught([&] { net(ones({4, 2})); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "linear");
  EXPECT_EQ(e->scope, "Sequential/2");
}

TEST(Anomaly, InsideVmapTheReportIsAboutOneSample) {
  const Tensor x = tensor({{1., 2.}, {0., 1.}, {3., 4.}}, f64).requires_grad_();
  auto e = caught([&] { vmap([](const Tensor& t) { return log(t); })(x); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "log");
  EXPECT_EQ(e->index, (Index{0}));
  e = caught([&] { vmap(grad([](const Tensor& t) { return sum(sqrt(t)); }))(x.detach()); });
  ASSERT_TRUE(e);
  EXPECT_EQ(e->op, "sqrt");
  EXPECT_EQ(e->phase, Phase::backward);
  EXPECT_EQ(e->index, (Index{0}));
}

TEST(Anomaly, IsRestoredAndBelongsToItsThread) {
  Tensor x = leaf({0});
  {
    const AnomalyMode outer;
    {
      const AnomalyMode inner({.check_inf = false});
      EXPECT_NO_THROW(log(x));
    }
    EXPECT_THROW(log(x), AnomalyError);
    std::thread([&] { EXPECT_NO_THROW(log(x)); }).join();
    NoGrad guard;
    EXPECT_NO_THROW(log(x));  // not recorded
  }
  EXPECT_NO_THROW(log(x));
  EXPECT_EQ(grad(sum(exp(x)), x).item(), 1);
}

// Every op.

/// Index of the first element that is not finite; none if all are.
std::optional<Index> first_bad(const Tensor& t) {
  if (!t.defined()) return std::nullopt;
  const auto v = t.to_vector<double>();
  const auto bad = std::find_if(v.begin(), v.end(), [](double e) { return !std::isfinite(e); });
  if (bad == v.end()) return std::nullopt;
  Index index(static_cast<std::size_t>(t.dim()));
  auto at = static_cast<std::int64_t>(bad - v.begin());
  for (int d = t.dim() - 1; d >= 0; --d) {
    index[static_cast<std::size_t>(d)] = at % t.shape()[d];
    at /= t.shape()[d];
  }
  return index;
}

bool any_bad(const TensorList& list) {
  return std::any_of(list.begin(), list.end(), [](const Tensor& t) { return first_bad(t).has_value(); });
}

const detail::Node* node_of(const Tensor& y) { return detail::impl(y)->node.get(); }
bool recorded(const Tensor& y) { return y.numel() > 0 && node_of(y) && !node_of(y)->leaf; }

/// The op that computed y alone, from leaves; empty if there are several.
std::string only_op(const Tensor& y) {
  const detail::Node* node = node_of(y);
  for (int i = 0; i < node->n_edges; ++i)
    if (node->edges[i] && !node->edges[i]->leaf) return {};
  return std::string(node->name());
}

TensorList leaves_of(const TensorList& inputs) {
  TensorList out;
  for (const auto& x : inputs) out.push_back(x.detach().clone().requires_grad_());
  return out;
}

/// x with a bad value in the middle.
Tensor with_bad(const Tensor& x, double bad) {
  Tensor out = x.detach().clone();
  out.mutable_data<double>()[x.numel() / 2] = bad;
  return out;
}

/// What the mode must find when values of one op's sample go bad; counts what it found.
class Plants {
 public:
  int forward = 0, backward = 0, tangent = 0;

  Plants(const std::string& op, const detail::Sample& s) : sample_(s), name_(op + " " + s.label) {}

  void into_inputs() {
    for (std::size_t which = 0; which < sample_.inputs.size(); ++which)
      for (double bad : {nan, inf, -inf}) {
        TensorList x = leaves_of(sample_.inputs);
        x[which] = with_bad(x[which], bad).requires_grad_();
        Tensor y;
        try {
          y = sample_.call(x);
        } catch (const Error&) {
          continue;  // an op that refuses such a value
        }
        if (!recorded(y)) continue;
        check_forward(x, y);
        check_backward(x, y);
        check_tangent(x, y);
      }
  }

  void into_cotangents() {
    const TensorList x = leaves_of(sample_.inputs);
    const Tensor y = sample_.call(x);
    if (!recorded(y)) return;
    for (double bad : {nan, inf, -inf}) {
      const Tensor seed = with_bad(ones(y.shape(), y.dtype()), bad);
      const auto e = caught([&] { cadena::backward({y}, {seed}, {.retain_graph = true}); });
      ASSERT_TRUE(e) << name_;
      EXPECT_EQ(e->op, y.grad_fn()) << name_;
      EXPECT_EQ(e->phase, Phase::cotangent) << name_;
      EXPECT_EQ(e->index, first_bad(seed)) << name_;
      EXPECT_TRUE(std::isnan(bad) ? std::isnan(e->value) : e->value == bad) << name_;
      for (const auto& t : x) EXPECT_FALSE(t.grad().defined()) << name_;
    }
  }

  void into_tangents() {
    const TensorList x = leaves_of(sample_.inputs);
    const Tensor y = sample_.call(x);
    if (!recorded(y)) return;
    for (std::size_t which = 0; which < x.size(); ++which) {
      TensorList directions;
      for (const auto& t : x) directions.push_back(ones_like(t));
      directions[which] = with_bad(directions[which], nan);
      check_tangent(x, y, directions);
    }
  }

  void nowhere() const {
    const TensorList x = leaves_of(sample_.inputs);
    const Tensor y = sample_.call(x);
    if (!recorded(y) || first_bad(y) || any_bad(gradients(x, y))) return;
    const auto e = caught([&] { gradients(x, sample_.call(x)); });
    EXPECT_FALSE(e) << name_ << ": " << e->what();
  }

 private:
  static TensorList gradients(const TensorList& x, const Tensor& y) {
    return grad({y}, x, {.retain_graph = true, .allow_unused = true}, {ones_like(y)});
  }

  void check_forward(const TensorList& x, const Tensor& y) {
    if (!first_bad(y)) return;
    const auto e = caught([&] { sample_.call(x); });
    ASSERT_TRUE(e) << name_;
    EXPECT_EQ(e->phase, Phase::forward) << name_;
    if (const std::string only = only_op(y); !only.empty()) {
      EXPECT_EQ(e->op, only) << name_;
      EXPECT_EQ(e->index, first_bad(y)) << name_;
    }
    ++forward;
  }

  /// Recorded before the mode is on: what comes back, or along, is found there.
  void check_backward(const TensorList& x, const Tensor& y) {
    const TensorList g = gradients(x, y);
    const auto e = caught([&] { gradients(x, y); }, {.hidden = false});
    if (any_bad(g)) {
      ASSERT_TRUE(e) << name_;
    }
    if (!e) return;
    EXPECT_EQ(e->phase, Phase::backward) << name_;
    if (const std::string only = only_op(y); !only.empty()) {
      EXPECT_EQ(e->op, only) << name_;
      EXPECT_EQ(e->index, first_bad(g[static_cast<std::size_t>(e->input)])) << name_;
    }
    ++backward;
  }

  void check_tangent(const TensorList& x, const Tensor& y, TensorList directions = {}) {
    if (directions.empty())
      for (const auto& t : x) directions.push_back(ones_like(t));
    const Tensor t = jvp_replay({y}, x, directions)[0];
    const auto e = caught([&] { jvp_replay({y}, x, directions); });
    if (first_bad(t)) {
      ASSERT_TRUE(e) << name_;
    }
    if (!e) return;
    EXPECT_EQ(e->phase, Phase::forward_mode) << name_;
    if (const std::string only = only_op(y); !only.empty()) {
      EXPECT_EQ(e->op, only) << name_;
      EXPECT_EQ(e->index, first_bad(t)) << name_;
    }
    ++tangent;
  }

  const detail::Sample& sample_;
  std::string name_;
};

TEST(AnomalyTable, FindsWhatIsPlantedInEveryOp) {
  int forward = 0, backward = 0, tangent = 0;
  std::string never;
  for (const auto& op : detail::op_table()) {
    const std::string name(op.meta.name);
    detail::Sampler sampler(7);
    int tried = 0, found = 0;
    for (const auto& s : op.samples(sampler)) {
      const auto fits = [](const Tensor& x) { return x.numel() > 0 && x.numel() < 100; };
      if (!std::all_of(s.inputs.begin(), s.inputs.end(), fits)) continue;
      Plants plants(name, s);
      plants.into_inputs();
      plants.into_cotangents();
      plants.into_tangents();
      plants.nowhere();
      forward += plants.forward, backward += plants.backward, tangent += plants.tangent;
      found += plants.forward + plants.tangent;
      if (testing::Test::HasFailure() || ++tried == 4) break;
    }
    if (found == 0) never += " " + name;
    ASSERT_FALSE(testing::Test::HasFailure()) << name;
    EXPECT_GT(tried, 0) << name;
  }
  std::cout << "found " << forward << " forward, " << backward << " backward, " << tangent
            << " in forward mode\n";
  EXPECT_EQ(never, "") << "no bad value comes out of these, whatever goes in";
}

}  // namespace
}  // namespace cadena
