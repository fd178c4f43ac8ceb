// Reading and adding at index tensors. gather and scatter_add are each other's transposes, as are
// index_select and index_add.
#include "autodiff/kernels/index.hpp"

#include <optional>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"

namespace cadena {
namespace detail {
namespace {

void check_found(const char* op, const std::optional<std::int64_t>& bad, const Shape& shape, int axis) {
  if (bad)
    throw IndexError("[" + std::string(op) + "] expected indices in [0, " + std::to_string(shape[axis]) +
                     ") for axis " + std::to_string(axis) + " of " + to_string(shape) + ", got " +
                     std::to_string(*bad));
}

/// What adding `g` at checked positions of zeros gives, without the copy that scatter_add makes of its first
/// operand.
template <class AddAt>
Tensor added_to_zeros(const AddAt& add_at, const Shape& shape, int axis, const Tensor& index,
                      const Tensor& g) {
  Tensor out = zeros(shape, g.dtype());
  check_found("scatter_add", add_at(view_of(out), axis, view_of(index), view_of(g)), shape, axis);
  return out;
}

struct Gather : Linear<Gather> {
  static constexpr Meta meta{
      .name = "gather", .formula = "x[..., index, ...]", .derivative = "dX = scatter_add(0, index, G)"};
  int axis;
  Constant index;

  Gather(int a, const Tensor& i) : axis(a), index(i) {}
  Tensor eval(const Tensor& x) const {
    const Tensor& i = index.get(meta.name);
    Tensor out = make_tensor(i.shape(), i.numel(), x.dtype());
    check_found("gather", kernels::gather(view_of(x), axis, view_of(i), view_of(out)), x.shape(), axis);
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape& in) const {
    const Tensor& i = index.get(meta.name);
    return composed(g) ? scatter_add(zeros(in, g.dtype()), axis, i, g)
                       : added_to_zeros(kernels::scatter_add, in, axis, i, g);
  }
  const Tensor& attribute() const { return index.get(meta.name); }
  Tensor batch(const BatchedCall& c) const { return gather(c.with_batch(0), axis + 1, c.with_batch(1)); }
};

/// A vector of indices for each sample (N, k) as positions along `axis` of the samples `x`.
Tensor as_positions(const Tensor& indices, int axis, const Tensor& x) {
  Shape flat, shape = x.shape();
  for (int i = 0; i < x.dim(); ++i) flat.push_back(1);
  flat[0] = indices.size(0);
  flat[axis + 1] = shape[axis + 1] = indices.size(1);
  return expand(reshape(indices, flat), shape);
}

struct IndexSelect : Linear<IndexSelect> {
  static constexpr Meta meta{
      .name = "index_select", .formula = "rows of x by index", .derivative = "dX = index_add(0, index, G)"};
  int axis;
  Constant index;

  IndexSelect(int a, const Tensor& i) : axis(a), index(i) {}
  Tensor eval(const Tensor& x) const {
    const Tensor& i = index.get(meta.name);
    Shape shape = x.shape();
    shape[axis] = i.numel();
    Tensor out = make_tensor(shape, checked_numel("index_select", shape, itemsize(x.dtype())), x.dtype());
    check_found("index_select", kernels::index_select(view_of(x), axis, view_of(i), view_of(out)), x.shape(),
                axis);
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape& in) const {
    const Tensor& i = index.get(meta.name);
    return composed(g) ? index_add(zeros(in, g.dtype()), axis, i, g)
                       : added_to_zeros(kernels::index_add, in, axis, i, g);
  }
  const Tensor& attribute() const { return index.get(meta.name); }
  Tensor batch(const BatchedCall& c) const {
    const Tensor x = c.with_batch(0);
    return c.batched[1] ? gather(x, axis + 1, as_positions(c.x[1], axis, x))
                        : index_select(x, axis + 1, c.x[1]);
  }
};

/// x with src added at positions: linear in both, and reading those positions is the transpose for src.
template <class Op>
struct AddAt {
  int axis;
  Constant index;

  AddAt(int a, const Tensor& i) : axis(a), index(i) {}
  Tensor eval(const Tensor& x, const Tensor& src) const {
    Tensor out = copy_of(x);
    check_found(Op::meta.name.data(),
                Op::add_at(view_of(out), axis, view_of(index.get(Op::meta.name)), view_of(src)), x.shape(),
                axis);
    return out;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (s.needs(0)) gin[0] = g;
    if (s.needs(1)) gin[1] = Op::read_at(g, axis, index.get(Op::meta.name));
  }
  const Tensor& attribute() const { return index.get(Op::meta.name); }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    if (!t[1].defined()) return t[0];
    const Tensor base = t[0].defined() ? t[0] : zeros(s.output_shape(), s.node().dtype);
    return detail::apply(Op(axis, index.get(Op::meta.name)), base, t[1]);
  }
};

struct ScatterAdd : AddAt<ScatterAdd> {
  Tensor batch(const BatchedCall& c) const {
    return scatter_add(c.with_batch(0), axis + 1, c.with_batch(2), c.with_batch(1));
  }
  static constexpr Meta meta{.name = "scatter_add",
                             .formula = "x with s added at index",
                             .derivative = "dX = G, dS = gather(G, index)"};
  using AddAt::AddAt;
  static constexpr auto add_at = kernels::scatter_add;
  static constexpr auto read_at = cadena::gather;
};

struct IndexAdd : AddAt<IndexAdd> {
  Tensor batch(const BatchedCall& c) const {
    const Tensor x = c.with_batch(0), src = c.with_batch(1);
    return c.batched[2] ? scatter_add(x, axis + 1, as_positions(c.x[2], axis, x), src)
                        : index_add(x, axis + 1, c.x[2], src);
  }
  static constexpr Meta meta{.name = "index_add",
                             .formula = "x with rows of s added by index",
                             .derivative = "dX = G, dS = index_select(G, index)"};
  using AddAt::AddAt;
  static constexpr auto add_at = kernels::index_add;
  static constexpr auto read_at = cadena::index_select;
};

void check_index_dtype(const char* op, const Tensor& index) {
  if (index.dtype() != i64)
    throw DtypeError("[" + std::string(op) + "] expected an i64 index, got " +
                     std::string(name(index.dtype())));
}

/// `index` has x's rank and fits into x outside `axis`. Vectors of one element stand in for rank 0.
void check_gather(const char* op, const Tensor& x, int axis, const Tensor& index) {
  check_index_dtype(op, index);
  bool fits = index.dim() == x.dim();
  for (int i = 0; fits && i < x.dim(); ++i) fits = i == axis || index.shape()[i] <= x.shape()[i];
  if (!fits)
    throw ShapeError("[" + std::string(op) + "] expected an index of x's rank and, outside axis " +
                     std::to_string(axis) + ", at most its extents, got " + to_string(index.shape()) +
                     " for " + to_string(x.shape()));
}

void check_vector_index(const char* op, const Tensor& index) {
  check_index_dtype(op, index);
  if (index.dim() != 1)
    throw ShapeError("[" + std::string(op) + "] expected a vector of indices, got " +
                     to_string(index.shape()));
}

struct IndexCase {
  Shape x;
  int axis;
  Shape index;
};

std::vector<Sample> gather_samples(Sampler& s, bool scatter) {
  std::vector<Sample> list;
  const IndexCase cases[] = {
      {{5}, 0, {3}},       {{3, 4}, 1, {3, 2}}, {{3, 4}, 0, {2, 4}},  {{2, 3, 2}, 1, {2, 7, 2}},
      {{4, 3}, 1, {2, 2}}, {{3}, 0, {0}},       {{1, 5}, -1, {1, 9}}, {{0, 3}, 1, {0, 2}}};
  for (const auto& c : cases) {
    const int axis = normalize_axis("gather", c.axis, c.x.rank());
    const Tensor index = s.index(c.index, c.x[axis]);
    Sample sample{
        to_string(c.x) + " axis " + std::to_string(axis) + " index " + to_string(c.index), {s.draw(c.x)}, {}};
    if (scatter) {
      sample.inputs.push_back(s.draw(c.index));
      sample.call = [axis, index](const TensorList& x) { return scatter_add(x[0], axis, index, x[1]); };
    } else {
      sample.call = [axis, index](const TensorList& x) { return gather(x[0], axis, index); };
    }
    list.push_back(std::move(sample));
  }
  return list;
}

std::vector<Sample> select_samples(Sampler& s, bool add) {
  std::vector<Sample> list;
  const IndexCase cases[] = {{{5}, 0, {3}},       {{3, 4}, 1, {6}}, {{3, 4}, 0, {2}},
                             {{2, 3, 2}, 1, {4}}, {{3, 2}, 0, {0}}, {{1, 5}, -1, {1}}};
  for (const auto& c : cases) {
    const int axis = normalize_axis("index_select", c.axis, c.x.rank());
    const Tensor index = s.index(c.index, c.x[axis]);
    Sample sample{
        to_string(c.x) + " axis " + std::to_string(axis) + " index " + to_string(c.index), {s.draw(c.x)}, {}};
    if (add) {
      Shape part = c.x;
      part[axis] = c.index[0];
      sample.inputs.push_back(s.draw(part));
      sample.call = [axis, index](const TensorList& x) { return index_add(x[0], axis, index, x[1]); };
    } else {
      sample.call = [axis, index](const TensorList& x) { return index_select(x[0], axis, index); };
    }
    list.push_back(std::move(sample));
  }
  return list;
}

}  // namespace

OpList index_ops() {
  auto row = [](const Meta& meta, std::vector<Sample> (*samples)(Sampler&, bool), bool adds,
                std::function<Tensor(const TensorList&, const Tensor&)> call, bool whole_slices) {
    return OpInfo{
        meta, "index", [=](Sampler& s) { return samples(s, adds); },
        [=](Sampler& s, std::int64_t n) {
          const Shape shape{n / 256, 256};
          const Tensor index = s.index(whole_slices ? Shape{shape[0]} : shape, shape[0]);
          Sample sample{"rows of 256", {s.draw(shape)}, [=](const TensorList& x) { return call(x, index); }};
          if (adds) sample.inputs.push_back(s.draw(shape));
          return sample;
        }};
  };
  using L = const TensorList&;
  using T = const Tensor&;
  return {
      row(
          Gather::meta, gather_samples, false, [](L x, T i) { return gather(x[0], 0, i); }, false),
      row(
          ScatterAdd::meta, gather_samples, true, [](L x, T i) { return scatter_add(x[0], 0, i, x[1]); },
          false),
      row(
          IndexSelect::meta, select_samples, false, [](L x, T i) { return index_select(x[0], 0, i); }, true),
      row(
          IndexAdd::meta, select_samples, true, [](L x, T i) { return index_add(x[0], 0, i, x[1]); }, true)};
}

}  // namespace detail

Tensor gather(const Tensor& x, int axis, const Tensor& index) {
  if (x.dim() == 0) return reshape(gather(reshape(x, {1}), axis, reshape(index, {1})), {});
  const int a = normalize_axis("gather", axis, x.dim());
  detail::check_gather("gather", x, a, index);
  return detail::apply(detail::Gather(a, index), x);
}

Tensor scatter_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  if (x.dim() == 0)
    return reshape(scatter_add(reshape(x, {1}), axis, reshape(index, {1}), reshape(src, {1})), {});
  const int a = normalize_axis("scatter_add", axis, x.dim());
  detail::check_gather("scatter_add", x, a, index);
  if (!(src.shape() == index.shape()))
    throw ShapeError("[scatter_add] expected src of index's shape " + to_string(index.shape()) + ", got " +
                     to_string(src.shape()));
  const DType dtype = promote(x.dtype(), src.dtype());
  return detail::apply(detail::ScatterAdd(a, index), to(x, dtype), to(src, dtype));
}

Tensor index_select(const Tensor& x, int axis, const Tensor& index) {
  const int a = normalize_axis("index_select", axis, x.dim());
  detail::check_vector_index("index_select", index);
  return detail::apply(detail::IndexSelect(a, index), x);
}

Tensor index_add(const Tensor& x, int axis, const Tensor& index, const Tensor& src) {
  const int a = normalize_axis("index_add", axis, x.dim());
  detail::check_vector_index("index_add", index);
  Shape part = x.shape();
  part[a] = index.numel();
  if (!(src.shape() == part))
    throw ShapeError("[index_add] expected src of shape " + to_string(part) + ", got " +
                     to_string(src.shape()));
  const DType dtype = promote(x.dtype(), src.dtype());
  return detail::apply(detail::IndexAdd(a, index), to(x, dtype), to(src, dtype));
}

Tensor one_hot(const Tensor& labels, std::int64_t classes) {
  detail::check_index_dtype("one_hot", labels);
  NoGrad guard;
  if (classes < 0) {
    if (labels.numel() == 0) throw ValueError("[one_hot] expected labels to count classes from, got none");
    classes = max(labels).item<std::int64_t>() + 1;
  }
  return detail::unrecorded(labels, [classes](const Tensor& all, int) {
    const std::int64_t n = all.numel();
    Shape shape = all.shape();
    shape.push_back(classes);
    checked_numel("one_hot", shape, sizeof(std::int64_t));
    const Tensor out = zeros({n, classes}, i64), column = reshape(all, {n, 1});
    if (const auto bad = kernels::scatter(detail::view_of(out), 1, detail::view_of(column),
                                          detail::view_of(expand(ones({}, i64), {n, 1}))))
      throw IndexError("[one_hot] expected labels in [0, " + std::to_string(classes) + "), got " +
                       std::to_string(*bad));
    return reshape(out, shape);
  });
}

}  // namespace cadena
