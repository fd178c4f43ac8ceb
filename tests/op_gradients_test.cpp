// Proves the derivatives of every op in the table. Nothing here names an op: a new row is tested because it
// is there.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/gradcheck.hpp"
#include "autodiff/memory.hpp"
#include "counts.hpp"

namespace cadena {
namespace {

using detail::OpInfo;
using detail::Sample;
using detail::Sampler;

/// Samples of an op: at least `wanted`, from as many seeds as that takes. CADENA_THOROUGH multiplies by ten.
std::vector<Sample> samples_of(const OpInfo& op, std::size_t wanted) {
  if (std::getenv("CADENA_THOROUGH")) wanted *= 10;
  std::vector<Sample> all;
  for (std::uint64_t seed = 1; all.size() < wanted; ++seed) {
    Sampler sampler(seed);
    for (auto& s : op.samples(sampler)) all.push_back(std::move(s));
  }
  return all;
}

/// Checked samples by order, of all ops that this process ran.
int checked_samples[4] = {};

class Summary : public testing::Environment {
 public:
  void TearDown() override {
    if (!std::getenv("CADENA_THOROUGH")) return;  // else a process runs one test
    report_count("operations " + std::to_string(detail::op_table().size()));
    for (int order = 1; order <= 3; ++order)
      report_count("order " + std::to_string(order) + "    " + std::to_string(checked_samples[order]) +
                   " samples" + (order == 1 ? ", full Jacobians and forward mode" : ""));
  }
};
const testing::Environment* const summary = testing::AddGlobalTestEnvironment(new Summary);

std::int64_t elements(const TensorList& list) {
  std::int64_t n = 0;
  for (const auto& t : list) n += t.numel();
  return n;
}

Function as_function(const std::function<Tensor(const TensorList&)>& call) {
  return [call](const TensorList& x) { return TensorList{call(x)}; };
}

TensorList leaves(const TensorList& inputs) {
  TensorList out;
  for (const auto& x : inputs) out.push_back(x.detach().clone().requires_grad_());
  return out;
}

Tensor seed_like(const Tensor& y) {
  Generator g(5);
  return randn(y.shape(), g, f64).to(y.dtype());
}

TensorList gradients(const std::function<Tensor(const TensorList&)>& call, const TensorList& x,
                     Tensor* value = nullptr) {
  const Tensor y = call(x);
  if (value) *value = y.detach();
  return grad(TensorList{y}, x, {}, {seed_like(y)});
}

double largest(const Tensor& t) {
  double top = 0;
  for (double v : t.to_vector<double>()) top = std::max(top, std::abs(v));
  return top;
}

class OpGradients : public testing::TestWithParam<const OpInfo*> {};

TEST_P(OpGradients, FirstOrderAndForwardMode) {
  for (const auto& s : samples_of(*GetParam(), 20)) {
    const auto report = gradcheck(as_function(s.call), s.inputs);
    EXPECT_TRUE(report) << s.label << ": " << report;
    ++checked_samples[1];
  }
}

TEST_P(OpGradients, SecondOrder) {
  int checked = 0;
  for (const auto& s : samples_of(*GetParam(), 20)) {
    if (elements(s.inputs) > 30) continue;
    const auto report = gradgradcheck(as_function(s.call), s.inputs);
    EXPECT_TRUE(report) << s.label << ": " << report;
    ++checked;
    ++checked_samples[2];
  }
  EXPECT_GE(checked, 3);
}

/// The second derivatives of the recorded gradient.
TEST_P(OpGradients, ThirdOrder) {
  int checked = 0;
  for (const auto& s : samples_of(*GetParam(), 20)) {
    if (elements(s.inputs) > 8 || checked == (std::getenv("CADENA_THOROUGH") ? 30 : 3)) continue;
    const Function first = [&s](const TensorList& x) {
      EnableGrad mode;
      TensorList in;
      for (const auto& t : x) in.push_back(t.requires_grad() ? t : t.detach().requires_grad_());
      const Tensor y = s.call(in);
      TensorList g(in.size());
      if (y.requires_grad())
        g = grad(TensorList{y}, in, {.create_graph = true, .allow_unused = true}, {seed_like(y)});
      for (std::size_t i = 0; i < g.size(); ++i)
        if (!g[i].defined()) g[i] = zeros_like(in[i]);
      return g;
    };
    // Every recorded derivative loses some digits where its terms cancel (det beside singular matrices).
    const auto report = gradgradcheck(first, s.inputs, {.atol = 1e-7});
    EXPECT_TRUE(report) << s.label << ": " << report;
    ++checked;
    ++checked_samples[3];
  }
}

/// The value and gradient for inputs laid out differently. Where elements are accumulated the order may
/// follow the layout; everywhere else the bits must not change.
TEST_P(OpGradients, LayoutsDoNotMatter) {
  using Layout = Tensor (*)(const Tensor&);
  const Layout transposed = [](const Tensor& x) {
    return clone(x.permute([&] {
             Axes axes;
             for (int i = x.dim() - 1; i >= 0; --i) axes.push_back(i);
             return axes;
           }()))
        .permute([&] {
          Axes axes;
          for (int i = x.dim() - 1; i >= 0; --i) axes.push_back(i);
          return axes;
        }());
  };
  const Layout stepped = [](const Tensor& x) {
    if (x.dim() == 0) return x;
    Shape wide = x.shape();
    wide[x.dim() - 1] *= 3;
    Tensor base = full(wide, 7.5, x.dtype());
    Tensor view = base.slice(-1, {1, {}, 3});
    return x.numel() ? view.copy_(x) : view;
  };
  const Layout reversed = [](const Tensor& x) { return flip(clone(flip(x, {})), {}); };
  const auto family = GetParam()->family;
  const bool accumulates = family == "reduce" || family == "product" || family == "softmax" ||
                           family == "loss" || family == "linalg";
  auto same = [&](const Tensor& a, const Tensor& b) {
    return accumulates ? allclose(a, b, 1e-13, 1e-14) : equal(a, b);
  };
  for (const auto& s : samples_of(*GetParam(), 1)) {
    Tensor expected;
    const TensorList plain = gradients(s.call, leaves(s.inputs), &expected);
    for (const Layout layout : {transposed, stepped, reversed}) {
      TensorList moved;
      {
        NoGrad guard;
        for (const auto& x : s.inputs) moved.push_back(layout(x));
      }
      for (auto& x : moved) x.requires_grad_();
      Tensor value;
      const TensorList g = gradients(s.call, moved, &value);
      EXPECT_TRUE(same(value, expected)) << s.label;
      for (std::size_t i = 0; i < g.size(); ++i)
        EXPECT_TRUE(same(g[i], plain[i])) << s.label << " input " << i;
    }
  }
}

/// Inputs that repeat one element with stride 0: the gradient is the sum over the repetitions.
TEST_P(OpGradients, RepeatedElements) {
  for (const auto& s : samples_of(*GetParam(), 1)) {
    if (s.inputs[0].numel() == 0) continue;
    TensorList first = leaves({s.inputs[0].reshape({-1}).slice(0, {0, 1}).clone()});
    auto with = [&](const Tensor& x) {
      TensorList in = s.inputs;
      in[0] = x;
      return s.call(in);
    };
    const Shape shape = s.inputs[0].shape();
    const Tensor repeated = with(first[0].reshape({}).expand(shape));
    Tensor copied_input = first[0].detach().reshape({}).expand(shape).clone().requires_grad_();
    const Tensor copied = with(copied_input);
    EXPECT_TRUE(allclose(repeated, copied, 1e-13, 1e-14)) << s.label;
    const Tensor a = grad(repeated, first[0], {}, seed_like(repeated));
    const Tensor b = grad(copied, copied_input, {}, seed_like(copied)).sum().reshape({1});
    EXPECT_TRUE(allclose(a, b, 1e-12, 1e-12)) << s.label << a << b;
  }
}

TEST_P(OpGradients, FloatAgreesWithDouble) {
  for (const auto& s : samples_of(*GetParam(), 1)) {
    TensorList x32, x64;
    for (const auto& x : s.inputs) {
      x32.push_back(x.to(f32).requires_grad_());
      x64.push_back(x32.back().detach().to(f64).requires_grad_());
    }
    Tensor y32, y64;
    const TensorList g32 = gradients(s.call, x32, &y32), g64 = gradients(s.call, x64, &y64);
    EXPECT_EQ(y32.dtype(), f32) << s.label;
    EXPECT_LE(largest(y32.to(f64) - y64), 1e-5 * std::max(largest(y64), 1e-3)) << s.label;
    for (std::size_t i = 0; i < g32.size(); ++i) {
      EXPECT_EQ(g32[i].dtype(), f32) << s.label;
      EXPECT_LE(largest(g32[i].to(f64) - g64[i]), 1e-5 * std::max(largest(g64[i]), 1e-3))
          << s.label << " input " << i;
    }
  }
}

TEST_P(OpGradients, FusedKernelEqualsItsReference) {
  for (const auto& s : samples_of(*GetParam(), 1)) {
    if (!s.reference) continue;
    Tensor y, expected;
    const TensorList g = gradients(s.call, leaves(s.inputs), &y),
                     reference = gradients(s.reference, leaves(s.inputs), &expected);
    EXPECT_TRUE(allclose(y, expected, 1e-12, 1e-13, true)) << s.label;
    for (std::size_t i = 0; i < g.size(); ++i)
      EXPECT_TRUE(allclose(g[i], reference[i], 1e-11, 1e-12, true)) << s.label << " input " << i;
  }
}

/// After the forward pass only the output and what the rules declared to read is alive.
TEST_P(OpGradients, KeepsOnlyWhatItDeclares) {
  const OpInfo& op = *GetParam();
  if (op.composite) return;  // what its parts declare is checked there
  Sampler sampler(3, f32);
  Sample s = op.large(sampler, 1 << 16);
  auto declared = static_cast<std::int64_t>(op.meta.keeps * static_cast<double>(s.inputs[0].numel() * 4));
  const unsigned reads = op.meta.reads[0] | op.meta.reads[1] | op.meta.reads[2];
  for (std::size_t i = 0; i < s.inputs.size(); ++i)
    if (i < 3 && (reads >> i & 1u)) declared += s.inputs[i].numel() * 4;
  for (auto& x : s.inputs) x.requires_grad_();
  { s.call(s.inputs); }  // warm up
  std::int64_t inputs = 0;
  for (const auto& x : s.inputs) inputs += x.numel() * 4;
  const auto before = memory_stats().live_bytes;
  Tensor y = s.call(s.inputs);
  s.inputs.clear();
  const auto kept = memory_stats().live_bytes - before + inputs;
  // Indices and conditions are attributes that the caller holds anyway; blocks are up to a quarter larger.
  const double allowed = 1.27 * static_cast<double>(declared + y.numel() * 4 + inputs) -
                         1.0 * static_cast<double>(inputs) + 8192;
  EXPECT_LE(static_cast<double>(kept), allowed)
      << "output " << y.numel() * 4 << " bytes, declared " << declared;
}

TEST_P(OpGradients, ThreadsDoNotChangeBits) {
  const int threads = num_threads();
  std::vector<TensorList> results;
  for (int n : {1, 2, 3}) {
    set_num_threads(n);
    Sampler sampler(4, f32);
    const Sample s = GetParam()->large(sampler, 1 << 17);
    Tensor y;
    TensorList g = gradients(s.call, leaves(s.inputs), &y);
    g.push_back(y);
    results.push_back(g);
  }
  set_num_threads(threads);
  for (std::size_t r = 1; r < results.size(); ++r)
    for (std::size_t i = 0; i < results[0].size(); ++i) EXPECT_TRUE(equal(results[r][i], results[0][i]));
}

std::vector<const OpInfo*> all_ops() {
  std::vector<const OpInfo*> list;
  for (const auto& op : detail::op_table()) list.push_back(&op);
  return list;
}

INSTANTIATE_TEST_SUITE_P(Table, OpGradients, testing::ValuesIn(all_ops()),
                         [](const auto& info) { return std::string(info.param->meta.name); });

}  // namespace
}  // namespace cadena
