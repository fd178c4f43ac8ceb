// Composites of slices, cat and expand.
#include "autodiff/ops/joining.hpp"

#include <algorithm>
#include <string>

#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/arrange.hpp"
#include "autodiff/ops/joining.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

std::vector<Tensor> split_at(const char* op, const Tensor& x, const std::vector<std::int64_t>& cuts,
                             int axis) {
  const int a = normalize_axis(op, axis, x.dim());
  std::vector<Tensor> parts;
  std::int64_t start = 0;
  for (auto cut : cuts) {
    parts.push_back(slice(x, a, {start, cut}));
    start = cut;
  }
  parts.push_back(slice(x, a, {start, {}}));
  return parts;
}

void check_some(const char* op, const std::vector<Tensor>& parts) {
  if (parts.empty()) throw ValueError("[" + std::string(op) + "] expected at least one tensor, got none");
}

std::vector<Tensor> each(const std::vector<Tensor>& parts, Tensor (*f)(const Tensor&)) {
  std::vector<Tensor> out;
  for (const auto& part : parts) out.push_back(f(part));
  return out;
}

/// All parts in reverse order, each with its own factor, as one tensor.
Tensor rejoined(const std::vector<Tensor>& parts, int axis) {
  std::vector<Tensor> list;
  for (std::size_t i = parts.size(); i-- > 0;) list.push_back(mul(parts[i], 1.0 + static_cast<double>(i)));
  return cat(list, axis);
}

OpInfo row(const char* name, const char* formula, std::vector<Case> cases) {
  const auto call = cases[0].call;
  const std::size_t inputs = cases[0].shapes.size();
  return composite(case_row({.name = name, .formula = formula}, "joining", std::move(cases),
                            [call, inputs](std::int64_t n) {
                              return Case{std::vector<Shape>(inputs, Shape{n / 64, 8}), call};
                            }));
}

}  // namespace

std::vector<Tensor> split_evenly(const Tensor& x, std::int64_t length, int axis) {
  const std::int64_t n = x.shape()[normalize_axis("split", axis, x.dim())];
  if (length < 1) throw ValueError("[split] expected a length >= 1, got " + std::to_string(length));
  std::vector<std::int64_t> cuts;
  for (std::int64_t cut = length; cut < n; cut += length) cuts.push_back(cut);
  return split_at("split", x, cuts, axis);
}

std::vector<Tensor> split_into(const Tensor& x, std::int64_t sections, int axis) {
  const std::int64_t n = x.shape()[normalize_axis("tensor_split", axis, x.dim())];
  if (sections < 1)
    throw ValueError("[tensor_split] expected sections >= 1, got " + std::to_string(sections));
  std::vector<std::int64_t> cuts;
  for (std::int64_t i = 1; i < sections; ++i) cuts.push_back(n / sections * i + std::min(i, n % sections));
  return split_at("tensor_split", x, cuts, axis);
}

void check_rank(const char* op, const Tensor& x, int axis) {
  if (x.dim() <= axis)
    throw ShapeError("[" + std::string(op) + "] expected at least " + std::to_string(axis + 1) +
                     " dimensions, got " + to_string(x.shape()));
}

std::vector<Tensor> split_equally(const char* op, const Tensor& x, std::int64_t sections, int axis) {
  check_rank(op, x, axis);
  if (sections < 1 || x.size(axis) % sections != 0)
    throw ValueError("[" + std::string(op) + "] expected sections that divide axis " + std::to_string(axis) +
                     " of " + to_string(x.shape()) + ", got " + std::to_string(sections));
  return split_into(x, sections, axis);
}

OpList joining_ops() {
  using L = const TensorList&;
  return {
      row("split", "slices of x",
          {{{{3, 8}}, [](L x) { return rejoined(split(x[0], 3, -1), 1); }},
           {{{6}},
            [](L x) {
              return rejoined(split(x[0], {1, 0, 5}), 0);
            }},
           {{{2, 3}}, [](L x) { return rejoined(split(x[0], 9), 0); }},
           {{{0, 3}}, [](L x) { return rejoined(split(x[0], 2), 0); }}}),
      row("tensor_split", "slices of x",
          {{{{7, 3}}, [](L x) { return rejoined(tensor_split(x[0], 3), 0); }},
           {{{2}}, [](L x) { return rejoined(tensor_split(x[0], 3), 0); }},
           {{{2, 5}},
            [](L x) {
              return rejoined(tensor_split(x[0], {1, -1}, 1), 1);
            }}}),
      row("chunk", "slices of x",
          {{{{7, 3}}, [](L x) { return rejoined(chunk(x[0], 3), 0); }},
           {{{2, 5}}, [](L x) { return rejoined(chunk(x[0], 2, 1), 1); }},
           {{{3}}, [](L x) { return rejoined(chunk(x[0], 1), 0); }}}),
      row("unbind", "every x[i]",
          {{{{3, 4}}, [](L x) { return rejoined(unbind(x[0], 1), 0); }},
           {{{2, 3}}, [](L x) { return rejoined(unbind(x[0]), 0); }},
           {{{2, 1, 2}}, [](L x) { return rejoined(unbind(x[0], 2), 0); }}}),
      row("hstack", "cat along axis 1",
          {{{{2, 3}, {2, 1}}, [](L x) { return hstack(x); }},
           {{{2}, {}}, [](L x) { return hstack(x); }},
           {{{2, 2, 2}}, [](L x) { return hstack(x); }},
           {{{0}, {1}}, [](L x) { return hstack(x); }}}),
      row("vstack", "cat along axis 0",
          {{{{2, 3}, {3}}, [](L x) { return vstack(x); }},
           {{{}, {}}, [](L x) { return vstack(x); }},
           {{{1, 2, 2}, {2, 2, 2}}, [](L x) { return vstack(x); }}}),
      row("dstack", "cat along axis 2",
          {{{{2, 3}, {2, 3}}, [](L x) { return dstack(x); }},
           {{{3}, {3}}, [](L x) { return dstack(x); }},
           {{{2, 1, 2}, {2, 1, 1}}, [](L x) { return dstack(x); }}}),
      row("hsplit", "slices along axis 1",
          {{{{2, 4}}, [](L x) { return rejoined(hsplit(x[0], 2), 1); }},
           {{{6}}, [](L x) { return rejoined(hsplit(x[0], 3), 0); }},
           {{{2, 5}},
            [](L x) {
              return rejoined(hsplit(x[0], {1, 3}), 1);
            }}}),
      row("vsplit", "slices along axis 0",
          {{{{4, 2}}, [](L x) { return rejoined(vsplit(x[0], 2), 0); }},
           {{{5, 2}},
            [](L x) {
              return rejoined(vsplit(x[0], {1, 3}), 0);
            }}}),
      composite(case_row({.name = "dsplit", .formula = "slices along axis 2"}, "joining",
                         {{{{2, 1, 4}}, [](L x) { return rejoined(dsplit(x[0], 2), 2); }},
                          {{{1, 2, 5}},
                           [](L x) {
                             return rejoined(dsplit(x[0], {1, 3}), 2);
                           }}},
                         [](std::int64_t n) {
                           return Case{{{n / 64, 8, 8}}, [](L x) { return rejoined(dsplit(x[0], 2), 2); }};
                         })),
      row("narrow", "a slice of x",
          {{{{3, 4}}, [](L x) { return clone(narrow(x[0], 1, 1, 2)); }},
           {{{5}}, [](L x) { return narrow(x[0], 0, -3, 2); }},
           {{{2, 3}}, [](L x) { return narrow(x[0], 0, 2, 0); }}}),
      row("column_stack", "cat along axis 1",
          {{{{3}, {3}}, [](L x) { return column_stack(x); }},
           {{{2, 3}, {2}}, [](L x) { return column_stack(x); }},
           {{{}, {1, 2}}, [](L x) { return column_stack(x); }}}),
      composite(case_row({.name = "block_diag", .formula = "blocks on a diagonal, else 0"}, "joining",
                         {{{{2, 3}, {1, 2}}, [](L x) { return block_diag(x); }},
                          {{{3}, {}, {2, 1}}, [](L x) { return block_diag(x); }},
                          {{{0, 2}, {1, 1}}, [](L x) { return block_diag(x); }}},
                         [](std::int64_t n) {
                           return Case{{{64, n / 64}, {8, 8}}, [](L x) { return block_diag(x); }};
                         })),
      composite(case_row({.name = "meshgrid", .formula = "coordinates of a grid"}, "joining",
                         {{{{3}, {2}}, [](L x) { return rejoined(meshgrid(x), 0); }},
                          {{{3}, {2}, {2}}, [](L x) { return rejoined(meshgrid(x, Indexing::xy), 0); }},
                          {{{2}, {}}, [](L x) { return rejoined(meshgrid(x, Indexing::xy), 0); }},
                          {{{0}, {2}}, [](L x) { return rejoined(meshgrid(x), 0); }}},
                         [](std::int64_t n) {
                           return Case{{{n / 16}, {8}}, [](L x) { return rejoined(meshgrid(x), 0); }};
                         })),
      composite(case_row({.name = "cartesian_prod", .formula = "all combinations, one a row"}, "joining",
                         {{{{3}, {2}}, [](L x) { return cartesian_prod(x); }},
                          {{{3}}, [](L x) { return cartesian_prod(x); }},
                          {{{2}, {1}, {2}}, [](L x) { return cartesian_prod(x); }}},
                         [](std::int64_t n) {
                           return Case{{{n / 16}, {8}}, [](L x) { return cartesian_prod(x); }};
                         })),
  };
}

}  // namespace detail

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& lengths, int axis) {
  const std::int64_t n = x.shape()[normalize_axis("split", axis, x.dim())];
  std::vector<std::int64_t> cuts;
  std::int64_t end = 0;
  for (auto length : lengths) {
    if (length < 0) throw ValueError("[split] expected lengths >= 0, got " + std::to_string(length));
    end += std::min(length, n - end + 1);  // no overflow
    cuts.push_back(end);
  }
  if (lengths.empty() || end != n)
    throw ValueError("[split] expected lengths that add up to " + std::to_string(n) + ", got " +
                     (end > n ? "more" : std::to_string(end)));
  cuts.pop_back();
  return detail::split_at("split", x, cuts, axis);
}

std::vector<Tensor> tensor_split(const Tensor& x, const std::vector<std::int64_t>& indices, int axis) {
  return detail::split_at("tensor_split", x, indices, axis);
}

std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, int axis) {
  const std::int64_t n = x.shape()[normalize_axis("chunk", axis, x.dim())];
  if (chunks < 1) throw ValueError("[chunk] expected chunks >= 1, got " + std::to_string(chunks));
  return detail::split_evenly(x, std::max<std::int64_t>(1, n / chunks + (n % chunks != 0)), axis);
}

std::vector<Tensor> unbind(const Tensor& x, int axis) {
  const int a = normalize_axis("unbind", axis, x.dim());
  std::vector<Tensor> out;
  for (std::int64_t i = 0; i < x.shape()[a]; ++i) out.push_back(select(x, a, i));
  return out;
}

std::vector<Tensor> hsplit(const Tensor& x, const std::vector<std::int64_t>& indices) {
  detail::check_rank("hsplit", x, 0);
  return detail::split_at("hsplit", x, indices, x.dim() == 1 ? 0 : 1);
}
std::vector<Tensor> vsplit(const Tensor& x, const std::vector<std::int64_t>& indices) {
  detail::check_rank("vsplit", x, 0);
  return detail::split_at("vsplit", x, indices, 0);
}
std::vector<Tensor> dsplit(const Tensor& x, const std::vector<std::int64_t>& indices) {
  detail::check_rank("dsplit", x, 2);
  return detail::split_at("dsplit", x, indices, 2);
}

Tensor narrow(const Tensor& x, int axis, std::int64_t start, std::int64_t length) {
  const int a = normalize_axis("narrow", axis, x.dim());
  const std::int64_t n = x.size(a), first = start < 0 ? start + n : start;
  if (first < 0 || length < 0 || first > n || length > n - first)
    throw IndexError("[narrow] expected slices within axis " + std::to_string(a) + " of " +
                     to_string(x.shape()) + ", got " + std::to_string(length) + " from " +
                     std::to_string(start));
  return slice(x, a, {first, first + length});
}

Tensor hstack(const std::vector<Tensor>& parts) {
  detail::check_some("hstack", parts);
  const auto raised = detail::each(parts, atleast_1d);
  return cat(raised, raised[0].dim() == 1 ? 0 : 1);
}
Tensor vstack(const std::vector<Tensor>& parts) {
  detail::check_some("vstack", parts);
  return cat(detail::each(parts, atleast_2d), 0);
}
Tensor dstack(const std::vector<Tensor>& parts) {
  detail::check_some("dstack", parts);
  return cat(detail::each(parts, atleast_3d), 2);
}

Tensor column_stack(const std::vector<Tensor>& parts) {
  detail::check_some("column_stack", parts);
  return cat(detail::each(parts,
                          [](const Tensor& x) {
                            return x.dim() > 1 ? x : reshape(x, {x.numel(), 1});
                          }),
             1);
}

Tensor block_diag(const std::vector<Tensor>& matrices) {
  detail::check_some("block_diag", matrices);
  std::int64_t columns = 0, left = 0;
  for (const auto& m : matrices) {
    if (m.dim() > 2)
      throw ShapeError("[block_diag] expected at most 2 dimensions, got " + to_string(m.shape()));
    columns += atleast_2d(m).size(1);
  }
  std::vector<Tensor> rows;
  for (const auto& m : detail::each(matrices, atleast_2d)) {
    const std::int64_t right = columns - left - m.size(1);
    rows.push_back(cat({zeros({m.size(0), left}, m.dtype()), m, zeros({m.size(0), right}, m.dtype())}, 1));
    left += m.size(1);
  }
  return cat(rows, 0);
}

std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, Indexing indexing) {
  detail::check_some("meshgrid", tensors);
  if (tensors.size() > max_rank)
    throw ShapeError("[meshgrid] expected at most 8 vectors, got " + std::to_string(tensors.size()));
  const int rank = static_cast<int>(tensors.size());
  Shape shape;
  for (const auto& t : tensors) {
    if (t.dim() > 1) throw ShapeError("[meshgrid] expected vectors, got " + to_string(t.shape()));
    shape.push_back(t.numel());
  }
  std::vector<Tensor> grid;
  for (int i = 0; i < rank; ++i) {
    Shape along;
    for (int k = 0; k < rank; ++k) along.push_back(k == i ? shape[i] : 1);
    const Tensor full_size = expand(reshape(tensors[static_cast<std::size_t>(i)], along), shape);
    grid.push_back(indexing == Indexing::xy && rank > 1 ? transpose(full_size, 0, 1) : full_size);
  }
  return grid;
}

Tensor cartesian_prod(const std::vector<Tensor>& tensors) {
  detail::check_some("cartesian_prod", tensors);
  for (const auto& t : tensors)
    if (t.dim() != 1) throw ShapeError("[cartesian_prod] expected vectors, got " + to_string(t.shape()));
  if (tensors.size() == 1) return alias(tensors[0]);
  std::vector<Tensor> columns;
  for (const auto& g : meshgrid(tensors)) columns.push_back(reshape(g, {g.numel()}));
  return stack(columns, 1);
}

}  // namespace cadena
