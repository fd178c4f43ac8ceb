// Determinants.
#include <algorithm>
#include <cmath>
#include <limits>

#include "autodiff/kernels/decompose.hpp"
#include "autodiff/kernels/factor.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/linalg/support.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {
namespace detail {
namespace {

Tensor adjugate(const Tensor& a, const Tensor& det_a);

/// f(index, diagonal of U, parity) for the LU factors of every matrix.
template <class T, class F>
void for_pivots(const Tensor& a, const F& f) {
  const Tensor from = contiguous(a);
  const std::int64_t n = a.size(-1);
  const T* data = from.data<T>();
  kernels::for_matrices(matrices_in(a), n * n * n / 3, [&](std::int64_t i) {
    const kernels::Scratch<T> lu(n * n), diagonal(n);
    const kernels::Scratch<std::int64_t> pivots(n);
    std::copy_n(data + i * n * n, n * n, lu.get());
    kernels::lu<T>(n, n, lu, n, pivots);
    T parity = 1;
    for (std::int64_t k = 0; k < n; ++k) {
      if (pivots[k] != k) parity = -parity;
      diagonal[k] = lu[k * (n + 1)];
    }
    f(i, diagonal.get(), parity);
  });
}

/// d det(A) = tr(adj(A) dA).
struct Det {
  static constexpr Meta meta{.name = "det",
                             .reads = {X1 | Y},
                             .formula = "det(A)",
                             .derivative = "dA = G cofactor(A)",
                             .conventions = "exact derivatives of singular matrices, too; 0 x 0: 1"};

  Tensor eval(const Tensor& a) const {
    const Shape shape = batch_of(a);
    const Tensor out = make_tensor(shape, shape.numel(), a.dtype());
    const std::int64_t n = a.size(-1);
    with_type(a, [&]<class T>(T) {
      T* y = static_cast<T*>(raw_data(out));
      for_pivots<T>(a, [&](std::int64_t i, const T* diagonal, T parity) {
        y[i] = parity;
        for (std::int64_t k = 0; k < n; ++k) y[i] *= diagonal[k];
      });
    });
    return out;
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    gin[0] = mul(unsqueeze(unsqueeze(g, -1), -1), mt(adjugate(s.x(0), s.y())));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const {
    return sum(mul(mt(adjugate(s.x(0), s.y())), t[0]), {-2, -1});
  }
};

Slogdet evaluate(const Tensor& a) {
  const Shape shape = batch_of(a);
  Slogdet out{make_tensor(shape, shape.numel(), a.dtype()), make_tensor(shape, shape.numel(), a.dtype())};
  const std::int64_t n = a.size(-1);
  with_type(a, [&]<class T>(T) {
    T *sign = static_cast<T*>(raw_data(out.sign)), *log = static_cast<T*>(raw_data(out.logabsdet));
    for_pivots<T>(a, [&](std::int64_t i, const T* diagonal, T parity) {
      sign[i] = parity;
      log[i] = 0;
      for (std::int64_t k = 0; k < n; ++k) {
        const T d = diagonal[k];
        sign[i] *= d > 0 ? T(1) : d < 0 ? T(-1) : d;  // 0 and NaN stay
        log[i] += std::log(std::abs(d));
      }
    });
  });
  return out;
}

/// d log|det A| = tr(A^-1 dA).
struct LogAbsDet {
  static constexpr Meta meta{
      .name = "slogdet",
      .reads = {X1},
      .formula = "sign and log of |det(A)|",
      .derivative = "dA = G A^-T",
      .conventions = "singular: 0 and -inf, infinite or NaN derivatives; 0 x 0: 1 and 0"};
  Tensor sign = {};  ///< of the last evaluation

  Tensor eval(const Tensor& a) {
    const Slogdet both = evaluate(a);
    sign = both.sign;
    return both.logabsdet;
  }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const {
    gin[0] = absorbing_mul(unsqueeze(unsqueeze(g, -1), -1), mt(inverse(s.x(0))));
  }
  Tensor jvp(const Saved& s, const Tensor* t) const { return sum(mul(mt(inverse(s.x(0))), t[0]), {-2, -1}); }
};

/// Directions U, V with A + U V^T far from singular: U and V span the singular vectors of the small singular
/// values, as many columns as the worst matrix of the batch has; zeros where a matrix has fewer.
struct Border {
  Tensor u, v;
};

/// U's and V's columns for one matrix, or none if it is regular, not finite, or the SVD fails.
template <class T>
std::int64_t small_directions(std::int64_t n, const T* a, std::vector<T>& u, std::vector<T>& v) {
  if (!std::all_of(a, a + n * n, [](T x) { return std::isfinite(x); })) return 0;
  std::vector<T> s(static_cast<std::size_t>(n));
  u.resize(static_cast<std::size_t>(n * n));
  v.resize(static_cast<std::size_t>(n * n));
  if (!kernels::svd<T>(n, n, a, u.data(), s.data(), v.data())) return 0;
  const T largest = s[0];
  std::int64_t small = 0;
  for (T value : s) small += !(value > T(0.05) * largest);
  // A + largest * U V^T has the small singular values replaced by about the largest.
  for (auto& x : u) x *= largest > 0 ? largest : T(1);
  return small;
}

Border border_of(const Tensor& a) {
  const std::int64_t n = a.size(-1), count = matrices_in(a);
  Border border;
  if (n == 0 || count == 0) return border;
  with_type(a, [&]<class T>(T) {
    // The plain formula may lose half the digits. Beyond that everything small is moved, so that no more is
    // lost than a digit or two.
    const double bound = std::sqrt(static_cast<double>(std::numeric_limits<T>::epsilon()));
    std::vector<std::vector<T>> us(static_cast<std::size_t>(count)), vs(us);
    std::vector<std::int64_t> small(static_cast<std::size_t>(count), 0);
    const Tensor from = contiguous(a);
    const T* data = from.data<T>();
    for_pivots<T>(a, [&](std::int64_t i, const T* diagonal, T) {
      T least = std::numeric_limits<T>::infinity(), most = 0;
      for (std::int64_t k = 0; k < n; ++k)
        least = std::min(least, std::abs(diagonal[k])), most = std::max(most, std::abs(diagonal[k]));
      const auto at = static_cast<std::size_t>(i);
      if (static_cast<double>(least) <= 8 * bound * static_cast<double>(most))
        small[at] = small_directions(n, data + i * n * n, us[at], vs[at]);
    });
    const std::int64_t width = *std::max_element(small.begin(), small.end());
    if (width == 0) return;
    border.u = zeros(with(batch_of(a), {n, width}), a.dtype());
    border.v = zeros(with(batch_of(a), {n, width}), a.dtype());
    T *u = static_cast<T*>(raw_data(border.u)), *v = static_cast<T*>(raw_data(border.v));
    for (std::int64_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(i);
      for (std::int64_t c = 0; c < small[at]; ++c)
        for (std::int64_t r = 0; r < n; ++r) {
          const std::int64_t column = n - small[at] + c;
          u[(i * n + r) * width + c] = us[at][static_cast<std::size_t>(r * n + column)];
          v[(i * n + r) * width + c] = vs[at][static_cast<std::size_t>(column * n + r)];
        }
    }
  });
  return border;
}

/// Determinant (..., 1, 1) and adjugate of small matrices by Faddeev and LeVerrier: polynomials in the
/// elements, so exact at every order for matrices of any rank.
struct Polynomial {
  Tensor det, adj;
};

Polynomial by_polynomial(const Tensor& e) {
  const std::int64_t r = e.size(-1);
  const Tensor one = eye(r, e.dtype());
  Polynomial p{{}, one};
  for (std::int64_t k = 1;; ++k) {
    const Tensor product = matmul(e, p.adj);
    const Tensor coefficient = mul(sum(main_diagonal(product), -1, true), -1.0 / static_cast<double>(k));
    p.det = unsqueeze(coefficient, -1);
    if (k == r) break;
    p.adj = add(product, mul(p.det, one));
  }
  if (r % 2 == 1) p.det = neg(p.det);
  if (r % 2 == 0) p.adj = neg(p.adj);
  return p;
}

/// det(A) A^-1, also where A is singular. With B = (A + U V^T)^-1 and E = 1 - V^T B U:
/// det(A) = det(A + U V^T) det(E), so adj(A) = det(A + U V^T) (det(E) B + B U adj(E) V^T B).
Tensor adjugate(const Tensor& a, const Tensor& det_a) {
  const Border border = [&] {
    NoGrad guard;
    return border_of(a);
  }();
  if (!border.u.defined()) return mul(unsqueeze(unsqueeze(det_a, -1), -1), inverse(a));
  const Tensor moved = add(a, matmul(border.u, mt(border.v)));
  const Tensor b = inverse(moved), bu = matmul(b, border.u), vb = matmul(mt(border.v), b);
  const Tensor e = sub(eye(border.u.size(-1), a.dtype()), matmul(vb, border.u));
  const auto [det_e, adj_e] = by_polynomial(e);
  const Tensor rest = add(mul(det_e, b), matmul(bu, matmul(adj_e, vb)));
  return mul(unsqueeze(unsqueeze(det(moved), -1), -1), rest);
}

/// Matrices of rank `rank`, as inputs.
Sample of_rank(Sampler& s, const Shape& batch, std::int64_t n, std::int64_t rank) {
  NoGrad guard;
  // Small, so that rounding in f32 stays far below the gradients, which vanish below rank n - 1.
  const double size = rank < n - 1 ? 0.02 : 0.1;
  const Tensor a = mul(matmul(s.draw(with(batch, {n, rank})), s.draw(with(batch, {rank, n}))), size);
  return {to_string(a.shape()) + " of rank " + std::to_string(rank), {a}, [](const TensorList& x) {
            return det(x[0]);
          }};
}

std::vector<Sample> det_samples(Sampler& s) {
  std::vector<Sample> list;
  for (const Shape& shape : {Shape{3, 3}, Shape{1, 1}, Shape{2, 2}, Shape{2, 2, 2}, Shape{0, 0},
                             Shape{0, 2, 2}, Shape{4, 4}, Shape{2, 1, 3, 3}})
    list.push_back(
        {to_string(shape), {s.draw(shape)}, [](const TensorList& x) { return det(regular(x[0])); }});
  for (std::int64_t n = 1; n <= 4; ++n)
    for (std::int64_t rank = std::max<std::int64_t>(n - 2, 0); rank < n; ++rank)
      list.push_back(of_rank(s, {}, n, rank));
  // A singular matrix beside a regular one.
  Sample mixed = of_rank(s, {1}, 3, 2);
  mixed.inputs[0] = cat({mixed.inputs[0], add(unsqueeze(s.draw({3, 3}), 0), scaled_eye(mixed.inputs[0], 4))});
  mixed.label = "singular beside regular";
  list.push_back(mixed);
  return list;
}

}  // namespace

OpList linalg_det_ops() {
  const Call log_of = [](const TensorList& x) { return slogdet(regular(x[0])).logabsdet; };
  const Call turned = [](const TensorList& x) { return slogdet(flip(regular(x[0]), -1)).logabsdet; };
  const Call logged = [](const TensorList& x) { return logdet(positive_definite(x[0])); };
  OpInfo det_row = linalg_row(Det::meta, {}, [](const TensorList& x) { return det(x[0]); });
  det_row.samples = det_samples;
  return {det_row,
          linalg_row(LogAbsDet::meta,
                     joined({cases_of(log_of, square_shapes()),
                             cases_of(turned, {{{3, 3}}, {{2, 2, 2}}}, "flipped")}),
                     [](const TensorList& x) { return slogdet(x[0]).logabsdet; }),
          composite(linalg_row(
              {.name = "logdet", .formula = "log(det(A))", .conventions = "negative: NaN; singular: -inf"},
              cases_of(logged, square_shapes()),
              [](const TensorList& x) { return logdet(positive_definite(x[0])); }))};
}

}  // namespace detail

Tensor det(const Tensor& a) {
  detail::check_square("det", a);
  return detail::apply(detail::Det{}, a);
}

Slogdet slogdet(const Tensor& a) {
  detail::check_square("slogdet", a);
  detail::check_readable(detail::raw_impl(a));
  detail::LogAbsDet op;
  Tensor logabsdet = detail::apply_keeping(op, {&a, 1});
  return {op.sign, std::move(logabsdet)};
}

Tensor logdet(const Tensor& a) {
  detail::check_square("logdet", a);
  const auto [sign, logabsdet] = slogdet(a);
  return add(logabsdet, log(sign));  // log(1) = 0, log(-1) = NaN, log(0) = -inf
}

}  // namespace cadena
