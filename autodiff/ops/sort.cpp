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

/// x as contiguous rows along `axis`, outside the graph.
struct RowsOf {
  Tensor x;
  kernels::Rows rows;

  RowsOf(const Tensor& t, int axis) {
    NoGrad guard;
    x = contiguous(numeric(axis_last(t, axis)));
    const std::int64_t n = x.shape().back();
    rows = {n == 0 ? 0 : x.numel() / n, n, x.dtype(), raw_data(x)};
  }
  Shape shape(std::int64_t last) const {
    Shape s = x.shape();
    s[s.rank() - 1] = last;
    return s;
  }
};

std::int64_t* memory(const Tensor& indices) { return static_cast<std::int64_t*>(raw_data(indices)); }

/// k positions along `axis` of x, outside the graph: f(rows, memory of k for each of them).
template <class F>
Tensor positions(const Tensor& x, int axis, std::int64_t k, const F& f) {
  NoGrad guard;
  if (x.dim() == 0) return reshape(positions(reshape(x, {1}), 0, k, f), {});
  return unrecorded(x, [=](const Tensor& v, int outer) {
    const RowsOf r(v, axis + outer);
    const Tensor indices = empty(r.shape(k), i64);
    f(r, memory(indices));
    return contiguous(axis_back(indices, axis + outer));
  });
}

Tensor order(const Tensor& x, int axis, bool descending, std::int64_t k) {
  return positions(x, axis, k,
                   [=](const RowsOf& r, std::int64_t* to) { kernels::argsort(r.rows, descending, k, to); });
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
  const Tensor indices = positions(x, a, 1, [=](const RowsOf& r, std::int64_t* to) {
    const Tensor valid = sum(eq(r.x, r.x), -1, true), ranks = empty(r.shape(1), i64);
    const std::int64_t n = r.rows.n, *count = memory(valid);
    for (std::int64_t i = 0; i < r.rows.rows; ++i)
      memory(ranks)[i] = count[i] == 0 ? 0 : skip_nan || count[i] == n ? (count[i] - 1) / 2 : count[i];
    kernels::arg_kth(r.rows, memory(ranks), to);
  });
  return picked(x, a, indices, keepdim);
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
  const Tensor indices = detail::positions(x, a, 1, [=](const detail::RowsOf& r, std::int64_t* to) {
    const Tensor ranks = full(r.shape(1), k - 1, i64);
    kernels::arg_kth(r.rows, detail::memory(ranks), to);
  });
  return detail::picked(x, a, indices, keepdim);
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
  const Tensor indices = detail::positions(x, a, 1, [](const detail::RowsOf& r, std::int64_t* to) {
    const Tensor sorted = empty(r.x.shape(), i64);
    kernels::argsort(r.rows, false, r.rows.n, detail::memory(sorted));
    kernels::arg_mode(r.rows, detail::memory(sorted), to);
  });
  return detail::picked(x, a, indices, keepdim);
}

}  // namespace cadena
