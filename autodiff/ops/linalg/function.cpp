// Functions of matrices: powers and the exponential.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/exponential.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/linalg/support.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/rounding.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/statistics.hpp"

namespace cadena {
namespace detail {
namespace {

/// Degree of the approximant and how often its value is squared.
struct Plan {
  int degree, squarings;
  auto operator<=>(const Plan&) const = default;
};

/// Higham 2005, Table 2.3: up to which 1-norm an approximant is as accurate as the dtype.
Plan plan_for(double norm, DType dtype) {
  struct Row {
    int degree;
    double bound;
  };
  static constexpr Row doubles[] = {{3, 1.495585217958292e-2},
                                    {5, 2.539398330063230e-1},
                                    {7, 9.504178996162932e-1},
                                    {9, 2.097847961257068},
                                    {13, 5.371920351148152}};
  static constexpr Row floats[] = {{3, 4.258730016922831e-1}, {5, 1.880152677804762}, {7, 3.925724783138660}};
  const std::span<const Row> rows =
      dtype == f64 ? std::span<const Row>(doubles) : std::span<const Row>(floats);
  for (const Row& row : rows)
    if (norm <= row.bound) return {row.degree, 0};
  return {rows.back().degree, std::max(0, static_cast<int>(std::ceil(std::log2(norm / rows.back().bound))))};
}

/// Coefficients of the numerator: (2 d - k)! d! / ((2 d)! (d - k)! k!).
std::array<double, 14> pade(int degree) {
  std::array<double, 14> c{1};
  for (int k = 1; k <= degree; ++k)
    c[static_cast<std::size_t>(k)] =
        c[static_cast<std::size_t>(k - 1)] * (degree - k + 1) / (k * (2 * degree - k + 1.0));
  return c;
}

/// exp of matrices (b, n, n) that share a plan.
Tensor exp_by_plan(const Tensor& a, const Plan& plan) {
  const Tensor x = mul(a, std::ldexp(1.0, -plan.squarings)), square = matmul(x, x),
               one = eye(a.size(-1), a.dtype());
  const auto c = pade(plan.degree);
  // Even and odd powers by Horner's rule: exp = (V - U)^-1 (V + U) with U = x * odd.
  Tensor even = mul(one, c[static_cast<std::size_t>(plan.degree - 1)]),
         odd = mul(one, c[static_cast<std::size_t>(plan.degree)]);
  for (int k = plan.degree - 2; k > 0; k -= 2) {
    odd = add(matmul(square, odd), mul(one, c[static_cast<std::size_t>(k)]));
    even = add(matmul(square, even), mul(one, c[static_cast<std::size_t>(k - 1)]));
  }
  const Tensor u = matmul(x, odd);
  Tensor y = matmul(inverse(sub(even, u)), add(even, u));
  for (int k = 0; k < plan.squarings; ++k) y = matmul(y, y);
  return y;
}

/// [[a, b], [0, a]]
Tensor block(const Tensor& a, const Tensor& b) {
  return cat({cat({a, b}, -1), cat({zeros_like(a), a}, -1)}, -2);
}

struct MatrixExp {
  static constexpr Meta meta{.name = "matrix_exp",
                             .reads = {X1},
                             .formula = "exp(A)",
                             .derivative = "dA = the upper right block of exp([A^T, G; 0, A^T])",
                             .conventions = "NaN or infinity: all NaN; 0 x 0: 0 x 0"};

  Tensor eval(const Tensor& a) const {
    const std::int64_t n = a.size(-1), count = matrices_in(a);
    if (a.numel() == 0) return zeros(a.shape(), a.dtype());
    const Tensor matrices = reshape(a, {count, n, n});
    const auto norms = amax(sum(abs(matrices), 1), 1).to_vector<double>();
    std::map<Plan, std::vector<std::int64_t>> groups;
    for (std::int64_t i = 0; i < count; ++i) {
      const double norm = norms[static_cast<std::size_t>(i)];
      if (std::isfinite(norm)) groups[plan_for(norm, a.dtype())].push_back(i);
    }
    if (groups.size() == 1 && groups.begin()->second.size() == static_cast<std::size_t>(count))
      return reshape(exp_by_plan(matrices, groups.begin()->first), a.shape());
    const Tensor lost = full({n, n}, std::numeric_limits<double>::quiet_NaN(), a.dtype());
    std::vector<Tensor> each(static_cast<std::size_t>(count), lost);
    for (const auto& [plan, members] : groups) {
      const Tensor y = exp_by_plan(index_select(matrices, 0, tensor(members)), plan);
      for (std::size_t k = 0; k < members.size(); ++k)
        each[static_cast<std::size_t>(members[k])] = y.select(0, static_cast<std::int64_t>(k));
    }
    return reshape(stack(each), a.shape());
  }
  Tensor batch(const BatchedCall& c) const { return apply(*this, c.x[0]); }
  void vjp(const Saved& s, const Tensor& g, Tensor* gin) const { gin[0] = derivative(mt(s.x(0)), g); }
  Tensor jvp(const Saved& s, const Tensor* t) const { return derivative(s.x(0), t[0]); }

 private:
  /// Of exp at a in direction d; that direction's transpose map is the derivative at a^T.
  static Tensor derivative(const Tensor& a, const Tensor& d) {
    const std::int64_t n = a.size(-1);
    return columns(rows(matrix_exp(block(a, d)), 0, n), n, 2 * n);
  }
};

}  // namespace

OpList linalg_function_ops() {
  std::vector<std::vector<Case>> powers;
  for (std::int64_t n : {1, 2, 3, 5, -1, -3})
    powers.push_back(
        cases_of([n](const TensorList& x) { return matrix_power(regular(x[0]), n); },
                 n == 3 ? square_shapes() : std::vector<std::vector<Shape>>{{{2, 2}}, {{2, 3, 3}}},
                 "to " + std::to_string(n)));
  const Call exponential = [](const TensorList& x) { return matrix_exp(x[0]); };
  const Call squared = [](const TensorList& x) { return matrix_exp(mul(x[0], 3)); };
  const Call small = [](const TensorList& x) { return matrix_exp(mul(x[0], 0.005)); };
  const Call mixed = [](const TensorList& x) {
    return matrix_exp(mul(x[0], tensor({{{0.001}}, {{0.5}}, {{2.0}}}, x[0].dtype())));
  };
  return {composite(linalg_row({.name = "matrix_power", .formula = "A^n"}, joined(std::move(powers)),
                               [](const TensorList& x) { return matrix_power(x[0], 3); })),
          linalg_row(MatrixExp::meta,
                     joined({cases_of(exponential, square_shapes()),
                             cases_of(squared, {{{2, 2}}, {{3, 3}}}, "squared"),
                             cases_of(small, {{{2, 2}}}, "small"), cases_of(mixed, {{{3, 2, 2}}}, "mixed")}),
                     exponential)};
}

}  // namespace detail

Tensor matrix_power(const Tensor& a, std::int64_t n) {
  detail::check_square("matrix_power", a);
  if (n == 0) return contiguous(expand(eye(a.size(-1), a.dtype()), a.shape()));
  Tensor base = n < 0 ? inv(a) : a, out;
  for (auto left = n < 0 ? 0 - static_cast<std::uint64_t>(n) : static_cast<std::uint64_t>(n); left > 0;
       left >>= 1) {
    if (left & 1) out = out.defined() ? matmul(out, base) : base;
    if (left > 1) base = matmul(base, base);
  }
  return out;
}

Tensor matrix_exp(const Tensor& a) {
  detail::check_square("matrix_exp", a);
  return detail::apply(detail::MatrixExp{}, a);
}

}  // namespace cadena
