// Cholesky factors, triangular and general solutions, inverses.
#include <algorithm>
#include <string>

#include "autodiff/kernels/factor.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/linalg/support.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"

namespace cadena {
namespace detail {
namespace {

/// Murray 2016, eq. 8 and 10: with Phi = lower triangle, diagonal halved, dL = L Phi(L^-1 dA L^-T).
struct Cholesky {
  static constexpr Meta meta{.name = "cholesky",
                             .reads = {Y},
                             .formula = "L with A = L L^T",
                             .derivative = "dA = L^-T tril(L^T G) L^-1, symmetric, the diagonal halved",
                             .conventions = "not positive definite or NaN: ValueError; 0 x 0: 0 x 0"};

  Tensor eval(const Tensor& a) const {
    const Tensor l = copy_of(tril(a));
    const std::int64_t n = a.size(-1), count = matrices_in(a);
    std::vector<std::int64_t> failed(static_cast<std::size_t>(count), 0);
    with_type(l, [&]<class T>(T) {
      T* data = static_cast<T*>(raw_data(l));
      kernels::for_matrices(count, n * n * n / 3, [&](std::int64_t i) {
        failed[static_cast<std::size_t>(i)] = kernels::cholesky(n, data + i * n * n, n);
        for (std::int64_t r = 0; r < n; ++r) std::fill_n(data + i * n * n + r * n + r + 1, n - r - 1, T(0));
      });
    });
    for (std::int64_t i = 0; i < count; ++i)
      if (const auto minor = failed[static_cast<std::size_t>(i)])
        throw ValueError("[cholesky] expected positive definite matrices, got a leading minor of order " +
                         std::to_string(minor) + which_matrix(batch_of(a), i) + " that is not positive");
    return l;
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor l = s.y(), lt = mt(l);
    const Tensor middle = mul(mirrored(matmul(lt, g)), 0.5);
    const Tensor half = solve_triangular(lt, middle, {.upper = true});
    gin[0] = solve_triangular(lt, mt(half), {.upper = true});
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor l = s.y();
    const Tensor half = solve_triangular(l, symmetric_part(t[0]), {.upper = false});
    const Tensor middle = solve_triangular(l, mt(half), {.upper = false});
    return matmul(l, sub(tril(middle), mul(diag_embed(main_diagonal(middle)), 0.5)));
  }
};

/// A X = B. With G = A^-T gX: gB = G, gA = -G X^T in A's triangle.
struct SolveTriangular {
  static constexpr Meta meta{.name = "solve_triangular",
                             .reads = {X1 | Y, X1},
                             .formula = "A^-1 B for triangular A",
                             .derivative = "dB = A^-T G, dA = -dB X^T within the triangle",
                             .conventions = "zeros on the diagonal divide"};
  bool is_upper, unit;

  Tensor eval(const Tensor& a, const Tensor& b) const {
    const Shape batch = broadcast("solve_triangular", batch_of(a), batch_of(b));
    const Tensor matrices = over_batch(a, batch),
                 x = copy_of(expand(b, with(batch, {b.size(-2), b.size(-1)})));
    const std::int64_t n = b.size(-2), k = b.size(-1);
    with_type(x, [&]<class T>(T) {
      T* data = static_cast<T*>(raw_data(x));
      const T* from = matrices.data<T>();
      kernels::for_matrices(batch.numel(), n * n * k / 2, [&](std::int64_t i) {
        kernels::solve_triangular<T>(n, k, {from + i * n * n, n, 1}, {is_upper, unit}, data + i * n * k, k);
      });
    });
    return x;
  }
  Tensor batch(const BatchedCall& c) const {
    const TensorList x = c.aligned();
    return apply(*this, x[0], x[1]);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor gb = apply(SolveTriangular{!is_upper, unit}, mt(s.x(0)), g);
    if (s.needs(0)) gin[0] = neg(triangle(matmul(gb, mt(s.y()))));
    if (s.needs(1)) gin[1] = gb;
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor right = t[1];
    if (t[0].defined()) {
      const Tensor change = neg(matmul(triangle(t[0]), s.y()));
      right = right.defined() ? add(right, change) : change;
    }
    return apply(*this, s.x(0), right);
  }

 private:
  Tensor triangle(const Tensor& x) const { return is_upper ? triu(x, unit ? 1 : 0) : tril(x, unit ? -1 : 0); }
};

/// Factors copies of a's matrices; f(index, lu, pivots) for each. @return index of the first singular one, or
/// -1
template <class T, class F>
std::int64_t factor_each(const Tensor& a, std::int64_t work, const F& f) {
  const std::int64_t n = a.size(-1), count = matrices_in(a);
  std::vector<char> singular(static_cast<std::size_t>(count), 0);
  const T* from = a.data<T>();
  kernels::for_matrices(count, work, [&](std::int64_t i) {
    const kernels::Scratch<T> lu(n * n);
    const kernels::Scratch<std::int64_t> pivots(n);
    std::copy_n(from + i * n * n, n * n, lu.get());
    kernels::lu<T>(n, n, lu, n, pivots);
    for (std::int64_t d = 0; d < n; ++d)
      if (lu[d * (n + 1)] == 0) singular[static_cast<std::size_t>(i)] = 1;
    f(i, lu.get(), pivots.get());
  });
  for (std::int64_t i = 0; i < count; ++i)
    if (singular[static_cast<std::size_t>(i)]) return i;
  return -1;
}

/// x = A^-1 x from A's factors.
template <class T>
void solve_with(std::int64_t n, std::int64_t k, const T* lu, const std::int64_t* pivots, T* x) {
  for (std::int64_t r = 0; r < n; ++r)
    if (pivots[r] != r) std::swap_ranges(x + r * k, x + (r + 1) * k, x + pivots[r] * k);
  kernels::solve_triangular<T>(n, k, {lu, n, 1}, {.upper = false, .unit = true}, x, k);
  kernels::solve_triangular<T>(n, k, {lu, n, 1}, {.upper = true, .unit = false}, x, k);
}

[[noreturn]] void refuse_singular(const char* op, const Shape& batch, std::int64_t index) {
  throw ValueError("[" + std::string(op) + "] expected regular matrices, got a zero pivot" +
                   which_matrix(batch, index) + (batch.empty() ? " of the matrix" : "") + ": it is singular");
}

/// A X = B. With G = A^-T gX: gB = G, gA = -G X^T (Giles 2008, 2.3).
struct Solve {
  static constexpr Meta meta{.name = "solve",
                             .reads = {X1 | Y, X1},
                             .formula = "A^-1 B",
                             .derivative = "dB = A^-T G, dA = -dB X^T",
                             .conventions = "singular A: ValueError; NaN passes through"};

  Tensor eval(const Tensor& a, const Tensor& b) const {
    const Shape batch = broadcast("solve", batch_of(a), batch_of(b));
    const Tensor x = copy_of(expand(b, with(batch, {b.size(-2), b.size(-1)})));
    const std::int64_t n = b.size(-2), k = b.size(-1);
    with_type(x, [&]<class T>(T) {
      T* data = static_cast<T*>(raw_data(x));
      const auto singular = factor_each<T>(over_batch(a, batch), n * n * (n / 3 + k),
                                           [&](std::int64_t i, const T* lu, const std::int64_t* pivots) {
                                             solve_with(n, k, lu, pivots, data + i * n * k);
                                           });
      if (singular >= 0) refuse_singular("solve", batch, singular);
    });
    return x;
  }
  Tensor batch(const BatchedCall& c) const {
    const TensorList x = c.aligned();
    return apply(*this, x[0], x[1]);
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor gb = apply(Solve{}, mt(s.x(0)), g);
    if (s.needs(0)) gin[0] = neg(matmul(gb, mt(s.y())));
    if (s.needs(1)) gin[1] = gb;
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    Tensor right = t[1];
    if (t[0].defined()) {
      const Tensor change = neg(matmul(t[0], s.y()));
      right = right.defined() ? add(right, change) : change;
    }
    return apply(Solve{}, s.x(0), right);
  }
};

/// d(A^-1) = -A^-1 dA A^-1.
struct Inverse {
  static constexpr Meta meta{.name = "inv",
                             .reads = {Y},
                             .formula = "A^-1",
                             .derivative = "dA = -Y^T G Y^T",
                             .conventions = "singular: ValueError; NaN passes through; 0 x 0: 0 x 0"};
  bool checked;

  Tensor eval(const Tensor& a) const {
    const Shape batch = batch_of(a);
    const std::int64_t n = a.size(-1);
    const Tensor x = copy_of(expand(eye(n, a.dtype()), a.shape()));
    with_type(x, [&]<class T>(T) {
      T* data = static_cast<T*>(raw_data(x));
      const auto singular = factor_each<T>(contiguous(a), n * n * n,
                                           [&](std::int64_t i, const T* lu, const std::int64_t* pivots) {
                                             solve_with(n, n, lu, pivots, data + i * n * n);
                                           });
      if (checked && singular >= 0) refuse_singular("inv", batch, singular);
    });
    return x;
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    const Tensor yt = mt(s.y());
    gin[0] = neg(matmul(yt, matmul(g, yt)));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    const Tensor y = s.y();
    return neg(matmul(y, matmul(t[0], y)));
  }
};

const std::vector<std::vector<Shape>>& system_shapes() {
  static const std::vector<std::vector<Shape>> list = {
      {{3, 3}, {3, 2}},          {{1, 1}, {1, 1}}, {{2, 2, 2}, {2, 2, 1}}, {{2, 2}, {2, 2, 1}},
      {{2, 1, 2, 2}, {3, 2, 1}}, {{0, 0}, {0, 3}}, {{2, 2}, {2, 0}},       {{0, 2, 2}, {2, 1}}};
  return list;
}

std::vector<Case> triangular_cases() {
  std::vector<std::vector<Case>> lists;
  for (bool up : {false, true})
    for (bool left : {true, false})
      for (bool unit : {false, true}) {
        const SolveTriangularOptions options{.upper = up, .left = left, .unitriangular = unit};
        lists.push_back(cases_of(
            [options](const TensorList& x) {
              return solve_triangular(regular(x[0]), options.left ? x[1] : mt(x[1]), options);
            },
            up && left && !unit ? system_shapes()
                                : std::vector<std::vector<Shape>>{{{2, 2}, {2, 1}}, {{3, 3}, {3, 2}}},
            std::string(up ? "upper" : "lower") + (left ? "" : " right") + (unit ? " unit" : "")));
      }
  return joined(std::move(lists));
}

}  // namespace

Tensor inverse(const Tensor& a) { return apply(Inverse{false}, a); }

OpList linalg_solve_ops() {
  const Call cholesky_lower = [](const TensorList& x) { return cholesky(positive_definite(x[0])); };
  const Call cholesky_upper = [](const TensorList& x) {
    return cholesky(positive_definite(x[0]), {.upper = true});
  };
  const Call from_lower = [](const TensorList& x) { return cholesky_solve(x[1], regular(x[0])); };
  const Call from_upper = [](const TensorList& x) {
    return cholesky_solve(x[1], regular(x[0]), {.upper = true});
  };
  const Call solved = [](const TensorList& x) { return solve(regular(x[0]), x[1]); };
  const Call solved_right = [](const TensorList& x) {
    return solve(regular(x[0]), mt(x[1]), {.left = false});
  };
  const Call inverted = [](const TensorList& x) { return inv(regular(x[0])); };
  return {
      linalg_row(Cholesky::meta,
                 joined({cases_of(cholesky_lower, square_shapes()),
                         cases_of(cholesky_upper, {{{2, 2}}, {{2, 3, 3}}}, "upper")}),
                 [](const TensorList& x) { return cholesky(add(mul(x[0], 0.05), eye(8, x[0].dtype()))); }),
      composite(linalg_row({.name = "cholesky_solve", .formula = "(L L^T)^-1 B"},
                           joined({cases_of(from_lower, system_shapes()),
                                   cases_of(from_upper, {{{3, 3}, {3, 2}}, {{2, 2}, {2, 1}}}, "upper")}),
                           from_lower, 2)),
      composite(linalg_row(
          {.name = "cholesky_inverse", .formula = "(L L^T)^-1"},
          joined(
              {cases_of([](const TensorList& x) { return cholesky_inverse(regular(x[0])); }, square_shapes()),
               cases_of([](const TensorList& x) { return cholesky_inverse(regular(x[0]), {.upper = true}); },
                        {{{3, 3}}}, "upper")}),
          [](const TensorList& x) { return cholesky_inverse(add(mul(x[0], 0.05), eye(8, x[0].dtype()))); })),
      composite(linalg_row({.name = "tensorinv", .formula = "A^-1 over groups of axes"},
                           joined({cases_of(
                                       [](const TensorList& x) {
                                         return tensorinv(reshape(regular(x[0]), {2, 3, 6}));
                                       },
                                       {{{6, 6}}}),
                                   cases_of(
                                       [](const TensorList& x) {
                                         return tensorinv(reshape(regular(x[0]), {2, 2, 4}));
                                       },
                                       {{{4, 4}}}),
                                   cases_of([](const TensorList& x) { return tensorinv(regular(x[0]), 1); },
                                            {{{3, 3}}, {{2, 2}}, {{1, 1}}})}),
                           [](const TensorList& x) {
                             const Tensor one = add(mul(select(x[0], 0, 0), 0.05), eye(8, x[0].dtype()));
                             return tensorinv(reshape(one, {8, 2, 4}), 1);
                           })),
      composite(linalg_row(
          {.name = "tensorsolve", .formula = "A^-1 B over groups of axes"},
          joined({cases_of(
                      [](const TensorList& x) {
                        return tensorsolve(reshape(regular(x[0]), {2, 3, 6}), x[1]);
                      },
                      {{{6, 6}, {2, 3}}}),
                  cases_of(
                      [](const TensorList& x) {
                        return tensorsolve(reshape(regular(x[0]), {4, 2, 2}), x[1]);
                      },
                      {{{4, 4}, {4}}})}),
          [](const TensorList& x) {
            const Tensor a = add(mul(select(x[0], 0, 0), 0.05), eye(8, x[0].dtype()));
            return tensorsolve(reshape(a, {8, 2, 4}), select(select(x[1], 0, 0), 0, 0));
          },
          2)),
      linalg_row(
          SolveTriangular::meta, triangular_cases(),
          [](const TensorList& x) { return solve_triangular(x[0], x[1], {.upper = true}); }, 2),
      linalg_row(
          Solve::meta,
          joined({cases_of(solved, system_shapes()),
                  cases_of(solved, {{{3, 3}, {3}}, {{2, 2, 2}, {2, 2}}}, "vectors"),
                  cases_of(solved_right, {{{3, 3}, {3, 2}}, {{2, 2}, {2, 2, 1}}}, "right")}),
          [](const TensorList& x) { return solve(x[0], x[1]); }, 2),
      linalg_row(Inverse::meta, cases_of(inverted, square_shapes()),
                 [](const TensorList& x) { return inv(x[0]); })};
}

namespace {

/// Promotes both. @throws DtypeError, ShapeError unless b is (..., n, k) for the (..., n, n) of a
void check_system(const char* op, Tensor& a, Tensor& b) {
  check_square(op, a);
  check_matrix(op, b);
  if (a.size(-1) != b.size(-2))
    throw ShapeError("[" + std::string(op) + "] expected (..., n, n) and (..., n, k), got " +
                     to_string(a.shape()) + " and " + to_string(b.shape()));
  broadcast(op, batch_of(a), batch_of(b));
  const DType dtype = promote(a.dtype(), b.dtype());
  a = to(a, dtype), b = to(b, dtype);
}

/// With one matrix for a whole batch of right-hand sides, they become the columns of a single one.
template <class Op>
Tensor apply_to_columns(const Op& op, const Tensor& a, const Tensor& b) {
  if (a.dim() != 2 || b.dim() == 2) return apply(op, a, b);
  Axes order;
  order.push_back(b.dim() - 2);
  for (int i = 0; i < b.dim(); ++i)
    if (i != b.dim() - 2) order.push_back(i);
  const Tensor turned = permute(b, order);
  const std::int64_t n = b.size(-2);
  const Tensor x = apply(op, a, reshape(turned, {n, n == 0 ? 0 : b.numel() / n}));
  Axes back;
  for (int i = 1; i < b.dim() - 1; ++i) back.push_back(i);
  back.push_back(0), back.push_back(b.dim() - 1);
  return permute(reshape(x, turned.shape()), back);
}

}  // namespace
}  // namespace detail

Tensor cholesky(const Tensor& a, const CholeskyOptions& options) {
  detail::check_square("cholesky", a);
  const Tensor l = detail::apply(detail::Cholesky{}, a);
  return options.upper ? detail::mt(l) : l;
}

Tensor cholesky_solve(const Tensor& b, const Tensor& l, const CholeskyOptions& options) {
  Tensor factor = l, right = b;
  detail::check_system("cholesky_solve", factor, right);
  if (options.upper) factor = detail::mt(factor);
  return solve_triangular(detail::mt(factor), solve_triangular(factor, right, {.upper = false}),
                          {.upper = true});
}

Tensor cholesky_inverse(const Tensor& l, const CholeskyOptions& options) {
  detail::check_square("cholesky_inverse", l);
  return cholesky_solve(eye(l.size(-1), l.dtype()), l, options);
}

Tensor solve_triangular(const Tensor& a, const Tensor& b, const SolveTriangularOptions& options) {
  Tensor matrix = options.left ? a : detail::mt(a), right = options.left ? b : detail::mt(b);
  detail::check_system("solve_triangular", matrix, right);
  const detail::SolveTriangular op{options.upper == options.left, options.unitriangular};
  const Tensor x = detail::apply_to_columns(op, matrix, right);
  return options.left ? x : detail::mt(x);
}

Tensor solve(const Tensor& a, const Tensor& b, const SolveOptions& options) {
  detail::check_square("solve", a);
  const Shape rows = [&] {
    Shape s = detail::batch_of(a);
    s.push_back(a.size(-1));
    return s;
  }();
  const bool vectors = b.dim() == 1 || (b.dim() == a.dim() - 1 && b.shape() == rows);
  Tensor matrix = a, right = vectors ? unsqueeze(b, -1) : b;
  if (!options.left && !vectors) matrix = detail::mt(a), right = detail::mt(b);
  if (!options.left && vectors) matrix = detail::mt(a);
  detail::check_system("solve", matrix, right);
  const Tensor x = detail::apply_to_columns(detail::Solve{}, matrix, right);
  if (vectors) return squeeze(x, -1);
  return options.left ? x : detail::mt(x);
}

Tensor inv(const Tensor& a) {
  detail::check_square("inv", a);
  return detail::apply(detail::Inverse{true}, a);
}

namespace detail {
namespace {

/// a (first..., others...), cut behind `ind` axes, as a square matrix.
Tensor as_square(const char* op, const Tensor& a, int ind) {
  std::int64_t rows = 1, columns = 1;
  for (int i = 0; i < a.dim(); ++i) (i < ind ? rows : columns) *= a.size(i);
  if (ind > a.dim() || rows != columns)
    throw ShapeError("[" + std::string(op) + "] expected as many elements along the first " +
                     std::to_string(ind) + " axes as along the others, got " + to_string(a.shape()));
  return reshape(a, {rows, columns});
}

}  // namespace
}  // namespace detail

Tensor tensorinv(const Tensor& a, int ind) {
  if (ind < 1) throw ValueError("[tensorinv] expected ind > 0, got " + std::to_string(ind));
  const Tensor inverse = inv(detail::as_square("tensorinv", a, ind));
  Shape shape;
  for (int i = ind; i < a.dim(); ++i) shape.push_back(a.size(i));
  for (int i = 0; i < ind; ++i) shape.push_back(a.size(i));
  return reshape(inverse, shape);
}

Tensor tensorsolve(const Tensor& a, const Tensor& b) {
  const Tensor square = detail::as_square("tensorsolve", a, b.dim());
  Shape shape, first;
  for (int i = 0; i < a.dim(); ++i) (i < b.dim() ? first : shape).push_back(a.size(i));
  if (!(first == b.shape()))
    throw ShapeError("[tensorsolve] expected a whose first axes are b's, got " + to_string(a.shape()) +
                     " and " + to_string(b.shape()));
  return reshape(solve(square, reshape(b, {b.numel()})), shape);
}

}  // namespace cadena
