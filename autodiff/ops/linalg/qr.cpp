// QR and least squares.
#include <algorithm>
#include <limits>
#include <string>

#include "autodiff/core/tape.hpp"
#include "autodiff/kernels/decompose.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/diagonal.hpp"
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

/// [Q, R] of (..., m, n).
Packing packing(const Tensor& a, std::int64_t q_columns) {
  const Shape batch = batch_of(a);
  return {{with(batch, {a.size(-2), q_columns}), with(batch, {q_columns, a.size(-1)})}};
}

Tensor evaluate(const Tensor& a, std::int64_t q_columns) {
  const Tensor from = contiguous(a);
  const Packing parts = packing(a, q_columns);
  const Tensor out = make_tensor({parts.size()}, parts.size(), a.dtype());
  const std::int64_t m = a.size(-2), n = a.size(-1);
  with_type(a, [&]<class T>(T) {
    const T* data = from.data<T>();
    T* q = static_cast<T*>(raw_data(out));
    T* r = q + parts.start(1);
    kernels::for_matrices(matrices_in(a), 2 * m * n * q_columns, [&](std::int64_t i) {
      kernels::qr<T>(m, n, q_columns, data + i * m * n, q + i * m * q_columns, r + i * q_columns * n);
    });
  });
  return out;
}

/// Q and R of A (m, n), m >= n, packed. With M = R gR^T - gQ^T Q: gA = (gQ + Q mirrored(M)) R^-T
/// (Walter & Lehmann 2010; Liao et al. 2019, eq. 5).
struct QROp {
  static constexpr Meta meta{.name = "qr",
                             .reads = {Y},
                             .formula = "Q, R with A = Q R",
                             .derivative = "dA = (GQ + Q sym(R GR^T - GQ^T Q)) R^-T",
                             .conventions = "rank below min(m, n): infinite or NaN derivatives"};
  Packing parts;

  Tensor eval(const Tensor& a) const { return evaluate(a, a.size(-1)); }
  Tensor batch(const BatchedCall& c) const {
    const Packing whole = packing(c.x[0], c.x[0].size(-1));
    return whole.by_sample(apply(QROp{whole}, c.x[0]), c.size);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor y = s.y(), q = parts.part(y, 0), r = parts.part(y, 1);
    const Tensor gq = parts.part(g, 0), gr = parts.part(g, 1);
    const Tensor m = sub(matmul(r, mt(gr)), matmul(mt(gq), q));
    gin[0] = solve_triangular(mt(r), add(gq, matmul(q, mirrored(m))), {.upper = false, .left = false});
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor y = s.y(), q = parts.part(y, 0), r = parts.part(y, 1);
    const Tensor w = solve_triangular(r, t[0], {.upper = true, .left = false});
    const Tensor x = matmul(mt(q), w);
    const Tensor p = add(triu(x), mt(tril(x, -1)));  // upper triangle of x + x^T, diagonal halved
    return Packing::packed({sub(w, matmul(q, p)), matmul(p, r)});
  }
};

const std::vector<std::vector<Shape>>& shapes() {
  static const std::vector<std::vector<Shape>> list = {{{3, 3}},    {{1, 1}},    {{3, 2}},    {{2, 3}},
                                                       {{2, 3, 2}}, {{2, 2, 3}}, {{5, 2}},    {{0, 0}},
                                                       {{3, 0}},    {{0, 3}},    {{0, 2, 2}}, {{4, 1}}};
  return list;
}

/// @param r the triangle of (..., m, n) matrices. @throws ValueError
void check_full_rank(const Tensor& r, std::int64_t m, std::int64_t n) {
  repeatable("lstsq", [=] {
    const double epsilon = r.dtype() == f32 ? double{std::numeric_limits<float>::epsilon()}
                                            : std::numeric_limits<double>::epsilon();
    const std::int64_t k = std::min(m, n);
    const auto diagonal = abs(main_diagonal(r)).to_vector<double>();
    for (std::size_t i = 0; k > 0 && i < diagonal.size(); i += static_cast<std::size_t>(k)) {
      const auto first = diagonal.begin() + static_cast<std::ptrdiff_t>(i);
      const auto [least, most] = std::minmax_element(first, first + k);
      if (*least <= epsilon * static_cast<double>(std::max(m, n)) * *most)
        throw ValueError("[lstsq] expected matrices of full rank, got a diagonal of R down to " +
                         std::to_string(*least) +
                         which_matrix(batch_of(r), static_cast<std::int64_t>(i) / k));
    }
  });
}

}  // namespace

OpList linalg_qr_ops() {
  const Call q = [](const TensorList& x) { return qr(regular(x[0])).Q; };
  const Call r = [](const TensorList& x) { return qr(regular(x[0])).R; };
  const Call both = [](const TensorList& x) {
    const auto f = qr(regular(x[0]));
    return matmul(sin(f.Q), cos(f.R));
  };
  const Call complete = [](const TensorList& x) {
    const auto f = qr(regular(x[0]), QRMode::complete);
    return matmul(sin(f.Q), cos(f.R));
  };
  const Call solution = [](const TensorList& x) { return lstsq(regular(x[0]), x[1]).solution; };
  const Call residuals = [](const TensorList& x) { return lstsq(regular(x[0]), x[1]).residuals; };
  const std::vector<std::vector<Shape>> systems = {
      {{3, 2}, {3, 2}},    {{2, 3}, {2, 1}}, {{2, 2}, {2, 2}}, {{2, 3, 2}, {2, 3, 1}},
      {{3, 2}, {2, 3, 1}}, {{3, 0}, {3, 2}}, {{0, 0}, {0, 1}}, {{4, 1}, {4, 1}}};
  return {linalg_row(
              QROp::meta,
              joined({cases_of(q, {{{3, 3}}, {{3, 2}}, {{2, 3}}}, "Q"),
                      cases_of(r, {{{3, 3}}, {{3, 2}}, {{2, 3}}}, "R"), cases_of(both, shapes(), "Q and R"),
                      cases_of(complete, {{{2, 2}}, {{2, 3}}}, "complete")}),
              [](const TensorList& x) {
                const auto op = QROp{packing(x[0], 8)};
                return apply(op, x[0]);
              }),
          composite(linalg_row(
              {.name = "lstsq", .formula = "X of least |A X - B|"},
              joined({cases_of(solution, systems, "solution"),
                      cases_of(residuals, {{{3, 2}, {3, 2}}, {{2, 3, 1}, {2, 3, 1}}}, "residuals")}),
              solution, 2))};
}

}  // namespace detail

QR qr(const Tensor& a, QRMode mode) {
  detail::check_matrix("qr", a);
  const std::int64_t m = a.size(-2), n = a.size(-1);
  if (m < n) {
    // The first columns settle Q, and the others are seen from it.
    const QR square = qr(detail::columns(a, 0, m));
    return {square.Q, cat({square.R, matmul(detail::mt(square.Q), detail::columns(a, m, n))}, -1)};
  }
  if (mode == QRMode::complete && m > n) {
    if (is_grad_enabled() && a.requires_grad())
      throw GraphError(
          "[qr] expected QRMode::reduced where a gradient is recorded and m > n, got complete for " +
          to_string(a.shape()) + ": the further columns of Q are arbitrary");
    NoGrad guard;
    const detail::Packing parts = detail::packing(a, m);
    const Tensor out = detail::evaluate(a, m);
    return {parts.part(out, 0), parts.part(out, 1)};
  }
  const detail::QROp op{detail::packing(a, n)};
  const Tensor out = detail::apply(op, a);
  return {op.parts.part(out, 0), op.parts.part(out, 1)};
}

Lstsq lstsq(const Tensor& a, const Tensor& b) {
  detail::check_matrix("lstsq", a);
  detail::check_matrix("lstsq", b);
  if (a.size(-2) != b.size(-2))
    throw ShapeError("[lstsq] expected (..., m, n) and (..., m, k), got " + to_string(a.shape()) + " and " +
                     to_string(b.shape()));
  const Shape batch = broadcast("lstsq", detail::batch_of(a), detail::batch_of(b));
  const DType dtype = promote(a.dtype(), b.dtype());
  const Tensor matrix = to(a, dtype), right = to(b, dtype);
  const std::int64_t m = a.size(-2), n = a.size(-1);
  const auto [q, r] = qr(m >= n ? matrix : detail::mt(matrix));
  detail::check_full_rank(r.detach(), m, n);
  if (m < n) {
    const Tensor x = matmul(q, solve_triangular(detail::mt(r), right, {.upper = false}));
    return {x, zeros(detail::with(batch, {0}), dtype)};
  }
  const Tensor x = solve_triangular(r, matmul(detail::mt(q), right), {.upper = true});
  if (m == n) return {x, zeros(detail::with(batch, {0}), dtype)};
  return {x, sum(square(sub(matmul(matrix, x), right)), -2)};
}

}  // namespace cadena
