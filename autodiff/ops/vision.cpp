// Interpolation is `resample` along each axis; sampling by a grid is gather and arithmetic.
#include "autodiff/ops/vision.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/resample.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/windows.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/pooling.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/rounding.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

using kernels::Taps;
using Mode = InterpolateMode;

void check_image(const char* op, const Tensor& x, bool fits, const char* expected) {
  if (!is_floating(x.dtype()))
    throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(x.dtype())));
  if (!fits)
    throw ShapeError("[" + std::string(op) + "] expected " + expected + ", got " + to_string(x.shape()));
}

/// Where outputs of one axis lie among the inputs.
struct Axis {
  std::int64_t in, out;
  double scale;  ///< the caller's, inputs per output; 0 for in / out
  bool align_corners;

  double ratio() const { return scale > 0 ? scale : static_cast<double>(in) / static_cast<double>(out); }
  double middle(std::int64_t i) const {
    if (align_corners) return out > 1 ? static_cast<double>(i * (in - 1)) / static_cast<double>(out - 1) : 0;
    return (static_cast<double>(i) + 0.5) * ratio() - 0.5;
  }
  /// Of the extents alone it is computed exactly.
  std::int64_t nearest(std::int64_t i, bool exact) const {
    const std::int64_t at =
        scale > 0 ? static_cast<std::int64_t>((static_cast<double>(i) + (exact ? 0.5 : 0)) * scale)
        : exact   ? (2 * i + 1) * in / (2 * out)
                  : i * in / out;
    return std::min(at, in - 1);
  }
};

void push_nearest(Taps& taps, const Axis& a, std::int64_t i, bool exact) {
  taps.push_back(a.nearest(i, exact), {1});
}

void push_linear(Taps& taps, const Axis& a, std::int64_t i) {
  const double x = std::max(0.0, a.middle(i));
  const std::int64_t first = std::min(static_cast<std::int64_t>(x), a.in - 1);
  const double part = first + 1 < a.in ? x - static_cast<double>(first) : 0;
  taps.push_back(first, {1 - part, part});
}

/// Keys' cubic at a distance from an element.
double cubic(double d) {
  constexpr double a = -0.75;
  d = std::abs(d);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}

void push_cubic(Taps& taps, const Axis& a, std::int64_t i) {
  const double x = a.middle(i), whole = std::floor(x);
  const auto base = static_cast<std::int64_t>(whole);
  const std::int64_t low = std::clamp<std::int64_t>(base - 1, 0, a.in - 1),
                     high = std::clamp<std::int64_t>(base + 2, 0, a.in - 1);
  std::vector<double> weights(static_cast<std::size_t>(high - low + 1), 0);
  for (std::int64_t k = base - 1; k <= base + 2; ++k)
    weights[static_cast<std::size_t>(std::clamp(k, low, high) - low)] += cubic(x - static_cast<double>(k));
  taps.push_back(low, weights);
}

Taps taps_of(const Axis& a, Mode mode) {
  Taps taps(a.in);
  for (std::int64_t i = 0; i < a.out; ++i) {
    if (mode == Mode::nearest || mode == Mode::nearest_exact)
      push_nearest(taps, a, i, mode == Mode::nearest_exact);
    else if (mode == Mode::bicubic)
      push_cubic(taps, a, i);
    else
      push_linear(taps, a, i);
  }
  return taps;
}

/// The extents and scales of an interpolation, checked.
std::vector<Axis> axes_of(const Tensor& x, const InterpolateOptions& o) {
  const int rank = x.dim() - 2;
  const int wanted = o.mode == Mode::linear                                ? 1
                     : o.mode == Mode::bilinear || o.mode == Mode::bicubic ? 2
                     : o.mode == Mode::trilinear                           ? 3
                                                                           : rank;
  check_image("interpolate", x, rank >= 1 && rank <= 3 && rank == wanted,
              "(N, C, ...) with as many dimensions as the mode is for");
  const bool sized = !o.size.empty(), scaled = !o.scale_factor.empty();
  if (sized == scaled)
    throw ValueError("[interpolate] expected either size or scale_factor, got " +
                     std::string(sized ? "both" : "neither"));
  if (o.align_corners && (o.mode == Mode::nearest || o.mode == Mode::area || o.mode == Mode::nearest_exact))
    throw ValueError(
        "[interpolate] expected align_corners with linear and cubic modes only, got it with another");
  if (sized) check_per_axis("interpolate", "size", o.size, rank, 1);
  const auto count = o.scale_factor.size();
  if (scaled && count != 1 && count != static_cast<std::size_t>(rank))
    throw ValueError("[interpolate] expected scale_factor of 1 or " + std::to_string(rank) +
                     " numbers, got " + std::to_string(count));
  std::vector<Axis> axes;
  for (int i = 0; i < rank; ++i) {
    Axis a{x.size(i + 2), 0, 0, o.align_corners};
    check_image("interpolate", x, a.in > 0, "images of at least one element");
    if (sized) {
      a.out = at(o.size, i);
    } else {
      const double factor = o.scale_factor[count == 1 ? 0 : static_cast<std::size_t>(i)];
      const double extent = std::floor(static_cast<double>(a.in) * factor);
      if (!(factor > 0 && extent >= 1 && extent <= 1 << 30))
        throw ValueError("[interpolate] expected scale_factor for an output of 1 to 2^30 elements, got " +
                         std::to_string(factor));
      a.out = static_cast<std::int64_t>(extent);
      if (!o.recompute_scale_factor) a.scale = 1 / factor;
    }
    axes.push_back(a);
  }
  return axes;
}

}  // namespace
}  // namespace detail

Tensor interpolate(const Tensor& x, const InterpolateOptions& o) {
  const auto axes = detail::axes_of(x, o);
  if (o.mode == InterpolateMode::area) {
    PerAxis size;
    for (const auto& a : axes) size.push_back(a.out);
    return axes.size() == 1   ? adaptive_avg_pool1d(x, size)
           : axes.size() == 2 ? adaptive_avg_pool2d(x, size)
                              : adaptive_avg_pool3d(x, size);
  }
  // Long runs of neighbours make the fast loops: shrink the first axis first, grow the last one first.
  const bool grows = axes.back().out > axes.back().in;
  Tensor y = x;
  for (std::size_t k = 0; k < axes.size(); ++k) {
    const auto i = grows ? axes.size() - 1 - k : k;
    y = detail::resample(y, static_cast<int>(i) + 2, detail::taps_of(axes[i], o.mode));
  }
  return y;
}

namespace detail {
namespace {

/// One coordinate of a grid, in elements of an axis of n.
Tensor unnormalized(const Tensor& grid, std::int64_t n, bool align_corners) {
  const auto size = static_cast<double>(n);
  return align_corners ? mul(add(grid, 1), (size - 1) / 2) : sub(mul(add(grid, 1), size / 2), 0.5);
}

/// Coordinates brought inside: slope and offset are constants where a derivative exists, and beyond it is 0.
Tensor brought_inside(const Tensor& x, std::int64_t n, const GridSampleOptions& o) {
  const auto last = static_cast<double>(n - 1);
  Tensor folded = x;
  if (o.padding_mode == GridPadding::reflection) {
    Tensor slope, offset;
    {
      NoGrad guard;
      const double low = o.align_corners ? 0 : -0.5, span = o.align_corners ? last : last + 1;
      const Tensor from = sub(x.detach(), low), side = where(lt(from, 0), -1, 1), distance = mul(from, side);
      const Tensor turns = span > 0 ? floor(div(distance, span)) : zeros_like(distance);
      const Tensor odd = ne(sub(turns, mul(floor(div(turns, 2)), 2)), 0);
      const Tensor direction = to(where(odd, -1, 1), x.dtype());
      // An odd number of turns: span - (distance - turns span); even: distance - turns span.
      slope = span > 0 ? mul(direction, to(side, x.dtype())) : zeros_like(distance);
      offset = add(sub(where(odd, mul(add(turns, 1), span), neg(mul(turns, span))), mul(slope, low)), low);
    }
    folded = add(mul(slope, x), offset);
  }
  const Tensor inside_low = gt(folded, 0), inside_high = lt(folded, last);
  return where(inside_low, where(inside_high, folded, where(isnan(folded), folded, last)),
               where(isnan(folded), folded, 0));
}

/// Samples at whole coordinates (of one image each), zero where they lie outside.
struct Corners {
  Tensor image;  ///< (N, C, elements of an image)
  std::vector<std::int64_t> extents;

  /// @param at whole numbers (N, P) for each axis
  Tensor operator()(const std::vector<Tensor>& at) const {
    Tensor index, valid;
    {
      NoGrad guard;
      for (std::size_t d = 0; d < at.size(); ++d) {
        const auto last = extents[d] - 1;
        const Tensor whole = to(at[d], i64), safe = minimum(maximum(whole, 0), last);
        const Tensor fits = eq(to(safe, at[d].dtype()), at[d]);
        index = d == 0 ? safe : add(mul(index, extents[d]), safe);
        valid = d == 0 ? fits : where(fits, valid, fits);
      }
      const Shape all{image.size(0), image.size(1), index.size(1)};
      index = expand(unsqueeze(index, 1), all);
    }
    return where(unsqueeze(valid, 1), gather(image, 2, index), 0);
  }
};

Tensor sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& o) {
  const int rank = x.dim() - 2;
  const std::int64_t batch = x.size(0);
  std::int64_t points = 1, size = 1;
  Corners corners;
  for (int i = 0; i < rank; ++i) {
    points *= grid.size(i + 1), size *= x.size(i + 2);
    corners.extents.push_back(x.size(i + 2));
  }
  corners.image = reshape(x, {batch, x.size(1), size});
  std::vector<Tensor> low, part;  // along each axis: the whole part, and what is left
  for (int i = 0; i < rank; ++i) {
    const std::int64_t n = x.size(i + 2);
    Tensor at = unnormalized(reshape(select(grid, -1, rank - 1 - i), {batch, points}), n, o.align_corners);
    if (o.padding_mode != GridPadding::zeros) at = brought_inside(at, n, o);
    const Tensor whole = o.mode == GridSampleMode::nearest ? round(at.detach()) : floor(at.detach());
    low.push_back(whole);
    part.push_back(sub(at, whole));
  }
  Tensor out;
  if (o.mode == GridSampleMode::nearest) {
    out = corners(low);
  } else {
    for (int corner = 0; corner < 1 << rank; ++corner) {
      std::vector<Tensor> at = low;
      Tensor weight;
      for (int i = 0; i < rank; ++i) {
        const auto d = static_cast<std::size_t>(i);
        const bool next = corner >> i & 1;
        if (next) at[d] = add(low[d], 1);
        const Tensor w = next ? part[d] : sub(1, part[d]);
        weight = i == 0 ? w : mul(weight, w);
      }
      const Tensor term = mul(corners(at), unsqueeze(weight, 1));
      out = corner == 0 ? term : add(out, term);
    }
  }
  Shape shape{batch, x.size(1)};
  for (int i = 0; i < rank; ++i) shape.push_back(grid.size(i + 1));
  return reshape(out, shape);
}

}  // namespace
}  // namespace detail

Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& o) {
  const int rank = x.dim() - 2;
  detail::check_image("grid_sample", x, rank == 2 || rank == 3, "(N, C, H, W) or (N, C, D, H, W)");
  detail::check_image("grid_sample", grid, true, "");
  bool fits = grid.dim() == x.dim() && grid.size(-1) == rank && grid.size(0) == x.size(0);
  for (int i = 0; i < rank; ++i) fits = fits && x.size(i + 2) > 0;
  if (!fits)
    throw ShapeError("[grid_sample] expected a grid (N, ..., " + std::to_string(rank) +
                     ") and images that are not empty, got x " + to_string(x.shape()) + " and grid " +
                     to_string(grid.shape()));
  const DType dtype = promote(x.dtype(), grid.dtype());
  return detail::sample(to(x, dtype), to(grid, dtype), o);
}

Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners) {
  const int rank = size.rank() - 2;
  detail::check_image("affine_grid", theta, true, "");
  if ((rank != 2 && rank != 3) || !(theta.shape() == Shape{size[0], rank, rank + 1}) ||
      std::any_of(size.begin(), size.end(), [](auto n) { return n < 1; }))
    throw ShapeError(
        "[affine_grid] expected theta (N, 2, 3) for images (N, C, H, W), or (N, 3, 4) with D, got " +
        to_string(theta.shape()) + " for " + to_string(size));
  Tensor base;
  std::int64_t points = 1;
  Shape shape{size[0]};
  {
    NoGrad guard;
    Shape grid;
    for (int i = 0; i < rank; ++i) grid.push_back(size[i + 2]), shape.push_back(size[i + 2]);
    points = checked_numel("affine_grid", grid, sizeof(double));
    std::vector<Tensor> columns;
    for (int i = rank - 1; i >= 0; --i) {
      const std::int64_t n = size[i + 2];
      const double end = align_corners ? 1 : static_cast<double>(n - 1) / static_cast<double>(n);
      Shape along{n};
      for (int k = i + 1; k < rank; ++k) along.push_back(1);
      const Tensor line = n == 1 ? zeros({1}, theta.dtype()) : linspace(-end, end, n, theta.dtype());
      columns.push_back(reshape(expand(reshape(line, along), grid), {points}));
    }
    columns.push_back(ones({points}, theta.dtype()));
    base = stack(columns, 1);
  }
  shape.push_back(rank);
  return reshape(matmul(base, transpose(contiguous(theta), 1, 2)), shape);
}

namespace detail {
namespace {

/// The extents before the last three as one.
std::int64_t leading(const Tensor& x) {
  std::int64_t n = 1;
  for (int i = 0; i < x.dim() - 3; ++i) n *= x.size(i);
  return n;
}
Shape with_last(const Tensor& x, std::int64_t c, std::int64_t h, std::int64_t w) {
  Shape shape = x.shape();
  shape[x.dim() - 3] = c, shape[x.dim() - 2] = h, shape[x.dim() - 1] = w;
  return shape;
}

[[noreturn]] void refuse_factor(const char* op, std::int64_t factor, const Tensor& x) {
  throw ValueError("[" + std::string(op) + "] expected a factor that divides the extents, got " +
                   std::to_string(factor) + " for " + to_string(x.shape()));
}

}  // namespace
}  // namespace detail

Tensor pixel_shuffle(const Tensor& x, std::int64_t r) {
  if (x.dim() < 3) throw ShapeError("[pixel_shuffle] expected (..., C, H, W), got " + to_string(x.shape()));
  const std::int64_t c = x.size(-3), h = x.size(-2), w = x.size(-1);
  if (r < 1 || r > 1 << 15 || c % (r * r) != 0) detail::refuse_factor("pixel_shuffle", r, x);
  const Tensor split = reshape(x, {detail::leading(x), c / (r * r), r, r, h, w});
  return reshape(permute(split, {0, 1, 4, 2, 5, 3}), detail::with_last(x, c / (r * r), h * r, w * r));
}

Tensor pixel_unshuffle(const Tensor& x, std::int64_t r) {
  if (x.dim() < 3) throw ShapeError("[pixel_unshuffle] expected (..., C, H, W), got " + to_string(x.shape()));
  const std::int64_t c = x.size(-3), h = x.size(-2), w = x.size(-1);
  if (r < 1 || r > 1 << 15 || h % r != 0 || w % r != 0) detail::refuse_factor("pixel_unshuffle", r, x);
  const Tensor split = reshape(x, {detail::leading(x), c, h / r, r, w / r, r});
  return reshape(permute(split, {0, 1, 3, 5, 2, 4}), detail::with_last(x, c * r * r, h / r, w / r));
}

Tensor channel_shuffle(const Tensor& x, std::int64_t groups) {
  if (x.dim() < 3) throw ShapeError("[channel_shuffle] expected (N, C, ...), got " + to_string(x.shape()));
  const std::int64_t n = x.size(0), c = x.size(1);
  if (groups < 1 || c % groups != 0) detail::refuse_factor("channel_shuffle", groups, x);
  std::int64_t rest = 1;
  for (int i = 2; i < x.dim(); ++i) rest *= x.size(i);
  return reshape(transpose(reshape(x, {n, groups, c / groups, rest}), 1, 2), x.shape());
}

namespace detail {
namespace {

std::vector<Case> interpolate_cases() {
  std::vector<Case> cases;
  const auto add = [&](const Shape& x, const InterpolateOptions& o) {
    cases.push_back({{x}, [o](const TensorList& in) { return interpolate(in[0], o); }});
  };
  for (auto mode : {Mode::nearest, Mode::linear, Mode::area, Mode::nearest_exact}) {
    add({1, 2, 3}, {.size = 5, .mode = mode});
    add({2, 1, 5}, {.size = 2, .mode = mode});
    add({0, 1, 3}, {.scale_factor = {1.7}, .mode = mode});
  }
  for (auto mode : {Mode::bilinear, Mode::bicubic})
    for (bool corners : {false, true}) {
      add({1, 1, 3, 4}, {.size = {5, 2}, .mode = mode, .align_corners = corners});
      add({1, 2, 2, 3}, {.scale_factor = {2, 1.4}, .mode = mode, .align_corners = corners});
      add({1, 1, 1, 2}, {.size = {3, 1}, .mode = mode, .align_corners = corners});
    }
  add({1, 1, 3, 4}, {.scale_factor = {0.6, 2}, .mode = Mode::nearest});
  add({1, 1, 2, 2, 3}, {.size = {3, 1, 4}, .mode = Mode::trilinear});
  add({1, 1, 2, 2, 2}, {.scale_factor = {1.5}, .mode = Mode::trilinear, .align_corners = true});
  return cases;
}

/// Points that keep away from the centres of elements and the borders between them, where grid_sample has
/// kinks.
Tensor smooth_points(Sampler& s, const Shape& x, const Shape& grid, bool align_corners) {
  NoGrad guard;
  const Tensor draw = s.draw(grid, unit);
  std::vector<Tensor> coordinates;
  for (int i = 0; i < x.rank() - 2; ++i) {
    // k + a part between 0.6 and 0.9, from before the image to behind it, in elements.
    const auto n = static_cast<double>(x[x.rank() - 1 - i]);
    const Tensor u = mul(select(draw, -1, i), n + 2), whole = floor(u);
    const Tensor at = add(sub(whole, 0.9), mul(sub(u, whole), 0.3));
    coordinates.push_back(align_corners ? sub(div(mul(at, 2), n - 1), 1)
                                        : sub(div(add(mul(at, 2), 1), n), 1));
  }
  return stack(coordinates, -1);
}

std::vector<Sample> grid_samples(Sampler& s) {
  std::vector<Sample> list;
  const auto push = [&](const Shape& x, const Shape& grid, const GridSampleOptions& o) {
    const Tensor points = smooth_points(s, x, grid, o.align_corners);
    Sample sample{to_string(x) + " " + to_string(grid), {s.draw(x)}, {}};
    if (o.mode == GridSampleMode::bilinear) {
      sample.inputs.push_back(points);
      sample.call = [o](const TensorList& in) { return grid_sample(in[0], in[1], o); };
    } else {
      sample.call = [o, points](const TensorList& in) {
        return grid_sample(in[0], to(points, in[0].dtype()), o);
      };
    }
    list.push_back(std::move(sample));
  };
  for (auto mode : {GridSampleMode::bilinear, GridSampleMode::nearest})
    for (auto padding : {GridPadding::zeros, GridPadding::border, GridPadding::reflection})
      for (bool corners : {false, true}) {
        const GridSampleOptions o{mode, padding, corners};
        push({1, 2, 3, 2}, {1, 2, 2, 2}, o);
        push({2, 1, 2, 3}, {2, 1, 3, 2}, o);
      }
  push({1, 1, 2, 2, 2}, {1, 1, 2, 2, 3}, {});
  push({0, 1, 2, 2}, {0, 1, 2, 2}, {});
  return list;
}

using Call = std::function<Tensor(const TensorList&)>;

OpInfo image_row(const Meta& meta, std::initializer_list<Shape> shapes, const Call& call,
                 const Shape& large) {
  std::vector<Case> cases;
  for (const auto& x : shapes) cases.push_back({{x}, call});
  return composite(case_row(meta, "vision", std::move(cases), [=](std::int64_t n) {
    Shape x = large;
    x[0] = std::max<std::int64_t>(1, n / (large.numel() / large[0]));
    return Case{{x}, call};
  }));
}

}  // namespace

OpList vision_ops() {
  OpList rows;
  rows.push_back(composite(
      case_row({.name = "interpolate", .formula = "weighted sums of neighbours along each axis"}, "vision",
               interpolate_cases(), [](std::int64_t n) {
                 return Case{{{std::max<std::int64_t>(1, n / 1024), 4, 16, 16}}, [](const TensorList& in) {
                               return interpolate(in[0], {.scale_factor = {2}, .mode = Mode::bilinear});
                             }};
               })));
  rows.push_back(composite({{.name = "grid_sample",
                             .formula = "x between its elements at the grid's points",
                             .conventions = "nearest gives the grid no gradient"},
                            "vision",
                            grid_samples,
                            [](Sampler& s, std::int64_t n) {
                              const std::int64_t batch = std::max<std::int64_t>(1, n / 1024);
                              return Sample{"bilinear",
                                            {s.draw({batch, 4, 16, 16}), s.draw({batch, 16, 16, 2}, unit)},
                                            [](const TensorList& in) { return grid_sample(in[0], in[1]); }};
                            }}));
  rows.push_back(image_row({.name = "affine_grid", .formula = "(x, y, 1) theta^T at every element"},
                           {{1, 2, 3}, {2, 2, 3}, {3, 2, 3}},
                           [](const TensorList& in) {
                             return affine_grid(in[0], {in[0].size(0), 1, 3, 2});
                           },
                           {1, 2, 3}));
  rows.push_back(
      image_row({.name = "pixel_shuffle", .formula = "channels r^2 C to C, extents r times as large"},
                {{4, 2, 3}, {2, 4, 1, 2}, {1, 2, 8, 1, 1}, {0, 4, 2, 2}},
                [](const TensorList& in) { return pixel_shuffle(in[0], 2); }, {1, 4, 16, 16}));
  rows.push_back(image_row({.name = "pixel_unshuffle", .formula = "blocks of r x r to channels"},
                           {{1, 2, 4}, {2, 1, 2, 2}, {1, 1, 2, 4, 2}, {0, 1, 2, 2}},
                           [](const TensorList& in) { return pixel_unshuffle(in[0], 2); }, {1, 4, 16, 16}));
  rows.push_back(image_row({.name = "channel_shuffle", .formula = "channels of the groups interleaved"},
                           {{1, 4, 2}, {2, 6, 1, 2}, {1, 2, 3}, {0, 2, 2}},
                           [](const TensorList& in) { return channel_shuffle(in[0], 2); }, {1, 8, 16, 16}));
  return rows;
}

}  // namespace detail
}  // namespace cadena
