// diagonal and diag_embed are each other's transposes.
#include "autodiff/ops/diagonal.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/kernels/copy.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

/// A diagonal of the planes of two axes.
struct Line {
  int axis1, axis2;
  std::int64_t offset;

  std::int64_t length(const Shape& shape) const {
    const std::int64_t rows = shape[axis1], columns = shape[axis2];
    // Beyond the corners nothing is left; clamped first, as offsets may be as large as they like.
    const std::int64_t k = std::clamp(offset, -rows, columns);
    return std::min(k < 0 ? rows + k : rows, k > 0 ? columns - k : columns);
  }
  Line behind_batch() const { return {axis1 + 1, axis2 + 1, offset}; }
};

Tensor view_line(const Tensor& x, const Line& line) {
  Shape shape = x.shape();
  Strides strides = x.strides();
  const std::int64_t n = line.length(shape), row = strides[line.axis1], column = strides[line.axis2];
  const std::int64_t start = n == 0 ? 0 : line.offset > 0 ? line.offset * column : -line.offset * row;
  for (int a : {std::max(line.axis1, line.axis2), std::min(line.axis1, line.axis2)})
    shape.erase(a), strides.erase(a);
  shape.push_back(n);
  strides.push_back(row + column);
  return make_view(x, shape, strides, x.numel() == 0 ? 0 : start);
}

struct DiagonalOp : Linear<DiagonalOp> {
  static constexpr Meta meta{.name = "diagonal",
                             .formula = "x[..., i, i + offset]",
                             .derivative = "dx = G on the diagonal, 0 elsewhere"};
  Line line;

  explicit DiagonalOp(const Line& l) : line(l) {}
  Tensor eval(const Tensor& x) const { return view_line(x, line); }
  Tensor transpose(const Tensor& g, const Shape& in) const;
  Tensor batch(const BatchedCall& c) const { return detail::apply(DiagonalOp(line.behind_batch()), c.x[0]); }
};

struct DiagEmbed : Linear<DiagEmbed> {
  static constexpr Meta meta{.name = "diag_embed",
                             .formula = "y[..., i, i + offset] = x[..., i], else 0",
                             .derivative = "dx = the diagonal of G"};
  Line line;
  Shape shape;

  DiagEmbed(const Line& l, const Shape& s) : line(l), shape(s) {}
  Tensor eval(const Tensor& x) const {
    Tensor out = zeros(shape, x.dtype());
    kernels::copy(view_of(x), view_of(view_line(out, line)));
    return out;
  }
  Tensor transpose(const Tensor& g, const Shape&) const { return detail::apply(DiagonalOp(line), g); }
  Tensor batch(const BatchedCall& c) const {
    return detail::apply(DiagEmbed(line.behind_batch(), c.shaped(shape)), c.x[0]);
  }
};

Tensor DiagonalOp::transpose(const Tensor& g, const Shape& in) const {
  return detail::apply(DiagEmbed(line, in), g);
}

Line line_of(const char* op, int rank, std::int64_t offset, int axis1, int axis2) {
  const Line line{normalize_axis(op, axis1, rank), normalize_axis(op, axis2, rank), offset};
  if (line.axis1 == line.axis2)
    throw ValueError("[" + std::string(op) + "] expected two axes, got " + std::to_string(axis1) + " and " +
                     std::to_string(axis2) + " of " + std::to_string(rank));
  return line;
}

/// column - row, as a matrix that broadcasts against the last two axes.
Tensor distances(std::int64_t rows, std::int64_t columns) {
  return sub(unsqueeze(arange(columns), 0), unsqueeze(arange(rows), 1));
}

Tensor triangle(const char* op, const Tensor& x, std::int64_t diagonal, bool lower) {
  if (x.dim() < 2)
    throw ShapeError("[" + std::string(op) + "] expected at least 2 dimensions, got " + to_string(x.shape()));
  Tensor kept;
  {
    NoGrad guard;
    const Tensor d = distances(x.size(-2), x.size(-1));
    kept = lower ? le(d, diagonal) : ge(d, diagonal);
  }
  return where(kept, x, zeros({}, x.dtype()));
}

Tensor triangle_indices(const char* op, std::int64_t rows, std::int64_t columns, std::int64_t offset,
                        bool lower) {
  if (rows < 0 || columns < 0)
    throw ShapeError("[" + std::string(op) + "] expected extents >= 0, got " + std::to_string(rows) +
                     " and " + std::to_string(columns));
  offset = std::clamp(offset, -rows - 1, columns + 1);
  const auto range = [=](std::int64_t i) {
    const std::int64_t end = std::clamp<std::int64_t>(i + offset + (lower ? 1 : 0), 0, columns);
    return lower ? std::pair(std::int64_t{0}, end) : std::pair(end, columns);
  };
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < rows; ++i) count += range(i).second - range(i).first;
  const Shape shape{2, count};
  checked_numel(op, shape, sizeof(std::int64_t));
  return repeatable(op, [=] {
    Tensor out = make_tensor(shape, 2 * count, i64);
    auto *row = static_cast<std::int64_t*>(raw_data(out)), *column = row + count;
    for (std::int64_t i = 0; i < rows; ++i) {
      const auto [first, last] = range(i);
      row = std::fill_n(row, last - first, i);
      for (std::int64_t j = first; j < last; ++j) *column++ = j;
    }
    return out;
  });
}

OpInfo large_matrix(const Meta& meta, std::vector<Case> cases, Tensor (*f)(const Tensor&, std::int64_t)) {
  return case_row(meta, "diagonal", std::move(cases), [f](std::int64_t n) {
    return Case{{{n / 256, 256}}, [f](const TensorList& x) { return clone(f(x[0], 1)); }};
  });
}

}  // namespace

OpList diagonal_ops() {
  using L = const TensorList&;
  const auto offsets = [](Tensor (*f)(const Tensor&, std::int64_t)) {
    std::vector<Case> cases;
    for (const Shape& shape :
         {Shape{3, 3}, Shape{2, 5}, Shape{4, 1}, Shape{2, 3, 4}, Shape{0, 3}, Shape{2, 0}})
      for (std::int64_t k : {0, 1, -1, 4})
        cases.push_back({{shape}, [f, k](L x) { return f(x[0], k); }, "diagonal " + std::to_string(k)});
    return cases;
  };
  const auto plain = [](const Tensor& x, std::int64_t k) { return diagonal(x, k); };
  auto diagonals = offsets(plain);
  diagonals.push_back({{{2, 3, 4}}, [](L x) { return diagonal(x[0], -1, 2, 0); }, "axes 2, 0"});
  diagonals.push_back({{{2, 3, 3}}, [](L x) { return diagonal(x[0], 1, -2, -1); }, "axes -2, -1"});
  return {
      large_matrix(DiagonalOp::meta, std::move(diagonals), plain),
      case_row(DiagEmbed::meta, "diagonal",
               {{{{3}}, [](L x) { return diag_embed(x[0]); }},
                {{{3}}, [](L x) { return diag_embed(x[0], -2); }},
                {{{2, 3}}, [](L x) { return diag_embed(x[0], 1); }},
                {{{2, 3}}, [](L x) { return diag_embed(x[0], 1, 2, 0); }},
                {{{0}}, [](L x) { return diag_embed(x[0]); }},
                {{{2, 0}}, [](L x) { return diag_embed(x[0], 1); }}},
               [](std::int64_t n) {
                 return Case{{{n / 256, 16}}, [](L x) { return diag_embed(x[0]); }};
               }),
      composite(large_matrix({.name = "tril", .formula = "x[i, j] where j - i <= diagonal, else 0"},
                             offsets(cadena::tril), cadena::tril)),
      composite(large_matrix({.name = "triu", .formula = "x[i, j] where j - i >= diagonal, else 0"},
                             offsets(cadena::triu), cadena::triu)),
      composite(large_matrix({.name = "diag", .formula = "diagonal(x) or diag_embed(x)"},
                             {{{{3, 4}}, [](L x) { return diag(x[0]); }},
                              {{{3, 2}}, [](L x) { return diag(x[0], -1); }},
                              {{{3}}, [](L x) { return diag(x[0], 2); }},
                              {{{0}}, [](L x) { return diag(x[0]); }}},
                             cadena::diag)),
      composite(large_matrix({.name = "diagflat", .formula = "diag_embed(flatten(x))"},
                             {{{{2, 2}}, [](L x) { return diagflat(x[0]); }},
                              {{{3}}, [](L x) { return diagflat(x[0], -1); }},
                              {{{}}, [](L x) { return diagflat(x[0], 1); }},
                              {{{0}}, [](L x) { return diagflat(x[0]); }}},
                             [](const Tensor& x, std::int64_t k) { return diagflat(select(x, 0, 0), k); })),
      composite(case_row({.name = "diagonal_scatter", .formula = "x, but src on a diagonal"}, "diagonal",
                         {{{{3, 3}, {3}}, [](L x) { return diagonal_scatter(x[0], x[1]); }},
                          {{{2, 4}, {2}}, [](L x) { return diagonal_scatter(x[0], x[1], 1); }},
                          {{{2, 3, 4}, {3, 2}}, [](L x) { return diagonal_scatter(x[0], x[1], -1, 2, 0); }},
                          {{{2, 2}, {0}}, [](L x) { return diagonal_scatter(x[0], x[1], 5); }}},
                         [](std::int64_t n) {
                           return Case{{{256, n / 256}, {std::min<std::int64_t>(256, n / 256)}},
                                       [](L x) { return diagonal_scatter(x[0], x[1]); }};
                         })),
      composite(large_matrix({.name = "trace", .formula = "sum(diagonal(x))"},
                             {{{{3, 3}}, [](L x) { return trace(x[0]); }},
                              {{{2, 5}}, [](L x) { return trace(x[0]); }},
                              {{{1, 1}}, [](L x) { return trace(x[0]); }},
                              {{{0, 2}}, [](L x) { return trace(x[0]); }}},
                             [](const Tensor& x, std::int64_t) { return trace(x); })),
  };
}

}  // namespace detail

Tensor diagonal(const Tensor& x, std::int64_t offset, int axis1, int axis2) {
  return detail::apply(detail::DiagonalOp(detail::line_of("diagonal", x.dim(), offset, axis1, axis2)), x);
}

namespace detail {
namespace {

Tensor embedded(const char* op, const Tensor& x, std::int64_t offset, int axis1, int axis2) {
  if (x.dim() < 1)
    throw ShapeError("[" + std::string(op) + "] expected at least 1 dimension, got " + to_string(x.shape()));
  const Line line = line_of(op, x.dim() + 1, offset, axis1, axis2);
  const std::int64_t extra = offset < 0 ? -offset : offset;
  if (extra < 0 || extra > (std::int64_t{1} << 40))
    throw ValueError("[" + std::string(op) + "] expected an offset below 2^40, got " +
                     std::to_string(offset));
  Shape shape = x.shape();
  const std::int64_t side = shape.back() + extra;
  shape.erase(x.dim() - 1);
  for (int a : {std::min(line.axis1, line.axis2), std::max(line.axis1, line.axis2)}) shape.insert(a, side);
  checked_numel(op, shape, itemsize(x.dtype()));
  return apply(DiagEmbed(line, shape), x);
}

}  // namespace
}  // namespace detail

Tensor diag_embed(const Tensor& x, std::int64_t offset, int axis1, int axis2) {
  return detail::embedded("diag_embed", x, offset, axis1, axis2);
}

Tensor diag(const Tensor& x, std::int64_t diagonal) {
  if (x.dim() != 1 && x.dim() != 2)
    throw ShapeError("[diag] expected a vector or a matrix, got " + to_string(x.shape()));
  return x.dim() == 1 ? diag_embed(x, diagonal) : cadena::diagonal(x, diagonal);
}

Tensor diagflat(const Tensor& x, std::int64_t offset) {
  return detail::embedded("diagflat", reshape(x, {x.numel()}), offset, 0, 1);
}

Tensor diagonal_scatter(const Tensor& x, const Tensor& src, std::int64_t offset, int axis1, int axis2) {
  const detail::Line line = detail::line_of("diagonal_scatter", x.dim(), offset, axis1, axis2);
  const Shape shape = diagonal(x, offset, axis1, axis2).shape();
  if (!(src.shape() == shape))
    throw ShapeError("[diagonal_scatter] expected src " + to_string(shape) + ", got " +
                     to_string(src.shape()));
  const detail::DiagEmbed in_place(line, x.shape());
  const Tensor there = eq(detail::apply(in_place, ones(shape)), 1);
  return where(there, detail::apply(in_place, detail::cast_to("diagonal_scatter", x, src)), x);
}

Tensor trace(const Tensor& x) {
  if (x.dim() != 2) throw ShapeError("[trace] expected a matrix, got " + to_string(x.shape()));
  return sum(diagonal(x));
}

Tensor tril(const Tensor& x, std::int64_t diagonal) { return detail::triangle("tril", x, diagonal, true); }
Tensor triu(const Tensor& x, std::int64_t diagonal) { return detail::triangle("triu", x, diagonal, false); }

Tensor tril_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  return detail::triangle_indices("tril_indices", rows, columns, offset, true);
}
Tensor triu_indices(std::int64_t rows, std::int64_t columns, std::int64_t offset) {
  return detail::triangle_indices("triu_indices", rows, columns, offset, false);
}

}  // namespace cadena
