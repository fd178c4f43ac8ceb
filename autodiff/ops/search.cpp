// Searching in sorted sequences, and counting.
#include "autodiff/kernels/search.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/scatter.hpp"
#include "autodiff/ops/search.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena {
namespace detail {
namespace {

std::int64_t* memory(const Tensor& t) { return static_cast<std::int64_t*>(raw_data(t)); }

Tensor as_tensor(const Operand& v, DType like) {
  if (v.tensor()) return v.tensor()->detach();
  const DType kind = is_floating(v.scalar().kind()) && !is_floating(like) ? f32 : like;
  return full({}, v.scalar(), kind);
}

Tensor search(const char* op, const Tensor& sorted, const Operand& values, bool right) {
  NoGrad guard;
  Tensor v = as_tensor(values, numeric(sorted).dtype());
  const DType dtype = promote(promote(sorted.dtype(), v.dtype()), i64);
  const Tensor sequence = contiguous(to(sorted, dtype));
  v = contiguous(to(v, dtype));
  bool fits = sequence.dim() == 1 || (sequence.dim() > 1 && sequence.dim() == v.dim());
  for (int i = 0; fits && sequence.dim() > 1 && i + 1 < v.dim(); ++i)
    fits = v.shape()[i] == sequence.shape()[i];
  if (!fits)
    throw ShapeError("[" + std::string(op) +
                     "] expected a sorted vector, or one for each row of values, got " +
                     to_string(sequence.shape()) + " and " + to_string(v.shape()));
  const std::int64_t n = sequence.shape().back();
  std::int64_t rows = 1;
  for (int i = 0; sequence.dim() > 1 && i + 1 < v.dim(); ++i) rows *= v.shape()[i];
  Tensor out = make_tensor(v.shape(), v.numel(), i64);
  if (v.numel() > 0)
    kernels::searchsorted({rows, n, v.numel() / rows, dtype, raw_data(sequence), raw_data(v)}, right,
                          memory(out));
  return out;
}

void check_bins(const char* op, const Tensor& x, std::int64_t bins) {
  check_floating(op, x);
  if (bins < 1) throw ValueError("[" + std::string(op) + "] expected bins >= 1, got " + std::to_string(bins));
}

/// Ends of equal bins: as asked for, or x's extremes, `margin` to either side of a single value.
std::pair<double, double> bin_range(const char* op, const Tensor& x, std::pair<double, double> range,
                                    double margin) {
  auto [low, high] = range;
  const bool given = low != high;
  if (!given && x.numel() > 0) low = amin(x).item(), high = amax(x).item();
  if (!std::isfinite(low) || !std::isfinite(high) || low > high || !std::isfinite(high - low))
    throw ValueError("[" + std::string(op) + "] expected a finite, ascending range" +
                     (given ? "" : " of elements") + ", got " + std::to_string(low) + " to " +
                     std::to_string(high));
  if (low == high) low -= margin, high += margin;
  return {low, high};
}

Tensor counted(const Tensor& x, const Tensor& weight, const Tensor& edges, bool even) {
  const std::int64_t bins = edges.numel() - 1;
  Tensor out = make_tensor({bins}, bins, x.dtype());
  const Tensor from = contiguous(x), weights = weight.defined() ? contiguous(weight) : Tensor();
  kernels::histogram(x.dtype(), x.numel(), raw_data(from), weights.defined() ? raw_data(weights) : nullptr,
                     bins, raw_data(edges), even, raw_data(out));
  return out;
}

Histogram histogram_of(const Tensor& x, const Tensor& edges, bool even, const HistogramOptions& options) {
  Tensor weight;
  if (options.weight.defined()) {
    if (!(options.weight.shape() == x.shape()))
      throw ShapeError("[histogram] expected a weight of x's shape " + to_string(x.shape()) + ", got " +
                       to_string(options.weight.shape()));
    weight = to(options.weight, x.dtype());
  }
  Tensor hist = counted(x, weight, edges, even);
  if (options.density) hist = div(hist, mul(sum(hist), diff(edges)));
  return {hist, edges};
}

/// Rows (n, m) in an order, without those that equal the one before.
struct UniqueRows {
  Tensor rows, inverse, counts;

  UniqueRows(const Tensor& x, const Tensor& order) {
    const std::int64_t n = x.size(0);
    const Tensor sorted = index_select(x, 0, order);
    Tensor starts = ones({n}, boolean);
    if (n > 1)
      starts =
          cat({ones({1}, boolean), any(ne(slice(sorted, 0, {1, n}), slice(sorted, 0, {0, n - 1})), 1)}, 0);
    const Tensor first = select(cadena::nonzero(starts), 1, 0);
    rows = index_select(sorted, 0, first);
    inverse = index_copy(zeros({n}, i64), 0, order, sub(cumsum(to(starts, i64), 0), 1));
    counts = diff(first, 1, 0, {}, full({1}, n, i64));
  }
};

/// Of the slices along `axis`.
Unique unique_slices(const char* op, const Tensor& x, int axis, bool consecutive) {
  NoGrad guard;
  const int a = normalize_axis(op, axis, x.dim());
  const Tensor moved = transpose(x.detach(), 0, a);
  const std::int64_t n = moved.size(0), m = n == 0 ? 0 : x.numel() / n;
  const Tensor rows = contiguous(reshape(numeric(moved), {n, m}));
  const Tensor order = arange(n);
  if (!consecutive) kernels::sort_rows(rows.dtype(), n, m, raw_data(rows), memory(order));
  const UniqueRows u(rows, order);
  Shape shape = moved.shape();
  shape[0] = u.rows.size(0);
  return {contiguous(transpose(reshape(to(u.rows, x.dtype()), shape), 0, a)), u.inverse, u.counts};
}

/// Runs of equal elements of a vector in an order (undefined: its own).
Unique runs_of(const Tensor& x, const Tensor& flat, const Tensor& order) {
  const std::int64_t n = flat.numel();
  const Tensor starts = empty({n + 1}, i64), inverse = empty({n}, i64);
  const std::int64_t runs =
      kernels::find_runs(flat.dtype(), n, raw_data(flat), order.defined() ? memory(order) : nullptr,
                         memory(starts), memory(inverse));
  const Tensor first = slice(starts, 0, {0, runs}), last = slice(starts, 0, {1, runs + 1});
  const Tensor at = order.defined() ? index_select(order, 0, first) : first;
  return {to(index_select(flat, 0, at), x.dtype()), reshape(inverse, x.shape()), sub(last, first)};
}

/// Whole numbers within a range that is not much larger than their number are counted, not sorted.
std::optional<Unique> counted_unique(const Tensor& flat) {
  const std::int64_t n = flat.numel();
  if (flat.dtype() != i64 || n == 0) return std::nullopt;
  const MinMax ends = aminmax(flat);
  const auto low = ends.min.item<std::int64_t>(), high = ends.max.item<std::int64_t>();
  const std::uint64_t gap = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
  if (gap >= static_cast<std::uint64_t>(n)) return std::nullopt;
  const auto range = static_cast<std::int64_t>(gap) + 1;
  const Tensor values = empty({range}, i64), counts = empty({range}, i64), inverse = empty({n}, i64);
  const std::int64_t found =
      kernels::unique_in_range(n, memory(flat), low, range, memory(values), memory(counts), memory(inverse));
  return Unique{clone(slice(values, 0, {0, found})), inverse, clone(slice(counts, 0, {0, found}))};
}

}  // namespace

OpList search_ops() {
  const auto sample = [](Sampler& s, std::int64_t n, std::int64_t values, std::int64_t minlength) {
    const Tensor x = s.index({n}, values);
    return Sample{"(" + std::to_string(n) + ",) of " + std::to_string(values),
                  {s.draw({n})},
                  [x, minlength](const TensorList& w) { return bincount(x, w[0], minlength); }};
  };
  return {composite({{.name = "bincount", .formula = "y[i] = sum of the weights where x = i"},
                     "search",
                     [sample](Sampler& s) {
                       return std::vector<Sample>{sample(s, 5, 3, 0), sample(s, 1, 1, 0), sample(s, 0, 1, 2),
                                                  sample(s, 9, 4, 7), sample(s, 67, 5, 0)};
                     },
                     [sample](Sampler& s, std::int64_t n) { return sample(s, n, 1000, 0); }})};
}

}  // namespace detail

Unique unique(const Tensor& x) {
  NoGrad guard;
  const Tensor flat = contiguous(detail::numeric(reshape(x.detach(), {x.numel()})));
  if (const auto counted = detail::counted_unique(flat))
    return {to(counted->values, x.dtype()), reshape(counted->inverse, x.shape()), counted->counts};
  return detail::runs_of(x, flat, argsort(flat));
}

Unique unique(const Tensor& x, int axis) { return detail::unique_slices("unique", x, axis, false); }

Unique unique_consecutive(const Tensor& x) {
  NoGrad guard;
  return detail::runs_of(x, contiguous(detail::numeric(reshape(x.detach(), {x.numel()}))), {});
}

Unique unique_consecutive(const Tensor& x, int axis) {
  return detail::unique_slices("unique_consecutive", x, axis, true);
}

Tensor searchsorted(const Tensor& sorted_sequence, const Operand& values, bool right) {
  return detail::search("searchsorted", sorted_sequence, values, right);
}

Tensor bucketize(const Operand& values, const Tensor& boundaries, bool right) {
  if (boundaries.dim() != 1)
    throw ShapeError("[bucketize] expected a vector of boundaries, got " + to_string(boundaries.shape()));
  return detail::search("bucketize", boundaries, values, right);
}

Tensor isin(const Operand& elements, const Tensor& test_elements, bool invert) {
  NoGrad guard;
  const Tensor x = detail::as_tensor(elements, detail::numeric(test_elements).dtype());
  const std::int64_t n = test_elements.numel();
  if (n == 0) return full(x.shape(), invert, boolean);
  const DType dtype = promote(promote(x.dtype(), test_elements.dtype()), i64);
  const Tensor sorted = sort(to(reshape(test_elements, {n}), dtype)).values, values = to(x, dtype);
  const Tensor at = reshape(minimum(searchsorted(sorted, values), n - 1), {x.numel()});
  const Tensor found = reshape(index_select(sorted, 0, at), x.shape());
  return invert ? ne(found, values) : eq(found, values);
}

Tensor histc(const Tensor& x, std::int64_t bins, double min, double max) {
  NoGrad guard;
  detail::check_bins("histc", x, bins);
  const auto [low, high] = detail::bin_range("histc", x, {min, max}, 1);
  return detail::counted(x, {}, linspace(low, high, bins + 1, x.dtype()), true);
}

Histogram histogram(const Tensor& x, std::int64_t bins, const HistogramOptions& options) {
  NoGrad guard;
  detail::check_bins("histogram", x, bins);
  const auto range = options.range.value_or(std::pair{0.0, x.numel() > 0 ? 0.0 : 1.0});
  const auto [low, high] = detail::bin_range("histogram", x, range, 0.5);
  return detail::histogram_of(x, linspace(low, high, bins + 1, x.dtype()), true, options);
}

Histogram histogram(const Tensor& x, const Tensor& bin_edges, const HistogramOptions& options) {
  NoGrad guard;
  detail::check_floating("histogram", x);
  if (bin_edges.dtype() != x.dtype())
    throw DtypeError("[histogram] expected bin_edges of " + std::string(name(x.dtype())) + ", got " +
                     std::string(name(bin_edges.dtype())));
  if (bin_edges.dim() != 1 || bin_edges.numel() < 2)
    throw ShapeError("[histogram] expected a vector of at least two bin_edges, got " +
                     to_string(bin_edges.shape()));
  if (!all(ge(diff(bin_edges), 0)).item<bool>())
    throw ValueError("[histogram] expected ascending bin_edges, got others");
  return detail::histogram_of(x, contiguous(bin_edges), false, options);
}

Tensor bincount(const Tensor& x, const Tensor& weights, std::int64_t minlength) {
  if (x.dtype() != i64) throw DtypeError("[bincount] expected i64, got " + std::string(name(x.dtype())));
  if (x.dim() != 1 || (weights.defined() && !(weights.shape() == x.shape())))
    throw ShapeError("[bincount] expected a vector and as many weights, got " + to_string(x.shape()) +
                     (weights.defined() ? " and " + to_string(weights.shape()) : ""));
  if (minlength < 0) throw ValueError("[bincount] expected minlength >= 0, got " + std::to_string(minlength));
  std::int64_t bins = minlength;
  if (x.numel() > 0) {
    NoGrad guard;
    if (const auto low = amin(x).item<std::int64_t>(); low < 0)
      throw ValueError("[bincount] expected elements >= 0, got " + std::to_string(low));
    bins = std::max(bins, amax(x).item<std::int64_t>() + 1);
  }
  const Tensor each = weights.defined() ? weights : ones(x.shape(), i64);
  return index_add(zeros({bins}, weights.defined() ? detail::numeric(weights).dtype() : i64), 0, x,
                   detail::numeric(each));
}

}  // namespace cadena
