// Reading at an index list and writing there are each other's transposes.
#include "autodiff/ops/indexing.hpp"

#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/selection.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/index.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/arrange.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/joining.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

/// An index list as an attribute: its tensors must not be overwritten meanwhile.
class Indices {
 public:
  Indices(const char* op, std::span<const Index> items) : op_(op), items_(items.begin(), items.end()) {
    for (auto& item : items_)
      if (auto* t = std::get_if<Tensor>(&item)) {
        tensors_.emplace_back(*t);
        *t = Tensor();
      }
  }
  /// The same of every sample.
  Indices behind_batch() const {
    Indices all(*this);
    all.items_.insert(all.items_.begin(), Slice{});
    return all;
  }
  Selection of(const Tensor& x) const {
    std::vector<Index> items = items_;
    auto tensor = tensors_.begin();
    for (auto& item : items)
      if (auto* t = std::get_if<Tensor>(&item)) *t = (tensor++)->get(op_);
    return {op_, x, items};
  }

 private:
  const char* op_;
  std::vector<Index> items_;  // tensors are undefined here
  std::vector<Constant> tensors_;
};

struct IndexOp : Linear<IndexOp> {
  static constexpr Meta meta{
      .name = "index", .formula = "x[indices]", .derivative = "dx = G added at the positions that were read"};
  Indices indices;

  explicit IndexOp(Indices i) : indices(std::move(i)) {}
  Tensor eval(const Tensor& x) const { return indices.of(x).read(x); }
  Tensor batch(const BatchedCall& c) const {
    const Indices all = indices.behind_batch();
    return movedim(apply(IndexOp(all), c.x[0]), {all.of(c.x[0]).axes_in_front()}, {0});
  }
  Tensor transpose(const Tensor& g, const Shape& in) const;
};

struct IndexPut {
  static constexpr Meta meta{.name = "index_put",
                             .formula = "x, but at indices values",
                             .derivative = "dx = G, 0 at the positions written; dvalues = G read there",
                             .conventions = "of several values for one element the last gets the gradient"};
  Indices indices;
  bool accumulate;

  Tensor eval(const Tensor& x, const Tensor& values) const {
    Tensor out = copy_of(x);
    indices.of(out).write(out, values, accumulate);
    return out;
  }
  Tensor batch(const BatchedCall& c) const {
    const Indices all = indices.behind_batch();
    const Tensor x = c.with_batch(0), values = movedim(c.with_batch(1), {0}, {all.of(x).axes_in_front()});
    return apply(IndexPut{all, accumulate}, x, values);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0))
      gin[0] = accumulate ? g : apply(IndexPut{indices, false}, g, expand(zeros({}, g.dtype()), shape_of(g)));
    if (s.needs(1)) {
      gin[1] = apply(IndexOp(indices), g);
      if (!accumulate) gin[1] = only_winners(gin[1], g);
    }
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const DType dtype = s.node().dtype;
    const Tensor base = t[0].defined() ? t[0] : zeros(s.output_shape(), dtype);
    return apply(IndexPut{indices, accumulate}, base, t[1].defined() ? t[1] : zeros(shape_of(base), dtype));
  }

 private:
  Shape shape_of(const Tensor& x) const { return indices.of(x).shape(); }
  /// Zeros for values that later ones have overwritten.
  Tensor only_winners(const Tensor& g, const Tensor& like) const {
    if (indices.of(like).distinct()) return g;
    const Tensor won = repeatable(meta.name, [indices = indices, shape = like.shape()] {
      return indices.of(make_tensor(shape, shape.numel(), boolean)).last_of_equals();
    });
    return where(won, g, zeros({}, g.dtype()));
  }
};

Tensor IndexOp::transpose(const Tensor& g, const Shape& in) const {
  const Tensor none = zeros(in, g.dtype());
  if (composed(g)) return apply(IndexPut{indices, true}, none, g);
  indices.of(none).write(none, g, true);  // without the copy that IndexPut makes
  return none;
}

/// Values in x's dtype and of the selection's shape. @throws DtypeError, ShapeError
Tensor fitted(const char* op, const Tensor& x, const Operand& values, const Shape& shape, bool accumulate) {
  const auto prefix = [&] { return "[" + std::string(op) + "] expected "; };
  if (accumulate && x.dtype() == boolean) throw DtypeError(prefix() + "numbers to add to, got bool");
  const Tensor v = values.tensor() ? *values.tensor() : full({}, values.scalar(), x.dtype());
  if (promote(v.dtype(), x.dtype()) != x.dtype())
    throw DtypeError(prefix() + "values that " + std::string(name(x.dtype())) + " can hold, got " +
                     std::string(name(v.dtype())));
  if (!(broadcast(op, v.shape(), shape) == shape))
    throw ShapeError(prefix() + "values that broadcast to " + to_string(shape) + ", got " +
                     to_string(v.shape()));
  return expand(to(v, x.dtype()), shape);
}

}  // namespace

Tensor index_by(const char* op, const Tensor& x, std::span<const Index> indices) {
  return apply(IndexOp(Indices(op, indices)), x);
}

Tensor index_put_by(const char* op, const Tensor& x, std::span<const Index> indices, const Operand& values,
                    bool accumulate) {
  const Shape shape = Selection(op, x, indices).shape();
  return apply(IndexPut{Indices(op, indices), accumulate}, x, fitted(op, x, values, shape, accumulate));
}

void index_put_now(const char* op, const Tensor& x, std::span<const Index> indices, const Operand& values,
                   bool accumulate) {
  NoGrad guard;
  const Selection at(op, x, indices);
  const Tensor v = fitted(op, x, values, at.shape(), accumulate);
  at.write(x, v.shares_storage(x) ? clone(v) : v, accumulate);
}

namespace {

struct ListCase {
  Shape x;
  std::vector<Index> indices;
  std::string label;
};

std::vector<ListCase> list_cases(Sampler& s) {
  const Tensor twice = tensor({2, 0, 2}), grid = tensor({{0, 1}, {1, -1}}), column = tensor({{0}, {1}});
  const Tensor mask = tensor({true, false, true}), plane = gt(s.draw({3, 4}), 0),
               none = tensor({false, false, false});
  return {{{5}, {twice}, "vector"},
          {{3, 4}, {twice}, "rows"},
          {{3, 4}, {Slice{}, grid}, "grid of columns"},
          {{3, 4}, {column, twice}, "two that broadcast"},
          {{3, 4}, {mask}, "mask of rows"},
          {{3, 4}, {plane}, "mask of all"},
          {{3, 2}, {none, 1}, "nothing"},
          {{2, 3, 4}, {0, Slice{}, twice}, "apart"},
          {{3, 2, 4}, {twice, newaxis, Slice{1, {}, 2}, twice}, "apart, with steps"},
          {{2, 3, 3}, {ellipsis, mask, tensor({2, 0})}, "mask beside a vector"},
          {{4, 3}, {tensor(-1), Slice{0, 2}}, "rank 0"},
          {{2, 0}, {tensor({1, 1})}, "empty rows"}};
}

std::vector<Sample> read_samples(Sampler& s) {
  std::vector<Sample> list;
  for (const auto& c : list_cases(s))
    list.push_back({c.label + " of " + to_string(c.x), {s.draw(c.x)}, [i = c.indices](const TensorList& x) {
                      return x[0].index(i);
                    }});
  return list;
}

std::vector<Sample> write_samples(Sampler& s) {
  std::vector<Sample> list;
  for (const auto& c : list_cases(s)) {
    const Shape shape = zeros(c.x).index(c.indices).shape();
    for (bool accumulate : {false, true})
      list.push_back({c.label + " of " + to_string(c.x) + (accumulate ? ", added" : ""),
                      {s.draw(c.x), s.draw(shape)},
                      [i = c.indices, accumulate](const TensorList& x) {
                        return index_put(x[0], i, x[1], accumulate);
                      }});
  }
  list.push_back({"one value", {s.draw({3, 2}), s.draw({})}, [](const TensorList& x) {
                    return index_put(x[0], {tensor({0, 2, 0})}, x[1]);
                  }});
  return list;
}

OpInfo masked(const char* name, const char* formula, std::vector<Case> cases,
              std::function<Case(std::int64_t)> large) {
  return composite(
      case_row({.name = name, .formula = formula}, "indexing", std::move(cases), std::move(large)));
}

}  // namespace

OpList indexing_ops() {
  using L = const TensorList&;
  const Tensor at = tensor({{1, -1}, {0, 1}}), mask = tensor({{true, false, true}, {false, true, true}});
  const Tensor alternate = tensor({true, false});
  const auto rows = [](Sampler& s, std::int64_t n) { return s.index({n / 64}, n / 64); };
  const auto many = [alternate](std::int64_t n) { return repeat(alternate, {n / 4}); };
  return {
      {IndexOp::meta, "indexing", read_samples,
       [rows](Sampler& s, std::int64_t n) {
         return Sample{
             "rows of 64", {s.draw({n / 64, 64})}, [i = rows(s, n)](L x) { return x[0].index({i}); }};
       }},
      {IndexPut::meta, "indexing", write_samples,
       [rows](Sampler& s, std::int64_t n) {
         return Sample{"rows of 64", {s.draw({n / 64, 64}), s.draw({n / 64, 64})}, [i = rows(s, n)](L x) {
                         return index_put(x[0], {i}, x[1]);
                       }};
       }},
      masked("take", "flatten(x)[index]",
             {{{{2, 3}}, [at](L x) { return take(x[0], at); }},
              {{{4}}, [at](L x) { return take(x[0], at); }},
              {{{3, 1}}, [](L x) { return take(x[0], zeros({0}, i64)); }},
              {{{}}, [](L x) { return take(x[0], zeros({2}, i64)); }}},
             [at](std::int64_t n) {
               return Case{{{n / 4}}, [at](L x) { return take(x[0], at); }};
             }),
      masked("put", "x, but source at positions",
             {{{{2, 3}, {2, 2}}, [at](L x) { return put(x[0], at, x[1]); }},
              {{{2, 3}, {4}}, [at](L x) { return put(x[0], at, x[1], true); }},
              {{{3}, {0}}, [](L x) { return put(x[0], zeros({0}, i64), x[1]); }}},
             [at](std::int64_t n) {
               return Case{{{n / 4}, {4}}, [at](L x) { return put(x[0], at, x[1]); }};
             }),
      masked("masked_select", "x where the mask is true",
             {{{{2, 3}}, [mask](L x) { return masked_select(x[0], mask); }},
              {{{3}}, [mask](L x) { return masked_select(x[0], mask); }},
              {{{2, 2, 3}}, [mask](L x) { return masked_select(x[0], mask); }},
              {{{0, 3}},
               [](L x) {
                 return masked_select(x[0], tensor({true, false, true}));
               }}},
             [many](std::int64_t n) {
               return Case{{{n / 2}}, [m = many(2 * n / 2)](L x) { return masked_select(x[0], m); }};
             }),
      masked("masked_fill", "value where the mask is true, else x",
             {{{{2, 3}}, [mask](L x) { return masked_fill(x[0], mask, 7); }},
              {{{3}}, [mask](L x) { return masked_fill(x[0], mask, -1); }},
              {{{2, 3}, {}}, [mask](L x) { return masked_fill(x[0], mask, x[1]); }},
              {{{0, 3}},
               [](L x) {
                 return masked_fill(x[0], tensor({true, false, true}), 7);
               }}},
             [many](std::int64_t n) {
               return Case{{{n / 2}}, [m = many(n)](L x) { return masked_fill(x[0], m, 0); }};
             }),
      masked("masked_scatter", "the next of source where the mask is true, else x",
             {{{{2, 3}, {6}}, [mask](L x) { return masked_scatter(x[0], mask, x[1]); }},
              {{{2, 2, 3}, {2, 4}}, [mask](L x) { return masked_scatter(x[0], mask, x[1]); }},
              {{{0, 3}, {1}},
               [](L x) {
                 return masked_scatter(x[0], tensor({true, false, true}), x[1]);
               }}},
             [many](std::int64_t n) {
               return Case{{{n / 2}, {n / 2}}, [m = many(n)](L x) { return masked_scatter(x[0], m, x[1]); }};
             }),
  };
}

}  // namespace detail

Tensor Tensor::index(std::span<const Index> indices) const {
  bool any_tensor = false;
  for (const auto& i : indices) any_tensor |= std::holds_alternative<Tensor>(i);
  if (any_tensor) return detail::index_by("index", *this, indices);
  detail::Selection("index", *this, indices);  // refuses what does not fit
  int used = 0;
  for (const auto& i : indices)
    used += std::holds_alternative<std::int64_t>(i) || std::holds_alternative<Slice>(i);
  Tensor out = *this;
  int axis = 0;
  for (const auto& i : indices) {
    if (const auto* position = std::get_if<std::int64_t>(&i))
      out = cadena::select(out, axis, *position);
    else if (const auto* range = std::get_if<Slice>(&i))
      out = cadena::slice(out, axis++, *range);
    else if (std::holds_alternative<NewAxis>(i))
      out = cadena::unsqueeze(out, axis++);
    else
      axis += dim() - used;
  }
  return out.raw() == raw() ? alias(*this) : out;
}

Tensor index_put(const Tensor& x, const std::vector<Index>& indices, const Operand& values, bool accumulate) {
  return detail::index_put_by("index_put", x, indices, values, accumulate);
}

Tensor take(const Tensor& x, const Tensor& index) {
  const Index list[] = {index};
  if (index.dtype() != i64)
    throw DtypeError("[take] expected an i64 index, got " + std::string(name(index.dtype())));
  return detail::index_by("take", reshape(x, {x.numel()}), list);
}

Tensor put(const Tensor& x, const Tensor& index, const Tensor& source, bool accumulate) {
  if (index.dtype() != i64)
    throw DtypeError("[put] expected an i64 index, got " + std::string(name(index.dtype())));
  if (index.numel() != source.numel())
    throw ShapeError("[put] expected as many elements of source as of index, got " +
                     to_string(source.shape()) + " and " + to_string(index.shape()));
  const Index list[] = {index};
  return reshape(
      detail::index_put_by("put", reshape(x, {x.numel()}), list, reshape(source, index.shape()), accumulate),
      x.shape());
}

Tensor nonzero(const Tensor& x) {
  NoGrad guard;
  const Tensor hits = contiguous(ne(x, 0));
  const Shape shape{sum(hits).item<std::int64_t>(), x.dim()};
  Tensor out = empty(shape, i64);
  kernels::nonzero(x.shape(), static_cast<const bool*>(detail::raw_data(hits)),
                   static_cast<std::int64_t*>(detail::raw_data(out)));
  return out;
}

Tensor argwhere(const Tensor& x) { return nonzero(x); }

std::vector<Tensor> where(const Tensor& condition) { return unbind(nonzero(atleast_1d(condition)), 1); }

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  if (mask.dtype() != boolean)
    throw DtypeError("[masked_select] expected a bool mask, got " + std::string(name(mask.dtype())));
  const Shape shape = broadcast("masked_select", x.shape(), mask.shape());
  const Index list[] = {expand(mask, shape)};
  return reshape(detail::index_by("masked_select", expand(x, shape), list), {-1});
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, const Operand& value) {
  const auto prefix = [] { return std::string("[masked_fill] expected "); };
  if (mask.dtype() != boolean)
    throw DtypeError(prefix() + "a bool mask, got " + std::string(name(mask.dtype())));
  broadcast("masked_fill", x.shape(), mask.shape());
  if (!value.tensor()) return where(mask, full({}, value.scalar(), x.dtype()), x);
  const Tensor& v = *value.tensor();
  if (v.dim() != 0)
    throw ShapeError(prefix() + "a number or a tensor of rank 0, got " + to_string(v.shape()));
  if (promote(v.dtype(), x.dtype()) != x.dtype())
    throw DtypeError(prefix() + "a value that " + std::string(name(x.dtype())) + " can hold, got " +
                     std::string(name(v.dtype())));
  return where(mask, to(v, x.dtype()), x);
}

Tensor masked_scatter(const Tensor& x, const Tensor& mask, const Tensor& source) {
  const auto prefix = [] { return std::string("[masked_scatter] expected "); };
  if (mask.dtype() != boolean)
    throw DtypeError(prefix() + "a bool mask, got " + std::string(name(mask.dtype())));
  if (!(broadcast("masked_scatter", x.shape(), mask.shape()) == x.shape()))
    throw ShapeError(prefix() + "a mask that broadcasts to " + to_string(x.shape()) + ", got " +
                     to_string(mask.shape()));
  const Tensor full_mask = expand(mask, x.shape());
  const auto count = count_nonzero(full_mask).item<std::int64_t>();
  if (source.numel() < count)
    throw ValueError(prefix() + "at least " + std::to_string(count) + " elements of source, got " +
                     to_string(source.shape()));
  const Index list[] = {full_mask};
  const Tensor values = slice(reshape(source, {source.numel()}), 0, {0, count});
  // A mask of rank 0 makes an axis of its own.
  return detail::index_put_by("masked_scatter", x, list, values, false);
}

}  // namespace cadena
