// Eigenvalues of symmetric matrices, singular values, and the pseudo-inverse.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "autodiff/core/tape.hpp"
#include "autodiff/kernels/decompose.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/linalg/support.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/trigonometric.hpp"

namespace cadena {
namespace detail {
namespace {

template <class T>
bool all_finite(const T* data, std::int64_t n) {
  return std::all_of(data, data + n, [](T v) { return std::isfinite(v); });
}

enum class Outcome : char { found, not_finite, not_converged };

/// f(index) for every matrix of x that is finite. @throws ValueError naming the first for which that failed
template <class T, class F>
void decompose_each(const char* op, const Tensor& x, std::int64_t work, const F& f) {
  const std::int64_t count = matrices_in(x), size = x.size(-1) * x.size(-2);
  std::vector<Outcome> outcomes(static_cast<std::size_t>(count), Outcome::found);
  const T* data = x.data<T>();
  kernels::for_matrices(count, work, [&](std::int64_t i) {
    Outcome& outcome = outcomes[static_cast<std::size_t>(i)];
    if (!all_finite(data + i * size, size))
      outcome = Outcome::not_finite;
    else if (!f(i, data + i * size))
      outcome = Outcome::not_converged;
  });
  for (std::int64_t i = 0; i < count; ++i) {
    const Outcome outcome = outcomes[static_cast<std::size_t>(i)];
    if (outcome == Outcome::found) continue;
    const std::string where = which_matrix(batch_of(x), i);
    throw ValueError("[" + std::string(op) + "] expected " +
                     (outcome == Outcome::not_finite ? "finite elements, got NaN or infinity in an element"
                                                     : "an iteration that converges, got none") +
                     where);
  }
}

/// 1 / (x_j - x_i) at (i, j), 0 on the diagonal.
Tensor inverse_gaps(const Tensor& x) {
  const std::int64_t n = x.size(-1);
  const Tensor gaps = sub(unsqueeze(x, -2), unsqueeze(x, -1));
  const Tensor same = eq(unsqueeze(arange(n), 1), arange(n));
  return where(same, 0, div(1, where(same, 1, gaps)));
}

/// Whether a cotangent is zero, as it is where only the values were used. Not for a tape, whose steps must
/// not depend on numbers.
bool is_nothing(const Tensor& g) {
  if (composed(g) || on_tape()) return false;
  const Tensor all = contiguous(g);
  bool any = false;  // without an exit the loop is vectorised
  with_type(all, [&]<class T>(T) {
    const T* v = all.data<T>();
    for (std::int64_t i = 0; i < all.numel(); ++i) any |= v[i] != 0;
  });
  return !any;
}

/// x with its columns scaled.
Tensor by_columns(const Tensor& x, const Tensor& factors) { return mul(x, unsqueeze(factors, -2)); }
Tensor by_rows(const Tensor& x, const Tensor& factors) { return mul(x, unsqueeze(factors, -1)); }

/// [L, V]. With F_ij = 1 / (l_j - l_i): dL = diag(V^T dA V), dV = V (F o V^T dA V) (Giles 2008, 3.1).
struct EighOp {
  static constexpr Meta meta{.name = "eigh",
                             .reads = {Y},
                             .formula = "L, V with A = V diag(L) V^T",
                             .derivative = "dA = V (diag(GL) + F * (V^T GV)) V^T, F = 1 / (Lj - Li)",
                             .conventions =
                                 "equal eigenvalues: infinite or NaN derivatives of V where its cotangent "
                                 "is not zero; NaN or infinity: ValueError"};
  Packing parts;

  explicit EighOp(const Tensor& a) {
    Shape values = batch_of(a);
    values.push_back(a.size(-1));
    parts = {{values, a.shape()}};
  }
  Tensor eval(const Tensor& a) const {
    const Tensor from = contiguous(a), out = make_tensor({parts.size()}, parts.size(), a.dtype());
    const std::int64_t n = a.size(-1);
    with_type(a, [&]<class T>(T) {
      T* values = static_cast<T*>(raw_data(out));
      T* vectors = values + parts.start(1);
      decompose_each<T>("eigh", from, 9 * n * n * n, [&](std::int64_t i, const T* matrix) {
        return n == 0 || kernels::eigh<T>(n, matrix, values + i * n, vectors + i * n * n);
      });
    });
    return out;
  }
  Tensor batch(const BatchedCall& c) const {
    const EighOp whole(c.x[0]);
    return whole.parts.by_sample(apply(whole, c.x[0]), c.size);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor y = s.y(), values = parts.part(y, 0), v = parts.part(y, 1), vt = mt(v);
    if (is_nothing(parts.part(g, 1))) {
      gin[0] = matmul(by_columns(v, parts.part(g, 0)), vt);
      return;
    }
    // Of V^T gV only the skew part meets a symmetric dA.
    const Tensor turning = absorbing_mul(skew_part(matmul(vt, parts.part(g, 1))), inverse_gaps(values));
    gin[0] = matmul(v, matmul(add(turning, diag_embed(parts.part(g, 0))), vt));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor y = s.y(), values = parts.part(y, 0), v = parts.part(y, 1);
    const Tensor change = matmul(mt(v), matmul(symmetric_part(t[0]), v));
    return Packing::packed({main_diagonal(change), matmul(v, absorbing_mul(change, inverse_gaps(values)))});
  }
};

/// Whether nobody will ask for the derivative, which needs the vectors.
bool values_suffice(const Tensor& a) { return !is_batched(a) && !on_tape() && !recording("eigvalsh", &a, 1); }

/// decompose(m, n, matrix, to) gives the values of each matrix.
template <class F>
Tensor values_of(const char* op, const Tensor& a, const F& decompose) {
  const Tensor from = contiguous(a);
  const std::int64_t m = a.size(-2), n = a.size(-1), k = std::min(m, n);
  Shape shape = batch_of(a);
  shape.push_back(k);
  const Tensor out = make_tensor(shape, shape.numel(), a.dtype());
  with_type(a, [&]<class T>(T) {
    T* values = static_cast<T*>(raw_data(out));
    decompose_each<T>(op, from, 4 * m * n * k, [&](std::int64_t i, const T* matrix) {
      return k == 0 || decompose(m, n, matrix, values + i * k);
    });
  });
  return out;
}

Tensor eigenvalues(const Tensor& a) {
  return values_of("eigh", a, []<class T>(std::int64_t, std::int64_t n, const T* matrix, T* to) {
    return kernels::eigh<T>(n, matrix, to, nullptr);
  });
}
Tensor singular_values(const Tensor& a) {
  return values_of("svd", a, []<class T>(std::int64_t m, std::int64_t n, const T* matrix, T* to) {
    return kernels::svd<T>(m, n, matrix, nullptr, to, nullptr);
  });
}

/// [U, S, Vh]. With E_ij = s_j^2 - s_i^2 and X = U^T dA V: dS = diag(X), and U and V turn by
/// (X S + S X^T) / E and (S X + X^T S) / E (Townsend 2016).
struct SVDOp {
  static constexpr Meta meta{
      .name = "svd",
      .reads = {Y},
      .formula = "U, S, Vh with A = U diag(S) Vh",
      .derivative = "dA = U (diag(GS) + skew parts of U^T GU and V^T GV over Sj^2 - Si^2) Vh",
      .conventions = "equal singular values: as eigh; NaN or infinity: ValueError"};
  Packing parts;
  std::int64_t m, n, k;

  explicit SVDOp(const Tensor& a) : m(a.size(-2)), n(a.size(-1)), k(std::min(m, n)) {
    Shape values = batch_of(a);
    values.push_back(k);
    parts = {{with(batch_of(a), {m, k}), values, with(batch_of(a), {k, n})}};
  }
  Tensor eval(const Tensor& a) const {
    const Tensor from = contiguous(a), out = make_tensor({parts.size()}, parts.size(), a.dtype());
    with_type(a, [&]<class T>(T) {
      T* u = static_cast<T*>(raw_data(out));
      T *s = u + parts.start(1), *vh = u + parts.start(2);
      decompose_each<T>("svd", from, 30 * m * n * k, [&](std::int64_t i, const T* matrix) {
        return k == 0 || kernels::svd<T>(m, n, matrix, u + i * m * k, s + i * k, vh + i * k * n);
      });
    });
    return out;
  }
  Tensor batch(const BatchedCall& c) const {
    const SVDOp whole(c.x[0]);
    return whole.parts.by_sample(apply(whole, c.x[0]), c.size);
  }
  void vjp(const Saved& saved, const Tensor& g, Tensor* gin) const {
    const Tensor y = saved.y(), u = parts.part(y, 0), s = parts.part(y, 1), vh = parts.part(y, 2);
    const Tensor gu = parts.part(g, 0), gs = parts.part(g, 1), gv = mt(parts.part(g, 2));
    if (is_nothing(gu) && is_nothing(gv)) {
      gin[0] = matmul(by_columns(u, gs), vh);
      return;
    }
    const Tensor gaps = inverse_gaps(square(s)), ut = mt(u), v = mt(vh);
    const Tensor turn_u = absorbing_mul(mul(skew_part(matmul(ut, gu)), 2), gaps),
                 turn_v = absorbing_mul(mul(skew_part(matmul(vh, gv)), 2), gaps);
    const Tensor middle = add(add(by_columns(turn_u, s), by_rows(turn_v, s)), diag_embed(gs));
    Tensor out = matmul(u, matmul(middle, vh));
    const Tensor inverse_s = div(1, s);
    if (m > k) {  // what of gU leaves the columns of U
      const Tensor beyond = sub(gu, matmul(u, matmul(ut, gu)));
      out = add(out, matmul(absorbing_mul(beyond, unsqueeze(inverse_s, -2)), vh));
    }
    if (n > k) {
      const Tensor beyond = sub(gv, matmul(v, matmul(vh, gv)));
      out = add(out, matmul(u, mt(absorbing_mul(beyond, unsqueeze(inverse_s, -2)))));
    }
    gin[0] = out;
  }
  Tensor jvp(const Saved& saved, const Tensor* t) const {
    const Tensor y = saved.y(), u = parts.part(y, 0), s = parts.part(y, 1), vh = parts.part(y, 2);
    const Tensor v = mt(vh), left = matmul(mt(u), t[0]), x = matmul(left, v), xt = mt(x);
    const Tensor gaps = inverse_gaps(square(s)), inverse_s = div(1, s);
    Tensor du = matmul(u, absorbing_mul(add(by_columns(x, s), by_rows(xt, s)), gaps));
    Tensor dv = matmul(v, absorbing_mul(add(by_rows(x, s), by_columns(xt, s)), gaps));
    if (m > k) {
      const Tensor right = matmul(t[0], v);
      du = add(du, absorbing_mul(sub(right, matmul(u, x)), unsqueeze(inverse_s, -2)));
    }
    if (n > k) dv = add(dv, absorbing_mul(sub(mt(left), matmul(v, xt)), unsqueeze(inverse_s, -2)));
    return Packing::packed({du, main_diagonal(x), mt(dv)});
  }
};

/// atol and rtol of RankOptions as one bound for each matrix: (..., 1).
Tensor zero_below(const Tensor& a, const Tensor& s, const RankOptions& options) {
  const double epsilon = a.dtype() == f32 ? double{std::numeric_limits<float>::epsilon()}
                                          : std::numeric_limits<double>::epsilon();
  const double rtol = options.rtol   ? *options.rtol
                      : options.atol ? 0
                                     : epsilon * static_cast<double>(std::max(a.size(-1), a.size(-2)));
  return maximum(mul(slice(s, -1, {0, 1}), rtol), options.atol.value_or(0));
}

/// With P the pseudo-inverse: dP = -P dA P + P P^T dA^T (1 - A P) + (1 - P A) dA^T P^T P (Golub & Pereyra).
struct Pinv {
  static constexpr Meta meta{.name = "pinv",
                             .reads = {X1 | Y},
                             .formula = "A^+",
                             .derivative = "dA = -Y^T G Y^T + (I - A Y) G^T Y Y^T + Y^T Y G^T (I - Y A)",
                             .conventions = "the derivative takes the rank as constant"};
  RankOptions options;

  Tensor eval(const Tensor& a) const {
    const auto [u, s, vh] = svd(a);
    if (s.size(-1) == 0) return zeros(mt(a).shape(), a.dtype());
    const Tensor counts = gt(s, zero_below(a, s, options));
    return contiguous(matmul(by_columns(mt(vh), where(counts, div(1, s), 0)), mt(u)));
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& saved, const Tensor& g, Tensor* gin) const {
    const Tensor &a = saved.x(0), p = saved.y(), pt = mt(p), gt = mt(g);
    const Tensor left = matmul(gt, matmul(p, pt)), right = matmul(matmul(pt, p), gt);
    const Tensor beyond = add(sub(left, matmul(a, matmul(p, left))), sub(right, matmul(matmul(right, p), a)));
    gin[0] = sub(beyond, matmul(pt, matmul(g, pt)));
  }
  Tensor jvp(const Saved& saved, const Tensor* t) const {
    const Tensor &a = saved.x(0), p = saved.y(), pt = mt(p), dt = mt(t[0]);
    const Tensor left = matmul(matmul(p, pt), dt), right = matmul(dt, matmul(pt, p));
    const Tensor beyond = add(sub(left, matmul(matmul(left, a), p)), sub(right, matmul(p, matmul(a, right))));
    return sub(beyond, matmul(p, matmul(t[0], p)));
  }
};

const std::vector<std::vector<Shape>>& shapes() {
  static const std::vector<std::vector<Shape>> list = {{{3, 3}}, {{3, 2}},    {{2, 3}},    {{1, 1}},
                                                       {{4, 2}}, {{2, 2, 2}}, {{2, 3, 2}}, {{2, 2, 3}},
                                                       {{0, 0}}, {{0, 3}},    {{3, 0}},    {{0, 2, 2}}};
  return list;
}

Tensor symmetric_spread(const Tensor& x) { return spread(symmetric_part(x)); }

/// A free symmetric matrix for the large sample.
Tensor symmetric_large(const TensorList& x) { return symmetric_part(x[0]); }

}  // namespace

OpList linalg_spectral_ops() {
  // What does not depend on the signs of the vectors.
  const Call exponential = [](const TensorList& x) {
    const auto [values, v] = eigh(symmetric_spread(x[0]));
    return matmul(by_columns(v, exp(mul(values, -0.3))), mt(v));
  };
  const Call squares = [](const TensorList& x) { return square(eigh(symmetric_spread(x[0])).eigenvectors); };
  const Call from_upper = [](const TensorList& x) {
    return square(eigh(symmetric_spread(x[0]), 'U').eigenvectors);
  };
  const Call values = [](const TensorList& x) { return eigvalsh(symmetric_spread(x[0])); };
  const Call recombined = [](const TensorList& x) {
    const auto [u, s, vh] = svd(spread(x[0]));
    return matmul(by_columns(u, sin(s)), vh);
  };
  const Call left_squares = [](const TensorList& x) { return square(svd(spread(x[0])).U); };
  const Call right_squares = [](const TensorList& x) { return square(svd(spread(x[0])).Vh); };
  const Call singular_values = [](const TensorList& x) { return svdvals(spread(x[0])); };
  const Call pseudo_inverse = [](const TensorList& x) { return pinv(spread(x[0])); };
  const Call of_lower_rank = [](const TensorList& x) {
    return pinv(matmul(spread(x[0]), spread(x[1])), {.rtol = 1e-4});
  };
  return {linalg_row(EighOp::meta,
                     joined({cases_of(exponential, square_shapes(), "V exp(L) V^T"),
                             cases_of(squares, square_shapes(), "V o V"),
                             cases_of(from_upper, {{{2, 2}}, {{2, 3, 3}}}, "upper")}),
                     [](const TensorList& x) {
                       const Tensor a = symmetric_large(x);
                       return apply(EighOp(a), a);
                     }),
          composite(linalg_row({.name = "eigvalsh", .formula = "eigenvalues of a symmetric A"},
                               cases_of(values, square_shapes()),
                               [](const TensorList& x) { return eigvalsh(symmetric_large(x)); })),
          linalg_row(SVDOp::meta,
                     joined({cases_of(recombined, shapes(), "U sin(S) Vh"),
                             cases_of(left_squares, shapes(), "U o U"),
                             cases_of(right_squares, shapes(), "Vh o Vh")}),
                     [](const TensorList& x) { return apply(SVDOp(x[0]), x[0]); }),
          composite(linalg_row({.name = "svdvals", .formula = "singular values"},
                               cases_of(singular_values, shapes()),
                               [](const TensorList& x) { return svdvals(x[0]); })),
          linalg_row(Pinv::meta,
                     joined({cases_of(pseudo_inverse, shapes()),
                             cases_of(of_lower_rank, {{{3, 2}, {2, 3}}, {{2, 1}, {1, 3}}}, "lower rank")}),
                     [](const TensorList& x) { return pinv(x[0]); })};
}

}  // namespace detail

Eigh eigh(const Tensor& a, char UPLO) {
  detail::check_square("eigh", a);
  if (UPLO != 'L' && UPLO != 'U')
    throw ValueError(std::string("[eigh] expected UPLO 'L' or 'U', got '") + UPLO + "'");
  const Tensor matrix = UPLO == 'L' ? a : detail::mt(a);
  const detail::EighOp op(matrix);
  const Tensor out = detail::apply(op, matrix);
  return {op.parts.part(out, 0), op.parts.part(out, 1)};
}

Tensor eigvalsh(const Tensor& a, char UPLO) {
  detail::check_square("eigvalsh", a);
  if (detail::values_suffice(a) && (UPLO == 'L' || UPLO == 'U'))
    return detail::eigenvalues(UPLO == 'L' ? a : detail::mt(a));
  return eigh(a, UPLO).eigenvalues;
}

SVD svd(const Tensor& a) {
  detail::check_matrix("svd", a);
  const detail::SVDOp op(a);
  const Tensor out = detail::apply(op, a);
  return {op.parts.part(out, 0), op.parts.part(out, 1), op.parts.part(out, 2)};
}

Tensor svdvals(const Tensor& a) {
  detail::check_matrix("svdvals", a);
  return detail::values_suffice(a) ? detail::singular_values(a) : svd(a).S;
}

Tensor pinv(const Tensor& a, const RankOptions& options) {
  detail::check_matrix("pinv", a);
  return detail::apply(detail::Pinv{options}, a);
}

Tensor matrix_rank(const Tensor& a, const RankOptions& options) {
  detail::check_matrix("matrix_rank", a);
  NoGrad guard;
  const Tensor s = svdvals(a);
  if (s.size(-1) == 0) return zeros(detail::batch_of(a), i64);
  return sum(gt(s, detail::zero_below(a, s, options)), -1);
}

}  // namespace cadena
