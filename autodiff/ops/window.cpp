// Windows are views by strides. Their transpose adds what overlaps, one element of the window after the
// other, so that the order of additions does not depend on the number of threads.
#include "autodiff/ops/window.hpp"

#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/kernels/index.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/padding.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

struct Windows {
  int axis;
  std::int64_t size, step, dilation;

  /// From the first element of a window to the last.
  std::int64_t reach() const { return (size - 1) * dilation + 1; }
  std::int64_t count(std::int64_t extent) const { return (extent - reach()) / step + 1; }
  Windows behind_batch() const { return {axis + 1, size, step, dilation}; }
};

struct Unfold : Linear<Unfold> {
  static constexpr Meta meta{.name = "unfold",
                             .formula = "y[..., i, ..., j] = x[..., i step + j, ...]",
                             .derivative = "dx = overlapping windows of G added up"};
  Windows windows;

  explicit Unfold(const Windows& w) : windows(w) {}
  Tensor eval(const Tensor& x) const {
    Shape shape = x.shape();
    Strides strides = x.strides();
    const std::int64_t along = strides[windows.axis];
    shape[windows.axis] = windows.count(shape[windows.axis]);
    strides[windows.axis] = along * windows.step;
    shape.push_back(windows.size);
    strides.push_back(along * windows.dilation);
    return make_view(x, shape, strides, 0);
  }
  Tensor transpose(const Tensor& g, const Shape& in) const;
  Tensor batch(const BatchedCall& c) const { return detail::apply(Unfold(windows.behind_batch()), c.x[0]); }
};

struct OverlapAdd : Linear<OverlapAdd> {
  static constexpr Meta meta{
      .name = "overlap_add", .formula = "the transpose of unfold", .derivative = "dx = windows of G"};
  Windows windows;
  std::int64_t extent;

  OverlapAdd(const Windows& w, std::int64_t e) : windows(w), extent(e) {}
  Tensor eval(const Tensor& x) const {
    Shape shape = x.shape();
    const std::int64_t count = shape[windows.axis];
    shape.erase(shape.rank() - 1);
    shape[windows.axis] = extent;
    Tensor out = zeros(shape, x.dtype());
    for (std::int64_t j = 0; j < windows.size; ++j) {
      const std::int64_t start = j * windows.dilation;
      const Tensor at = arange(start, start + count * windows.step, windows.step, i64);
      // The positions were counted by the caller: none lies outside.
      (void)kernels::index_add(view_of(out), windows.axis, view_of(at), view_of(select(x, -1, j)));
    }
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return detail::apply(Unfold(windows), g); }
  Tensor batch(const BatchedCall& c) const {
    return detail::apply(OverlapAdd(windows.behind_batch(), extent), c.x[0]);
  }
};

Tensor Unfold::transpose(const Tensor& g, const Shape& in) const {
  return detail::apply(OverlapAdd(windows, in[windows.axis]), g);
}

/// One number for all axes, or one for each. @throws ShapeError, ValueError
Shape per_axis(const char* op, const char* what, const Shape& given, int axes, std::int64_t least) {
  if (given.rank() != axes && given.rank() != 1)
    throw ShapeError("[" + std::string(op) + "] expected one " + what + ", or " + std::to_string(axes) +
                     ", got " + to_string(given));
  Shape all;
  for (int i = 0; i < axes; ++i) all.push_back(given[given.rank() == 1 ? 0 : i]);
  for (auto v : all)
    if (v < least || v > (std::int64_t{1} << 30))
      throw ValueError("[" + std::string(op) + "] expected a " + what + " of at least " +
                       std::to_string(least) + ", got " + to_string(given));
  return all;
}

/// The windows of images of one size.
struct Grid {
  Shape size, kernel, dilation, padding, stride, padded, counts;

  Grid(const char* op, const Shape& s, const Shape& kernel_size, const WindowOptions& o)
      : size(s),
        kernel(per_axis(op, "kernel_size", kernel_size, s.rank(), 1)),
        dilation(per_axis(op, "dilation", o.dilation, s.rank(), 1)),
        padding(per_axis(op, "padding", o.padding, s.rank(), 0)),
        stride(per_axis(op, "stride", o.stride, s.rank(), 1)) {
    for (int i = 0; i < axes(); ++i) padded.push_back(size[i] + 2 * padding[i]);
    for (int i = 0; i < axes(); ++i) {
      if (windows(i).reach() > padded[i])
        throw ShapeError("[" + std::string(op) + "] expected windows no larger than the padded " +
                         to_string(padded) + ", got kernel_size " + to_string(kernel) + " with dilation " +
                         to_string(dilation));
      counts.push_back(windows(i).count(padded[i]));
    }
  }
  int axes() const { return size.rank(); }
  Windows windows(int i) const { return {i + 2, kernel[i], stride[i], dilation[i]}; }
  std::vector<Padding> margins(int sign) const {
    std::vector<Padding> list;
    for (int i = axes() - 1; i >= 0; --i) list.push_back({sign * padding[i], sign * padding[i]});
    return list;
  }
};

/// The same op on (batch n, c, ...).
template <class Op>
Tensor for_samples(const BatchedCall& c, const Op& op) {
  const Tensor x = c.with_batch(0);
  Shape merged = x.shape();
  merged.erase(0);
  merged[0] *= x.size(0);
  const Tensor y = detail::apply(Op(op), reshape(x, merged));
  Shape shape = y.shape();
  shape[0] = x.size(1);
  return reshape(y, c.shaped(shape));
}

/// x (n, c, padded...) as (n, c, kernel..., windows...), by strides.
struct UnfoldImages : Linear<UnfoldImages> {
  static constexpr Meta meta = Unfold::meta;
  Grid grid;

  explicit UnfoldImages(Grid g) : grid(std::move(g)) {}
  Tensor eval(const Tensor& x) const {
    Shape shape{x.size(0), x.size(1)};
    Strides strides{x.strides()[0], x.strides()[1]};
    for (int i = 0; i < grid.axes(); ++i) {
      shape.push_back(grid.kernel[i]);
      strides.push_back(x.strides()[i + 2] * grid.dilation[i]);
    }
    for (int i = 0; i < grid.axes(); ++i) {
      shape.push_back(grid.counts[i]);
      strides.push_back(x.strides()[i + 2] * grid.stride[i]);
    }
    return make_view(x, shape, strides, 0);
  }
  Tensor transpose(const Tensor& g, const Shape&) const;
  Tensor batch(const BatchedCall& c) const { return for_samples(c, *this); }
};

/// Windows (n, c, kernel..., windows...) added up in images (n, c, padded...), one element of the window
/// after the other.
struct Fold : Linear<Fold> {
  static constexpr Meta meta{
      .name = "fold", .formula = "the transpose of unfold", .derivative = "dx = windows of G"};
  Grid grid;

  explicit Fold(Grid g) : grid(std::move(g)) {}
  Tensor eval(const Tensor& x) const {
    Shape shape{x.size(0), x.size(1)}, window = shape;
    for (auto n : grid.padded) shape.push_back(n);
    for (auto n : grid.counts) window.push_back(n);
    Tensor out = zeros(shape, x.dtype());
    Strides strides = out.strides();
    for (int i = 0; i < grid.axes(); ++i) strides[i + 2] *= grid.stride[i];
    for (std::int64_t k = 0; k < grid.kernel.numel(); ++k) {
      Tensor part = x;
      std::int64_t offset = 0;
      for (std::int64_t i = grid.axes() - 1, rest = k; i >= 0;
           rest /= grid.kernel[static_cast<int>(i)], --i) {
        const int axis = static_cast<int>(i);
        const std::int64_t at = rest % grid.kernel[axis];
        part = select(part, 2 + axis, at);  // from the last axis on
        offset += at * grid.dilation[axis] * out.strides()[axis + 2];
      }
      add_to(part, make_view(out, window, strides, offset));
    }
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return detail::apply(UnfoldImages(grid), g); }
  Tensor batch(const BatchedCall& c) const { return for_samples(c, *this); }

 private:
  static void add_to(const Tensor& from, const Tensor& to) {
    if (is_floating(to.dtype())) return kernels::add(view_of(from), view_of(to));
    kernels::copy(view_of(cadena::add(to, from)), view_of(to));
  }
};

Tensor UnfoldImages::transpose(const Tensor& g, const Shape&) const { return detail::apply(Fold(grid), g); }

std::vector<Case> image_cases(bool back) {
  std::vector<Case> cases;
  struct Image {
    Shape x, kernel;
    WindowOptions options;
  };
  const Image images[] = {{{1, 2, 3, 4}, {2, 2}, {}},
                          {{2, 1, 5, 4}, {3, 2}, {.padding = {1, 0}, .stride = {2, 1}}},
                          {{1, 1, 5, 5}, {2}, {.dilation = {2}, .padding = {1}, .stride = {3}}},
                          {{2, 2, 5}, {3}, {.padding = {1}, .stride = {2}}},
                          {{1, 1, 2, 3, 2}, {2, 2, 1}, {}},
                          {{0, 1, 3, 3}, {2}, {}}};
  for (const auto& i : images) {
    if (!back) {
      cases.push_back(
          {{i.x}, [i](const TensorList& x) { return unfold(x[0], i.kernel, i.options); }, "images"});
      continue;
    }
    Shape size;
    for (int d = 2; d < i.x.rank(); ++d) size.push_back(i.x[d]);
    const Shape columns = unfold(zeros(i.x), i.kernel, i.options).shape();
    cases.push_back(
        {{columns}, [i, size](const TensorList& x) { return fold(x[0], size, i.kernel, i.options); }});
  }
  return cases;
}

}  // namespace

OpList window_ops() {
  using L = const TensorList&;
  auto unfolds = image_cases(false);
  for (const auto& c : std::vector<Case>{{{{7}}, [](L x) { return unfold(x[0], 0, 3, 2); }},
                                         {{{2, 5}}, [](L x) { return unfold(x[0], -1, 2, 1); }},
                                         {{{5, 2}}, [](L x) { return unfold(x[0], 0, 2, 4); }},
                                         {{{3}}, [](L x) { return unfold(x[0], 0, 3, 1); }},
                                         {{{0, 3}}, [](L x) { return unfold(x[0], 1, 2, 1); }}})
    unfolds.push_back(c);
  const Windows overlapping{0, 3, 2, 1}, spread{1, 2, 1, 2};
  return {
      case_row(Unfold::meta, "window", std::move(unfolds),
               [](std::int64_t n) {
                 return Case{{{n / 256, 256}}, [](L x) { return sum(unfold(x[0], 1, 3, 2), -1); }};
               }),
      case_row(OverlapAdd::meta, "window",
               {{{{3, 3}}, [=](L x) { return apply(OverlapAdd(overlapping, 8), x[0]); }},
                {{{2, 3, 2}}, [=](L x) { return apply(OverlapAdd(spread, 5), x[0]); }},
                {{{0, 3, 2}}, [=](L x) { return apply(OverlapAdd(spread, 5), x[0]); }},
                {{{1, 3}}, [=](L x) { return apply(OverlapAdd(overlapping, 3), x[0]); }}},
               [=](std::int64_t n) {
                 return Case{{{n / 768, 256, 2}}, [=](L x) { return apply(OverlapAdd(spread, 258), x[0]); }};
               }),
      composite(case_row({.name = "fold", .formula = "the transpose of unfold"}, "window", image_cases(true),
                         [](std::int64_t n) {
                           return Case{{{n / 2304, 36, 64}}, [](L x) { return fold(x[0], {10, 10}, {3}); }};
                         })),
  };
}

}  // namespace detail

Tensor unfold(const Tensor& x, int axis, std::int64_t size, std::int64_t step) {
  const int a = normalize_axis("unfold", axis, x.dim());
  if (size < 1 || step < 1)
    throw ValueError("[unfold] expected size and step >= 1, got " + std::to_string(size) + " and " +
                     std::to_string(step));
  if (size > x.shape()[a])
    throw ShapeError("[unfold] expected at least " + std::to_string(size) + " elements along axis " +
                     std::to_string(a) + ", got " + to_string(x.shape()));
  return detail::apply(detail::Unfold({a, size, step, 1}), x);
}

Tensor unfold(const Tensor& x, const Shape& kernel_size, const WindowOptions& options) {
  if (x.dim() < 3 || x.dim() > 5)
    throw ShapeError("[unfold] expected (n, c, spatial...) with one to three spatial axes, got " +
                     to_string(x.shape()));
  Shape size;
  for (int i = 2; i < x.dim(); ++i) size.push_back(x.shape()[i]);
  const detail::Grid grid("unfold", size, kernel_size, options);
  return reshape(detail::apply(detail::UnfoldImages(grid), pad(x, grid.margins(1))),
                 {x.shape()[0], x.shape()[1] * grid.kernel.numel(), grid.counts.numel()});
}

Tensor fold(const Tensor& columns, const Shape& output_size, const Shape& kernel_size,
            const WindowOptions& options) {
  if (output_size.empty() || output_size.rank() > 3)
    throw ShapeError("[fold] expected one to three spatial axes, got output_size " + to_string(output_size));
  checked_numel("fold", output_size, sizeof(double));
  const detail::Grid grid("fold", output_size, kernel_size, options);
  const std::int64_t window = grid.kernel.numel();
  if (columns.dim() != 3 || columns.shape()[1] % window != 0 || columns.shape()[2] != grid.counts.numel())
    throw ShapeError("[fold] expected columns (n, c * " + std::to_string(window) + ", " +
                     std::to_string(grid.counts.numel()) + "), got " + to_string(columns.shape()));
  Shape shape{columns.shape()[0], columns.shape()[1] / window};
  for (auto k : grid.kernel) shape.push_back(k);
  for (auto n : grid.counts) shape.push_back(n);
  const Tensor y = detail::apply(detail::Fold(grid), reshape(detail::numeric(columns), shape));
  return pad(y, grid.margins(-1));
}

}  // namespace cadena
