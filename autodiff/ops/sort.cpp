// Kernels find positions; values are gathered from them, which is also their derivative.
#include "autodiff/kernels/sort.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena {
namespace detail {
namespace {

/// x as contiguous rows along `axis`, outside the graph; one row for rank 0.
struct RowsOf {
  Tensor x;
  kernels::Rows rows;

  RowsOf(const Tensor& t, int axis) {
    NoGrad guard;
    x = contiguous(numeric(t.dim() == 0 ? reshape(t, {1}) : axis_last(t, axis)));
    const std::int64_t n = x.shape().back();
    rows = {n == 0 ? 0 : x.numel() / n, n, x.dtype(), raw_impl(x)->data};
  }
  Shape shape(std::int64_t last) const {
    Shape s = x.shape();
    s[s.rank() - 1] = last;
    return s;
  }
};

std::int64_t* memory(const Tensor& indices) { return static_cast<std::int64_t*>(raw_impl(indices)->data); }

/// The axis that `indices` has last goes where x has it.
Tensor placed(const Tensor& indices, const Tensor& x, int axis) {
  return x.dim() == 0 ? reshape(indices, {}) : contiguous(axis_back(indices, axis));
}

Tensor order(const Tensor& x, int axis, bool descending, std::int64_t k) {
  const RowsOf r(x, axis);
  const Shape shape = r.shape(k);
  Tensor indices = make_tensor(shape, shape.numel(), i64);
  kernels::argsort(r.rows, descending, k, memory(indices));
  return placed(indices, x, axis);
}

/// Values at `indices`, which have extent 1 along `axis`.
ValuesIndices picked(const Tensor& x, int axis, const Tensor& indices, bool keepdim) {
  const Tensor values = gather(x, axis, indices);
  if (keepdim || x.dim() == 0) return {values, indices};
  return {squeeze(values, axis), squeeze(indices, axis)};
}

std::int64_t extent(const Tensor& x, int axis) { return x.dim() == 0 ? 1 : x.shape()[axis]; }

int nonempty_axis(const char* op, const Tensor& x, int axis) {
  const int a = axis_or_vector(op, axis, x.dim());
  if (x.dim() > 0) check_not_empty(op, x, a);
  return a;
}

/// Without NaN the element of rank (valid - 1) / 2; with NaN that one of what is left, or the first NaN.
ValuesIndices median_along(const char* op, const Tensor& x, int axis, bool keepdim, bool skip_nan) {
  const int a = nonempty_axis(op, x, axis);
  const RowsOf r(x, a);
  const Shape shape = r.shape(1);
  Tensor indices = make_tensor(shape, shape.numel(), i64);
  Tensor ranks;
  {
    NoGrad guard;
    const Tensor valid = sum(eq(r.x, r.x), -1, true);
    ranks = make_tensor(shape, shape.numel(), i64);
    const std::int64_t n = r.rows.n, *count = memory(valid);
    for (std::int64_t i = 0; i < r.rows.rows; ++i)
      memory(ranks)[i] = count[i] == 0 ? 0 : skip_nan || count[i] == n ? (count[i] - 1) / 2 : count[i];
  }
  kernels::arg_kth(r.rows, memory(ranks), memory(indices));
  return picked(x, a, placed(indices, x, a), keepdim);
}

Tensor median_of_all(const char* op, const Tensor& x, bool skip_nan) {
  return median_along(op, reshape(x, {x.numel()}), 0, false, skip_nan).values;
}

std::vector<Case> cases_of(const std::function<Tensor(const Tensor&, int)>& f) {
  std::vector<Case> cases;
  const std::pair<Shape, int> shapes[] = {{{}, 0},     {{1}, 0},       {{7}, -1},    {{3, 4}, 0},
                                          {{3, 4}, 1}, {{2, 3, 4}, 1}, {{0, 3}, -1}, {{2, 33}, 1}};
  for (const auto& [shape, axis] : shapes)
    cases.push_back({{shape},
                     [f, axis = axis](const TensorList& x) { return f(x[0], axis); },
                     "axis " + std::to_string(axis)});
  return cases;
}

OpInfo row(const char* name, const char* formula, const std::function<Tensor(const Tensor&, int)>& f) {
  const bool skips_nan = std::string_view(name) == "nanmedian";
  const Meta meta{
      .name = name,
      .domain = {all_different},
      .formula = formula,
      .conventions = skips_nan ? "of equals the first" : "of equals the first; NaN is the largest"};
  return composite(case_row(meta, "sort", cases_of(f), [f](std::int64_t n) {
    return Case{{{n / 256, 256}}, [f](const TensorList& x) { return f(x[0], 1); }};
  }));
}

}  // namespace

OpList sort_ops() {
  const auto half = [](const Tensor& x, int axis) {
    return (extent(x, axis < 0 ? axis + x.dim() : axis) + 1) / 2;
  };
  return {
      row("sort", "x in ascending or descending order",
          [](const Tensor& x, int axis) {
            return sub(sort(x, axis).values, mul(sort(x, axis, true).values, 3));
          }),
      row("topk", "the k largest or smallest",
          [half](const Tensor& x, int axis) {
            const std::int64_t k = half(x, axis);
            return sub(topk(x, k, axis).values, mul(topk(x, k, axis, false).values, 3));
          }),
      row("kthvalue", "the k-th smallest",
          [half](const Tensor& x, int axis) { return kthvalue(x, half(x, axis), axis).values; }),
      row("median", "kthvalue in the middle",
          [](const Tensor& x, int axis) {
            const Tensor along = median(x, axis, true).values;
            return x.numel() > 0 ? add(along, mul(median(x), 2)) : along;
          }),
      row("nanmedian", "median of what is not NaN",
          [](const Tensor& x, int axis) {
            const Tensor along = nanmedian(x, axis, true).values;
            return x.numel() > 0 ? add(along, mul(nanmedian(x), 2)) : along;
          }),
      row("mode", "the most frequent value", [](const Tensor& x, int axis) { return mode(x, axis).values; }),
  };
}

}  // namespace detail

ValuesIndices sort(const Tensor& x, int axis, bool descending) {
  const int a = detail::axis_or_vector("sort", axis, x.dim());
  const Tensor indices = detail::order(x, a, descending, detail::extent(x, a));
  return {gather(x, a, indices), indices};
}

Tensor argsort(const Tensor& x, int axis, bool descending) {
  const int a = detail::axis_or_vector("argsort", axis, x.dim());
  return detail::order(x, a, descending, detail::extent(x, a));
}

ValuesIndices topk(const Tensor& x, std::int64_t k, int axis, bool largest) {
  const int a = detail::axis_or_vector("topk", axis, x.dim());
  if (k < 0 || k > detail::extent(x, a) || (x.dim() == 0 && k == 0))
    throw ValueError("[topk] expected k in [0, " + std::to_string(detail::extent(x, a)) + "] for axis " +
                     std::to_string(a) + " of " + to_string(x.shape()) + ", got " + std::to_string(k));
  const Tensor indices = detail::order(x, a, largest, k);
  return {gather(x, a, indices), indices};
}

ValuesIndices kthvalue(const Tensor& x, std::int64_t k, int axis, bool keepdim) {
  const int a = detail::axis_or_vector("kthvalue", axis, x.dim());
  if (k < 1 || k > detail::extent(x, a))
    throw ValueError("[kthvalue] expected k in [1, " + std::to_string(detail::extent(x, a)) + "] for axis " +
                     std::to_string(a) + " of " + to_string(x.shape()) + ", got " + std::to_string(k));
  const detail::RowsOf r(x, a);
  const Shape shape = r.shape(1);
  const Tensor indices = empty(shape, i64), ranks = full(shape, k - 1, i64);
  kernels::arg_kth(r.rows, detail::memory(ranks), detail::memory(indices));
  return detail::picked(x, a, detail::placed(indices, x, a), keepdim);
}

Tensor median(const Tensor& x) { return detail::median_of_all("median", x, false); }
ValuesIndices median(const Tensor& x, int axis, bool keepdim) {
  return detail::median_along("median", x, axis, keepdim, false);
}
Tensor nanmedian(const Tensor& x) { return detail::median_of_all("nanmedian", x, true); }
ValuesIndices nanmedian(const Tensor& x, int axis, bool keepdim) {
  return detail::median_along("nanmedian", x, axis, keepdim, true);
}

ValuesIndices mode(const Tensor& x, int axis, bool keepdim) {
  const int a = detail::nonempty_axis("mode", x, axis);
  const detail::RowsOf r(x, a);
  const Shape shape = r.shape(1);
  const Tensor sorted = empty(r.x.shape(), i64), indices = empty(shape, i64);
  kernels::argsort(r.rows, false, r.rows.n, detail::memory(sorted));
  kernels::arg_mode(r.rows, detail::memory(sorted), detail::memory(indices));
  return detail::picked(x, a, detail::placed(indices, x, a), keepdim);
}

}  // namespace cadena
