// Parts of tensors: slices and their transposes, joining.
#include "autodiff/ops/slicing.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/movement.hpp"

namespace cadena {
namespace detail {
namespace {

/// start, step and length along one axis, all within range.
struct Range {
  int axis;
  std::int64_t start, step, length;
};

Tensor view_range(const Tensor& x, const Range& r) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  const std::int64_t offset = r.length > 0 ? r.start * strides[r.axis] : 0;
  shape[r.axis] = r.length;
  strides[r.axis] *= r.step;
  return make_view(x, shape, strides, offset);
}

Tensor embed(const Tensor& x, const Shape& shape, const Range& r);

struct SliceOp : Linear<SliceOp> {
  static constexpr Meta meta{.name = "slice",
                             .formula = "x[start:end:step] along an axis",
                             .derivative = "dX = G at the slice, else 0"};
  Range range;

  explicit SliceOp(const Range& r) : range(r) {}
  Tensor eval(const Tensor& x) const { return view_range(x, range); }
  Tensor transpose(const Tensor& g, const Shape& in) const { return embed(g, in, range); }
  Tensor batch(const BatchedCall& c) const {
    Range r = range;
    ++r.axis;
    return apply(SliceOp(r), c.x[0]);
  }
  void add_transpose(const Tensor& g, const Tensor& sum) const {
    const Tensor part = view_range(sum, range);
    if (!add_in_place(part, g)) kernels::copy(view_of(add(part, g)), view_of(part));
  }
};

/// Zeros of `shape` with x at a range: the transpose of a slice.
struct Embed : Linear<Embed> {
  static constexpr Meta meta{
      .name = "embed", .formula = "zeros with x at a slice", .derivative = "dX = slice(G)"};
  Shape shape;
  Range range;

  Embed(const Shape& s, const Range& r) : shape(s), range(r) {}
  Tensor eval(const Tensor& x) const {
    Tensor out = zeros(shape, x.dtype());
    kernels::copy(view_of(x), view_of(view_range(out, range)));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return apply(SliceOp(range), g); }
  Tensor batch(const BatchedCall& c) const {
    Range r = range;
    ++r.axis;
    return embed(c.x[0], c.shaped(shape), r);
  }
};

Tensor embed(const Tensor& x, const Shape& shape, const Range& r) { return apply(Embed(shape, r), x); }

struct Cat {
  static constexpr Meta meta{.name = "cat",
                             .formula = "x1, x2, ... one after the other",
                             .derivative = "dXi = the part of G that came from xi"};
  int axis;
  std::vector<Shape> shapes;

  Tensor eval(std::span<const Tensor> parts) const {
    Shape shape = shapes[0];
    for (std::size_t i = 1; i < shapes.size(); ++i) shape[axis] += shapes[i][axis];
    Tensor out =
        make_tensor(shape, checked_numel("cat", shape, itemsize(parts[0].dtype())), parts[0].dtype());
    std::int64_t start = 0;
    for (const auto& part : parts) {
      kernels::copy(view_of(part), view_of(view_range(out, {axis, start, 1, part.shape()[axis]})));
      start += part.shape()[axis];
    }
    return out;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    std::int64_t start = 0;
    for (std::size_t i = 0; i < shapes.size(); ++i) {
      const std::int64_t length = shapes[i][axis];
      if (s.needs(static_cast<int>(i))) gin[i] = slice(g, axis, {start, start + length});
      start += length;
    }
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    TensorList parts(t, t + shapes.size());
    for (std::size_t i = 0; i < shapes.size(); ++i)
      if (!parts[i].defined()) parts[i] = zeros(shapes[i], s.node().dtype);
    return cat(parts, axis);
  }
  Tensor batch(const BatchedCall& c) const {
    TensorList parts;
    for (std::size_t i = 0; i < c.x.size(); ++i) parts.push_back(c.with_batch(i));
    return cat(parts, axis + 1);
  }
};

std::vector<Sample> slice_samples(Sampler& s) {
  std::vector<Sample> list;
  struct Case {
    Shape shape;
    int axis;
    Slice range;
  };
  const Case cases[] = {{{5}, 0, {1, 4}},          {{5}, 0, {{}, {}, 2}},     {{3, 4}, 1, {-2, {}}},
                        {{3, 4}, 0, {2, 1}},       {{2, 7, 3}, 1, {1, 7, 3}}, {{0, 3}, 1, {0, 2}},
                        {{3, 5}, -1, {{}, {}, 4}}, {{1}, 0, {0, 1}}};
  for (const auto& c : cases)
    list.push_back({to_string(c.shape) + " axis " + std::to_string(c.axis),
                    {s.draw(c.shape)},
                    [c](const TensorList& x) { return slice(x[0], c.axis, c.range); }});
  return list;
}

std::vector<Sample> embed_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Range> cases[] = {
      {{5}, {0, 1, 1, 3}}, {{3, 7}, {1, 0, 3, 3}}, {{2, 4}, {0, 1, 1, 1}}, {{4}, {0, 0, 1, 0}}};
  for (const auto& [shape, range] : cases) {
    Shape part = shape;
    part[range.axis] = range.length;
    list.push_back(
        {to_string(part) + " into " + to_string(shape),
         {s.draw(part)},
         [shape = shape, range = range](const TensorList& x) { return embed(x[0], shape, range); }});
  }
  return list;
}

std::vector<Sample> cat_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<std::vector<Shape>, int> cases[] = {{{{3}, {2}}, 0},
                                                      {{{2, 3}, {2, 1}, {2, 2}}, 1},
                                                      {{{2, 3}, {0, 3}, {1, 3}}, 0},
                                                      {{{2, 2}}, -1},
                                                      {{{1}, {1}, {1}, {2}, {1}, {1}, {1}, {1}, {1}, {1}}, 0},
                                                      {{{2, 1, 3}, {2, 2, 3}}, 1}};
  for (const auto& [shapes, axis] : cases) {
    Sample sample{std::to_string(shapes.size()) + " along axis " + std::to_string(axis),
                  {},
                  [axis = axis](const TensorList& x) { return cat(x, axis); }};
    for (const auto& shape : shapes) sample.inputs.push_back(s.draw(shape));
    list.push_back(std::move(sample));
  }
  return list;
}

}  // namespace

OpList slicing_ops() {
  auto matrix = [](Sampler& s, std::int64_t n) { return s.draw({n / 256, 256}); };
  return {{SliceOp::meta, "slicing", slice_samples,
           [=](Sampler& s, std::int64_t n) {
             return Sample{"every other column", {matrix(s, 2 * n)}, [](const TensorList& x) {
                             return clone(slice(x[0], 1, {{}, {}, 2}));
                           }};
           }},
          {Embed::meta, "slicing", embed_samples,
           [=](Sampler& s, std::int64_t n) {
             const Shape shape{n / 256, 512};
             return Sample{"every other column", {matrix(s, n)}, [shape](const TensorList& x) {
                             return embed(x[0], shape, {1, 0, 2, 256});
                           }};
           }},
          {Cat::meta, "slicing", cat_samples,
           [=](Sampler& s, std::int64_t n) {
             return Sample{"two, side by side",
                           {matrix(s, n / 2), matrix(s, n / 2)},
                           [](const TensorList& x) { return cat(x, 1); }};
           }},
          composite(case_row(
              {.name = "select", .formula = "x[..., i, ...]"}, "slicing",
              {{{{5}}, [](const TensorList& x) { return select(x[0], 0, 2); }},
               {{{3, 4}}, [](const TensorList& x) { return select(x[0], 1, -1); }},
               {{{2, 3, 2}}, [](const TensorList& x) { return select(x[0], 1, 0); }},
               {{{0, 3}}, [](const TensorList& x) { return select(x[0], 1, 0); }}},
              [](std::int64_t n) {
                return Case{{{256, n / 256}}, [](const TensorList& x) { return clone(select(x[0], 0, 3)); }};
              })),
          composite(case_row({.name = "stack", .formula = "cat(x1, x2, ... with one more axis)"}, "slicing",
                             {{{{3}, {3}}, [](const TensorList& x) { return stack(x, 0); }},
                              {{{3}, {3}, {3}}, [](const TensorList& x) { return stack(x, 1); }},
                              {{{2, 3}, {2, 3}}, [](const TensorList& x) { return stack(x, -1); }},
                              {{{}, {}}, [](const TensorList& x) { return stack(x); }},
                              {{{0}}, [](const TensorList& x) { return stack(x); }}},
                             [](std::int64_t n) {
                               return Case{{{n / 2}, {n / 2}}, [](const TensorList& x) { return stack(x); }};
                             }))};
}

}  // namespace detail

Tensor slice(const Tensor& x, int axis, Slice range) {
  const int a = normalize_axis("slice", axis, x.dim());
  if (range.step < 1) throw ValueError("[slice] expected a step >= 1, got " + std::to_string(range.step));
  const std::int64_t n = x.shape()[a];
  auto bound = [n](std::int64_t v) { return std::clamp<std::int64_t>(v < 0 ? v + n : v, 0, n); };
  const std::int64_t start = bound(range.start.value_or(0)), stop = bound(range.stop.value_or(n));
  const std::int64_t length = stop > start ? (stop - start - 1) / range.step + 1 : 0;
  return detail::apply(detail::SliceOp({a, start, range.step, length}), x);
}

Tensor select(const Tensor& x, int axis, std::int64_t index) {
  const int a = normalize_axis("select", axis, x.dim());
  const std::int64_t n = x.shape()[a], i = index < 0 ? index + n : index;
  if (i < 0 || i >= n)
    throw IndexError("[select] expected an index in [" + std::to_string(-n) + ", " + std::to_string(n) +
                     ") for axis " + std::to_string(a) + " of " + to_string(x.shape()) + ", got " +
                     std::to_string(index));
  Shape shape = x.shape();
  shape.erase(a);
  return reshape(detail::apply(detail::SliceOp({a, i, 1, 1}), x), shape);
}

Tensor cat(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) throw ValueError("[cat] expected at least one tensor, got none");
  const Shape& first = parts[0].shape();
  const int a = normalize_axis("cat", axis, first.rank());
  DType dtype = parts[0].dtype();
  for (const auto& part : parts) {
    bool fits = part.dim() == first.rank();
    for (int i = 0; fits && i < first.rank(); ++i) fits = i == a || part.shape()[i] == first[i];
    if (!fits)
      throw ShapeError("[cat] expected shapes that agree outside axis " + std::to_string(a) + ", got " +
                       to_string(first) + " and " + to_string(part.shape()));
    dtype = promote(dtype, part.dtype());
  }
  std::vector<Tensor> same_dtype;
  std::vector<Shape> shapes;
  for (const auto& part : parts) {
    same_dtype.push_back(to(part, dtype));
    shapes.push_back(part.shape());
  }
  return detail::apply_list(detail::Cat{a, std::move(shapes)}, same_dtype);
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) throw ValueError("[stack] expected at least one tensor, got none");
  std::vector<Tensor> raised;
  for (const auto& part : parts) {
    if (!(part.shape() == parts[0].shape()))
      throw ShapeError("[stack] expected equal shapes, got " + to_string(parts[0].shape()) + " and " +
                       to_string(part.shape()));
    raised.push_back(unsqueeze(part, normalize_axis("stack", axis, part.dim() + 1)));
  }
  return cat(raised, normalize_axis("stack", axis, parts[0].dim() + 1));
}

}  // namespace cadena
