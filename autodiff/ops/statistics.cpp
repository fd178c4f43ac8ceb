// Variance, standard deviation and norms.
#include "autodiff/ops/statistics.hpp"

#include <cmath>
#include <limits>
#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/elementwise_sum.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/kernels/moments.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

struct Moments {
  Tensor mean, squares;
};

/// Mean and sum of squared distances from it, for n >= 1 elements, outside the graph.
Moments moments(const Tensor& x, const Axes& axes, bool keepdim) {
  const Tensor rows = contiguous(flattened_last(x, axes));
  const Shape shape = reduced_shape(x.shape(), axes, keepdim);
  const std::int64_t count = shape.numel(), n = rows.shape().back();
  Moments m{make_tensor(shape, count, x.dtype()), make_tensor(shape, count, x.dtype())};
  const auto run = [&]<class T>(T) {
    kernels::moments(count, n, rows.data<T>(), static_cast<T*>(raw_data(m.mean)),
                     static_cast<T*>(raw_data(m.squares)));
  };
  if (x.dtype() == f32)
    run(float{});
  else
    run(double{});
  return m;
}

/// The distances from the mean. Taken from those to the first element, so that they are exactly 0 where all
/// elements are equal; no choice of that origin changes them.
Tensor centered(const Tensor& x, const Axes& axes) {
  Tensor origin = x.detach();
  for (auto a : axes) origin = slice(origin, static_cast<int>(a), {0, 1});
  const Tensor shifted = sub(x, origin);
  return sub(shifted, mean(shifted, axes, true));
}

struct Var {
  static constexpr Meta meta{.name = "var",
                             .reads = {X1},
                             .formula = "sum((x - mean(x))^2) / (n - correction)",
                             .derivative = "dx = G 2 (x - mean(x)) / (n - correction)",
                             .conventions = "n - correction <= 0: NaN"};
  Axes axes;
  bool keepdim;
  double scale;  // 1 / (n - correction), or NaN

  Tensor eval(const Tensor& x) const { return mul(moments(x, axes, keepdim).squares, scale); }
  Tensor batch(const BatchedCall& c) const {
    return axes.empty() ? Tensor() : apply(Var{BatchedCall::shifted(axes), keepdim, scale}, c.x[0]);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor spread = keepdim ? g : restore_axes(g, s.shape(0), axes);
    gin[0] = mul(mul(spread, 2 * scale), centered(s.x(0), axes));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    return mul(sum(mul(centered(s.x(0), axes), t[0]), axes, keepdim), 2 * scale);
  }
};

Tensor variance(const char* op, const Tensor& x, const Axes& axes, const VarOptions& options) {
  check_floating(op, x);
  if (!std::isfinite(options.correction))
    throw ValueError("[" + std::string(op) + "] expected a finite correction, got " +
                     std::to_string(options.correction));
  const Axes a = normalize_axes(op, axes, x.dim());
  const std::int64_t n = count_along(x.shape(), a);
  const double rest = static_cast<double>(n) - options.correction;
  const double scale = rest > 0 ? 1 / rest : std::numeric_limits<double>::quiet_NaN();
  if (n == 0) return add(sum(x, a, options.keepdim), std::numeric_limits<double>::quiet_NaN());
  return apply(Var{a, options.keepdim, scale}, x);
}

/// sum(|x|^p)^(1/p). Zeros and sums of 0 are set apart: they have no share in the derivative.
Tensor power_norm(const Tensor& x, double p, const Axes& axes, bool keepdim) {
  Tensor is_zero;
  {
    NoGrad guard;
    is_zero = eq(x, 0);
  }
  const Tensor powers =
      where(is_zero, p > 0 ? 0 : std::numeric_limits<double>::infinity(), pow(abs(where(is_zero, 1, x)), p));
  const Tensor total = sum(powers, axes, keepdim);
  Tensor nothing;
  {
    NoGrad guard;
    nothing = eq(total, 0);
  }
  return where(nothing, p > 0 ? 0 : std::numeric_limits<double>::infinity(),
               pow(where(nothing, 1, total), 1 / p));
}

Tensor norm_of(const char* op, const Tensor& x, double ord, const Axes& axes, bool keepdim) {
  check_floating(op, x);
  if (std::isnan(ord)) throw ValueError("[" + std::string(op) + "] expected an order, got NaN");
  const Axes a = normalize_axes(op, axes, x.dim());
  if (ord < 0 || std::isinf(ord)) check_not_empty(op, x, a);
  if (std::isinf(ord)) return ord > 0 ? amax(abs(x), a, keepdim) : amin(abs(x), a, keepdim);
  if (ord == 2) return root(elementwise_sum(formulas::SquareSum{}, a, keepdim, x));
  if (ord == 1) return elementwise_sum(formulas::AbsSum{}, a, keepdim, x);
  if (ord != 0) return power_norm(x, ord, a, keepdim);
  // A count does not change with x: connected to it all the same, with derivative 0.
  return sum(where(zeros({}, boolean), x, to(ne(x, 0), x.dtype())), a, keepdim);
}

/// (variables, observations), of f32 or f64.
Tensor observations(const char* op, const Tensor& x) {
  check_floating(op, x);
  if (x.dim() != 1 && x.dim() != 2)
    throw ShapeError("[" + std::string(op) + "] expected (variables, observations) or (observations), got " +
                     to_string(x.shape()));
  return x.dim() == 2 ? x : unsqueeze(x, 0);
}

Tensor checked_weights(const char* what, const Tensor& weights, const Tensor& x) {
  if (!weights.defined()) return ones({x.size(1)}, x.dtype());
  if (!(weights.shape() == Shape{x.size(1)}))
    throw ShapeError("[cov] expected " + std::string(what) + " (" + std::to_string(x.size(1)) + "), got " +
                     to_string(weights.shape()));
  NoGrad guard;
  repeatable("cov", [=] {
    if (weights.numel() > 0 && min(weights).item() < 0)
      throw ValueError("[cov] expected " + std::string(what) + " >= 0, got " +
                       std::to_string(min(weights).item()));
  });
  return to(weights, x.dtype());
}

using Call = std::function<Tensor(const Tensor&, const Axes&, bool)>;

std::vector<Case> cases_of(const Call& call, std::string label = {}) {
  std::vector<Case> cases;
  const std::pair<Shape, Axes> shapes[] = {{{7}, {}},        {{3, 4}, {0}},       {{3, 4}, {-1}},
                                           {{2, 3, 4}, {1}}, {{2, 3, 4}, {0, 2}}, {{2, 35}, {1}},
                                           {{0, 3}, {1}}};
  for (const auto& [shape, axes] : shapes)
    for (bool keepdim : {false, true})
      cases.push_back(
          {{shape},
           [call, axes = axes, keepdim](const TensorList& x) { return call(x[0], axes, keepdim); },
           label + " over " + to_string(axes) + (keepdim ? ", keepdim" : "")});
  return cases;
}

std::vector<Case> joined(std::vector<std::vector<Case>> lists) {
  std::vector<Case> all;
  for (auto& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

OpInfo row(const Meta& meta, std::vector<Case> cases) {
  const auto call = cases[4].call;  // over the last of two axes
  return case_row(meta, "reduce", std::move(cases), [call](std::int64_t n) {
    return Case{{{n / 256, 256}}, call};
  });
}

std::vector<Case> norm_cases() {
  std::vector<std::vector<Case>> lists;
  for (double ord : {2.0, 1.0, 3.0, 1.5, 0.5, -1.0, std::numeric_limits<double>::infinity(),
                     -std::numeric_limits<double>::infinity()})
    lists.push_back(cases_of([ord](const Tensor& x, const Axes& axes,
                                   bool keepdim) { return vector_norm(add(x, 1.5), ord, axes, keepdim); },
                             "order " + std::to_string(ord)));
  return joined(lists);
}

}  // namespace

OpList statistics_ops() {
  const auto with = [](double correction) {
    return [correction](bool keepdim) { return VarOptions{.correction = correction, .keepdim = keepdim}; };
  };
  const auto var_of = [with](double c) {
    return cases_of([o = with(c)](const Tensor& x, const Axes& a, bool k) { return var(x, a, o(k)); },
                    "correction " + std::to_string(c));
  };
  const auto std_of = [with](double c) {
    return cases_of([o = with(c)](const Tensor& x, const Axes& a, bool k) { return std(x, a, o(k)); },
                    "correction " + std::to_string(c));
  };
  return {row(Var::meta, joined({var_of(1), var_of(0), var_of(1.5)})),
          composite(row({.name = "std",
                         .formula = "sqrt(var(x))",
                         .conventions = "n - correction <= 0: NaN; nothing varies: derivative 0"},
                        joined({std_of(1), std_of(0)}))),
          composite(row({.name = "var_mean", .formula = "var(x), mean(x)"},
                        cases_of([](const Tensor& x, const Axes& a, bool k) {
                          const VarMean both = var_mean(x, a, {.keepdim = k});
                          return add(both.var, mul(both.mean, both.var));
                        }))),
          composite(row({.name = "std_mean", .formula = "std(x), mean(x)"},
                        cases_of([](const Tensor& x, const Axes& a, bool k) {
                          const StdMean both = std_mean(x, a, {.keepdim = k});
                          return add(both.std, mul(both.mean, both.std));
                        }))),
          row(formulas::SquareSum::meta, cases_of([](const Tensor& x, const Axes& a, bool k) {
                return elementwise_sum(formulas::SquareSum{}, normalize_axes("sum", a, x.dim()), k, x);
              })),
          row(formulas::AbsSum::meta, cases_of([](const Tensor& x, const Axes& a, bool k) {
                return elementwise_sum(formulas::AbsSum{}, normalize_axes("sum", a, x.dim()), k, x);
              })),
          composite(row({.name = "vector_norm",
                         .domain = {all_different},
                         .formula = "sum(|x|^ord)^(1/ord)",
                         .conventions = "derivative 0 where all is 0"},
                        norm_cases())),
          composite(case_row(
              {.name = "cov", .domain = {real, unit}, .formula = "(x - mean(x)) (x - mean(x))^T / (n - 1)"},
              "reduce",
              {{{{3, 5}}, [](const TensorList& x) { return cov(x[0]); }},
               {{{4}}, [](const TensorList& x) { return cov(x[0], {.correction = 0}); }},
               {{{2, 4}, {4}}, [](const TensorList& x) { return cov(x[0], {.aweights = x[1]}); }},
               {{{2, 3}, {3}},
                [](const TensorList& x) {
                  return cov(x[0], {.fweights = tensor({2, 1, 3}), .aweights = x[1]});
                }},
               {{{0, 3}}, [](const TensorList& x) { return cov(x[0]); }}},
              [](std::int64_t n) {
                return Case{{{8, n / 8}}, [](const TensorList& x) { return cov(x[0]); }};
              })),
          composite(case_row({.name = "corrcoef",
                              .domain = {all_different},
                              .formula = "cov(x) / (std(x) std(x)^T)",
                              .conventions = "nothing varies: NaN"},
                             "reduce",
                             {{{{3, 5}}, [](const TensorList& x) { return corrcoef(x[0]); }},
                              {{{2, 4}}, [](const TensorList& x) { return corrcoef(x[0]); }},
                              {{{0, 3}}, [](const TensorList& x) { return corrcoef(x[0]); }}},
                             [](std::int64_t n) {
                               return Case{{{8, n / 8}}, [](const TensorList& x) { return corrcoef(x[0]); }};
                             })),
          composite(row({.name = "norm",
                         .domain = {kink_at_zero},
                         .formula = "vector_norm(x, p)",
                         .conventions = "derivative 0 where all is 0"},
                        cases_of([](const Tensor& x, const Axes& a, bool k) { return norm(x, 2, a, k); })))};
}

}  // namespace detail

Tensor var(const Tensor& x, const Axes& axes, const VarOptions& options) {
  return detail::variance("var", x, axes, options);
}
Tensor std(const Tensor& x, const Axes& axes, const VarOptions& options) {
  return detail::root(detail::variance("std", x, axes, options));
}
VarMean var_mean(const Tensor& x, const Axes& axes, const VarOptions& options) {
  return {detail::variance("var_mean", x, axes, options), mean(x, axes, options.keepdim)};
}
StdMean std_mean(const Tensor& x, const Axes& axes, const VarOptions& options) {
  return {detail::root(detail::variance("std_mean", x, axes, options)), mean(x, axes, options.keepdim)};
}

Tensor cov(const Tensor& x, const CovOptions& o) {
  const Tensor rows = detail::observations("cov", x);
  const Tensor importance = detail::checked_weights("aweights", o.aweights, rows);
  const Tensor w = mul(detail::checked_weights("fweights", o.fweights, rows), importance), total = sum(w);
  // What of the weights is a count; without aweights the number of observations.
  const Tensor lost = o.aweights.defined() ? div(sum(mul(w, importance)), total) : ones({}, x.dtype());
  const Tensor centered = sub(rows, div(sum(mul(rows, w), 1, true), total));
  const Tensor left = sub(total, mul(lost, o.correction));
  const Tensor c = div(matmul(mul(centered, w), transpose(centered, 0, 1)), where(gt(left, 0), left, NAN));
  return x.dim() == 2 ? c : reshape(c, {});
}

Tensor corrcoef(const Tensor& x) {
  const Tensor rows = detail::observations("corrcoef", x);
  const Tensor centered = sub(rows, mean(rows, 1, true));
  const Tensor c = matmul(centered, transpose(centered, 0, 1)), d = sqrt(diagonal(c));
  Tensor itself;  // 1, whatever x is, and NaN if nothing varies: computed, its derivative would be rounding
  {
    const NoGrad guard;
    itself = div(d, d);
  }
  const Tensor r = where(eye(rows.size(0), boolean), itself, clamp(div(c, mul(unsqueeze(d, 1), d)), -1, 1));
  return x.dim() == 2 ? r : reshape(r, {});
}

Tensor vector_norm(const Tensor& x, double ord, const Axes& axes, bool keepdim) {
  return detail::norm_of("vector_norm", x, ord, axes, keepdim);
}
Tensor norm(const Tensor& x, double p, const Axes& axes, bool keepdim) {
  return detail::norm_of("norm", x, p, axes, keepdim);
}

}  // namespace cadena
