// Distances and angles: norms of differences and products of directions.
#include "autodiff/ops/distance.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "autodiff/core/elementwise_sum.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/table.hpp"
#include "autodiff/core/typed.hpp"
#include "autodiff/error.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/kernels/distance.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/diagonal.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/reduce.hpp"
#include "autodiff/ops/slicing.hpp"
#include "autodiff/ops/statistics.hpp"

namespace cadena {
namespace detail {
namespace {

/// So far apart from the first argument that differences have no zeros, where norms have kinks.
constexpr Domain negative{.low = -3, .high = -0.3};

void check_vectors(const char* op, std::initializer_list<const Tensor*> vectors, double eps) {
  for (const Tensor* t : vectors)
    if (!is_floating(t->dtype()))
      throw DtypeError("[" + std::string(op) + "] expected f32 or f64, got " + std::string(name(t->dtype())));
  if (!(eps >= 0))
    throw ValueError("[" + std::string(op) + "] expected eps >= 0, got " + std::to_string(eps));
}
void check_order(const char* op, double p) {
  if (!(p > 0)) throw ValueError("[" + std::string(op) + "] expected p > 0, got " + std::to_string(p));
}

Tensor pairs_reference(const Tensor& x1, const Tensor& x2, double p) {
  return vector_norm(sub(unsqueeze(x1, -2), unsqueeze(x2, -3)), p, -1);
}

/// The batch dimensions of (..., n, m) and (..., r, m).
Shape common_batch(const Tensor& x1, const Tensor& x2) {
  const auto batch_of = [](const Tensor& x) {
    Shape s = x.shape();
    s.erase(s.rank() - 1);
    s.erase(s.rank() - 1);
    return s;
  };
  return broadcast("cdist", batch_of(x1), batch_of(x2));
}

/// Distances by a kernel that forms differences in registers.
struct Cdist : Fused<Cdist> {
  static constexpr Meta meta{.name = "cdist",
                             .reads = {X1 | X2 | Y, X1 | X2 | Y},
                             .domain = {positive, negative},
                             .formula = "d[i, j] = norm(x1[i] - x2[j])",
                             .derivative = "G times that of the norm, summed over j and i",
                             .conventions = "derivative 0 at distance 0"};
  double p;

  explicit Cdist(double order) : p(order) {}
  Tensor reference(const TensorList& x) const { return pairs_reference(x[0], x[1], p); }
  Tensor eval(const Tensor& x1, const Tensor& x2) const {
    const Operands in(x1, x2);
    Shape shape = in.batch;
    shape.push_back(x1.size(-2));
    shape.push_back(x2.size(-2));
    const Tensor out = make_tensor(shape, checked_numel("cdist", shape, itemsize(x1.dtype())), x1.dtype());
    in_type(x1.dtype(), [&]<class T>(T) {
      kernels::pair_distances<T>(in.pairs(p), in.a.data<T>(), in.b.data<T>(), written<T>(out));
    });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    // Which of several equal largest coordinates share the derivative, the kernel does not count.
    if (std::isinf(p))
      return vjp_by_reference(
          s, [p = p](const TensorList& x) { return TensorList{pairs_reference(x[0], x[1], p)}; }, g, gin);
    const Operands in(s.x(0), s.x(1));
    for (int i : {0, 1})
      if (s.needs(i)) gin[i] = fresh((i == 0 ? in.a : in.b).shape(), g.dtype());
    const Tensor y = s.y(), slope = contiguous(g);
    in_type(g.dtype(), [&]<class T>(T) {
      kernels::pair_distances_vjp<T>(in.pairs(p), in.a.data<T>(), in.b.data<T>(), y.data<T>(),
                                     slope.data<T>(), written<T>(gin[0]), written<T>(gin[1]));
    });
  }

 private:
  /// Contiguous (batch..., n, m) and (batch..., r, m).
  struct Operands {
    Shape batch;
    Tensor a, b;

    Operands(const Tensor& x1, const Tensor& x2)
        : batch(common_batch(x1, x2)), a(spread(x1)), b(spread(x2)) {}
    Tensor spread(const Tensor& x) const {
      Shape shape = batch;
      shape.push_back(x.size(-2));
      shape.push_back(x.size(-1));
      return contiguous(expand(x, shape));
    }
    kernels::Pairs pairs(double p) const { return {batch.numel(), a.size(-2), b.size(-2), a.size(-1), p}; }
  };
};

/// The same for the pairs of one matrix's rows.
struct Pdist : Fused<Pdist> {
  static constexpr Meta meta{.name = "pdist",
                             .reads = {X1 | Y},
                             .domain = {all_different},
                             .formula = "norm(x[i] - x[j]) for i < j",
                             .derivative = "G times that of the norm, summed over the pairs of a row",
                             .conventions = "derivative 0 at distance 0"};
  double p;

  explicit Pdist(double order) : p(order) {}
  static Tensor reference_of(const Tensor& x, double p) {
    const Tensor pairs = triu_indices(x.size(0), x.size(0), 1);
    const Tensor left = index_select(x, 0, select(pairs, 0, 0));
    return vector_norm(sub(left, index_select(x, 0, select(pairs, 0, 1))), p, 1);
  }
  Tensor reference(const TensorList& x) const { return reference_of(x[0], p); }
  Tensor eval(const Tensor& x) const {
    const std::int64_t n = x.size(0), count = n * std::max<std::int64_t>(n - 1, 0) / 2;
    const Tensor rows = contiguous(x);
    const Tensor out = make_tensor({count}, checked_numel("pdist", {count}, itemsize(x.dtype())), x.dtype());
    in_type(x.dtype(),
            [&]<class T>(T) { kernels::own_distances<T>(pairs(x), rows.data<T>(), written<T>(out)); });
    return out;
  }
  void vjp_fast(const Saved& s, const Tensor& g, Tensor* gin) const {
    if (std::isinf(p))
      return vjp_by_reference(
          s, [p = p](const TensorList& x) { return TensorList{reference_of(x[0], p)}; }, g, gin);
    const Tensor rows = contiguous(s.x(0)), y = s.y(), slope = contiguous(g);
    gin[0] = fresh(rows.shape(), g.dtype());
    in_type(g.dtype(), [&]<class T>(T) {
      kernels::own_distances_vjp<T>(pairs(rows), rows.data<T>(), y.data<T>(), slope.data<T>(),
                                    written<T>(gin[0]));
    });
  }

 private:
  kernels::Pairs pairs(const Tensor& x) const { return {1, x.size(0), x.size(0), x.size(1), p}; }
};

/// x by its norm along `axis`, which counts as at least eps.
Tensor direction(const Tensor& x, double p, int axis, double eps) {
  if (x.numel() == 0) return mul(x, 1);  // the largest of nothing is no norm
  return div(x, maximum(vector_norm(x, p, axis, true), eps));
}

Tensor square_distance(const Tensor& x1, const Tensor& x2, const Axes& axes, double shift,
                       bool keepdim = false) {
  return elementwise_sum(formulas::SquareDistance{shift}, axes, keepdim, x1, x2);
}

/// Norm of x1 - x2 + shift.
Tensor length(const char* op, const Tensor& x1, const Tensor& x2, double p, const Axes& axes, bool keepdim,
              double shift) {
  if (p != 2) return vector_norm(add(sub(x1, x2), shift), p, axes, keepdim);
  const int rank = broadcast(op, x1.shape(), x2.shape()).rank();
  return root(square_distance(x1, x2, normalize_axes(op, axes, rank), shift, keepdim));
}

}  // namespace
}  // namespace detail

Tensor normalize(const Tensor& x, double p, int axis, double eps) {
  detail::check_vectors("normalize", {&x}, eps);
  detail::check_order("normalize", p);
  return detail::direction(x, p, normalize_axis("normalize", axis, x.dim()), eps);
}

Tensor cosine_similarity(const Tensor& x1, const Tensor& x2, int axis, double eps) {
  detail::check_vectors("cosine_similarity", {&x1, &x2}, eps);
  const Shape shape = broadcast("cosine_similarity", x1.shape(), x2.shape());
  const int a = normalize_axis("cosine_similarity", axis, shape.rank());
  return detail::elementwise_sum(formulas::VecDot{}, a, false,
                                 detail::direction(expand(x1, shape), 2, a, eps),
                                 detail::direction(expand(x2, shape), 2, a, eps));
}

Tensor pairwise_distance(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim) {
  detail::check_vectors("pairwise_distance", {&x1, &x2}, eps);
  detail::check_order("pairwise_distance", p);
  const Shape shape = broadcast("pairwise_distance", x1.shape(), x2.shape());
  if (shape.empty()) throw ShapeError("[pairwise_distance] expected at least one dimension, got () and ()");
  return detail::length("pairwise_distance", x1, x2, p, -1, keepdim, eps);
}

Tensor cdist(const Tensor& x1, const Tensor& x2, double p) {
  detail::check_vectors("cdist", {&x1, &x2}, 0);
  detail::check_order("cdist", p);
  if (x1.dim() < 2 || x2.dim() < 2 || x1.size(-1) != x2.size(-1))
    throw ShapeError("[cdist] expected (..., P, M) and (..., R, M), got " + to_string(x1.shape()) + " and " +
                     to_string(x2.shape()));
  detail::common_batch(x1, x2);
  if (x1.size(-1) == 0) return detail::pairs_reference(x1, x2, p);  // what a norm of nothing is, norms say
  const DType dtype = promote(x1.dtype(), x2.dtype());
  return detail::apply(detail::Cdist(p), to(x1, dtype), to(x2, dtype));
}

Tensor dist(const Tensor& x1, const Tensor& x2, double p) {
  detail::check_vectors("dist", {&x1, &x2}, 0);
  detail::check_order("dist", p);
  broadcast("dist", x1.shape(), x2.shape());
  return detail::length("dist", x1, x2, p, {}, false, 0);
}

Tensor pdist(const Tensor& x, double p) {
  detail::check_vectors("pdist", {&x}, 0);
  detail::check_order("pdist", p);
  if (x.dim() != 2) throw ShapeError("[pdist] expected (N, M), got " + to_string(x.shape()));
  return x.size(1) == 0 ? detail::Pdist::reference_of(x, p) : detail::apply(detail::Pdist(p), x);
}

Tensor renorm(const Tensor& x, double p, int axis, double maxnorm) {
  detail::check_vectors("renorm", {&x}, 0);
  detail::check_order("renorm", p);
  if (x.dim() < 2) throw ShapeError("[renorm] expected at least 2 dimensions, got " + to_string(x.shape()));
  if (!(maxnorm >= 0)) throw ValueError("[renorm] expected maxnorm >= 0, got " + std::to_string(maxnorm));
  const int kept = normalize_axis("renorm", axis, x.dim());
  if (x.numel() == 0) return mul(x, 1);
  Axes others;
  for (int i = 0; i < x.dim(); ++i)
    if (i != kept) others.push_back(i);
  const Tensor norms = vector_norm(x, p, others, true), larger = gt(norms, maxnorm);
  return mul(x, where(larger, div(maxnorm, where(larger, norms, 1)), 1));
}

namespace detail {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

using OfOrder = std::function<Tensor(const TensorList&, double p)>;

OpInfo distance_row(const Meta& meta, std::initializer_list<std::vector<Shape>> shapes, const OfOrder& call,
                    std::initializer_list<double> orders, const OfOrder& reference = {}) {
  std::vector<Case> cases;
  for (const auto& s : shapes)
    for (double p : orders) {
      cases.push_back({s, [call, p](const TensorList& x) { return call(x, p); }, "p " + std::to_string(p)});
      if (reference) cases.back().reference = [reference, p](const TensorList& x) { return reference(x, p); };
    }
  const auto arguments = shapes.begin()->size();
  OpInfo row = case_row(meta, "distance", std::move(cases), [call, arguments](std::int64_t n) {
    // Square: few rows, for cdist forms all pairs of them.
    return Case{std::vector<Shape>(arguments, Shape{32, std::max<std::int64_t>(1, n / 2048)}),
                [call](const TensorList& x) { return call(x, 2); }};
  });
  return reference ? row : composite(row);
}

}  // namespace

OpList distance_ops() {
  using L = const TensorList&;
  return {
      distance_row({.name = "normalize",
                    .domain = {all_different},  // the largest norm has a kink where two are equal
                    .formula = "x / max(norm(x), eps)",
                    .conventions = "zeros stay zeros"},
                   {{{3, 4}}, {{2, 3, 2}}, {{2, 0}}, {{1, 5}}},
                   [](L x, double p) { return normalize(add(x[0], 2), p); }, {2, 1, 3.5, infinity}),
      case_row(formulas::SquareDistance::meta, "distance",
               {{{{3, 4}, {3, 4}}, [](L x) { return square_distance(x[0], x[1], 1, 0.5); }},
                {{{2, 67}, {2, 67}},
                 [](L x) {
                   return square_distance(x[0], x[1], {0, 1}, 0);
                 }},
                {{{2, 3, 4}, {3, 1}},
                 [](L x) {
                   return square_distance(x[0], x[1], {1, 2}, 0);
                 }},
                {{{3, 2}, {2}}, [](L x) { return square_distance(x[0], x[1], 0, -0.5); }},
                {{{2, 0}, {2, 0}}, [](L x) { return square_distance(x[0], x[1], 1, 0); }}},
               [](std::int64_t n) {
                 return Case{{{n / 256, 256}, {n / 256, 256}},
                             [](L x) { return square_distance(x[0], x[1], 1, 0); }};
               }),
      distance_row({.name = "cosine_similarity", .formula = "x1 x2 / (norm(x1) norm(x2))"},
                   {{{3, 4}, {3, 4}}, {{2, 3, 2}, {3, 2}}, {{2, 5}, {1, 5}}, {{2, 0}, {2, 0}}},
                   [](L x, double) { return cosine_similarity(x[0], x[1]); }, {2}),
      distance_row({.name = "pairwise_distance",
                    .domain = {positive, negative},
                    .formula = "norm(x1 - x2 + eps)",
                    .conventions = "derivative 0 at distance 0"},
                   {{{3, 4}, {3, 4}}, {{5}, {5}}, {{2, 3, 2}, {3, 2}}, {{0, 3}, {0, 3}}},
                   [](L x, double p) { return pairwise_distance(x[0], x[1], p); }, {2, 1, 2.5, infinity}),
      distance_row(
          Cdist::meta,
          {{{3, 2}, {4, 2}}, {{2, 2, 3}, {1, 3, 3}}, {{0, 3}, {2, 3}}, {{1, 5}, {1, 5}}, {{6, 7}, {35, 7}}},
          [](L x, double p) { return cdist(x[0], x[1], p); }, {2, 1, 3.0, infinity},
          [](L x, double p) { return pairs_reference(x[0], x[1], p); }),
      distance_row({.name = "dist",
                    .domain = {positive, negative},
                    .formula = "norm(x1 - x2)",
                    .conventions = "derivative 0 at distance 0"},
                   {{{3, 4}, {3, 4}}, {{5}, {}}, {{2, 1, 2}, {3, 2}}, {{0}, {0}}},
                   [](L x, double p) { return dist(x[0], x[1], p); }, {2, 1, 2.5}),
      distance_row(
          Pdist::meta, {{{4, 2}}, {{2, 3}}, {{1, 3}}, {{0, 2}}, {{37, 1}}},
          [](L x, double p) { return pdist(x[0], p); }, {2, 1, 3.0, infinity},
          [](L x, double p) { return Pdist::reference_of(x[0], p); }),
      distance_row({.name = "renorm",
                    .domain = {all_different},
                    .formula = "x min(1, maxnorm / norm(x))",
                    .conventions = "at norm = maxnorm the derivative is 1"},
                   {{{3, 4}}, {{2, 3, 2}}, {{2, 0}}, {{1, 5}}},
                   [](L x, double p) { return renorm(add(x[0], 2), p, 0, 4.03); }, {2, 1, 3.5})};
}

}  // namespace detail
}  // namespace cadena
