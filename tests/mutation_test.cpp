// Breaks the derivative of every op on purpose, in every way a rule has been seen to break, and expects the
// gradient check to notice each. A mutant that survives is a hole in the suite.
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "autodiff/autodiff.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/gradcheck.hpp"
#include "counts.hpp"

namespace cadena {
namespace {

using detail::OpInfo;
using detail::Sample;
using detail::Sampler;

struct Mutant {
  const char* name;
  /// The broken gradients, from the right ones; an empty list where the mutation would change nothing.
  TensorList (*apply)(const Sample& s, const TensorList& right, const Tensor& g, const TensorList& x);
};

bool all_zero(const Tensor& t) { return t.numel() == 0 || max(abs(t)).item() == 0; }

TensorList scaled(const TensorList& right, double factor) {
  TensorList out;
  for (const auto& t : right) out.push_back(t * factor);
  return out;
}

TensorList true_vjp(const Sample& s, const Tensor& g, const TensorList& x) {
  EnableGrad mode;
  TensorList in;
  for (const auto& t : x) in.push_back(t.detach().requires_grad_());
  TensorList out = grad(TensorList{s.call(in)}, in, {.allow_unused = true}, {g});
  for (std::size_t i = 0; i < out.size(); ++i)
    if (!out[i].defined()) out[i] = zeros_like(in[i]);
  return out;
}

const Mutant mutants[] = {
    {"wrong sign",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) { return scaled(r, -1); }},
    {"twice as large",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) { return scaled(r, 2); }},
    {"1 + 1e-4 too large", [](const Sample&, const TensorList& r, const Tensor&,
                              const TensorList&) { return scaled(r, 1 + 1e-4); }},
    {"first input dropped",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) {
       TensorList out = r;
       out[0] = zeros_like(r[0]);
       return out;
     }},
    {"last input dropped",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) {
       TensorList out = r;
       out.back() = zeros_like(r.back());
       return out;
     }},
    {"inputs swapped",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) -> TensorList {
       if (r.size() < 2 || !(r[0].shape() == r[1].shape()) || equal(r[0], r[1])) return {};
       TensorList out = r;
       std::swap(out[0], out[1]);
       return out;
     }},
    {"upstream ignored", [](const Sample& s, const TensorList&, const Tensor& g,
                            const TensorList& x) { return true_vjp(s, ones_like(g), x); }},
    {"upstream squared", [](const Sample& s, const TensorList&, const Tensor& g,
                            const TensorList& x) { return true_vjp(s, g * abs(g), x); }},
    {"one wrong element",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) {
       TensorList out = r;
       for (auto& t : out) {
         if (t.numel() == 0) continue;
         t = t.clone();
         t.mutable_data<double>()[t.numel() - 1] += 1e-3;
         break;
       }
       return out;
     }},
    {"stale value",  // of a former call, with other inputs
     [](const Sample& s, const TensorList& r, const Tensor& g, const TensorList& x) -> TensorList {
       TensorList former;
       for (const auto& t : x) former.push_back(t * 0.97 + 0.004);
       TensorList out = true_vjp(s, g, former);
       for (std::size_t i = 0; i < out.size(); ++i)
         if (!allclose(out[i], r[i], 1e-6, 1e-8)) return out;
       return {};  // linear: its derivative is the same everywhere
     }},
    {"elements shifted by one",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) -> TensorList {
       TensorList out = r;
       bool changed = false;
       for (auto& t : out) {
         auto values = t.to_vector<double>();
         if (values.size() < 2) continue;
         std::rotate(values.begin(), values.begin() + 1, values.end());
         const Tensor moved = tensor(values, t.shape());
         changed = changed || !allclose(moved, t, 1e-6, 1e-8);
         t = moved;
       }
       return changed ? out : TensorList{};
     }},
    {"mean everywhere",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) -> TensorList {
       TensorList out;
       bool changed = false;
       for (const auto& t : r) {
         out.push_back(t.numel() ? mean(t).expand(t.shape()).clone() : t);
         changed = changed || !allclose(out.back(), t, 1e-6, 1e-8);
       }
       return changed ? out : TensorList{};
     }},
    {"offset instead of zero cotangent",
     [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) {
       TensorList out;
       for (const auto& t : r) out.push_back(t + 1e-4);
       return out;
     }},
};

/// A sample on which every mutation means something: several elements, a gradient that is not zero.
std::vector<Sample> telling_samples(const OpInfo& op) {
  Sampler sampler(11);
  std::vector<Sample> out;
  for (auto& s : op.samples(sampler)) {
    std::int64_t n = 0;
    bool empty = false;
    for (const auto& x : s.inputs) n += x.numel(), empty = empty || x.numel() == 0;
    if (n < 2 || n > 40 || empty) continue;
    Tensor y = s.call(s.inputs);
    if (y.numel() == 0) continue;
    Generator g(3);
    bool any = true;
    for (const auto& t : true_vjp(s, randn(y.shape(), g, f64), s.inputs)) any = any && !all_zero(t);
    if (any) out.push_back(std::move(s));
  }
  return out;
}

/// gradcheck of the op with a mutated rule. @return false if the mutant was noticed
bool survives(const Sample& s, const Mutant& m, bool& meaningful) {
  CustomOp op{.name = "mutant", .forward = s.call};
  op.vjp = [&](const Tensor& g, const TensorList& x, const Tensor&) {
    const TensorList right = true_vjp(s, g, x);
    NoGrad guard;
    TensorList wrong = m.apply(s, right, g, x);
    if (wrong.empty()) return right;
    meaningful = true;
    return wrong;
  };
  const Function f = [&](const TensorList& x) { return TensorList{op(x)}; };
  return gradcheck(f, s.inputs, {.forward_mode = false}).ok;
}

TEST(Mutation, EveryMutantOfEveryRuleIsCaught) {
  int killed = 0, ops = 0;
  for (const auto& op : detail::op_table()) {
    const auto samples = telling_samples(op);
    if (samples.empty()) {
      const std::set<std::string_view> steps = {"ceil",  "floor", "floor_divide", "heaviside",
                                                "round", "sign",  "trunc"};
      EXPECT_TRUE(steps.contains(op.meta.name))
          << op.meta.name << ": only an op without derivative has nothing to mutate";
      continue;
    }
    ++ops;
    for (const auto& m : mutants) {
      bool meaningful = false, survived = true;
      for (const auto& s : samples) {
        survived = survives(s, m, meaningful);
        if (meaningful && !survived) break;
      }
      if (!meaningful) continue;
      EXPECT_FALSE(survived) << op.meta.name << ": " << m.name;
      killed += !survived;
    }
  }
  report_count("mutants    " + std::to_string(killed) + " of " + std::to_string(ops) + " rules, of " +
               std::to_string(std::size(mutants)) + " kinds, all caught");
  EXPECT_GT(killed, 9 * ops);
}

/// An unmutated rule, wrapped the same way, passes: the wrapper is not what gets caught.
TEST(Mutation, TheUnbrokenRulePasses) {
  const Mutant none{"none",
                    [](const Sample&, const TensorList& r, const Tensor&, const TensorList&) { return r; }};
  for (const auto& op : detail::op_table()) {
    bool meaningful = false;
    for (const auto& s : telling_samples(op))
      EXPECT_TRUE(survives(s, none, meaningful)) << op.meta.name << " " << s.label;
  }
}

TEST(Mutation, AMissingUnBroadcastIsRefused) {
  CustomOp op{.name = "no_sum", .forward = [](const TensorList& x) { return x[0] * x[1]; }};
  op.vjp = [](const Tensor& g, const TensorList& x, const Tensor&) { return TensorList{g * x[1], g * x[0]}; };
  const Function f = [&](const TensorList& x) { return TensorList{op(x)}; };
  EXPECT_THROW(gradcheck(f, {ones({3, 1}, f64), ones({1, 4}, f64)}), ShapeError);
}

TEST(Mutation, OverwritingInsteadOfAccumulatingIsCaught) {
  // x used twice; the rule gives only the second use its gradient.
  CustomOp op{.name = "overwrite", .forward = [](const TensorList& x) { return x[0] * x[1]; }};
  op.vjp = [](const Tensor& g, const TensorList& x, const Tensor&) { return TensorList{Tensor(), g * x[0]}; };
  EXPECT_FALSE(gradcheck([&](const Tensor& x) { return op({x, x}); }, tensor({1.5, 2.5}, f64)));
}

TEST(Mutation, AWrongForwardRuleIsCaught) {
  CustomOp op{.name = "jvp", .forward = [](const TensorList& x) { return sin(x[0]); }};
  op.jvp = [](const TensorList& t, const TensorList& x, const Tensor&) {
    return t[0] * cos(x[0]) * (1 + 1e-9);
  };
  EXPECT_FALSE(gradcheck([&](const Tensor& x) { return op({x}); }, tensor({0.3, 1.1}, f64)));
}

TEST(Mutation, AWrongSecondOrderIsCaught) {
  // Right first derivative; but recorded as if it were constant.
  CustomOp op{.name = "second", .forward = [](const TensorList& x) { return exp(x[0]); }};
  op.vjp = [](const Tensor& g, const TensorList&, const Tensor& y) { return TensorList{g * y.detach()}; };
  auto f = [&](const Tensor& x) { return op({x}); };
  EXPECT_TRUE(gradcheck(f, tensor({0.3, 1.1}, f64)));
  EXPECT_FALSE(gradgradcheck(f, tensor({0.3, 1.1}, f64)));
}

TEST(Gradcheck, ReportsTheWorstEntryBothValuesAndTheStep) {
  CustomOp op{.name = "off", .forward = [](const TensorList& x) { return square(x[0]); }};
  op.vjp = [](const Tensor& g, const TensorList& x, const Tensor&) {
    return TensorList{g * x[0] * tensor({2., 2.5, 2.}, f64)};
  };
  const auto report = gradcheck([&](const Tensor& x) { return op({x}); }, tensor({1., 2., 3.}, f64));
  EXPECT_FALSE(report);
  for (const char* part : {"output 0 at (1,)", "input 0 at (1,)", "analytic 5, numerical ", "h = 0.001"})
    EXPECT_NE(report.text.find(part), std::string::npos) << report.text;
}

TEST(Gradcheck, WantsDoubles) {
  EXPECT_THROW(gradcheck([](const Tensor& x) { return x; }, ones({2})), DtypeError);
}

}  // namespace
}  // namespace cadena
