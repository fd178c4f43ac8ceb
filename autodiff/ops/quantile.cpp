// Quantiles: two elements of the sorted row, mixed.
#include "autodiff/ops/quantile.hpp"

#include <string>

#include "autodiff/core/axes.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/error.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/sort.hpp"

namespace cadena {
namespace detail {
namespace {

/// q as a tensor of `dtype` and rank 0 or 1 with values in [0, 1].
Tensor checked_shares(const char* op, const Operand& q, DType dtype) {
  const auto prefix = [op] { return "[" + std::string(op) + "] expected q "; };
  const Tensor shares = q.tensor() ? to(*q.tensor(), dtype) : full({}, q.scalar(), dtype);
  if (shares.dim() > 1)
    throw ShapeError(prefix() + "to be a number or a vector, got " + to_string(shares.shape()));
  repeatable(op, [plain = shares.detach(), prefix] {
    for (double v : plain.to_vector<double>())
      if (!(v >= 0 && v <= 1)) throw ValueError(prefix() + "in [0, 1], got " + std::to_string(v));
  });
  return shares;
}

/// Ranks of the two neighbours, and the second one's weight but for its dependence on q.
struct Neighbours {
  Tensor low, high;  // i64
  Tensor weight;     // undefined: rank - low
};

Neighbours neighbours(const Tensor& rank, Interpolation interpolation) {
  NoGrad guard;
  const Tensor low = to(rank, i64), high = add(low, to(gt(rank, low), i64));
  const Tensor none = zeros(rank.shape(), rank.dtype());
  switch (interpolation) {
    case Interpolation::lower:
      return {low, low, none};
    case Interpolation::higher:
      return {high, high, none};
    case Interpolation::midpoint:
      return {low, high, full(rank.shape(), 0.5, rank.dtype())};
    case Interpolation::nearest: {
      const Tensor rest = sub(rank, low), half = to(div(low, 2), i64), odd = ne(mul(half, 2), low);
      const Tensor up = add(to(gt(rest, 0.5), i64), mul(to(eq(rest, 0.5), i64), to(odd, i64)));
      const Tensor nearest = add(low, up);
      return {nearest, nearest, none};
    }
    default:
      return {low, high, {}};
  }
}

Tensor quantile(const char* op, const Tensor& x, const Operand& q, const QuantileOptions& options,
                bool skip_nan) {
  check_floating(op, x);
  const bool all = !options.axis || x.dim() == 0;
  const int axis = options.axis ? axis_or_vector(op, *options.axis, x.dim()) : 0;
  const Tensor rows = all ? reshape(x, {x.numel()}) : axis_last(x, axis);
  const std::int64_t n = rows.shape().back();
  if (n == 0)
    throw ValueError("[" + std::string(op) +
                     "] expected at least one element to take quantiles of, got shape " +
                     to_string(x.shape()));
  // f32 holds no whole numbers beyond 2^24.
  const DType dtype = n > (1 << 24) ? f64 : x.dtype();
  const Tensor shares = checked_shares(op, q, dtype), sorted = sort(rows, -1).values;
  Tensor last, broken;  // the highest rank; rows that have NaN where none may be
  {
    NoGrad guard;
    const Tensor valid = sum(eq(rows, rows), -1, true);
    last = to(skip_nan ? maximum(sub(valid, 1), 0) : full(valid.shape(), n - 1, i64), dtype);
    broken = skip_nan ? zeros(valid.shape(), boolean) : lt(valid, n);
  }
  const Tensor rank = mul(last, shares.dim() == 0 ? reshape(shares, {1}) : shares);
  Neighbours at = neighbours(rank, options.interpolation);
  if (!at.weight.defined()) at.weight = sub(rank, at.low);
  // The last in order is NaN then.
  const auto value = [&](const Tensor& index) { return gather(sorted, -1, where(broken, n - 1, index)); };
  const Tensor low = value(at.low), high = value(at.high), weight = to(at.weight, x.dtype());
  Tensor result = where(eq(low, high), low, add(mul(low, sub(1, weight)), mul(high, weight)));
  // (rest..., q) -> (q, rest...)
  Axes order(result.dim() - 1);
  for (int i = 0; i + 1 < result.dim(); ++i) order.push_back(i);
  Shape shape = shares.shape();
  for (int i = 0; i < x.dim(); ++i) {
    if (!all && i != axis)
      shape.push_back(x.shape()[i]);
    else if (options.keepdim)
      shape.push_back(1);
  }
  return reshape(permute(result, order), shape);
}

std::vector<Case> cases_of(Tensor (*f)(const Tensor&, const Operand&, const QuantileOptions&)) {
  std::vector<Case> cases;
  const std::pair<Shape, std::optional<int>> shapes[] = {
      {{}, {}}, {{7}, 0}, {{3, 4}, 0}, {{3, 4}, 1}, {{3, 4}, {}}, {{2, 3, 4}, 1}, {{2, 35}, -1}, {{0, 3}, 1}};
  const auto add_case = [&](const Shape& shape, double q, const QuantileOptions& options) {
    cases.push_back(
        {{shape}, [=](const TensorList& x) { return f(x[0], q, options); }, "q " + std::to_string(q)});
  };
  for (const auto& [shape, axis] : shapes)
    for (bool keepdim : {false, true}) add_case(shape, 0.3, {.axis = axis, .keepdim = keepdim});
  for (auto between :
       {Interpolation::lower, Interpolation::higher, Interpolation::nearest, Interpolation::midpoint})
    add_case({2, 6}, 0.55, {.axis = 1, .interpolation = between});
  cases.push_back({{{3, 4}, {2}}, [f](const TensorList& x) { return f(x[0], x[1], {.axis = 1}); }, "by q"});
  cases.push_back({{{5}, {}}, [f](const TensorList& x) { return f(x[0], x[1], {}); }, "by q"});
  return cases;
}

OpInfo row(const char* name, const char* formula, const char* conventions,
           Tensor (*f)(const Tensor&, const Operand&, const QuantileOptions&)) {
  // Shares of q keep away from the ranks of the sampled extents.
  const Domain between{.low = 0.38, .high = 0.47};
  return composite(case_row(
      {.name = name,
       .domain = {all_different, between, between},
       .formula = formula,
       .conventions = conventions},
      "quantile", cases_of(f), [f](std::int64_t n) {
        return Case{{{n / 256, 256}}, [f](const TensorList& x) { return f(x[0], 0.3, {.axis = 1}); }};
      }));
}

}  // namespace

OpList quantile_ops() {
  return {row("quantile", "the element of rank q (n - 1), or between two", "a NaN: NaN", cadena::quantile),
          row("nanquantile", "quantile of what is not NaN", "nothing but NaN: NaN", cadena::nanquantile)};
}

}  // namespace detail

Tensor quantile(const Tensor& x, const Operand& q, const QuantileOptions& options) {
  return detail::quantile("quantile", x, q, options, false);
}
Tensor nanquantile(const Tensor& x, const Operand& q, const QuantileOptions& options) {
  return detail::quantile("nanquantile", x, q, options, true);
}

}  // namespace cadena
