// Constant margins are written around a copy; for the others x is read through an index for each axis.
#include "autodiff/ops/padding.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/margins.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

using AxisIndex = std::vector<std::int64_t>;

AxisIndex counting(std::int64_t n) {
  AxisIndex index(static_cast<std::size_t>(n));
  std::iota(index.begin(), index.end(), 0);
  return index;
}

/// With paddings >= 0.
struct Pad : Linear<Pad> {
  static constexpr Meta meta{.name = "pad",
                             .formula = "x with a margin",
                             .derivative = "dX = G without the borders, or added to where they were read"};
  std::vector<Padding> paddings;  // by axis
  Scalar value;

  Pad(std::vector<Padding> p, Scalar v) : paddings(std::move(p)), value(v) {}
  Tensor eval(const Tensor& x) const {
    Shape shape = x.shape();
    for (int i = 0; i < x.dim(); ++i) shape[i] += at(i).before + at(i).after;
    Tensor out = full(shape, value, x.dtype());
    std::int64_t offset = 0;
    for (int i = 0; i < x.dim(); ++i) offset += at(i).before * out.strides()[i];
    if (x.numel() > 0) kernels::copy(view_of(x), view_of(make_view(out, x.shape(), out.strides(), offset)));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape& in) const {
    Tensor out = g;
    for (int i = 0; i < in.rank(); ++i) out = slice(out, i, {at(i).before, at(i).before + in[i]});
    return out;
  }
  Tensor jvp(const Saved&, const Tensor* t) const { return detail::apply(Pad(paddings, 0), t[0]); }
  Tensor batch(const BatchedCall& c) const {
    std::vector<Padding> wide{{0, 0}};
    wide.insert(wide.end(), paddings.begin(), paddings.end());
    return detail::apply(Pad(std::move(wide), value), c.x[0]);
  }

 private:
  const Padding& at(int axis) const { return paddings[static_cast<std::size_t>(axis)]; }
};

/// A margin of x's own elements.
struct PadByIndex : Linear<PadByIndex> {
  static constexpr Meta meta = Pad::meta;
  std::vector<AxisIndex> index;  // by axis

  explicit PadByIndex(std::vector<AxisIndex> i) : index(std::move(i)) {}
  Tensor eval(const Tensor& x0) const {
    const Tensor x = contiguous(x0);
    if (x.dim() == 0) return clone(x);
    Shape shape;
    for (const auto& i : index) shape.push_back(static_cast<std::int64_t>(i.size()));
    const Tensor out = make_tensor(shape, shape.numel(), x.dtype());
    kernels::read_by_axes(view_of(x), index, view_of(out));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape& in) const {
    Tensor out = g;
    for (int i = 0; i < in.rank(); ++i) {
      const AxisIndex& read = index[static_cast<std::size_t>(i)];
      Shape shape = out.shape();
      shape[i] = in[i];
      if (read != counting(in[i])) out = index_add(zeros(shape, g.dtype()), i, tensor(read), out);
    }
    return out;
  }
  Tensor batch(const BatchedCall& c) const {
    std::vector<AxisIndex> wide{counting(c.size)};
    wide.insert(wide.end(), index.begin(), index.end());
    return detail::apply(PadByIndex(std::move(wide)), c.x[0]);
  }
};

/// By axis of x, the first first. @throws ShapeError
std::vector<Padding> by_axis(const Tensor& x, const std::vector<Padding>& paddings) {
  if (paddings.size() > static_cast<std::size_t>(x.dim()))
    throw ShapeError("[pad] expected at most one padding per axis of " + to_string(x.shape()) + ", got " +
                     std::to_string(paddings.size()));
  std::vector<Padding> list(static_cast<std::size_t>(x.dim()), Padding{0, 0});
  std::copy(paddings.begin(), paddings.end(), list.rbegin());
  constexpr std::int64_t limit = std::int64_t{1} << 60;
  Shape shape = x.shape();
  for (int i = 0; i < x.dim(); ++i) {
    const auto& [before, after] = list[static_cast<std::size_t>(i)];
    if (std::max(before, after) > limit || std::min(before, after) < -limit ||
        x.shape()[i] + before + after < 0)
      throw ShapeError("[pad] expected paddings that leave an extent >= 0 along axis " + std::to_string(i) +
                       " of " + to_string(x.shape()) + ", got " + std::to_string(before) + " and " +
                       std::to_string(after));
    shape[i] += before + after;
  }
  checked_numel("pad", shape, sizeof(std::int64_t));
  return list;
}

/// Where the element at `i`, which lies outside [0, n), comes from.
std::int64_t source(PadMode mode, std::int64_t i, std::int64_t n) {
  if (mode == PadMode::reflect) return i < 0 ? -i : 2 * (n - 1) - i;
  if (mode == PadMode::circular) return i < 0 ? i + n : i - n;
  return i < 0 ? 0 : n - 1;
}

/// Where the elements along a padded axis come from.
AxisIndex index_along(const Tensor& x, int axis, const Padding& p, PadMode mode) {
  const std::int64_t n = x.shape()[axis], reach = mode == PadMode::reflect ? n - 1 : n;
  if (mode == PadMode::replicate ? n == 0 : std::max(p.before, p.after) > reach)
    throw ShapeError("[pad] expected at most " + std::to_string(std::max<std::int64_t>(reach, 0)) +
                     " elements to take from axis " + std::to_string(axis) + " of " + to_string(x.shape()) +
                     ", got paddings " + std::to_string(p.before) + " and " + std::to_string(p.after));
  AxisIndex index;
  for (std::int64_t i = -p.before; i < n + p.after; ++i)
    index.push_back(i < 0 || i >= n ? source(mode, i, n) : i);
  return index;
}

std::vector<Case> pad_cases() {
  std::vector<Case> cases;
  const std::pair<Shape, std::vector<Padding>> constant[] = {
      {{4}, {{1, 2}}},    {{2, 3}, {{1, 0}, {0, 2}}},
      {{2, 3}, {{2, 1}}}, {{0, 2}, {{1, 1}}},
      {{}, {}},           {{2, 1, 3}, {{0, 1}, {1, 1}, {1, 0}}},
      {{5}, {{-1, 2}}},   {{3, 4}, {{-2, -1}, {1, -1}}},
      {{3}, {{-3, 0}}}};
  for (const auto& [shape, paddings] : constant)
    cases.push_back(
        {{shape}, [p = paddings](const TensorList& x) { return pad(x[0], p, 0.75); }, "constant"});
  const std::pair<Shape, std::vector<Padding>> others[] = {{{5}, {{2, 3}}},
                                                           {{3, 4}, {{3, 1}, {1, 2}}},
                                                           {{2, 3, 3}, {{0, 2}}},
                                                           {{5}, {{-2, 1}}},
                                                           {{0, 3}, {{1, 1}}}};
  for (PadMode mode : {PadMode::reflect, PadMode::replicate, PadMode::circular})
    for (const auto& [shape, paddings] : others)
      cases.push_back({{shape},
                       [p = paddings, mode](const TensorList& x) { return pad(x[0], p, mode); },
                       "mode " + std::to_string(static_cast<int>(mode))});
  return cases;
}

}  // namespace

OpList padding_ops() {
  return {case_row(Pad::meta, "padding", pad_cases(), [](std::int64_t n) {
    return Case{{{n / 256, 256}}, [](const TensorList& x) { return pad(x[0], {{1, 1}, {1, 1}}); }};
  })};
}

}  // namespace detail

Tensor pad(const Tensor& x, const std::vector<Padding>& paddings, Scalar value) {
  auto list = detail::by_axis(x, paddings);
  Tensor y = x;
  for (int i = 0; i < x.dim(); ++i) {
    auto& [before, after] = list[static_cast<std::size_t>(i)];
    if (before >= 0 && after >= 0) continue;
    // What is cut off at one side may be more than x has: the rest shortens the other margin.
    const std::int64_t n = x.shape()[i], start = std::clamp<std::int64_t>(-before, 0, n),
                       stop = std::clamp<std::int64_t>(n + after, start, n);
    y = slice(y, i, {start, stop});
    const std::int64_t left = x.shape()[i] + before + after - (stop - start);
    before = std::clamp<std::int64_t>(before, 0, left);
    after = left - before;
  }
  return detail::apply(detail::Pad(std::move(list), value), y);
}

Tensor pad(const Tensor& x, const std::vector<Padding>& paddings, PadMode mode) {
  if (mode == PadMode::constant) return pad(x, paddings, Scalar(0));
  const auto list = detail::by_axis(x, paddings);
  std::vector<detail::AxisIndex> index;
  for (int i = 0; i < x.dim(); ++i) {
    const auto& p = list[static_cast<std::size_t>(i)];
    index.push_back(p.before == 0 && p.after == 0 ? detail::counting(x.shape()[i])
                                                  : detail::index_along(x, i, p, mode));
  }
  return detail::apply(detail::PadByIndex(std::move(index)), x);
}

}  // namespace cadena
