// Losses that ask for a margin between scores or distances.
#include <algorithm>

#include "autodiff/core/losses.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/core/tape.hpp"
#include "autodiff/formulas/loss.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/kernels/class_loss.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/contraction.hpp"
#include "autodiff/ops/distance.hpp"
#include "autodiff/ops/index.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/scan.hpp"
#include "autodiff/ops/scatter.hpp"

namespace cadena {
namespace detail {
namespace {

/// u = x / sqrt(|x|^2 + eps) and 1 - |u|^2 = eps / (|x|^2 + eps), along the last axis. Long vectors are
/// shortened first, by a constant that cancels, so that their squares do not overflow.
std::pair<Tensor, Tensor> unit_vector(const Tensor& x, double eps) {
  Tensor length = ones({}, x.dtype());
  if (x.size(-1) > 0) {
    const NoGrad guard;
    length = maximum(amax(abs(x), -1, true), 1);
  }
  const Tensor v = div(x, length), rest = div(eps, square(length)),
               s = add(elementwise_sum(formulas::SquareSum{}, x.dim() - 1, true, v), rest);
  return {div(v, sqrt(s)), div(rest, s)};
}

/// @throws IndexError for what is not in [0, classes), apart from `also`
void check_classes(const char* op, const Tensor& target, std::int64_t classes, std::int64_t also) {
  if (target.numel() == 0) return;
  repeatable(op, [=] {
    const auto bad = kernels::find_bad_target<float>(target.numel(), classes,
                                                     {contiguous(target).data<std::int64_t>(), also});
    if (bad)
      throw IndexError("[" + std::string(op) + "] expected targets in [0, " + std::to_string(classes) +
                       (also < 0 ? ") or " + std::to_string(also) : ")") + ", got " + std::to_string(*bad));
  });
}

void check_scores(const char* op, const Tensor& x, const Tensor& target, const Shape& expected) {
  check_real(op, x);
  if (target.dtype() != i64)
    throw DtypeError("[" + std::string(op) + "] expected i64 targets, got " +
                     std::string(name(target.dtype())));
  if ((x.dim() != 1 && x.dim() != 2) || !(target.shape() == expected))
    throw ShapeError("[" + std::string(op) + "] expected scores (N, C) or (C) and targets that fit, got " +
                     to_string(x.shape()) + " and " + to_string(target.shape()));
}

void check_weight(const char* op, const Tensor& weight, std::int64_t classes) {
  if (weight.defined() && !(weight.shape() == Shape{classes}))
    throw ShapeError("[" + std::string(op) + "] expected one weight per class (" + std::to_string(classes) +
                     "), got " + to_string(weight.shape()));
}

double at_least_one(std::int64_t classes) { return static_cast<double>(std::max<std::int64_t>(classes, 1)); }

/// max(0, d(a, p) - d(a, n) + margin)
Tensor triplet(const char* op, const Tensor& a, const Tensor& p, const Tensor& n, const Distance& distance,
               double margin, bool swap, Reduction reduction) {
  if (!(margin > 0))
    throw ValueError("[" + std::string(op) + "] expected margin > 0, got " + std::to_string(margin));
  if (a.dim() != p.dim() || a.dim() != n.dim())
    throw ShapeError("[" + std::string(op) + "] expected three tensors of one rank, got " +
                     to_string(a.shape()) + ", " + to_string(p.shape()) + " and " + to_string(n.shape()));
  const Tensor near = distance(a, p);
  Tensor far = distance(a, n);
  if (swap) far = minimum(far, distance(p, n));
  return reduced(relu(add(sub(near, far), margin)), reduction);
}

}  // namespace
}  // namespace detail

Tensor margin_ranking_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin,
                           Reduction reduction) {
  broadcast("margin_ranking_loss", broadcast("margin_ranking_loss", x1.shape(), x2.shape()), target.shape());
  return detail::reduced(relu(add(mul(neg(target), sub(x1, x2)), margin)), reduction);
}

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, double margin, Reduction reduction) {
  detail::check_same_shape("hinge_embedding_loss", x, target);
  const Tensor negative = where(ne(target, 1), relu(sub(margin, x)), 0);
  return detail::reduced(add(negative, where(ne(target, -1), x, 0)), reduction);
}

Tensor soft_margin_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  detail::check_same_shape("soft_margin_loss", x, target);
  return detail::reduced_elementwise(formulas::SoftMargin{}, reduction, x, target);
}

Tensor multi_margin_loss(const Tensor& x, const Tensor& target, const MultiMarginLossOptions& o) {
  constexpr auto op = "multi_margin_loss";
  detail::check_scores(op, x, target, x.dim() == 2 ? Shape{x.size(0)} : Shape{});
  if (x.dim() == 1) {
    const Tensor loss = multi_margin_loss(unsqueeze(x, 0), unsqueeze(target, 0), o);
    return o.reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  const auto classes = x.size(1);
  detail::check_weight(op, o.weight, classes);
  detail::check_classes(op, target, classes, 0);
  if (o.p != 1 && o.p != 2)
    throw ValueError("[multi_margin_loss] expected p of 1 or 2, got " + std::to_string(o.p));
  const Tensor column = unsqueeze(target, 1);
  Tensor gaps = relu(add(sub(x, gather(x, 1, column)), o.margin));
  if (o.p == 2) gaps = square(gaps);
  if (o.weight.defined()) gaps = mul(gaps, unsqueeze(index_select(to(o.weight, x.dtype()), 0, target), 1));
  const Tensor others = ne(one_hot(target, classes), 1);
  return detail::reduced(div(sum(where(others, gaps, 0), 1), detail::at_least_one(classes)), o.reduction);
}

Tensor multilabel_margin_loss(const Tensor& x, const Tensor& target, Reduction reduction) {
  constexpr auto op = "multilabel_margin_loss";
  detail::check_scores(op, x, target, x.shape());
  if (x.dim() == 1) {
    const Tensor loss = multilabel_margin_loss(unsqueeze(x, 0), unsqueeze(target, 0), reduction);
    return reduction == Reduction::none ? squeeze(loss, 0) : loss;
  }
  detail::check_classes(op, target, x.size(1), -1);
  // Labels count up to the first -1.
  const Tensor listed = eq(cumsum(to(lt(target, 0), i64), 1), 0), safe = where(listed, target, 0);
  const Tensor is_true = gt(scatter_add(zeros(x.shape(), i64), 1, safe, to(listed, i64)), 0);
  const Tensor gaps = relu(add(sub(unsqueeze(x, 1), unsqueeze(gather(x, 1, safe), 2)), 1));  // (N, j, i)
  const Tensor counts = logical_and(unsqueeze(listed, 2), logical_not(unsqueeze(is_true, 1)));
  return detail::reduced(div(sum(where(counts, gaps, 0), {1, 2}), detail::at_least_one(x.size(1))),
                         reduction);
}

Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& target, const Tensor& weight,
                                   Reduction reduction) {
  constexpr auto op = "multilabel_soft_margin_loss";
  detail::check_same_shape(op, x, target);
  if (x.dim() == 0)
    throw ShapeError("[multilabel_soft_margin_loss] expected classes along the last axis, got ()");
  detail::check_weight(op, weight, x.size(-1));
  Tensor losses = sub(softplus(x), mul(x, target));
  if (weight.defined()) losses = mul(losses, weight);
  return detail::reduced(div(sum(losses, -1), detail::at_least_one(x.size(-1))), reduction);
}

Tensor cosine_embedding_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin,
                             Reduction reduction) {
  detail::check_same_shape("cosine_embedding_loss", x1, x2);
  const bool single = x1.dim() == 1 && target.dim() == 0;
  if (!single && !(x1.dim() == 2 && target.shape() == Shape{x1.size(0)}))
    throw ShapeError("[cosine_embedding_loss] expected (N, D) and targets (N), or (D) and (), got " +
                     to_string(x1.shape()) + " and " + to_string(target.shape()));
  constexpr double eps = 1e-12;
  // 1 - cos as |u1 - u2|^2 / 2, which loses no digits where the two point the same way; eps makes the u a
  // little shorter than 1.
  const auto [u1, rest1] = detail::unit_vector(x1, eps);
  const auto [u2, rest2] = detail::unit_vector(x2, eps);
  const Tensor rest = squeeze(add(rest1, rest2), -1);
  const Tensor apart =
      mul(0.5, add(detail::elementwise_sum(formulas::SquareDistance{}, x1.dim() - 1, false, u1, u2), rest));
  const Tensor near = relu(sub(vecdot(u1, u2), margin));
  return detail::reduced(add(where(eq(target, 1), apart, 0), where(eq(target, -1), near, 0)), reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& o) {
  const auto distance = [&](const Tensor& a, const Tensor& b) { return pairwise_distance(a, b, o.p, o.eps); };
  return detail::triplet("triplet_margin_loss", anchor, positive, negative, distance, o.margin, o.swap,
                         o.reduction);
}

Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletMarginDistanceOptions& o) {
  const auto euclidean = [](const Tensor& a, const Tensor& b) { return pairwise_distance(a, b); };
  return detail::triplet("triplet_margin_with_distance_loss", anchor, positive, negative,
                         o.distance_function ? o.distance_function : euclidean, o.margin, o.swap,
                         o.reduction);
}

namespace detail {
namespace {

constexpr Reduction reductions[] = {Reduction::mean, Reduction::sum, Reduction::none};

/// Targets of 1 and -1 in turn.
Tensor signs(const Shape& shape) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(i % 2 == 0 ? 1 : -1);
  return tensor(values, shape);
}

/// A loss of `count` tensors of a shape, and of targets made from the shape.
OpInfo margin_row(const Meta& meta, std::size_t count, std::initializer_list<Shape> shapes,
                  const std::function<Tensor(const TensorList&, const Shape&, Reduction)>& loss) {
  std::vector<Case> cases;
  for (const Shape& shape : shapes)
    for (auto r : reductions)
      if (r != Reduction::mean || shape.numel() > 0)
        cases.push_back(
            {std::vector<Shape>(count, shape), [=](const TensorList& x) { return loss(x, shape, r); }});
  return composite(case_row(meta, "loss", std::move(cases), [loss, count](std::int64_t n) {
    const Shape shape{std::max<std::int64_t>(1, n / 16), 16};
    return Case{std::vector<Shape>(count, shape),
                [=](const TensorList& x) { return loss(x, shape, Reduction::mean); }};
  }));
}

Tensor classes_of(const Shape& shape) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < shape[0]; ++i) values.push_back((3 * i + 1) % shape[1]);
  return tensor(values);
}
/// Two labels a row, then -1.
Tensor labels_of(const Shape& shape) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < shape[0]; ++i)
    for (std::int64_t k = 0; k < shape[1]; ++k) values.push_back(k < 2 ? (3 * i + 2 * k + 1) % shape[1] : -1);
  return tensor(values, shape);
}

constexpr Domain low{.low = 0.1, .high = 0.4}, high{.low = 1.6, .high = 1.9};

}  // namespace

OpList margin_ops() {
  using L = const TensorList&;
  using S = const Shape&;
  return {
      margin_row({.name = "margin_ranking_loss",
                  .domain = {low, high},
                  .formula = "mean(max(0, -t (x1 - x2) + margin))"},
                 2, {{5}, {3, 4}, {0}},
                 [](L x, S s, Reduction r) { return margin_ranking_loss(x[0], x[1], signs(s), 0.5, r); }),
      margin_row({.name = "hinge_embedding_loss",
                  .domain = {low},
                  .formula = "mean(x, or max(0, margin - x) for t = -1)"},
                 1, {{}, {5}, {3, 4}, {0}},
                 [](L x, S s, Reduction r) { return hinge_embedding_loss(x[0], signs(s), 1, r); }),
      margin_row({.name = "soft_margin_loss", .formula = "mean(log(1 + exp(-t x)))"}, 1,
                 {{}, {5}, {3, 4}, {0}},
                 [](L x, S s, Reduction r) { return soft_margin_loss(x[0], signs(s), r); }),
      margin_row({.name = "multi_margin_loss",
                  .domain = {low},  // closer together than the margin
                  .formula = "mean(sum over i != t of max(0, margin - x[t] + x[i])^p / C)",
                  .conventions = "derivative 0 at the margin"},
                 1, {{4, 5}, {1, 3}, {2, 1}, {0, 4}},
                 [](L x, S s, Reduction r) {
                   const Tensor weight = add(mul(arange(0, s[1], 1, f32), 0.125), 0.5);
                   return add(multi_margin_loss(x[0], classes_of(s), {.reduction = r}),
                              multi_margin_loss(x[0], classes_of(s),
                                                {.p = 2, .margin = 0.9, .weight = weight, .reduction = r}));
                 }),
      margin_row({.name = "multilabel_margin_loss",
                  .domain = {low},
                  .formula = "mean(sum over true j, other i of max(0, 1 - x[j] + x[i]) / C)",
                  .conventions = "derivative 0 at the margin"},
                 1, {{4, 5}, {1, 3}, {0, 4}},
                 [](L x, S s, Reduction r) { return multilabel_margin_loss(x[0], labels_of(s), r); }),
      margin_row({.name = "multilabel_soft_margin_loss",
                  .domain = {real, unit},
                  .formula = "mean over classes and rows of softplus(x) - x y"},
                 2, {{5}, {4, 5}, {0, 4}},
                 [](L x, S s, Reduction r) {
                   const Tensor weight = add(mul(arange(0, s[s.rank() - 1], 1, f32), 0.125), 0.5);
                   return add(multilabel_soft_margin_loss(x[0], x[1], {}, r),
                              multilabel_soft_margin_loss(x[0], x[1], weight, r));
                 }),
      margin_row(
          {.name = "cosine_embedding_loss",
           .domain = {low, high},  // all angles are small
           .formula = "mean(1 - cos(x1, x2), or max(0, cos(x1, x2) - margin) for t = -1)"},
          2, {{4, 5}, {1, 3}, {0, 4}},
          [](L x, S s, Reduction r) { return cosine_embedding_loss(x[0], x[1], signs({s[0]}), 0.1, r); }),
      margin_row({.name = "triplet_margin_loss",
                  .domain = {low, high, Domain{.low = -1.5, .high = -1}},
                  .formula = "mean(max(0, d(a, p) - d(a, n) + margin))"},
                 3, {{4, 5}, {3}, {0, 4}},
                 [](L x, S, Reduction r) {
                   return add(triplet_margin_loss(x[0], x[1], x[2], {.margin = 9, .reduction = r}),
                              triplet_margin_loss(x[0], x[1], x[2],
                                                  {.margin = 9, .p = 3, .swap = true, .reduction = r}));
                 }),
      margin_row({.name = "triplet_margin_with_distance_loss",
                  .domain = {low, high, Domain{.low = -1.5, .high = -1}},
                  .formula = "mean(max(0, d(a, p) - d(a, n) + margin))"},
                 3, {{4, 5}, {3}, {0, 4}}, [](L x, S, Reduction r) {
                   const auto l1 = [](const Tensor& a, const Tensor& b) { return sum(abs(sub(a, b)), -1); };
                   return triplet_margin_with_distance_loss(
                       x[0], x[1], x[2], {.distance_function = l1, .margin = 99, .reduction = r});
                 })};
}

}  // namespace detail
}  // namespace cadena
