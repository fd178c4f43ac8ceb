// Composites of differences and running sums.
#include "autodiff/ops/calculus.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "autodiff/core/elementwise_sum.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/special.hpp"
#include "autodiff/ops/trigonometric.hpp"

namespace cadena {
namespace detail {
namespace {

void check_samples(const char* op, const Tensor& y) {
  if (!is_floating(y.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(y.dtype())));
  if (y.dim() == 0) throw ShapeError("[" + std::string(op) + "] expected at least one dimension, got ()");
}

/// Area between each sample and the next.
Tensor areas(const char* op, const Tensor& y, const Operand& x, int axis) {
  check_samples(op, y);
  const int a = normalize_axis(op, axis, y.dim());
  const Tensor means = mul(add(slice(y, a, {1, {}}), slice(y, a, {0, -1})), 0.5);
  if (!x.tensor()) return mul(means, x);
  Tensor at = *x.tensor();
  if (at.dim() == 1) {
    Shape along;
    for (int i = 0; i < y.dim(); ++i) along.push_back(i == a ? at.numel() : 1);
    at = reshape(at, along);
  }
  if (at.dim() != y.dim() || at.size(a) != y.size(a) || !(broadcast(op, at.shape(), y.shape()) == y.shape()))
    throw ShapeError("[" + std::string(op) + "] expected x of y's shape or a vector along the axis, got " +
                     to_string(x.tensor()->shape()) + " and " + to_string(y.shape()));
  return mul(means, diff(at, 1, a));
}

/// From slopes s between neighbours that are d apart: in the middle a mean, at the ends along the line or
/// the parabola.
Tensor slopes(const Tensor& x, const Tensor& d, int a, int edge_order) {
  const Tensor s = div(diff(x, 1, a), d);
  const Tensor s1 = slice(s, a, {0, -1}), s2 = slice(s, a, {1, {}});
  const Tensor d1 = slice(d, a, {0, -1}), d2 = slice(d, a, {1, {}}), both = add(d1, d2);
  const Tensor middle = div(add(mul(d2, s1), mul(d1, s2)), both);
  Tensor first = slice(s, a, {0, 1}), last = slice(s, a, {-1, {}});
  if (edge_order == 2) {
    const Tensor bend = div(sub(s2, s1), both);
    first = sub(first, mul(slice(bend, a, {0, 1}), slice(d, a, {0, 1})));
    last = add(last, mul(slice(bend, a, {-1, {}}), slice(d, a, {-1, {}})));
  }
  return cat({first, middle, last}, a);
}

/// What lies between the samples along the i-th of the axes, which broadcasts against x.
Tensor steps_of(const Tensor& x, const GradientOptions& o, std::size_t i, int a) {
  Shape along;
  for (int k = 0; k < x.dim(); ++k) along.push_back(k == a ? x.size(a) - 1 : 1);
  if (o.coordinates.empty()) return full(along, o.spacing[o.spacing.size() == 1 ? 0 : i], x.dtype());
  const Tensor& at = o.coordinates[i];
  if (!(at.shape() == Shape{x.size(a)}))
    throw ShapeError("[gradient] expected " + std::to_string(x.size(a)) + " coordinates along axis " +
                     std::to_string(a) + ", got " + to_string(at.shape()));
  return reshape(diff(to(at, x.dtype())), along);
}

/// 0, 2 pi / m, ... of n points of a window.
Tensor phases(const char* op, std::int64_t n, const TaperOptions& o) {
  if (!is_floating(o.dtype))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(o.dtype)));
  if (n < 0) throw ValueError("[" + std::string(op) + "] expected n >= 0, got " + std::to_string(n));
  const auto m = static_cast<double>(std::max<std::int64_t>(1, o.periodic ? n : n - 1));
  return mul(arange(0, n, 1, f64), 2 * std::numbers::pi / m);
}

/// A window as it was computed; one point alone is 1.
Tensor window(const Tensor& values, const TaperOptions& o) {
  return values.numel() == 1 ? ones({1}, o.dtype) : to(values, o.dtype);
}

}  // namespace
}  // namespace detail

Tensor trapezoid(const Tensor& y, const Operand& x, int axis) {
  if (x.tensor()) return sum(detail::areas("trapezoid", y, x, axis), axis);
  detail::check_samples("trapezoid", y);
  const int a = normalize_axis("trapezoid", axis, y.dim());
  const Tensor ends =
      detail::elementwise_sum(formulas::Trapezoid{}, a, false, slice(y, a, {0, -1}), slice(y, a, {1, {}}));
  return mul(ends, 0.5 * x.scalar().to<double>());
}
Tensor cumulative_trapezoid(const Tensor& y, const Operand& x, int axis) {
  return cumsum(detail::areas("cumulative_trapezoid", y, x, axis), axis);
}

std::vector<Tensor> gradient(const Tensor& x, const GradientOptions& o) {
  detail::check_samples("gradient", x);
  const Axes axes = normalize_axes("gradient", o.axes, x.dim());
  const auto n = static_cast<std::size_t>(axes.rank());
  if (o.coordinates.empty() ? o.spacing.size() != 1 && o.spacing.size() != n : o.coordinates.size() != n)
    throw ValueError("[gradient] expected one spacing, or spacings or coordinates for each of " +
                     std::to_string(n) + " axes, got " +
                     std::to_string(o.coordinates.empty() ? o.spacing.size() : o.coordinates.size()));
  if (o.edge_order != 1 && o.edge_order != 2)
    throw ValueError("[gradient] expected edge_order 1 or 2, got " + std::to_string(o.edge_order));
  std::vector<Tensor> all;
  for (std::size_t i = 0; i < n; ++i) {
    const int a = static_cast<int>(axes[static_cast<int>(i)]);
    if (x.size(a) < o.edge_order + 1)
      throw ShapeError("[gradient] expected at least " + std::to_string(o.edge_order + 1) +
                       " samples along axis " + std::to_string(a) + ", got " + to_string(x.shape()));
    all.push_back(detail::slopes(x, detail::steps_of(x, o, i, a), a, o.edge_order));
  }
  return all;
}

Tensor vander(const Tensor& x, std::optional<std::int64_t> columns, bool increasing) {
  detail::check_samples("vander", x);
  const std::int64_t n = columns.value_or(x.size(-1));
  if (n < 1) throw ValueError("[vander] expected columns >= 1, got " + std::to_string(n));
  Shape shape = x.shape();
  shape.push_back(n);
  checked_numel("vander", shape, itemsize(x.dtype()));
  // Running products, whose derivatives are right for x = 0, too.
  shape[x.dim()] = 1;
  const Tensor one = ones(shape, x.dtype()), column = reshape(x, shape);
  shape[x.dim()] = n - 1;
  const Tensor powers = cat({one, cumprod(expand(column, shape), -1)}, -1);
  return increasing ? powers : flip(powers, {-1});
}

Tensor logspace(double start, double end, std::int64_t steps, double base, DType dtype) {
  if (!is_floating(dtype))
    throw DtypeError("[logspace] expected dtype f32 or f64, got " + std::string(name(dtype)));
  if (!(base > 0)) throw ValueError("[logspace] expected base > 0, got " + std::to_string(base));
  if (steps < 0) throw ValueError("[logspace] expected steps >= 0, got " + std::to_string(steps));
  return to(pow(full({}, base, f64), linspace(start, end, steps, f64)), dtype);
}

Tensor hann_window(std::int64_t n, const TaperOptions& o) {
  return detail::window(mul(sub(1, cos(detail::phases("hann_window", n, o))), 0.5), o);
}
Tensor hamming_window(std::int64_t n, const TaperOptions& o) {
  return detail::window(sub(0.54, mul(cos(detail::phases("hamming_window", n, o)), 0.46)), o);
}
Tensor blackman_window(std::int64_t n, const TaperOptions& o) {
  const Tensor t = detail::phases("blackman_window", n, o);
  return detail::window(add(sub(0.42, mul(cos(t), 0.5)), mul(cos(mul(t, 2)), 0.08)), o);
}
Tensor bartlett_window(std::int64_t n, const TaperOptions& o) {
  const Tensor u = sub(div(detail::phases("bartlett_window", n, o), std::numbers::pi), 1);
  return detail::window(sub(1, abs(u)), o);
}
Tensor kaiser_window(std::int64_t n, double beta, const TaperOptions& o) {
  const Tensor u = sub(div(detail::phases("kaiser_window", n, o), std::numbers::pi), 1);
  if (!(beta >= 0)) throw ValueError("[kaiser_window] expected beta >= 0, got " + std::to_string(beta));
  const Tensor inside = maximum(sub(1, square(u)), 0);  // of rounding
  return detail::window(div(i0(mul(sqrt(inside), beta)), i0(full({}, beta, f64))), o);
}

namespace detail {
namespace {

/// The results, each with its own factor, as one tensor.
Tensor as_one(const std::vector<Tensor>& parts) {
  std::vector<Tensor> list;
  for (std::size_t i = 0; i < parts.size(); ++i) list.push_back(mul(parts[i], 1.0 + static_cast<double>(i)));
  return stack(list);
}

OpInfo row(const Meta& meta, std::vector<Case> cases) {
  const auto call = cases[0].call;
  const std::size_t inputs = cases[0].shapes.size();
  return composite(case_row(meta, "calculus", std::move(cases), [call, inputs](std::int64_t n) {
    return Case{std::vector<Shape>(inputs, Shape{n / 8, 8}), call};
  }));
}

}  // namespace

OpList calculus_ops() {
  using L = const TensorList&;
  constexpr Domain apart{.low = 1, .high = 1.5};  // of steps
  const std::vector<std::vector<Shape>> shapes = {
      {{3, 5}, {3, 5}}, {{3, 5}, {5}}, {{4, 3}, {4, 1}}, {{2, 1}, {1}}, {{0, 3}, {3}}};
  std::vector<Case> integrals, sums;
  for (const auto& pair : shapes) {
    const int axis = pair[1] == Shape{4, 1} ? 0 : -1;
    integrals.push_back({pair, [axis](L x) { return trapezoid(x[0], x[1], axis); }});
    sums.push_back({pair, [axis](L x) { return cumulative_trapezoid(x[0], x[1], axis); }});
  }
  integrals.push_back({{{5, 2}}, [](L x) { return trapezoid(x[0], 0.5, 0); }});
  sums.push_back({{{5, 2}}, [](L x) { return cumulative_trapezoid(x[0], 0.5, 0); }});
  const auto uneven = [](int edge_order) {
    return [edge_order](L x) {
      const Tensor at = cat({zeros({1}, x[1].dtype()), cumsum(x[1], 0)});
      return gradient(x[0], {.coordinates = {at}, .axes = 0, .edge_order = edge_order})[0];
    };
  };
  return {
      row(formulas::Trapezoid::meta, std::move(integrals)),
      row({.name = "cumulative_trapezoid", .formula = "cumsum((y[i] + y[i + 1]) / 2 (x[i + 1] - x[i]))"},
          std::move(sums)),
      composite(case_row({.name = "gradient",
                          .domain = {real, apart},
                          .formula = "(x[i + 1] - x[i - 1]) / (2 h); at the ends (x[1] - x[0]) / h"},
                         "calculus",
                         {{{{3, 4}},
                           [](L x) {
                             return as_one(gradient(x[0], {.spacing = {0.5, 2}}));
                           }},
                          {{{2, 3}}, [](L x) { return gradient(x[0], {.axes = 1, .edge_order = 2})[0]; }},
                          {{{2}}, [](L x) { return gradient(x[0])[0]; }},
                          {{{5, 2}, {4}}, uneven(1)},
                          {{{4}, {3}}, uneven(2)},
                          {{{0, 3}}, [](L x) { return gradient(x[0], {.axes = 1})[0]; }}},
                         [](std::int64_t n) {
                           return Case{{{n / 256, 256}}, [](L x) { return as_one(gradient(x[0])); }};
                         })),
      composite(case_row({.name = "vander", .formula = "y[i, j] = x[i]^(columns - 1 - j)"}, "calculus",
                         {{{{3}}, [](L x) { return vander(x[0]); }},
                          {{{2, 3}}, [](L x) { return vander(x[0], 4, true); }},
                          {{{3}}, [](L x) { return vander(x[0], 1); }},
                          {{{0}}, [](L x) { return vander(x[0], 2); }}},
                         [](std::int64_t n) {
                           return Case{{{n / 8}}, [](L x) { return vander(x[0], 8); }};
                         })),
  };
}

}  // namespace detail
}  // namespace cadena
