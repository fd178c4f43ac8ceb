// Scans. Whatever the rules need is a scan again: sums from the other end, and linear recurrences, whose
// adjoint is a linear recurrence from the other end.
#include "autodiff/kernels/scan.hpp"

#include <limits>
#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/padding.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// x moved by one along an axis; what leaves is lost, `value` comes in.
Tensor shifted(const Tensor& x, int axis, bool towards_end, double value) {
  const std::int64_t n = x.shape()[axis];
  std::vector<Padding> paddings(static_cast<std::size_t>(x.dim() - axis), Padding{0, 0});
  paddings.back() = towards_end ? Padding{1, 0} : Padding{0, 1};
  return pad(slice(x, axis, towards_end ? Slice{0, n - 1} : Slice{1, n}), paddings, value);
}

/// Runs a kernel `f(lines, contiguous memory of x, memory of the result)`.
template <class F>
Tensor scanned(const Tensor& x, int axis, const F& f) {
  const Tensor from = contiguous(x);
  Tensor out = make_tensor(x.shape(), x.numel(), x.dtype());
  f(lines_of(x.shape(), axis), raw_data(from), raw_data(out));
  return out;
}

struct CumSum : Linear<CumSum> {
  static constexpr Meta meta{
      .name = "cumsum", .formula = "y[j] = x[0] + ... + x[j]", .derivative = "dx[j] = G[j] + G[j+1] + ..."};
  int axis;
  bool reverse;

  CumSum(int a, bool r) : axis(a), reverse(r) {}
  Tensor eval(const Tensor& x) const {
    return scanned(x, axis, [&](const kernels::Lines& lines, const void* from, void* to) {
      kernels::cumulate(kernels::ScanOp::sum, lines, x.dtype(), from, to, reverse);
    });
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return detail::apply(CumSum(axis, !reverse), g); }
  Tensor batch(const BatchedCall& c) const {  // of rank 0 it is the value itself
    return c.x[0].dim() == 1 ? c.x[0] : detail::apply(CumSum(axis + 1, reverse), c.x[0]);
  }
};

struct Recurrence {
  static constexpr Meta meta{.name = "linear_recurrence",
                             .reads = {X1 | Y, X1},
                             .formula = "h[j] = a[j] h[j-1] + b[j]",
                             .derivative = "the same recurrence run backwards over G",
                             .conventions = "a[j] = 0 forgets the past, even an infinite one"};
  int axis;
  bool reverse;

  Tensor eval(const Tensor& a, const Tensor& b) const {
    const Tensor factors = contiguous(a);
    return scanned(b, axis, [&](const kernels::Lines& lines, const void* terms, void* to) {
      kernels::linear_recurrence(lines, b.dtype(), raw_data(factors), terms, to, reverse);
    });
  }
  Tensor batch(const BatchedCall& c) const {
    return detail::apply(Recurrence{axis + 1, reverse}, c.with_batch(0), c.with_batch(1));
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (g.numel() == 0) {
      gin[0] = gin[1] = g;
      return;
    }
    const Tensor adjoint = linear_recurrence(shifted(s.x(0), axis, reverse, 0), g, axis, !reverse);
    gin[1] = adjoint;
    if (s.needs(0)) gin[0] = mul(adjoint, past(s));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor change = t[1];
    if (t[0].defined() && s.output_shape().numel() > 0) {
      const Tensor change_of_a = mul(t[0], past(s));
      change = change.defined() ? add(change, change_of_a) : change_of_a;
    }
    return change.defined() ? linear_recurrence(s.x(0), change, axis, reverse) : t[0];
  }

 private:
  Tensor past(const Saved& s) const { return shifted(s.y(), axis, !reverse, 0); }
};

struct CumProd {
  static constexpr Meta meta{.name = "cumprod",
                             .reads = {X1 | Y},
                             .formula = "y[j] = x[0] ... x[j]",
                             .derivative = "dx[j] = sum over k >= j of G[k] times the other factors of y[k]",
                             .conventions = "at zeros exactly the products of the others"};
  int axis;

  Tensor eval(const Tensor& x) const {
    return scanned(x, axis, [&](const kernels::Lines& lines, const void* from, void* to) {
      kernels::cumulate(kernels::ScanOp::prod, lines, x.dtype(), from, to, false);
    });
  }
  Tensor batch(const BatchedCall& c) const { return detail::apply(CumProd{axis + 1}, c.x[0]); }
  // dy[k]/dx[j] = (product before j) (product from j + 1 to k): the sum over k is a recurrence from the end.
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    gin[0] = g;
    if (g.numel() > 0)
      gin[0] = mul(before(s), linear_recurrence(shifted(s.x(0), axis, false, 0), g, axis, true));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    return t[0].numel() == 0 ? t[0] : linear_recurrence(s.x(0), mul(before(s), t[0]), axis);
  }

 private:
  Tensor before(const Saved& s) const { return shifted(s.y(), axis, true, 1); }
};

struct LogCumSumExp {
  static constexpr Meta meta{.name = "logcumsumexp",
                             .reads = {X1 | Y},
                             .formula = "y[j] = log(exp(x[0]) + ... + exp(x[j]))",
                             .derivative = "dx[j] = sum over k >= j of G[k] exp(x[j] - y[k])",
                             .conventions = "-inf only: 0; +inf: shared by the +inf so far"};
  int axis;

  Tensor eval(const Tensor& x) const {
    return scanned(x, axis, [&](const kernels::Lines& lines, const void* from, void* to) {
      kernels::logcumsumexp(lines, x.dtype(), from, to);
    });
  }
  Tensor batch(const BatchedCall& c) const { return detail::apply(LogCumSumExp{axis + 1}, c.x[0]); }
  // dy[k]/dx[j] = own[j] kept[j + 1] ... kept[k]: nothing overflows, as all of them are at most 1.
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    gin[0] = g;
    if (g.numel() == 0) return;
    const Shares shares(s, axis);
    gin[0] = mul(shares.own, linear_recurrence(shifted(shares.kept, axis, false, 0), g, axis, true));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    if (t[0].numel() == 0) return t[0];
    const Shares shares(s, axis);
    return linear_recurrence(shares.kept, mul(shares.own, t[0]), axis);
  }

 private:
  /// exp(x[j] - y[j]) and exp(y[j - 1] - y[j]); where y is infinite, constants: shares of the +inf so far.
  struct Shares {
    Tensor own, kept;

    Shares(const Saved& s, int axis) {
      const Tensor &x = s.x(0), y = s.y(), former = shifted(y, axis, true, -infinity);
      Tensor infinite, constant_own, constant_kept;
      {
        NoGrad guard;
        infinite = eq(abs(y), infinity);
        const Tensor hits = to(eq(x, infinity), y.dtype()), count = cumsum(hits, axis),
                     some = maximum(count, 1);
        constant_own = div(hits, some);
        constant_kept = div(shifted(count, axis, true, 0), some);
      }
      const auto finite = [&](const Tensor& t) { return where(infinite, 0, t); };
      own = where(infinite, constant_own, exp(sub(finite(x), finite(y))));
      kept = where(infinite, constant_kept, exp(sub(finite(former), finite(y))));
    }
  };
};

/// Treats rank 0 as a vector of one element.
template <class F>
Tensor along(const char* op, const Tensor& x, int axis, const F& f) {
  const int a = axis_or_vector(op, axis, x.dim());
  return x.dim() == 0 ? reshape(f(reshape(x, {1}), a), {}) : f(x, a);
}

Tensor positions_of_extremes(bool largest, const Tensor& x, int axis) {
  const Tensor from = contiguous(numeric(x));
  Tensor indices = make_tensor(x.shape(), x.numel(), i64);
  kernels::cumulative_extreme(largest, lines_of(x.shape(), axis), from.dtype(), raw_data(from),
                              static_cast<std::int64_t*>(raw_data(indices)));
  return indices;
}

ValuesIndices cumulative_extreme(const char* op, bool largest, const Tensor& x, int axis) {
  const int a = axis_or_vector(op, axis, x.dim());
  if (is_batched(x) && x.dim() == 0) {
    const ValuesIndices of_one = cumulative_extreme(op, largest, reshape(x, {1}), 0);
    return {reshape(of_one.values, {}), reshape(of_one.indices, {})};
  }
  const Tensor indices =
      unrecorded(x, [=](const Tensor& v, int outer) { return positions_of_extremes(largest, v, a + outer); });
  return {gather(x, a, indices), indices};
}

std::vector<Case> cases_of(const std::function<Tensor(const Tensor&, int)>& f) {
  std::vector<Case> cases;
  const std::pair<Shape, int> shapes[] = {{{}, 0},      {{1}, 0},       {{7}, -1},   {{3, 4}, 0},
                                          {{3, 4}, 1},  {{2, 3, 4}, 1}, {{0}, 0},    {{2, 0, 3}, 1},
                                          {{2, 70}, 1}, {{5, 3, 1}, 0}, {{3, 67}, 0}};
  for (const auto& [shape, axis] : shapes)
    cases.push_back({{shape},
                     [f, axis = axis](const TensorList& x) { return f(x[0], axis); },
                     "axis " + std::to_string(axis)});
  return cases;
}

OpInfo row(const Meta& meta, const std::function<Tensor(const Tensor&, int)>& f) {
  return case_row(meta, "scan", cases_of(f), [f](std::int64_t n) {
    return Case{{{n / 64, 64}}, [f](const TensorList& x) { return f(x[0], 1); }};
  });
}

OpInfo recurrence_row() {
  std::vector<Case> cases;
  for (bool reverse : {false, true}) {
    const auto call = [reverse](const TensorList& x) { return linear_recurrence(x[0], x[1], 0, reverse); };
    const auto last = [reverse](const TensorList& x) { return linear_recurrence(x[0], x[1], -1, reverse); };
    for (const auto& [a, b] : {std::pair<Shape, Shape>{{6}, {6}},
                               {{3, 4}, {3, 4}},
                               {{1}, {1}},
                               {{}, {}},
                               {{4}, {2, 4}},
                               {{0, 2}, {0, 2}},
                               {{2, 3, 1}, {3, 2}}}) {
      cases.push_back({{a, b}, call, reverse ? "reverse" : ""});
      cases.push_back({{a, b}, last, reverse ? "last axis, reverse" : "last axis"});
    }
  }
  return case_row(Recurrence::meta, "scan", std::move(cases), [](std::int64_t n) {
    return Case{{{n / 64, 64}, {n / 64, 64}},
                [](const TensorList& x) { return linear_recurrence(mul(x[0], 0.5), x[1], 1); }};
  });
}

}  // namespace

OpList scan_ops() {
  const auto compared = [](Meta meta) {
    meta.domain[0] = all_different;
    return meta;
  };
  OpInfo products = row(CumProd::meta, cadena::cumprod);
  products.samples = [samples = products.samples](Sampler& s) {
    auto list = samples(s);
    for (std::int64_t zeros : {1, 2}) {
      Tensor x = s.draw({2, 5}, nonzero);
      x.slice(1, {1, 1 + zeros}).fill_(0);
      list.push_back(
          {std::to_string(zeros) + " zeros", {x}, [](const TensorList& in) { return cumprod(in[0], 1); }});
    }
    return list;
  };
  return {row(CumSum::meta, cadena::cumsum),
          products,
          row(LogCumSumExp::meta, cadena::logcumsumexp),
          recurrence_row(),
          composite(row(compared({.name = "cummax",
                                  .formula = "y[j] = max(x[0], ..., x[j])",
                                  .conventions = "the last of equals; NaN wins"}),
                        [](const Tensor& x, int axis) { return cummax(x, axis).values; })),
          composite(row(compared({.name = "cummin",
                                  .formula = "y[j] = min(x[0], ..., x[j])",
                                  .conventions = "the last of equals; NaN wins"}),
                        [](const Tensor& x, int axis) { return cummin(x, axis).values; })),
          composite(case_row(
              {.name = "diff", .formula = "y[j] = x[j+1] - x[j]"}, "scan",
              {{{{5}}, [](const TensorList& x) { return diff(x[0]); }},
               {{{5}}, [](const TensorList& x) { return diff(x[0], 2); }, "twice"},
               {{{5}}, [](const TensorList& x) { return diff(x[0], 0); }, "not at all"},
               {{{3, 4}}, [](const TensorList& x) { return diff(x[0], 1, 0); }},
               {{{2, 1}}, [](const TensorList& x) { return diff(x[0]); }},
               {{{2, 3}, {2, 1}, {2, 2}}, [](const TensorList& x) { return diff(x[0], 1, 1, x[1], x[2]); }}},
              [](std::int64_t n) {
                return Case{{{n}}, [](const TensorList& x) { return diff(x[0]); }};
              }))};
}

}  // namespace detail

Tensor cumsum(const Tensor& x, int axis) {
  return detail::apply(detail::CumSum(detail::axis_or_vector("cumsum", axis, x.dim()), false),
                       detail::numeric(x));
}

Tensor cumprod(const Tensor& x, int axis) {
  return detail::along("cumprod", x, axis, [](const Tensor& v, int a) {
    return detail::apply(detail::CumProd{a}, detail::numeric(v));
  });
}

Tensor logcumsumexp(const Tensor& x, int axis) {
  detail::check_floating("logcumsumexp", x);
  return detail::along("logcumsumexp", x, axis,
                       [](const Tensor& v, int a) { return detail::apply(detail::LogCumSumExp{a}, v); });
}

ValuesIndices cummax(const Tensor& x, int axis) {
  return detail::cumulative_extreme("cummax", true, x, axis);
}
ValuesIndices cummin(const Tensor& x, int axis) {
  return detail::cumulative_extreme("cummin", false, x, axis);
}

Tensor linear_recurrence(const Tensor& a, const Tensor& b, int axis, bool reverse) {
  const DType dtype = promote(a.dtype(), b.dtype());
  if (!is_floating(dtype))
    throw DtypeError("[linear_recurrence] expected f32 or f64, got " + std::string(name(a.dtype())) +
                     " and " + std::string(name(b.dtype())));
  const Shape shape = broadcast("linear_recurrence", a.shape(), b.shape());
  const int at = detail::axis_or_vector("linear_recurrence", axis, shape.rank());
  if (shape.empty()) return reshape(linear_recurrence(reshape(a, {1}), reshape(b, {1}), 0, reverse), {});
  const auto full_size = [&](const Tensor& t) {
    const Tensor cast = to(t, dtype);
    return t.shape() == shape ? cast : expand(cast, shape);
  };
  return detail::apply(detail::Recurrence{at, reverse}, full_size(a), full_size(b));
}

Tensor diff(const Tensor& x, int n, int axis, const Tensor& prepend, const Tensor& append) {
  const int a = normalize_axis("diff", axis, x.dim());
  if (n < 0) throw ValueError("[diff] expected n >= 0, got " + std::to_string(n));
  std::vector<Tensor> parts;
  for (const Tensor* part : {&prepend, &x, &append})
    if (part->defined()) parts.push_back(*part);
  Tensor y = detail::numeric(parts.size() > 1 ? cat(parts, a) : x);
  for (int i = 0; i < n && y.shape()[a] > 0; ++i)
    y = sub(slice(y, a, {1, {}}), slice(y, a, {0, y.shape()[a] - 1}));
  return y.raw() == x.raw() ? alias(x) : y;
}

}  // namespace cadena
