// scatter is linear in both arguments; scatter_reduce goes back to it, to scatter_add and to recurrences.
#include "autodiff/ops/scatter.hpp"

#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/index.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena {
namespace detail {
namespace {

void check_found(const char* op, const std::optional<std::int64_t>& bad, const Shape& shape, int axis) {
  if (bad)
    throw IndexError("[" + std::string(op) + "] expected indices in [0, " + std::to_string(shape[axis]) +
                     ") for axis " + std::to_string(axis) + " of " + to_string(shape) + ", got " +
                     std::to_string(*bad));
}

struct Scatter {
  static constexpr Meta meta{.name = "scatter",
                             .formula = "x, but at positions src",
                             .derivative = "dx = G, 0 at the positions written; dsrc = G read there",
                             .conventions = "of several values for one position the last gets the gradient"};
  const char* op;
  int axis;
  Constant index;

  Tensor eval(const Tensor& x, const Tensor& src) const {
    Tensor out = copy_of(x);
    check_found(op, kernels::scatter(view_of(out), axis, view_of(index.get(op)), view_of(src)), x.shape(),
                axis);
    return out;
  }
  const Tensor& attribute() const { return index.get(op); }
  Tensor batch(const BatchedCall& c) const {
    return apply(Scatter{op, axis + 1, Constant(c.with_batch(2))}, c.with_batch(0), c.with_batch(1));
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor& i = index.get(op);
    const Tensor zero = zeros({}, g.dtype());
    if (s.needs(0)) gin[0] = apply(Scatter(*this), g, expand(zero, i.shape()));
    if (!s.needs(1)) return;
    gin[1] = gather(g, axis, i);
    if (i.size(axis) > 1) gin[1] = where(winners(g.size(axis), i), gin[1], zero);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor& i = index.get(op);
    return apply(Scatter(*this), t[0].defined() ? t[0] : zeros(s.output_shape(), s.node().dtype),
                 t[1].defined() ? t[1] : zeros(i.shape(), s.node().dtype));
  }

 private:
  /// Whose value stays, to be broadcast to the shape of i.
  Tensor winners(std::int64_t extent, const Tensor& i) const {
    return unrecorded(i, [extent, axis = axis](const Tensor& all, int outer) {
      const int a = axis + outer;
      Tensor one = all;  // without the dimensions along which indices repeat
      std::int64_t before = 1, behind = 1;
      for (int d = outer; d < all.dim(); ++d)
        if (d != a && all.strides()[d] == 0) one = slice(one, d, {0, 1});
      for (int d = 0; d < all.dim(); ++d)
        if (d != a) (d < a ? before : behind) *= one.size(d);
      const Tensor index = contiguous(one);
      Tensor last = make_tensor(one.shape(), one.numel(), boolean);
      kernels::last_of_equals(before, one.size(a), behind, extent,
                              static_cast<const std::int64_t*>(raw_data(index)),
                              static_cast<bool*>(raw_data(last)));
      return last;
    });
  }
};

/// The largest or smallest of what comes together, x's own element among it or not.
struct ScatterExtreme {
  static constexpr Meta meta{.name = "scatter_extreme",
                             .reads = {X1 | X2 | Y, X1 | X2 | Y},
                             .formula = "scatter_reduce by amax or amin",
                             .derivative = "G shared evenly among the elements that are extreme"};
  bool largest, include_self;
  int axis;
  Constant index;

  Tensor eval(const Tensor& x, const Tensor& src) const {
    const Tensor& i = index.get(meta.name);
    // What stands there is the first of what is brought there, when x does not count.
    Tensor out = include_self ? copy_of(x) : scatter(x, axis, i, src);
    const auto op = largest ? kernels::Combine::max : kernels::Combine::min;
    check_found("scatter_reduce", kernels::scatter_combine(op, view_of(out), axis, view_of(i), view_of(src)),
                x.shape(), axis);
    return out;
  }
  const Tensor& attribute() const { return index.get(meta.name); }
  Tensor batch(const BatchedCall& c) const {
    return apply(ScatterExtreme{largest, include_self, axis + 1, Constant(c.with_batch(2))}, c.with_batch(0),
                 c.with_batch(1));
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Hits hits(*this, s);
    const Tensor share = div(g, hits.count), zero = zeros({}, g.dtype());
    if (s.needs(0)) gin[0] = where(hits.self, share, zero);
    if (s.needs(1)) gin[1] = where(hits.src, gather(share, axis, index.get(meta.name)), zero);
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor& i = index.get(meta.name);
    const Hits hits(*this, s);
    const auto kept = [&](const Tensor& hit, const Tensor& tangent) {
      const Tensor zero = zeros({}, s.node().dtype);
      return where(hit, tangent.defined() ? tangent : zero, zero);
    };
    return div(scatter_add(kept(hits.self, t[0]), axis, i, kept(hits.src, t[1])), hits.count);
  }

 private:
  /// Who has the extreme value (NaN has it wherever there is one), and how many share it.
  struct Hits {
    Tensor self, src, count;

    Hits(const ScatterExtreme& op, const Saved& s) {
      NoGrad guard;
      const Tensor y = s.y(), &x = s.x(0), &v = s.x(1), &i = op.index.get(meta.name);
      const auto same = [](const Tensor& a, const Tensor& b) { return where(isnan(b), isnan(a), eq(a, b)); };
      self = same(x, y), src = same(v, gather(y, op.axis, i));
      if (!op.include_self) self = scatter(self, op.axis, i, false);
      count = maximum(scatter_add(to(self, y.dtype()), op.axis, i, to(src, y.dtype())), 1);
    }
  };
};

/// Products by position: the value by a kernel, the derivatives of all orders by a recurrence over src in the
/// order of the positions, which starts anew at each.
struct ScatterProd : Fused<ScatterProd> {
  static constexpr Meta meta{.name = "scatter_prod",
                             .reads = {X1 | X2, X1 | X2},
                             .formula = "scatter_reduce by prod",
                             .derivative = "G times the product of the other factors",
                             .conventions = "at zeros exactly the product of the others"};
  int axis;
  Constant index;

  ScatterProd(int a, const Tensor& i) : axis(a), index(i) {}
  Tensor eval(const Tensor& x, const Tensor& src) const {
    Tensor out = copy_of(x);
    check_found("scatter_reduce",
                kernels::scatter_combine(kernels::Combine::prod, view_of(out), axis,
                                         view_of(index.get(meta.name)), view_of(src)),
                x.shape(), axis);
    return out;
  }
  Tensor reference(const TensorList& in) const {
    const Tensor &x = in[0], &src = in[1], &i = index.get(meta.name);
    Tensor order, sorted, starts, ends;
    {
      NoGrad guard;
      const Tensor board = reshape(arange(x.numel()), x.shape());
      const ValuesIndices by_position = sort(reshape(gather(board, axis, i), {i.numel()}));
      order = by_position.indices, sorted = by_position.values;
      const Tensor outside = full({1}, -1, i64);
      starts = ne(diff(sorted, 1, 0, outside), 0);
      ends = where(ne(diff(sorted, 1, 0, {}, outside), 0))[0];
    }
    const Tensor flat = reshape(x, {x.numel()}), values = index_select(reshape(src, {i.numel()}), 0, order);
    const Tensor zero = zeros({}, x.dtype());
    const Tensor products = linear_recurrence(where(starts, zero, values), where(starts, values, zero), 0);
    const Tensor at = index_select(sorted, 0, ends);
    const Tensor combined = mul(index_select(flat, 0, at), index_select(products, 0, ends));
    return reshape(scatter(flat, 0, at, combined), x.shape());
  }
};

void check_positions(const char* op, const Tensor& x, int axis, const Tensor& index, const Shape& src) {
  const auto prefix = [&] { return "[" + std::string(op) + "] expected "; };
  if (index.dtype() != i64)
    throw DtypeError(prefix() + "an i64 index, got " + std::string(name(index.dtype())));
  bool fits = index.dim() == x.dim();
  for (int i = 0; fits && i < x.dim(); ++i) fits = i == axis || index.shape()[i] <= x.shape()[i];
  if (!fits)
    throw ShapeError(prefix() + "an index of x's rank and, outside axis " + std::to_string(axis) +
                     ", at most its extents, got " + to_string(index.shape()) + " for " +
                     to_string(x.shape()));
  if (!(src == index.shape()))
    throw ShapeError(prefix() + "src of index's shape " + to_string(index.shape()) + ", got " +
                     to_string(src));
}

/// A vector of indices along one axis as an index of the shape of the slices it picks.
Tensor slices_index(const char* op, const Tensor& x, int axis, const Tensor& index) {
  if (index.dim() != 1 || index.dtype() != i64)
    throw ShapeError("[" + std::string(op) + "] expected a vector of i64 indices, got " +
                     to_string(index.shape()) + " of " + std::string(name(index.dtype())));
  Shape along, shape = x.shape();
  for (int i = 0; i < x.dim(); ++i) along.push_back(i == axis ? index.numel() : 1);
  shape[axis] = index.numel();
  return expand(reshape(index, along), shape);
}

using Call = std::function<Tensor(const Tensor& x, int axis, const Tensor& index, const Tensor& src)>;

std::vector<Sample> samples_of(Sampler& s, const Call& f, const std::string& label = {},
                               const Call& reference = {}) {
  struct Positions {
    Shape x;
    int axis;
    Shape index;
  };
  const Positions cases[] = {
      {{5}, 0, {3}},       {{3, 4}, 1, {3, 2}}, {{3, 4}, 0, {2, 4}}, {{2, 3, 2}, 1, {2, 5, 2}},
      {{4, 3}, 1, {2, 2}}, {{3}, 0, {0}},       {{2}, 0, {7}},       {{0, 3}, 1, {0, 2}}};
  std::vector<Sample> list;
  for (const auto& c : cases) {
    const Tensor index = s.index(c.index, c.x[c.axis]);
    // No two values alike, in x and src together: some calls compare them.
    const std::int64_t n = c.x.numel();
    const Tensor all = s.distinct({n + c.index.numel()});
    Sample sample{
        label + " " + to_string(c.x) + " axis " + std::to_string(c.axis) + " index " + to_string(c.index),
        {clone(reshape(slice(all, 0, {0, n}), c.x)), clone(reshape(slice(all, 0, {n, {}}), c.index))},
        [f, axis = c.axis, index](const TensorList& x) { return f(x[0], axis, index, x[1]); }};
    if (reference)
      sample.reference = [reference, axis = c.axis, index](const TensorList& x) {
        return reference(x[0], axis, index, x[1]);
      };
    list.push_back(std::move(sample));
  }
  return list;
}

OpInfo row(const Meta& meta, std::function<std::vector<Sample>(Sampler&)> samples, const Call& f) {
  return {meta, "scatter", std::move(samples), [f](Sampler& s, std::int64_t n) {
            const Shape shape{n / 64, 64};
            const Tensor index = s.index(shape, shape[0]);
            return Sample{"columns of " + std::to_string(shape[0]),
                          {s.draw(shape), s.draw(shape)},
                          [f, index](const TensorList& x) { return f(x[0], 0, index, x[1]); }};
          }};
}

Call reduced_by(ScatterReduction by, bool include_self) {
  return [=](const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
    return scatter_reduce(x, axis, index, src, by, include_self);
  };
}

std::vector<Sample> reductions(Sampler& s, std::initializer_list<ScatterReduction> list) {
  std::vector<Sample> all;
  for (auto by : list)
    for (bool include_self : {true, false})
      for (auto& sample : samples_of(
               s, reduced_by(by, include_self),
               "reduction " + std::to_string(static_cast<int>(by)) + (include_self ? "" : ", without self")))
        all.push_back(std::move(sample));
  return all;
}

OpInfo index_row(const char* name, const char* formula, std::vector<Case> cases,
                 std::function<Case(std::int64_t)> large) {
  return composite(
      case_row({.name = name, .formula = formula}, "scatter", std::move(cases), std::move(large)));
}

}  // namespace

OpList scatter_ops() {
  using R = ScatterReduction;
  using L = const TensorList&;
  const Tensor at = tensor({2, 0, 2}), two = tensor({{1, 0}}), column = tensor({{2}, {0}});
  const Call products = [](const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
    return ScatterProd(axis, index).reference({x, src});
  };
  return {
      row(
          Scatter::meta,
          [](Sampler& s) {
            auto list = samples_of(s, [](const Tensor& x, int a, const Tensor& i, const Tensor& v) {
              return cadena::scatter(x, a, i, v);
            });
            for (auto& sample : samples_of(
                     s,
                     [](const Tensor&x, int a, const Tensor&i, const Tensor&v) {
                       return add(cadena::scatter(x, a, i, 2), sum(mul(v, 0)));
                     },
                     "a number,"))
              list.push_back(std::move(sample));
            return list;
          },
          [](const Tensor& x, int a, const Tensor& i, const Tensor& v) {
            return cadena::scatter(x, a, i, v);
          }),
      row(
          ScatterExtreme::meta,
          [](Sampler& s) {
            return reductions(s, {R::amax, R::amin});
          },
          reduced_by(R::amax, true)),
      row(
          ScatterProd::meta,
          [products](Sampler& s) { return samples_of(s, reduced_by(R::prod, true), "", products); },
          reduced_by(R::prod, true)),
      composite(row(
          {.name = "scatter_reduce", .formula = "sum, prod, mean, amax or amin by positions"},
          [](Sampler& s) {
            return reductions(s, {R::sum, R::mean, R::prod});
          },
          reduced_by(R::mean, false))),
      index_row("take_along_dim", "gather(x, axis, index)",
                {{{{2, 3}}, [two](L x) { return take_along_dim(x[0], two, 1); }},
                 {{{1, 3}}, [column](L x) { return take_along_dim(x[0], column, -1); }},
                 {{{2, 3}}, [at](L x) { return take_along_dim(x[0], at); }},
                 {{{0, 3}}, [two](L x) { return take_along_dim(x[0], two, 1); }}},
                [two](std::int64_t n) {
                  return Case{{{n / 64, 64}}, [two](L x) { return take_along_dim(x[0], two, 1); }};
                }),
      index_row("index_copy", "x, but at slices src",
                {{{{3, 2}, {3, 2}}, [at](L x) { return index_copy(x[0], 0, at, x[1]); }},
                 {{{2, 3}, {2, 3}}, [at](L x) { return index_copy(x[0], -1, at, x[1]); }},
                 {{{3}, {3}}, [at](L x) { return index_copy(x[0], 0, at, x[1]); }},
                 {{{2, 3}, {2, 0}}, [](L x) { return index_copy(x[0], 1, zeros({0}, i64), x[1]); }}},
                [at](std::int64_t n) {
                  return Case{{{n / 64, 64}, {3, 64}}, [at](L x) { return index_copy(x[0], 0, at, x[1]); }};
                }),
      index_row("select_scatter", "x, but src at an index",
                {{{{3, 2}, {2}}, [](L x) { return select_scatter(x[0], x[1], 0, -1); }},
                 {{{2, 3, 2}, {2, 2}}, [](L x) { return select_scatter(x[0], x[1], 1, 0); }},
                 {{{3}, {}}, [](L x) { return select_scatter(x[0], x[1], 0, 1); }}},
                [](std::int64_t n) {
                  return Case{{{n / 64, 64}, {64}}, [](L x) { return select_scatter(x[0], x[1], 0, 0); }};
                }),
      index_row("slice_scatter", "x, but src in a slice",
                {{{{5, 2}, {2, 2}},
                  [](L x) {
                    return slice_scatter(x[0], x[1], 0, {1, 5, 2});
                  }},
                 {{{2, 4}, {2, 3}},
                  [](L x) {
                    return slice_scatter(x[0], x[1], -1, {-3, {}});
                  }},
                 {{{2, 3}, {2, 3}}, [](L x) { return slice_scatter(x[0], x[1], 1); }},
                 {{{2, 3}, {2, 0}},
                  [](L x) {
                    return slice_scatter(x[0], x[1], 1, {2, 2});
                  }}},
                [](std::int64_t n) {
                  return Case{{{n / 64, 64}, {n / 64, 32}}, [](L x) {
                                return slice_scatter(x[0], x[1], 1, {0, 32});
                              }};
                }),
      index_row("index_fill", "x, but at slices a number",
                {{{{3, 2}}, [at](L x) { return index_fill(x[0], 0, at, 7); }},
                 {{{2, 3}, {}}, [at](L x) { return index_fill(x[0], 1, at, x[1]); }},
                 {{{3}}, [at](L x) { return index_fill(x[0], 0, at, 7); }},
                 {{{0, 3}}, [at](L x) { return index_fill(x[0], 1, at, 7); }}},
                [at](std::int64_t n) {
                  return Case{{{n / 64, 64}}, [at](L x) { return index_fill(x[0], 0, at, 0); }};
                }),
  };
}

Tensor scatter_by(const char* op, const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  if (x.dim() == 0)
    return reshape(scatter_by(op, reshape(x, {1}), 0, reshape(index, {1}), reshape(src, {1})), {});
  return apply(Scatter{op, axis, Constant(index)}, x, src);
}

}  // namespace detail

Tensor scatter(const Tensor& x, int axis, const Tensor& index, const Operand& src) {
  const int a = detail::axis_or_vector("scatter", axis, x.dim());
  const Tensor values = src.tensor() ? detail::cast_to("scatter", x, *src.tensor())
                                     : expand(full({}, src.scalar(), x.dtype()), index.shape());
  detail::check_positions("scatter", x, a, index, values.shape());
  return detail::scatter_by("scatter", x, a, index, values);
}

Tensor scatter_reduce(const Tensor& x, int axis, const Tensor& index, const Tensor& src,
                      ScatterReduction reduce, bool include_self) {
  const char* op = "scatter_reduce";
  const int a = detail::axis_or_vector(op, axis, x.dim());
  const Tensor values = detail::cast_to(op, x, src);
  detail::check_positions(op, x, a, index, values.shape());
  if (x.dtype() == boolean) throw DtypeError("[scatter_reduce] expected numbers, got bool");
  if (reduce == ScatterReduction::mean) detail::check_floating(op, x);
  if (x.dim() == 0)
    return reshape(
        scatter_reduce(reshape(x, {1}), 0, reshape(index, {1}), reshape(values, {1}), reduce, include_self),
        {});
  // x where it does not count: `neutral`, at the positions that something is brought to.
  const auto base = [&](const Tensor& t, double neutral) {
    return include_self
               ? t
               : detail::scatter_by(op, t, a, index, expand(full({}, neutral, t.dtype()), index.shape()));
  };
  switch (reduce) {
    case ScatterReduction::sum:
      return scatter_add(base(x, 0), a, index, values);
    case ScatterReduction::mean: {
      const Tensor count =
          scatter_add(base(ones(x.shape(), x.dtype()), 0), a, index, ones(index.shape(), x.dtype()));
      return div(scatter_add(base(x, 0), a, index, values), count);
    }
    case ScatterReduction::prod:
      return detail::apply(detail::ScatterProd(a, index), base(x, 1), values);
    default:
      return detail::apply(
          detail::ScatterExtreme{reduce == ScatterReduction::amax, include_self, a, detail::Constant(index)},
          x, values);
  }
}

Tensor take_along_dim(const Tensor& x, const Tensor& index, std::optional<int> axis) {
  if (!axis) return take_along_dim(reshape(x, {x.numel()}), reshape(index, {index.numel()}), 0);
  const int a = normalize_axis("take_along_dim", *axis, x.dim());
  const auto prefix = [] { return std::string("[take_along_dim] expected "); };
  if (index.dtype() != i64)
    throw DtypeError(prefix() + "an i64 index, got " + std::string(name(index.dtype())));
  if (index.dim() != x.dim())
    throw ShapeError(prefix() + "an index of rank " + std::to_string(x.dim()) + ", got " +
                     to_string(index.shape()));
  Shape outside_x = x.shape(), outside_index = index.shape();
  outside_x[a] = outside_index[a] = 1;
  Shape shape = broadcast("take_along_dim", outside_x, outside_index), index_shape = shape;
  shape[a] = x.shape()[a], index_shape[a] = index.shape()[a];
  return gather(expand(x, shape), a, expand(index, index_shape));
}

Tensor index_copy(const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  const int a = normalize_axis("index_copy", axis, x.dim());
  const Tensor values = detail::cast_to("index_copy", x, src),
               at = detail::slices_index("index_copy", x, a, index);
  detail::check_positions("index_copy", x, a, at, values.shape());
  return detail::scatter_by("index_copy", x, a, at, values);
}

Tensor select_scatter(const Tensor& x, const Tensor& src, int axis, std::int64_t index) {
  const int a = normalize_axis("select_scatter", axis, x.dim());
  const std::int64_t n = x.size(a), i = index < 0 ? index + n : index;
  if (i < 0 || i >= n)
    throw IndexError("[select_scatter] expected an index in [" + std::to_string(-n) + ", " +
                     std::to_string(n) + "), got " + std::to_string(index));
  Shape shape = x.shape();
  shape.erase(a);
  if (!(src.shape() == shape))
    throw ShapeError("[select_scatter] expected src " + to_string(shape) + ", got " + to_string(src.shape()));
  return index_copy(x, a, full({1}, i, i64), unsqueeze(detail::cast_to("select_scatter", x, src), a));
}

Tensor slice_scatter(const Tensor& x, const Tensor& src, int axis, Slice range) {
  const int a = normalize_axis("slice_scatter", axis, x.dim());
  const Tensor at = slice(arange(x.size(a)), 0, range);
  Shape shape = x.shape();
  shape[a] = at.numel();
  if (!(src.shape() == shape))
    throw ShapeError("[slice_scatter] expected src " + to_string(shape) + ", got " + to_string(src.shape()));
  return index_copy(x, a, at, detail::cast_to("slice_scatter", x, src));
}

Tensor index_fill(const Tensor& x, int axis, const Tensor& index, const Operand& value) {
  const int a = normalize_axis("index_fill", axis, x.dim());
  const Tensor v = value.tensor() ? detail::cast_to("index_fill", x, *value.tensor())
                                  : full({}, value.scalar(), x.dtype());
  if (v.dim() != 0)
    throw ShapeError("[index_fill] expected a number or a tensor of rank 0, got " + to_string(v.shape()));
  const Tensor at = detail::slices_index("index_fill", x, a, index);
  return detail::scatter_by("index_fill", x, a, at, expand(v, at.shape()));
}

}  // namespace cadena
