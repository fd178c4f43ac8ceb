// Composites of views and copies: nothing here has a derivative of its own.
#include "autodiff/ops/arrange.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

/// Everything from `axis` on as one block, `count` times each; the result's extent along `grows` is so much
/// larger.
Tensor repeat_blocks(const char* op, const Tensor& x, int axis, int grows, std::int64_t count) {
  std::int64_t outer = 1, block = 1;
  Shape shape = x.shape();
  for (int i = 0; i < x.dim(); ++i) (i < axis ? outer : block) *= shape[i];
  checked_numel(op, {outer, count, block}, itemsize(x.dtype()));
  shape[grows] *= count;
  return reshape(expand(reshape(x, {outer, 1, block}), {outer, count, block}), shape);
}

Tensor repeat_each_axis(const char* op, const Tensor& x, Shape repeats) {
  Shape shape = x.shape();
  while (shape.rank() < repeats.rank()) shape.insert(0, 1);
  for (auto n : repeats)
    if (n < 0) throw ValueError("[" + std::string(op) + "] expected numbers >= 0, got " + to_string(repeats));
  Tensor y = reshape(x, shape);
  for (int i = 0; i < repeats.rank(); ++i)
    if (repeats[i] != 1) y = repeat_blocks(op, y, i, i, repeats[i]);
  return y.shares_storage(x) ? clone(y) : y;
}

OpInfo row(const char* name, const char* formula, std::vector<Case> cases) {
  const auto call = cases[0].call;
  return composite(
      case_row({.name = name, .formula = formula}, "arrange", std::move(cases), [call](std::int64_t n) {
        return Case{{{2, n / 8, 4}}, call};
      }));
}

/// Of several tensors: the sum of what came out, each with its own factor, so that none can be mixed up.
Tensor weighted(const std::vector<Tensor>& list) {
  Tensor total = mul(list[0], 1);
  for (std::size_t i = 1; i < list.size(); ++i)
    total = add(total, mul(list[i], 1.0 + static_cast<double>(i)));
  return total;
}

}  // namespace

OpList arrange_ops() {
  using L = const TensorList&;
  const Tensor counts = tensor({2, 0, 1});
  return {
      row("unflatten", "x with one axis as several",
          {{{{2, 6, 4}},
            [](L x) {
              return unflatten(x[0], 1, {-1, 2});
            }},
           {{{6}},
            [](L x) {
              return unflatten(x[0], -1, {3, 2});
            }},
           {{{6}}, [](L x) { return unflatten(x[0], 0, {6}); }},
           {{{0}},
            [](L x) {
              return unflatten(x[0], 0, {0, 3});
            }}}),
      row("movedim", "permute(x, axes)",
          {{{{2, 3, 4}}, [](L x) { return movedim(x[0], 0, -1); }},
           {{{2, 3, 4}},
            [](L x) {
              return movedim(x[0], {2, 0}, {0, 1});
            }},
           {{{3}}, [](L x) { return movedim(x[0], 0, 0); }}}),
      row("swapaxes", "transpose(x, a, b)",
          {{{{2, 3, 4}}, [](L x) { return swapaxes(x[0], 0, -1); }},
           {{{2, 3}}, [](L x) { return swapaxes(x[0], 0, 1); }},
           {{{2, 0}}, [](L x) { return swapaxes(x[0], 0, 1); }},
           {{{1, 1}}, [](L x) { return swapaxes(x[0], 0, 1); }}}),
      composite(
          case_row({.name = "broadcast_to", .formula = "expand(x, shape)"}, "arrange",
                   {{{{3, 1}},
                     [](L x) {
                       return broadcast_to(x[0], {2, 3, 4});
                     }},
                    {{{}}, [](L x) { return broadcast_to(x[0], {3}); }},
                    {{{1}}, [](L x) { return broadcast_to(x[0], {0}); }}},
                   [](std::int64_t n) {
                     return Case{{{n / 16, 1}}, [n](L x) { return clone(broadcast_to(x[0], {n / 16, 16})); }};
                   })),
      composite(case_row({.name = "broadcast_tensors", .formula = "all expanded to their common shape"},
                         "arrange",
                         {{{{3, 1}, {4}}, [](L x) { return weighted(broadcast_tensors(x)); }},
                          {{{2}, {}, {1, 1}}, [](L x) { return weighted(broadcast_tensors(x)); }},
                          {{{5}}, [](L x) { return weighted(broadcast_tensors(x)); }}},
                         [](std::int64_t n) {
                           return Case{{{n}, {1}}, [](L x) { return weighted(broadcast_tensors(x)); }};
                         })),
      row("atleast_1d", "x, or a vector of it",
          {{{{2, 3, 4}}, [](L x) { return clone(atleast_1d(x[0])); }},
           {{{}}, [](L x) { return atleast_1d(x[0]); }},
           {{{3}}, [](L x) { return clone(atleast_1d(x[0])); }}}),
      row("atleast_2d", "x, or a matrix of it",
          {{{{2, 3, 4}}, [](L x) { return clone(atleast_2d(x[0])); }},
           {{{}}, [](L x) { return atleast_2d(x[0]); }},
           {{{3}}, [](L x) { return atleast_2d(x[0]); }}}),
      row("atleast_3d", "x, or three axes of it",
          {{{{2, 3, 4}}, [](L x) { return clone(atleast_3d(x[0])); }},
           {{{}}, [](L x) { return atleast_3d(x[0]); }},
           {{{3}}, [](L x) { return atleast_3d(x[0]); }},
           {{{2, 3}}, [](L x) { return atleast_3d(x[0]); }}}),
      row("roll", "y[(i + shift) mod n] = x[i]",
          {{{{2, 3, 4}},
            [](L x) {
              return roll(x[0], {1, -1}, {1, 2});
            }},
           {{{5}}, [](L x) { return roll(x[0], 7); }},
           {{{2, 3}}, [](L x) { return roll(x[0], -2); }},
           {{{2, 3}}, [](L x) { return roll(x[0], 3, 1); }},
           {{{0, 2}}, [](L x) { return roll(x[0], 1, 0); }}}),
      row("fliplr", "axis 1 backwards",
          {{{{2, 3}}, [](L x) { return fliplr(x[0]); }}, {{{2, 3, 2}}, [](L x) { return fliplr(x[0]); }}}),
      row("flipud", "axis 0 backwards",
          {{{{3}}, [](L x) { return flipud(x[0]); }}, {{{3, 2}}, [](L x) { return flipud(x[0]); }}}),
      row("rot90", "x turned by quarters",
          {{{{2, 3, 4}},
            [](L x) {
              return rot90(x[0], 1, {1, 2});
            }},
           {{{2, 3}}, [](L x) { return rot90(x[0], 2); }},
           {{{2, 3}}, [](L x) { return rot90(x[0], -1); }},
           {{{2, 3}}, [](L x) { return rot90(x[0], 4); }}}),
      row("repeat", "x side by side",
          {{{{2, 3, 4}},
            [](L x) {
              return repeat(x[0], {1, 1, 2});
            }},
           {{{3}},
            [](L x) {
              return repeat(x[0], {2, 3});
            }},
           {{{}}, [](L x) { return repeat(x[0], {2}); }},
           {{{}}, [](L x) { return repeat(x[0], {}); }},
           {{{2, 2}},
            [](L x) {
              return repeat(x[0], {3, 0});
            }},
           {{{0, 2}},
            [](L x) {
              return repeat(x[0], {3, 2});
            }}}),
      row("tile", "x side by side",
          {{{{2, 3, 4}}, [](L x) { return tile(x[0], {2}); }},
           {{{2, 3}},
            [](L x) {
              return tile(x[0], {2, 1, 2});
            }},
           {{{2}}, [](L x) { return tile(x[0], {1}); }}}),
      row("repeat_interleave", "every element of x several times",
          {{{{2, 3, 4}}, [](L x) { return repeat_interleave(x[0], 2, 1); }},
           {{{2, 3}}, [](L x) { return repeat_interleave(x[0], 2); }},
           {{{2, 3}}, [counts](L x) { return repeat_interleave(x[0], counts, -1); }},
           {{{3}}, [counts](L x) { return repeat_interleave(x[0], counts); }},
           {{{}}, [](L x) { return repeat_interleave(x[0], 3); }},
           {{{0, 2}}, [](L x) { return repeat_interleave(x[0], 3, 0); }}}),
  };
}

}  // namespace detail

Tensor unflatten(const Tensor& x, int axis, const Shape& sizes) {
  const int a = normalize_axis("unflatten", axis, x.dim());
  const std::int64_t n = x.shape()[a];
  std::int64_t known = 1, missing = 0;
  for (auto s : sizes) {
    if (s >= 0)
      known *= s;
    else
      ++missing;
  }
  const bool fits = missing == 0 ? known == n : missing == 1 && known > 0 && n % known == 0;
  if (sizes.empty() || !fits)
    throw ShapeError("[unflatten] expected sizes with product " + std::to_string(n) + " for axis " +
                     std::to_string(a) + " of " + to_string(x.shape()) + ", got " + to_string(sizes));
  Shape shape;
  for (int i = 0; i < x.dim(); ++i) {
    if (i != a) {
      shape.push_back(x.shape()[i]);
      continue;
    }
    for (auto s : sizes) shape.push_back(s < 0 ? n / known : s);
  }
  return reshape(x, shape);
}

Tensor movedim(const Tensor& x, const Axes& source, const Axes& destination) {
  if (source.rank() != destination.rank())
    throw ShapeError("[movedim] expected as many places as axes, got " + to_string(source) + " and " +
                     to_string(destination));
  Axes order;
  for (int i = 0; i < x.dim(); ++i) order.push_back(-1);
  if (!source.empty()) {  // refuses axes that are named twice
    normalize_axes("movedim", source, x.dim());
    normalize_axes("movedim", destination, x.dim());
  }
  std::array<bool, max_rank> moved{};
  for (int i = 0; i < source.rank(); ++i) {
    const int from = normalize_axis("movedim", source[i], x.dim());
    order[normalize_axis("movedim", destination[i], x.dim())] = from;
    moved[static_cast<std::size_t>(from)] = true;
  }
  int next = 0;
  for (auto& o : order) {
    if (o >= 0) continue;
    while (moved[static_cast<std::size_t>(next)]) ++next;
    o = next++;
  }
  return permute(x, order);
}

Tensor swapaxes(const Tensor& x, int a, int b) {
  if (x.dim() > 0) normalize_axis("swapaxes", a, x.dim()), normalize_axis("swapaxes", b, x.dim());
  return transpose(x, a, b);
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  if (!(broadcast("broadcast_to", x.shape(), shape) == shape))
    throw ShapeError("[broadcast_to] expected a shape that " + to_string(x.shape()) + " broadcasts to, got " +
                     to_string(shape));
  return expand(x, shape);
}

std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors) {
  Shape shape;
  for (const auto& t : tensors) shape = broadcast("broadcast_tensors", shape, t.shape());
  std::vector<Tensor> out;
  for (const auto& t : tensors) out.push_back(expand(t, shape));
  return out;
}

Tensor atleast_1d(const Tensor& x) { return x.dim() == 0 ? reshape(x, {1}) : x; }
Tensor atleast_2d(const Tensor& x) { return x.dim() < 2 ? unsqueeze(atleast_1d(x), 0) : x; }
Tensor atleast_3d(const Tensor& x) { return x.dim() < 3 ? unsqueeze(atleast_2d(x), -1) : x; }

Tensor roll(const Tensor& x, const Axes& shifts, const Axes& axes) {
  if (axes.empty() && shifts.rank() == 1) return reshape(roll(reshape(x, {x.numel()}), shifts, 0), x.shape());
  if (shifts.rank() != axes.rank())
    throw ShapeError("[roll] expected one shift per axis, got " + to_string(shifts) + " and " +
                     to_string(axes));
  Tensor y = x;
  for (int i = 0; i < axes.rank(); ++i) {
    const int a = normalize_axis("roll", axes[i], x.dim());
    const std::int64_t n = x.shape()[a];
    if (n == 0) continue;
    const std::int64_t shift = (shifts[i] % n + n) % n;
    if (shift > 0) y = cat({slice(y, a, {n - shift, n}), slice(y, a, {0, n - shift})}, a);
  }
  return y.raw() == x.raw() ? clone(x) : y;
}

Tensor fliplr(const Tensor& x) { return flip(x, {normalize_axis("fliplr", 1, x.dim())}); }
Tensor flipud(const Tensor& x) { return flip(x, {normalize_axis("flipud", 0, x.dim())}); }

Tensor rot90(const Tensor& x, int k, const Axes& axes) {
  if (axes.rank() != 2 || normalize_axes("rot90", axes, x.dim()).rank() != 2)
    throw ValueError("[rot90] expected two axes, got " + to_string(axes));
  const int a = normalize_axis("rot90", axes[0], x.dim()), b = normalize_axis("rot90", axes[1], x.dim());
  switch ((k % 4 + 4) % 4) {
    case 1:
      return transpose(flip(x, b), a, b);
    case 2:
      return flip(x, {a, b});
    case 3:
      return flip(transpose(x, a, b), b);
    default:
      return clone(x);
  }
}

Tensor repeat(const Tensor& x, const Shape& repeats) {
  if (repeats.rank() < x.dim())
    throw ShapeError("[repeat] expected at least one number per axis of " + to_string(x.shape()) + ", got " +
                     to_string(repeats));
  return detail::repeat_each_axis("repeat", x, repeats);
}

Tensor tile(const Tensor& x, const Shape& reps) {
  Shape all = reps;
  while (all.rank() < x.dim()) all.insert(0, 1);
  return detail::repeat_each_axis("tile", x, all);
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int> axis) {
  if (!axis) return repeat_interleave(reshape(x, {x.numel()}), repeats, 0);
  const int a = normalize_axis("repeat_interleave", *axis, x.dim());
  const std::int64_t n = x.shape()[a];
  if (repeats.dtype() != i64)
    throw DtypeError("[repeat_interleave] expected repeats of i64, got " +
                     std::string(name(repeats.dtype())));
  if (repeats.dim() > 1 || (repeats.numel() != 1 && repeats.numel() != n))
    throw ShapeError("[repeat_interleave] expected one number, or " + std::to_string(n) + " for axis " +
                     std::to_string(a) + " of " + to_string(x.shape()) + ", got " +
                     to_string(repeats.shape()));
  const auto counts = repeats.to_vector<std::int64_t>();
  for (auto c : counts)
    if (c < 0) throw ValueError("[repeat_interleave] expected numbers >= 0, got " + std::to_string(c));
  if (counts.size() == 1) return detail::repeat_blocks("repeat_interleave", x, a + 1, a, counts[0]);
  std::vector<std::int64_t> index;
  for (std::size_t i = 0; i < counts.size(); ++i)
    index.insert(index.end(), static_cast<std::size_t>(counts[i]), static_cast<std::int64_t>(i));
  return index_select(x, a, tensor(index));
}

}  // namespace cadena
