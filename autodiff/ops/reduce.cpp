// Sums, extremes and their positions.
#include "autodiff/kernels/reduce.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/elementwise_sum.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/kernels/count.hpp"
#include "autodiff/kernels/product.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/rearrange.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

Tensor reduce(kernels::ReduceOp op, const Tensor& x, const Axes& axes, bool keepdim, DType dtype) {
  const Shape shape = reduced_shape(x.shape(), axes, keepdim);
  Tensor out = make_tensor(shape, shape.numel(), dtype);
  kernels::reduce(op, view_of(x), axes, raw_data(out));
  return out;
}

struct Sum : Linear<Sum> {
  static constexpr Meta meta{.name = "sum",
                             .formula = "sum of x over axes",
                             .derivative = "dX = G repeated over the axes",
                             .conventions = "empty: 0"};
  Axes axes;
  bool keepdim;

  Sum(const Axes& a, bool k) : axes(a), keepdim(k) {}
  Tensor eval(const Tensor& x) const {
    if (x.dtype() != boolean) return reduce(kernels::ReduceOp::sum, x, axes, keepdim, x.dtype());
    const Shape shape = reduced_shape(x.shape(), axes, keepdim);
    Tensor out = make_tensor(shape, shape.numel(), i64);
    kernels::count_true(view_of(x), axes, static_cast<std::int64_t*>(raw_data(out)));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape& in) const {
    return expand(keepdim ? g : restore_axes(g, in, axes), in);
  }
  Tensor batch(const BatchedCall& c) const {
    return axes.empty() ? c.x[0] : sum(c.x[0], BatchedCall::shifted(axes), keepdim);
  }
};

/// Ties share the gradient evenly. The shares are piecewise constant, so they are never differentiated.
template <bool largest>
struct Extreme {
  static constexpr Meta meta{.name = largest ? "amax" : "amin",
                             .reads = {X1 | Y},
                             .formula = largest ? "largest x over axes" : "smallest x over axes",
                             .derivative = largest
                                               ? "dX = G at the largest, shared evenly by equals, else 0"
                                               : "dX = G at the smallest, shared evenly by equals, else 0",
                             .conventions = "equals share evenly; NaN wins; empty: an error"};
  Axes axes;
  bool keepdim;

  Tensor eval(const Tensor& x) const {
    return reduce(largest ? kernels::ReduceOp::max : kernels::ReduceOp::min, x, axes, keepdim, x.dtype());
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (!s.needs(0)) return;
    gin[0] = mul(keepdim ? g : restore_axes(g, s.shape(0), axes), shares(s));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const { return sum(mul(t[0], shares(s)), axes, keepdim); }
  Tensor batch(const BatchedCall& c) const {
    return axes.empty() ? c.x[0] : (largest ? amax : amin)(c.x[0], BatchedCall::shifted(axes), keepdim);
  }

 private:
  Tensor shares(const Saved& s) const {
    NoGrad guard;
    const Tensor& x = s.x(0);
    const Tensor top = restore_axes(s.y(), x.shape(), axes);
    const Tensor hits = to(eq(x, top), x.dtype());
    // A row with NaN has no hits: its derivative is NaN where the NaN stand and 0 elsewhere.
    const Tensor count = sum(hits, axes, true);
    return where(isnan(x), x, div(hits, where(eq(count, 0), 1, count)));
  }
};

using Amax = Extreme<true>;
using Amin = Extreme<false>;

/// Contiguous memory of this shape as lines along `axes`, if they are neighbours.
std::optional<kernels::Lines> lines_over(const Shape& shape, const Axes& axes) {
  kernels::Lines lines{1, 1, 1};
  for (int d = 0; d < shape.rank(); ++d) {
    const bool within = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (within && d > axes[0] && std::find(axes.begin(), axes.end(), d - 1) == axes.end())
      return std::nullopt;
    (within ? lines.n : axes.empty() || d < axes[0] ? lines.outer : lines.inner) *= shape[d];
  }
  return lines;
}

/// A tree of products: its derivatives are the products of all others, exact at zeros in every order.
Tensor prod_tree(const Tensor& x, const Axes& axes, bool keepdim) {
  Tensor y = flattened_last(x, axes);
  std::int64_t n = y.shape().back();
  if (n == 0) return add(sum(x, axes, keepdim), 1);
  for (; n > 1; n = y.shape().back()) {
    const std::int64_t half = n / 2;
    const Tensor pairs = mul(slice(y, -1, {0, half}), slice(y, -1, {half, 2 * half}));
    y = n % 2 ? cat({pairs, slice(y, -1, {n - 1, n})}, -1) : pairs;
  }
  return reshape(y, reduced_shape(x.shape(), axes, keepdim));
}

struct Prod : Fused<Prod> {
  static constexpr Meta meta{.name = "prod",
                             .reads = {X1 | Y},
                             .formula = "x1 x2 ... xn",
                             .derivative = "dx[i] = G times the product of the others",
                             .conventions = "empty: 1; at zeros exactly the product of the others"};
  Axes axes;
  bool keepdim;

  Prod(const Axes& a, bool k) : axes(a), keepdim(k) {}
  Tensor eval(const Tensor& x) const {
    return is_floating(x.dtype()) ? reduce(kernels::ReduceOp::prod, x, axes, keepdim, x.dtype())
                                  : prod_tree(x, axes, keepdim);
  }
  Tensor reference(const TensorList& x) const { return prod_tree(x[0], axes, keepdim); }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    const auto lines = lines_over(s.shape(0), axes);
    if (!lines)
      return vjp_by_reference(
          s, [op = *this](const TensorList& x) { return TensorList{op.reference(x)}; }, g, gin);
    const Tensor x = contiguous(s.x(0)), y = s.y(), slopes = contiguous(g);
    gin[0] = fresh(x.shape(), g.dtype());
    in_type(g.dtype(), [&]<class T>(T) {
      kernels::product_of_others<T>(*lines, x.data<T>(), y.data<T>(), slopes.data<T>(), written<T>(gin[0]));
    });
  }
  Tensor batch(const BatchedCall& c) const {
    return axes.empty() ? c.x[0] : prod(c.x[0], BatchedCall::shifted(axes), keepdim);
  }
};

using Call = std::function<Tensor(const Tensor&, const Axes&, bool)>;

std::vector<Sample> axis_samples(Sampler& s, bool empties, const Call& f, const Call& reference = {}) {
  std::vector<Sample> list;
  std::vector<std::pair<Shape, Axes>> cases = {{{}, {}},
                                               {{7}, {}},
                                               {{7}, {0}},
                                               {{3, 4}, {0}},
                                               {{3, 4}, {1}},
                                               {{3, 4}, {}},
                                               {{2, 3, 4}, {1}},
                                               {{2, 3, 4}, {0, 2}},
                                               {{2, 3, 4}, {-1}},
                                               {{1, 5}, {0}},
                                               {{67, 3}, {0}},
                                               {{3, 131}, {1}},
                                               {{2, 3, 1, 2}, {2, 0}},
                                               {{2, 0}, {0}}};
  if (empties)
    for (const auto& c : {std::pair<Shape, Axes>{{0}, {}}, {{2, 0, 3}, {1}}}) cases.push_back(c);
  for (const auto& [shape, axes] : cases)
    for (bool keepdim : {false, true}) {
      const auto with = [axes = axes, keepdim](const Call& g) {
        return [g, axes, keepdim](const TensorList& x) { return g(x[0], axes, keepdim); };
      };
      list.push_back({to_string(shape) + " over " + to_string(axes) + (keepdim ? ", keepdim" : ""),
                      {s.distinct(shape)},
                      with(f)});
      if (reference) list.back().reference = with(reference);
    }
  return list;
}

OpInfo axis_row(const Meta& meta, bool empties, Tensor (*f)(const Tensor&, const Axes&, bool)) {
  return {meta, "reduce", [=](Sampler& s) { return axis_samples(s, empties, f); },
          [=](Sampler& s, std::int64_t n) {
            return Sample{
                "rows", {s.draw({n / 1024, 1024})}, [f](const TensorList& x) { return f(x[0], 1, false); }};
          }};
}

OpInfo prod_row() {
  OpInfo row = axis_row(Prod::meta, true, cadena::prod);
  row.samples = [](Sampler& s) {
    auto list = axis_samples(s, true, cadena::prod, [](const Tensor& x, const Axes& axes, bool keepdim) {
      return prod_tree(x, normalize_axes("prod", axes, x.dim()), keepdim);
    });
    for (std::int64_t zeros : {1, 2}) {
      Tensor x = s.draw({2, 5}, nonzero);
      x.slice(1, {0, zeros}).fill_(0);
      list.push_back(
          {std::to_string(zeros) + " zeros", {x}, [](const TensorList& in) { return prod(in[0], 1); }});
    }
    return list;
  };
  row.large = [](Sampler& s, std::int64_t n) {
    return Sample{"rows", {s.draw({n / 64, 64}, Domain{.low = 0.8, .high = 1.25})}, [](const TensorList& x) {
                    return prod(x[0], 1);
                  }};
  };
  return row;
}

/// Of all elements, and along an axis, where the index is not looked at.
std::vector<Case> extreme_cases(Tensor (*all)(const Tensor&),
                                ValuesIndices (*along)(const Tensor&, int, bool)) {
  std::vector<Case> cases;
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{3, 4}, Shape{2, 3, 2}}) {
    cases.push_back({{shape}, [all](const TensorList& x) { return all(x[0]); }});
    for (bool keepdim : {false, true})
      cases.push_back({{shape.empty() ? Shape{1} : shape},
                       [along, keepdim](const TensorList& x) { return along(x[0], -1, keepdim).values; },
                       keepdim ? "last axis, keepdim" : "last axis"});
  }
  return cases;
}

Tensor mask_of(const Tensor& x) { return x.dtype() == boolean ? x : ne(x, 0); }

Tensor position(kernels::ReduceOp op, const char* name, const Tensor& x, const Axes& axes, bool keepdim) {
  check_not_empty(name, x, axes);
  return unrecorded(x, [=](const Tensor& v, int outer) {
    Axes behind = axes;
    for (auto& a : behind) a += outer;
    if (behind.empty() && outer > 0) return zeros(v.shape(), i64);
    return reduce(op, numeric(v), behind, keepdim, i64);
  });
}

}  // namespace

OpList reduce_ops() {
  const auto to_matrix = [](const TensorList& x) { return sum_to(x[0], {1, 4}); };
  return {axis_row(Sum::meta, true, cadena::sum),
          axis_row(Amax::meta, false, cadena::amax),
          axis_row(Amin::meta, false, cadena::amin),
          prod_row(),
          axis_row(formulas::NanSum::meta, true, cadena::nansum),
          composite(axis_row({.name = "nanmean",
                              .formula = "nansum(x) / (number of x that are not NaN)",
                              .conventions = "nothing but NaN: NaN"},
                             false, cadena::nanmean)),
          composite(axis_row(
              {.name = "aminmax", .formula = "amin(x), amax(x)", .conventions = "as amin and amax"}, false,
              [](const Tensor& x, const Axes& axes, bool keepdim) {
                const MinMax ends = aminmax(x, axes, keepdim);
                return sub(ends.max, mul(ends.min, 3));
              })),
          composite(axis_row({.name = "mean", .formula = "sum(x) / n", .conventions = "empty: NaN"}, false,
                             cadena::mean)),
          composite(case_row(
              {.name = "max",
               .domain = {all_different},
               .formula = "amax(x)",
               .conventions =
                   "over everything as amax; along an axis the first of equals; NaN wins; empty: an error"},
              "reduce", extreme_cases(cadena::max, cadena::max),
              [](std::int64_t n) {
                return Case{{{n / 1024, 1024}}, [](const TensorList& x) { return max(x[0], 1).values; }};
              })),
          composite(case_row(
              {.name = "min",
               .domain = {all_different},
               .formula = "amin(x)",
               .conventions =
                   "over everything as amin; along an axis the first of equals; NaN wins; empty: an error"},
              "reduce", extreme_cases(cadena::min, cadena::min),
              [](std::int64_t n) {
                return Case{{{n / 1024, 1024}}, [](const TensorList& x) { return min(x[0], 1).values; }};
              })),
          composite(case_row(
              {.name = "sum_to", .formula = "sum over broadcast dimensions"}, "reduce",
              {{{{3, 4}}, to_matrix},
               {{{2, 3, 4}},
                [](const TensorList& x) {
                  return sum_to(x[0], {3, 1});
                }},
               {{{2, 3}}, [](const TensorList& x) { return sum_to(x[0], {}); }},
               {{{0, 4}}, to_matrix},
               {{{5}}, [](const TensorList& x) { return sum_to(x[0], {5}); }}},
              [](std::int64_t n) {
                return Case{{{n / 1024, 1024}}, [](const TensorList& x) { return sum_to(x[0], {1024}); }};
              }))};
}

}  // namespace detail

Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) {
  const Axes a = normalize_axes("sum", axes, x.dim());
  return detail::apply(detail::Sum(a, keepdim), x);
}

Tensor mean(const Tensor& x, const Axes& axes, bool keepdim) {
  detail::check_floating("mean", x);
  const Axes a = normalize_axes("mean", axes, x.dim());
  return div(sum(x, a, keepdim), static_cast<double>(detail::count_along(x.shape(), a)));
}

Tensor prod(const Tensor& x, const Axes& axes, bool keepdim) {
  const Axes a = normalize_axes("prod", axes, x.dim());
  return detail::apply(detail::Prod(a, keepdim), detail::numeric(x));
}

Tensor nansum(const Tensor& x, const Axes& axes, bool keepdim) {
  const Axes a = normalize_axes("nansum", axes, x.dim());
  if (!is_floating(x.dtype())) return sum(x, a, keepdim);
  return detail::elementwise_sum(formulas::NanSum{}, a, keepdim, x);
}

Tensor nanmean(const Tensor& x, const Axes& axes, bool keepdim) {
  detail::check_floating("nanmean", x);
  const Axes a = normalize_axes("nanmean", axes, x.dim());
  return div(nansum(x, a, keepdim), sum(eq(x, x), a, keepdim));
}

Tensor count_nonzero(const Tensor& x, const Axes& axes) {
  NoGrad guard;
  return sum(detail::mask_of(x), normalize_axes("count_nonzero", axes, x.dim()));
}
Tensor any(const Tensor& x, const Axes& axes, bool keepdim) {
  NoGrad guard;
  return gt(sum(detail::mask_of(x), normalize_axes("any", axes, x.dim()), keepdim), 0);
}
Tensor all(const Tensor& x, const Axes& axes, bool keepdim) {
  NoGrad guard;
  const Axes a = normalize_axes("all", axes, x.dim());
  return eq(sum(detail::mask_of(x), a, keepdim), detail::count_along(x.shape(), a));
}

Tensor amax(const Tensor& x, const Axes& axes, bool keepdim) {
  const Axes a = normalize_axes("amax", axes, x.dim());
  detail::check_not_empty("amax", x, a);
  return detail::apply(detail::Amax{a, keepdim}, detail::numeric(x));
}
Tensor amin(const Tensor& x, const Axes& axes, bool keepdim) {
  const Axes a = normalize_axes("amin", axes, x.dim());
  detail::check_not_empty("amin", x, a);
  return detail::apply(detail::Amin{a, keepdim}, detail::numeric(x));
}
MinMax aminmax(const Tensor& x, const Axes& axes, bool keepdim) {
  const Axes a = normalize_axes("aminmax", axes, x.dim());
  detail::check_not_empty("aminmax", x, a);
  return {amin(x, a, keepdim), amax(x, a, keepdim)};
}
Tensor max(const Tensor& x) { return amax(x); }
Tensor min(const Tensor& x) { return amin(x); }

ValuesIndices max(const Tensor& x, int axis, bool keepdim) {
  const Axes a = normalize_axis("max", axis, x.dim());
  const Tensor indices = detail::position(kernels::ReduceOp::argmax, "max", x, a, true),
               values = gather(x, axis, indices);
  if (keepdim || x.dim() == 0) return {values, indices};
  return {squeeze(values, axis), squeeze(indices, axis)};
}
ValuesIndices min(const Tensor& x, int axis, bool keepdim) {
  const Axes a = normalize_axis("min", axis, x.dim());
  const Tensor indices = detail::position(kernels::ReduceOp::argmin, "min", x, a, true),
               values = gather(x, axis, indices);
  if (keepdim || x.dim() == 0) return {values, indices};
  return {squeeze(values, axis), squeeze(indices, axis)};
}

Tensor argmax(const Tensor& x) {
  return detail::position(kernels::ReduceOp::argmax, "argmax", x, normalize_axes("argmax", {}, x.dim()),
                          false);
}
Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  return detail::position(kernels::ReduceOp::argmax, "argmax", x, normalize_axis("argmax", axis, x.dim()),
                          keepdim);
}
Tensor argmin(const Tensor& x) {
  return detail::position(kernels::ReduceOp::argmin, "argmin", x, normalize_axes("argmin", {}, x.dim()),
                          false);
}
Tensor argmin(const Tensor& x, int axis, bool keepdim) {
  return detail::position(kernels::ReduceOp::argmin, "argmin", x, normalize_axis("argmin", axis, x.dim()),
                          keepdim);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  const int extra = x.dim() - shape.rank();
  Axes axes;
  for (int i = 0; i < x.dim(); ++i) {
    const bool added = i < extra;
    if (!added && shape[i - extra] == x.shape()[i]) continue;
    if (extra < 0 || (!added && shape[i - extra] != 1))
      throw ShapeError("[sum_to] expected a shape that broadcasts to " + to_string(x.shape()) + ", got " +
                       to_string(shape));
    axes.push_back(i);
  }
  if (extra < 0)
    throw ShapeError("[sum_to] expected at most " + std::to_string(x.dim()) + " dimensions, got " +
                     to_string(shape));
  if (axes.empty()) return x;
  const Tensor reduced = sum(x, axes, extra == 0);
  return extra == 0 ? reduced : reshape(reduced, shape);
}

}  // namespace cadena
