// Operations that move elements without changing them: views where the layout allows, linear all of them.
// The family is closed under transposition: reshape-reshape, permute-permute, expand-sum, slice-embed,
// flip-flip.
#include "autodiff/ops/movement.hpp"

#include <algorithm>
#include <optional>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

/// Strides of `shape` over x's elements as they lie, or nothing if they must be copied.
std::optional<Strides> viewed_as(const Tensor& x, const Shape& shape) {
  if (x.is_contiguous()) return contiguous_strides(shape);
  // Dimensions of x that are contiguous among themselves form groups; every new dimension must stay inside
  // one.
  Shape from;
  Strides steps;
  for (int i = 0; i < x.dim(); ++i) {
    if (x.shape()[i] == 1) continue;
    from.push_back(x.shape()[i]);
    steps.push_back(x.strides()[i]);
  }
  Strides strides = contiguous_strides(shape);
  int to = shape.rank() - 1;
  for (int group_end = from.rank() - 1; group_end >= 0;) {
    int start = group_end;
    std::int64_t size = from[group_end];
    while (start > 0 && steps[start - 1] == steps[start] * from[start]) size *= from[--start];
    std::int64_t covered = 1, step = steps[group_end];
    while (to >= 0 && (covered < size || shape[to] == 1)) {
      strides[to] = step;
      step *= shape[to];
      covered *= shape[to--];
    }
    if (covered != size) return std::nullopt;
    group_end = start - 1;
  }
  return strides;
}

struct Reshape : Linear<Reshape> {
  static constexpr Meta meta{
      .name = "reshape", .formula = "x in another shape", .derivative = "dX = reshape(G, shape of x)"};
  Shape shape;

  explicit Reshape(const Shape& s) : shape(s) {}
  Tensor eval(const Tensor& x) const {
    if (auto strides = viewed_as(x, shape)) return make_view(x, shape, *strides, 0);
    return make_view(copy_of(x), shape, contiguous_strides(shape), 0);
  }
  Tensor transpose(const Tensor& g, const Shape& in) const { return reshape(g, in); }
  Tensor batch(const BatchedCall& c) const { return reshape(c.x[0], c.shaped(shape)); }
};

struct Permute : Linear<Permute> {
  static constexpr Meta meta{.name = "permute",
                             .formula = "x with its axes in another order",
                             .derivative = "dX = G with its axes back in order"};
  Axes axes;

  explicit Permute(const Axes& a) : axes(a) {}
  Tensor eval(const Tensor& x) const {
    Shape shape;
    Strides strides;
    for (auto a : axes) {
      shape.push_back(x.shape()[static_cast<int>(a)]);
      strides.push_back(x.strides()[static_cast<int>(a)]);
    }
    return make_view(x, shape, strides, 0);
  }
  Tensor transpose(const Tensor& g, const Shape&) const {
    Axes inverse = axes;
    for (int i = 0; i < axes.rank(); ++i) inverse[static_cast<int>(axes[i])] = i;
    return permute(g, inverse);
  }
  Tensor batch(const BatchedCall& c) const {
    Axes order{0};
    for (auto a : BatchedCall::shifted(axes)) order.push_back(a);
    return permute(c.x[0], order);
  }
};

struct Expand : Linear<Expand> {
  static constexpr Meta meta{.name = "expand",
                             .formula = "x repeated along extents of 1",
                             .derivative = "dX = sum of G over the repeats"};
  Shape shape;

  explicit Expand(const Shape& s) : shape(s) {}
  Tensor eval(const Tensor& x) const {
    Strides strides;
    const int missing = shape.rank() - x.dim();
    for (int i = 0; i < shape.rank(); ++i)
      strides.push_back(i < missing || x.shape()[i - missing] != shape[i] ? 0 : x.strides()[i - missing]);
    return make_view(x, shape, strides, 0);
  }
  Tensor transpose(const Tensor& g, const Shape& in) const { return sum_to(g, in); }
  Tensor batch(const BatchedCall& c) const {
    Shape raised;
    const int missing = shape.rank() - (c.x[0].dim() - 1);
    for (int i = 0; i < missing; ++i) raised.push_back(1);
    for (int i = 1; i < c.x[0].dim(); ++i) raised.push_back(c.x[0].shape()[i]);
    return expand(reshape(c.x[0], c.shaped(raised)), c.shaped(shape));
  }
};

struct Flip : Linear<Flip> {
  static constexpr Meta meta{
      .name = "flip", .formula = "x backwards along axes", .derivative = "dX = flip(G)"};
  Axes axes;

  explicit Flip(const Axes& a) : axes(a) {}
  Tensor eval(const Tensor& x) const {
    Strides strides = x.strides();
    std::int64_t offset = 0;
    for (auto a : axes) {
      const int i = static_cast<int>(a);
      if (x.numel() > 0) offset += (x.shape()[i] - 1) * strides[i];
      strides[i] = -strides[i];
    }
    return make_view(x, x.shape(), strides, offset);
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return flip(g, axes); }
  Tensor batch(const BatchedCall& c) const {
    return axes.empty() ? c.x[0] : flip(c.x[0], BatchedCall::shifted(axes));
  }
};

struct Cast : Linear<Cast> {
  static constexpr Meta meta{
      .name = "to", .formula = "x in another dtype", .derivative = "dX = G in the dtype of x"};
  DType target, source;

  Cast(DType t, DType s) : target(t), source(s) {}
  Tensor eval(const Tensor& x) const {
    Tensor out = make_tensor(x.shape(), x.numel(), target);
    kernels::copy(view_of(x), view_of(out));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return to(g, source); }
  Tensor batch(const BatchedCall& c) const { return to(c.x[0], target); }
};

struct Clone : Linear<Clone> {
  static constexpr Meta meta{.name = "clone", .formula = "a copy of x", .derivative = "dX = G"};
  Tensor eval(const Tensor& x) const { return copy_of(x); }
  Tensor transpose(const Tensor& g, const Shape&) const { return g; }
  Tensor batch(const BatchedCall& c) const { return clone(c.x[0]); }
};

struct Alias : Linear<Alias> {
  static constexpr Meta meta{.name = "alias", .formula = "x", .derivative = "dX = G"};
  Tensor eval(const Tensor& x) const { return x.detach(); }
  Tensor transpose(const Tensor& g, const Shape&) const { return g; }
  Tensor batch(const BatchedCall& c) const { return alias(c.x[0]); }
};

/// The shape with its -1, if any, replaced. @throws ShapeError
Shape infer_extent(const char* op, const Tensor& x, Shape shape) {
  int unknown = -1;
  std::int64_t known = 1;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != -1)
      known *= shape[i];
    else if (unknown >= 0)
      throw ShapeError("[" + std::string(op) + "] expected at most one -1, got " + to_string(shape));
    else
      unknown = i;
  }
  const auto refuse = [&] {
    throw ShapeError("[" + std::string(op) + "] expected a shape of " + std::to_string(x.numel()) +
                     " elements for " + to_string(x.shape()) + ", got " + to_string(shape));
  };
  if (unknown >= 0) {
    if (known == 0 || x.numel() % known != 0) refuse();
    shape[unknown] = x.numel() / known;
  }
  if (checked_numel(op, shape, 1) != x.numel()) refuse();
  return shape;
}

Sample sample(std::string label, Tensor x, std::function<Tensor(const Tensor&)> f) {
  return {
      std::move(label) + " of " + to_string(x.shape()), {x}, [f](const TensorList& in) { return f(in[0]); }};
}

std::vector<Sample> reshape_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Shape> cases[] = {{{6}, {2, 3}},        {{2, 3}, {6}},   {{2, 3, 4}, {4, -1}},
                                           {{0, 3}, {3, 0}},     {{}, {1, 1}},    {{1}, {}},
                                           {{2, 3, 4}, {2, 12}}, {{1, 5, 1}, {5}}};
  for (const auto& [from, shape] : cases)
    list.push_back(sample("to " + to_string(shape), s.draw(from),
                          [shape = shape](const Tensor& x) { return reshape(x, shape); }));
  // Of transposed memory: a copy, and a view.
  list.push_back(sample("of a transpose", s.draw({3, 4}), [](const Tensor& x) {
    return reshape(t(x), {2, 6});
  }));
  list.push_back(sample("inner", s.draw({3, 4, 2}), [](const Tensor& x) {
    return reshape(transpose(x, 1, 2), {3, 2, 2, 2});
  }));
  return list;
}

std::vector<Sample> permute_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Axes> cases[] = {
      {{2, 3}, {1, 0}},        {{2, 3, 4}, {2, 0, 1}},       {{2, 0, 3}, {1, 2, 0}},
      {{2, 3, 4}, {0, 2, -2}}, {{2, 1, 3, 2}, {3, 2, 1, 0}}, {{4}, {0}}};
  for (const auto& [shape, axes] : cases)
    list.push_back(
        sample(to_string(axes), s.draw(shape), [axes = axes](const Tensor& x) { return permute(x, axes); }));
  return list;
}

std::vector<Sample> expand_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Shape> cases[] = {
      {{}, {3}},         {{1}, {4}}, {{3, 1}, {3, 4}},          {{4}, {2, 4}},
      {{1, 3}, {2, -1}}, {{1}, {0}}, {{2, 1, 3}, {4, 2, 5, 3}}, {{5}, {5}}};
  for (const auto& [from, shape] : cases)
    list.push_back(sample("to " + to_string(shape), s.draw(from),
                          [shape = shape](const Tensor& x) { return expand(x, shape); }));
  return list;
}

std::vector<Sample> flip_samples(Sampler& s) {
  std::vector<Sample> list;
  const std::pair<Shape, Axes> cases[] = {
      {{5}, {0}}, {{2, 3}, {}}, {{2, 3, 4}, {0, 2}}, {{0, 2}, {1}}, {{1, 4}, {-1}}};
  for (const auto& [shape, axes] : cases)
    list.push_back(
        sample(to_string(axes), s.draw(shape), [axes = axes](const Tensor& x) { return flip(x, axes); }));
  return list;
}

template <Tensor (*f)(const Tensor&)>
std::vector<Sample> copy_samples(Sampler& s) {
  std::vector<Sample> list;
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{3, 4}, Shape{2, 3, 2}, Shape{65}})
    list.push_back(sample("", s.draw(shape), f));
  return list;
}

OpInfo row(const Meta& meta, std::vector<Sample> (*samples)(Sampler&), Tensor (*f)(const Tensor&)) {
  return {meta, "movement", samples, [f](Sampler& s, std::int64_t n) {
            return sample("", s.draw({n / 256, 256}), f);
          }};
}

/// A composite of one matrix-like input.
OpInfo view_row(const char* name, const char* formula, std::vector<Case> cases) {
  const auto call = cases[0].call;
  const Shape like = cases[0].shapes[0];
  return composite(case_row({.name = name, .formula = formula}, "movement", std::move(cases),
                            [call, like](std::int64_t n) {
                              Shape shape = like;
                              for (int i = 0; i < shape.rank(); ++i) n /= shape[i];
                              shape[0] *= std::max<std::int64_t>(n, 1);
                              return Case{{shape}, call};
                            }));
}

}  // namespace

OpList movement_ops() {
  return {row(Reshape::meta, reshape_samples, [](const Tensor& x) { return reshape(x, {-1}); }),
          row(Permute::meta, permute_samples, [](const Tensor& x) { return clone(t(x)); }),
          row(Expand::meta, expand_samples,
              [](const Tensor& x) {
                return clone(expand(slice(x, 0, {0, 1}), x.shape()));
              }),
          row(Flip::meta, flip_samples, [](const Tensor& x) { return clone(flip(x, 1)); }),
          row(Clone::meta, copy_samples<cadena::clone>, cadena::clone),
          row(Alias::meta, copy_samples<cadena::alias>, cadena::alias),
          view_row("view", "reshape(x, shape), of the same memory",
                   {{{{4, 6}},
                     [](const TensorList& x) {
                       return view(contiguous(x[0]), {-1, 3});
                     }},
                    {{{6}},
                     [](const TensorList& x) {
                       return view(contiguous(x[0]), {2, 3});
                     }},
                    {{{}},
                     [](const TensorList& x) {
                       return view(x[0], {1, 1});
                     }},
                    {{{2, 0}},
                     [](const TensorList& x) {
                       return view(contiguous(x[0]), {0, 5});
                     }}}),
          view_row("flatten", "reshape(x, (-1))",
                   {{{{2, 3, 4}}, [](const TensorList& x) { return flatten(x[0]); }},
                    {{{2, 3, 4}}, [](const TensorList& x) { return flatten(x[0], 1); }},
                    {{{2, 3, 4}}, [](const TensorList& x) { return flatten(x[0], 0, 1); }},
                    {{{}}, [](const TensorList& x) { return flatten(x[0]); }},
                    {{{2, 0}}, [](const TensorList& x) { return flatten(x[0]); }}}),
          view_row("transpose", "permute(x, two axes exchanged)",
                   {{{{3, 4}}, [](const TensorList& x) { return transpose(x[0], 0, 1); }},
                    {{{2, 3, 4}}, [](const TensorList& x) { return transpose(x[0], -1, 0); }},
                    {{{2, 3}}, [](const TensorList& x) { return transpose(x[0], 1, 1); }},
                    {{{2, 0}}, [](const TensorList& x) { return transpose(x[0], 0, 1); }}}),
          view_row("t", "transpose(x, 0, 1)",
                   {{{{3, 4}}, [](const TensorList& x) { return t(x[0]); }},
                    {{{5}}, [](const TensorList& x) { return t(x[0]); }},
                    {{{}}, [](const TensorList& x) { return t(x[0]); }}}),
          view_row("squeeze", "x without extents of 1",
                   {{{{1, 3, 1}}, [](const TensorList& x) { return squeeze(x[0]); }},
                    {{{1, 3, 1}}, [](const TensorList& x) { return squeeze(x[0], -1); }},
                    {{{2, 3}}, [](const TensorList& x) { return squeeze(x[0]); }}}),
          view_row("unsqueeze", "x with one more extent of 1",
                   {{{{}}, [](const TensorList& x) { return unsqueeze(x[0], 0); }},
                    {{{2, 3}}, [](const TensorList& x) { return unsqueeze(x[0], 1); }},
                    {{{2, 3}}, [](const TensorList& x) { return unsqueeze(x[0], -1); }}}),
          view_row("contiguous", "x",
                   {{{{3, 4}}, [](const TensorList& x) { return contiguous(t(x[0])); }},
                    {{{3, 4}}, [](const TensorList& x) { return contiguous(x[0]); }},
                    {{{0}}, [](const TensorList& x) { return contiguous(x[0]); }}})};
}

}  // namespace detail

Tensor reshape(const Tensor& x, const Shape& shape) {
  return detail::apply(detail::Reshape(detail::infer_extent("reshape", x, shape)), x);
}

Tensor view(const Tensor& x, const Shape& shape) {
  const Shape target = detail::infer_extent("view", x, shape);
  if (!detail::viewed_as(x, target))
    throw ShapeError("[view] expected memory that can be seen as " + to_string(target) +
                     " without a copy, got " + to_string(x.shape()) + " with strides " +
                     to_string(x.strides()) + "; reshape copies");
  return detail::apply(detail::Reshape(target), x);
}

Tensor flatten(const Tensor& x, int start, int end) {
  if (x.dim() == 0) return reshape(x, {1});
  const int a = normalize_axis("flatten", start, x.dim()), b = normalize_axis("flatten", end, x.dim());
  if (a > b)
    throw ValueError("[flatten] expected start <= end, got axes " + std::to_string(start) + " and " +
                     std::to_string(end) + " of " + to_string(x.shape()));
  Shape shape;
  for (int i = 0; i < x.dim(); ++i) {
    if (i > a && i <= b)
      shape[a] *= x.shape()[i];
    else
      shape.push_back(x.shape()[i]);
  }
  return reshape(x, shape);
}

Tensor permute(const Tensor& x, const Axes& axes) {
  const Axes sorted = x.dim() == 0 ? Axes() : normalize_axes("permute", axes, x.dim());
  if (axes.rank() != x.dim() || sorted.rank() != x.dim())
    throw ShapeError("[permute] expected every axis of " + to_string(x.shape()) + " once, got " +
                     to_string(axes));
  Axes order;
  for (auto a : axes) order.push_back(normalize_axis("permute", a, x.dim()));
  return detail::apply(detail::Permute(order), x);
}

Tensor transpose(const Tensor& x, int a, int b) {
  Axes order;
  for (int i = 0; i < x.dim(); ++i) order.push_back(i);
  if (x.dim() > 0)
    std::swap(order[normalize_axis("transpose", a, x.dim())], order[normalize_axis("transpose", b, x.dim())]);
  return detail::apply(detail::Permute(order), x);
}

Tensor t(const Tensor& x) {
  if (x.dim() > 2) throw ShapeError("[t] expected at most 2 dimensions, got " + to_string(x.shape()));
  return x.dim() < 2 ? x : transpose(x, 0, 1);
}

Tensor expand(const Tensor& x, const Shape& shape) {
  Shape target = shape;
  const int missing = shape.rank() - x.dim();
  for (int i = 0; i < shape.rank(); ++i) {
    if (target[i] == -1 && i >= missing) target[i] = x.shape()[i - missing];
    if (missing < 0 || (i >= missing && x.shape()[i - missing] != 1 && x.shape()[i - missing] != target[i]))
      throw ShapeError("[expand] expected a shape that " + to_string(x.shape()) + " broadcasts to, got " +
                       to_string(shape));
  }
  if (missing < 0)
    throw ShapeError("[expand] expected at least " + std::to_string(x.dim()) + " dimensions, got " +
                     to_string(shape));
  checked_numel("expand", target, itemsize(x.dtype()));
  return detail::apply(detail::Expand(target), x);
}

Tensor squeeze(const Tensor& x, const Axes& axes) {
  const Axes chosen = x.dim() == 0 ? Axes() : normalize_axes("squeeze", axes, x.dim());
  Shape shape;
  for (int i = 0; i < x.dim(); ++i)
    if (x.shape()[i] != 1 || std::find(chosen.begin(), chosen.end(), i) == chosen.end())
      shape.push_back(x.shape()[i]);
  return reshape(x, shape);
}

Tensor unsqueeze(const Tensor& x, int axis) {
  Shape shape = x.shape();
  shape.insert(normalize_axis("unsqueeze", axis, x.dim() + 1), 1);
  return reshape(x, shape);
}

Tensor flip(const Tensor& x, const Axes& axes) {
  return detail::apply(detail::Flip(x.dim() == 0 ? Axes() : normalize_axes("flip", axes, x.dim())), x);
}

Tensor to(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  return detail::apply(detail::Cast(dtype, x.dtype()), x);
}
Tensor contiguous(const Tensor& x) { return x.is_contiguous() ? x : clone(x); }
Tensor clone(const Tensor& x) { return detail::apply(detail::Clone(), x); }
Tensor alias(const Tensor& x) { return detail::apply(detail::Alias(), x); }

}  // namespace cadena
