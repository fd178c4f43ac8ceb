// LU factors with partial pivoting.
#include <algorithm>
#include <numeric>
#include <string>

#include "autodiff/core/tape.hpp"
#include "autodiff/kernels/factor.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/linalg/support.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/trigonometric.hpp"

namespace cadena {
namespace detail {
namespace {

/// Row i of P^T A is row order[i] of A. @param pivots (..., k), from 1 @return i64 (..., m)
Tensor row_order(const Tensor& pivots, std::int64_t m) {
  if (on_tape()) [[unlikely]]
    return repeatable("lu", [=] { return row_order(pivots, m); });
  const Tensor from = contiguous(pivots);
  Shape shape = pivots.shape();
  const std::int64_t k = shape.back();
  shape[shape.rank() - 1] = m;
  const Tensor order = make_tensor(shape, shape.numel(), i64);
  const auto* p = from.data<std::int64_t>();
  auto* o = static_cast<std::int64_t*>(raw_data(order));
  for (std::int64_t i = 0; i < (m == 0 ? 0 : shape.numel() / m); ++i) {
    std::iota(o + i * m, o + (i + 1) * m, 0);
    for (std::int64_t r = 0; r < k; ++r) std::swap(o[i * m + r], o[i * m + p[i * k + r] - 1]);
  }
  return order;
}

Tensor inverse_order(const Tensor& order) {
  if (on_tape()) [[unlikely]]
    return repeatable("lu", [=] { return inverse_order(order); });
  const Tensor out = make_tensor(order.shape(), order.numel(), i64);
  const std::int64_t m = order.size(-1);
  const auto* from = order.data<std::int64_t>();
  auto* to = static_cast<std::int64_t*>(raw_data(out));
  for (std::int64_t i = 0; i < (m == 0 ? 0 : order.numel() / m); ++i)
    for (std::int64_t r = 0; r < m; ++r) to[i * m + from[i * m + r]] = r;
  return out;
}

/// Rows of x in the given order; x and order have one batch.
Tensor in_order(const Tensor& x, const Tensor& order) {
  return gather(x, -2, expand(unsqueeze(order, -1), x.shape()));
}

/// X U = B for an upper triangular U, and X L = B for a unit lower one; and with L^T from the left.
Tensor right_upper(const Tensor& u, const Tensor& b) {
  return solve_triangular(u, b, {.upper = true, .left = false});
}
Tensor right_upper_transposed(const Tensor& u, const Tensor& b) {
  return solve_triangular(mt(u), b, {.upper = false, .left = false});
}
Tensor left_unit(const Tensor& l, const Tensor& b) {
  return solve_triangular(l, b, {.upper = false, .unitriangular = true});
}
Tensor left_unit_transposed(const Tensor& l, const Tensor& b) {
  return solve_triangular(mt(l), b, {.upper = true, .unitriangular = true});
}

struct Factored {
  Tensor lu, pivots;
};

Factored factor(const Tensor& a) {
  const Tensor lu = copy_of(a);
  const std::int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
  const Shape shape = with(batch_of(a), {k});
  const Tensor pivots = make_tensor(shape, shape.numel(), i64);
  auto* p = static_cast<std::int64_t*>(raw_data(pivots));
  with_type(lu, [&]<class T>(T) {
    T* data = static_cast<T*>(raw_data(lu));
    kernels::for_matrices(matrices_in(a), m * n * k / 2, [&](std::int64_t i) {
      kernels::lu<T>(m, n, data + i * m * n, n, p + i * k);
      for (std::int64_t r = 0; r < k; ++r) ++p[i * k + r];
    });
  });
  return {lu, pivots};
}

/// L and U in one matrix. Where A is square, with F = L^-1 P^T dA U^-1: dL = L tril(F, -1), dU = triu(F) U
/// (Giles 2008 treats Cholesky; de Hoog, Anderssen & Lukas 2011). The rows or columns beyond the square are
/// solutions with these factors.
struct LUFactorOp {
  static constexpr Meta meta{.name = "lu_factor",
                             .reads = {Y},
                             .formula = "L and U with A = P L U",
                             .derivative = "dA = P L^-T (tril(L^T GL, -1) + triu(GU U^T)) U^-T",
                             .conventions = "no pivot: a zero on U's diagonal, and no derivative"};
  Tensor pivots = {};   ///< of the last evaluation
  Constant order = {};  ///< as row_order gives it

  Tensor eval(const Tensor& a) {
    const Factored f = factor(a);
    pivots = f.pivots;
    order = Constant(row_order(pivots, a.size(-2)));
    return f.lu;
  }

  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Parts y(s.y()), c(g);
    const Tensor square =
        add(tril(matmul(mt(unit(y.square)), c.square), -1), triu(matmul(c.square, mt(y.square_upper()))));
    Tensor f = square;
    // What the further columns U2 = L^-1 A2 and the further rows L2 = A2 U^-1 add.
    if (y.wide) f = sub(f, tril(matmul(c.rest, mt(y.rest)), -1));
    if (y.tall) f = sub(f, triu(matmul(mt(y.rest), c.rest)));
    Tensor out = right_upper_transposed(y.square, left_unit_transposed(y.square, f));
    if (y.wide) out = cat({out, left_unit_transposed(y.square, c.rest)}, -1);
    if (y.tall) out = cat({out, right_upper_transposed(y.square, c.rest)}, -2);
    gin[0] = in_order(out, inverse_order(order.get(meta.name)));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Parts y(s.y()), d(in_order(t[0], order.get(meta.name)));
    const Tensor f = right_upper(y.square, left_unit(y.square, d.square));
    const Tensor dl = matmul(unit(y.square), tril(f, -1)), du = matmul(triu(f), y.square_upper());
    const Tensor square = add(dl, du);
    if (y.wide) return cat({square, left_unit(y.square, sub(d.rest, matmul(dl, y.rest)))}, -1);
    if (y.tall) return cat({square, right_upper(y.square, sub(d.rest, matmul(y.rest, du)))}, -2);
    return square;
  }

 private:
  /// The leading square, and the columns or rows beyond it.
  struct Parts {
    Tensor square, rest;
    bool wide, tall;

    explicit Parts(const Tensor& x) : wide(x.size(-1) > x.size(-2)), tall(x.size(-2) > x.size(-1)) {
      const std::int64_t k = std::min(x.size(-1), x.size(-2));
      square = wide ? columns(x, 0, k) : tall ? rows(x, 0, k) : x;
      if (wide) rest = columns(x, k, x.size(-1));
      if (tall) rest = rows(x, k, x.size(-2));
    }
    Tensor square_upper() const { return triu(square); }
  };
  static Tensor unit(const Tensor& x) { return add(tril(x, -1), eye(x.size(-1), x.dtype())); }
};

const std::vector<std::vector<Shape>>& shapes() {
  static const std::vector<std::vector<Shape>> list = {{{3, 3}},    {{1, 1}},    {{2, 3}},    {{3, 2}},
                                                       {{2, 2, 2}}, {{2, 3, 2}}, {{2, 2, 3}}, {{0, 0}},
                                                       {{0, 3}},    {{2, 0}},    {{4, 4}},    {{5, 2}}};
  return list;
}

/// Rows that will be exchanged.
Tensor turned(const Tensor& x) { return flip(regular(x), -2); }

}  // namespace

OpList linalg_lu_ops() {
  const Call packed = [](const TensorList& x) { return lu_factor(regular(x[0])).LU; };
  const Call pivoted = [](const TensorList& x) { return lu_factor(turned(x[0])).LU; };
  const Call l = [](const TensorList& x) { return lu(turned(x[0])).L; };
  const Call u = [](const TensorList& x) { return lu(turned(x[0])).U; };
  const Call both = [](const TensorList& x) {
    const auto f = lu(turned(x[0]));
    return matmul(sin(f.L), cos(f.U));
  };
  const Call solved = [](const TensorList& x) {
    const auto f = lu_factor(turned(x[0]));
    return lu_solve(f.LU, f.pivots, x[1]);
  };
  const std::vector<std::vector<Shape>> systems = {{{3, 3}, {3, 2}},       {{1, 1}, {1, 1}},
                                                   {{2, 2, 2}, {2, 2, 1}}, {{0, 0}, {0, 2}},
                                                   {{2, 2, 2}, {2, 1}},    {{2, 2}, {3, 2, 1}}};
  return {linalg_row(LUFactorOp::meta,
                     joined({cases_of(packed, shapes()), cases_of(pivoted, shapes(), "exchanged")}),
                     [](const TensorList& x) { return lu_factor(x[0]).LU; }),
          composite(linalg_row(
              {.name = "lu", .formula = "P, L, U with A = P L U"},
              joined({cases_of(l, {{{3, 3}}, {{2, 3}}, {{3, 2}}}, "L"),
                      cases_of(u, {{{3, 3}}, {{2, 3}}, {{3, 2}}}, "U"), cases_of(both, shapes(), "L and U")}),
              both)),
          composite(linalg_row({.name = "lu_solve", .formula = "A^-1 B from A's factors"},
                               cases_of(solved, systems), solved, 2))};
}

}  // namespace detail

LUFactor lu_factor(const Tensor& a) {
  detail::check_matrix("lu_factor", a);
  detail::check_readable(detail::raw_impl(a));
  detail::LUFactorOp op;
  Tensor lu = detail::apply_keeping(op, {&a, 1});
  return {std::move(lu), op.pivots};
}

PLU lu(const Tensor& a) {
  detail::check_matrix("lu", a);
  const auto [packed, pivots] = lu_factor(a);
  const std::int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
  Tensor p;
  {
    NoGrad guard;
    const Tensor order = detail::row_order(pivots, m);
    // Column i of P has its 1 in row order[i].
    p = to(eq(unsqueeze(arange(m), 1), unsqueeze(order, -2)), a.dtype());
  }
  const Tensor l = tril(detail::columns(packed, 0, k), -1);
  return {p, add(l, eye(m, k, a.dtype())), triu(detail::rows(packed, 0, k))};
}

Tensor lu_solve(const Tensor& lu, const Tensor& pivots, const Tensor& b) {
  detail::check_square("lu_solve", lu);
  detail::check_matrix("lu_solve", b);
  const std::int64_t n = lu.size(-1);
  if (pivots.dtype() != i64)
    throw DtypeError("[lu_solve] expected i64 pivots, got " + std::string(name(pivots.dtype())));
  if (!(pivots.shape() == detail::with(detail::batch_of(lu), {n})) || b.size(-2) != n)
    throw ShapeError("[lu_solve] expected (..., n, n), pivots (..., n) and (..., n, k), got " +
                     to_string(lu.shape()) + ", " + to_string(pivots.shape()) + " and " +
                     to_string(b.shape()));
  detail::repeatable("lu_solve", [pivots, n] {
    for (auto p : pivots.to_vector<std::int64_t>())
      if (p < 1 || p > n)
        throw IndexError("[lu_solve] expected pivots in [1, " + std::to_string(n) + "], got " +
                         std::to_string(p));
  });
  const Shape batch = broadcast("lu_solve", detail::batch_of(lu), detail::batch_of(b));
  const Tensor order = expand(detail::row_order(pivots, n), detail::with(batch, {n}));
  const Tensor right = detail::in_order(expand(b, detail::with(batch, {n, b.size(-1)})), order);
  return solve_triangular(lu, solve_triangular(lu, right, {.upper = false, .unitriangular = true}),
                          {.upper = true});
}

}  // namespace cadena
