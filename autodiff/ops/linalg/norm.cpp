// Norms of matrices and condition numbers.
#include <cmath>
#include <limits>
#include <string>

#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/linalg.hpp"
#include "autodiff/ops/linalg/support.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/statistics.hpp"

namespace cadena {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// x with the two axes last, in the order given.
Tensor with_axes_last(const char* op, const Tensor& x, const Axes& axes) {
  detail::check_matrix(op, x);
  if (axes.rank() != 2)
    throw ValueError("[" + std::string(op) + "] expected two axes, got " + to_string(axes));
  const int a = normalize_axis(op, axes[0], x.dim()), b = normalize_axis(op, axes[1], x.dim());
  if (a == b)
    throw ValueError("[" + std::string(op) + "] expected two different axes, got " + to_string(axes));
  Axes order;
  for (int i = 0; i < x.dim(); ++i)
    if (i != a && i != b) order.push_back(i);
  order.push_back(a), order.push_back(b);
  return permute(x, order);
}

Tensor keep_axes(const Tensor& norm, const Tensor& x, const Axes& axes, bool keepdim) {
  if (!keepdim) return norm;
  Shape shape = x.shape();
  for (auto a : axes) shape[normalize_axis("matrix_norm", a, x.dim())] = 1;
  return reshape(norm, shape);
}

/// |A| by one number, over the two last axes.
Tensor norm_of(const Tensor& x, double ord) {
  const double size = std::abs(ord);
  if (size != 1 && size != 2 && size != infinity)
    throw ValueError("[matrix_norm] expected 1, 2 or infinity, or their negatives, got " +
                     std::to_string(ord));
  if (x.size(-1) == 0 || x.size(-2) == 0)
    throw ValueError("[matrix_norm] expected matrices with elements for this norm, got " +
                     to_string(x.shape()));
  const Tensor terms = size == 2 ? svdvals(x) : sum(abs(x), size == 1 ? -2 : -1);
  return ord > 0 ? amax(terms, -1) : amin(terms, -1);
}

Tensor norm_of(const Tensor& x, std::string_view ord) {
  if (ord == "fro") return vector_norm(x, 2, {-2, -1});
  if (ord == "nuc") return sum(svdvals(x), -1);
  throw ValueError("[matrix_norm] expected \"fro\" or \"nuc\", got \"" + std::string(ord) + "\"");
}

/// |A| |A^-1|; infinite where A^-1 is not finite.
template <class Ord>
Tensor cond_by_inverse(const Tensor& a, const Ord& ord) {
  detail::check_square("cond", a);
  const Tensor inverse = detail::inverse(a);
  const Tensor product = mul(norm_of(a, ord), norm_of(inverse, ord));
  const Tensor lost = isnan(sum(mul(inverse, 0), {-2, -1}));  // an infinity or a NaN
  const Tensor fine = eq(sum(mul(a, 0), {-2, -1}), 0);
  return where(gt(mul(lost, fine), 0), infinity, product);
}

}  // namespace

Tensor matrix_norm(const Tensor& x, std::string_view ord, const Axes& axes, bool keepdim) {
  return keep_axes(norm_of(with_axes_last("matrix_norm", x, axes), ord), x, axes, keepdim);
}

Tensor matrix_norm(const Tensor& x, double ord, const Axes& axes, bool keepdim) {
  return keep_axes(norm_of(with_axes_last("matrix_norm", x, axes), ord), x, axes, keepdim);
}

Tensor cond(const Tensor& a, double ord) {
  detail::check_matrix("cond", a);
  if (std::abs(ord) != 2) return cond_by_inverse(a, ord);
  const Tensor s = svdvals(a);
  if (s.size(-1) == 0)
    throw ValueError("[cond] expected matrices with elements, got " + to_string(a.shape()));
  const Tensor largest = select(s, -1, 0), smallest = select(s, -1, -1);
  return ord > 0 ? div(largest, smallest) : div(smallest, largest);
}

Tensor cond(const Tensor& a, std::string_view ord) { return cond_by_inverse(a, ord); }

namespace detail {

OpList linalg_norm_ops() {
  std::vector<std::vector<Case>> norms, conditions;
  const std::vector<std::vector<Shape>> shapes = {{{3, 3}}, {{2, 3}}, {{2, 3, 2}}, {{1, 1}}},
                                        square = {{{3, 3}}, {{2, 2, 2}}};
  for (const char* ord : {"fro", "nuc"}) {
    norms.push_back(
        cases_of([ord](const TensorList& x) { return matrix_norm(spread(x[0]), ord); }, shapes, ord));
    conditions.push_back(
        cases_of([ord](const TensorList& x) { return cond(spread(x[0]), ord); }, square, ord));
  }
  for (double ord : {1.0, -1.0, 2.0, -2.0, infinity, -infinity}) {
    const std::string label = "ord " + std::to_string(ord);
    norms.push_back(
        cases_of([ord](const TensorList& x) { return matrix_norm(spread(x[0]), ord); }, shapes, label));
    conditions.push_back(
        cases_of([ord](const TensorList& x) { return cond(spread(x[0]), ord); }, square, label));
  }
  norms.push_back(cases_of(
      [](const TensorList& x) {
        return matrix_norm(mul(spread(x[0]), 0.5), 1, {1, 0}, true);
      },
      {{{2, 3, 2}}}, "axes kept"));
  norms.push_back(cases_of([](const TensorList& x) { return matrix_norm(x[0]); }, {{{0, 3}}, {{0, 2, 2}}}));
  return {
      composite(linalg_row({.name = "matrix_norm",
                            .formula = "|A|: fro, nuc, 1, -1, 2, -2, inf, -inf",
                            .conventions = "fro at 0: derivative 0; equal maxima share the gradient"},
                           joined(std::move(norms)), [](const TensorList& x) { return matrix_norm(x[0]); })),
      composite(linalg_row({.name = "cond", .formula = "|A| |A^-1|", .conventions = "singular: inf"},
                           joined(std::move(conditions)),
                           [](const TensorList& x) { return cond(x[0], "fro"); }))};
}

}  // namespace detail
}  // namespace cadena
