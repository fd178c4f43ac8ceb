// Losses of likeness: pairs of embeddings, and regions that should be one.
#include <algorithm>

#include "autodiff/core/losses.hpp"
#include "autodiff/core/op.hpp"
#include "autodiff/formulas/sums.hpp"
#include "autodiff/ops/activation.hpp"
#include "autodiff/ops/arithmetic.hpp"
#include "autodiff/ops/choice.hpp"
#include "autodiff/ops/contraction.hpp"
#include "autodiff/ops/distance.hpp"
#include "autodiff/ops/indexing.hpp"
#include "autodiff/ops/logic.hpp"
#include "autodiff/ops/movement.hpp"
#include "autodiff/ops/product.hpp"
#include "autodiff/ops/rounding.hpp"
#include "autodiff/ops/slicing.hpp"

namespace cadena {

Tensor contrastive_loss(const Tensor& x1, const Tensor& x2, const Tensor& target,
                        const ContrastiveLossOptions& o) {
  detail::check_same_shape("contrastive_loss", x1, x2);
  const bool single = x1.dim() == 1 && target.dim() == 0;
  if (!single && !(x1.dim() == 2 && target.shape() == Shape{x1.size(0)}))
    throw ShapeError("[contrastive_loss] expected (N, D) and targets (N), or (D) and (), got " +
                     to_string(x1.shape()) + " and " + to_string(target.shape()));
  if (!(o.margin > 0))
    throw ValueError("[contrastive_loss] expected margin > 0, got " + std::to_string(o.margin));
  const Tensor squares = detail::elementwise_sum(formulas::SquareDistance{}, x1.dim() - 1, false, x1, x2),
               none = eq(squares, 0);
  const Tensor d = where(none, 0, sqrt(where(none, 1, squares)));
  const Tensor alike = where(eq(target, 1), squares, 0);
  const Tensor unlike = where(eq(target, -1), square(relu(sub(o.margin, d))), 0);
  return detail::reduced(mul(add(alike, unlike), 0.5), o.reduction);
}

Tensor info_nce_loss(const Tensor& query, const Tensor& positive, const InfoNceLossOptions& o) {
  constexpr auto op = "info_nce_loss";
  detail::check_same_shape(op, query, positive);
  detail::check_real(op, query);
  const bool given = o.negatives.defined();
  const int rank = given ? o.negatives.dim() : 2;
  if (query.dim() != 2 || (rank != 2 && rank != 3) || (given && o.negatives.size(-1) != query.size(1)) ||
      (rank == 3 && o.negatives.size(0) != query.size(0)))
    throw ShapeError(
        "[info_nce_loss] expected queries and positives (N, D), negatives (M, D) or (N, M, D), "
        "got " +
        to_string(query.shape()) + (given ? " and " + to_string(o.negatives.shape()) : ""));
  if (!(o.temperature > 0))
    throw ValueError("[info_nce_loss] expected temperature > 0, got " + std::to_string(o.temperature));
  const Tensor q = normalize(query, 2, -1), p = normalize(positive, 2, -1);
  const auto n = query.size(0);
  if (!given)
    return cross_entropy(div(matmul(q, t(p)), o.temperature), arange(n), {.reduction = o.reduction});
  const Tensor others = normalize(o.negatives, 2, -1);
  const Tensor unlike = rank == 2 ? matmul(q, t(others)) : vecdot(unsqueeze(q, 1), others);
  const Tensor scores = cat({unsqueeze(vecdot(q, p), 1), unlike}, 1);
  return cross_entropy(div(scores, o.temperature), zeros({n}, i64), {.reduction = o.reduction});
}

Tensor dice_loss(const Tensor& p, const Tensor& target, const DiceLossOptions& o) {
  detail::check_same_shape("dice_loss", p, target);
  detail::check_real("dice_loss", p);
  if (p.dim() < 3) throw ShapeError("[dice_loss] expected regions (N, C, ...), got " + to_string(p.shape()));
  if (!(o.smooth >= 0)) throw ValueError("[dice_loss] expected smooth >= 0, got " + std::to_string(o.smooth));
  const auto over_region = [](const Tensor& x) { return sum(flatten(x, 2), 2); };
  const Tensor common = over_region(mul(p, target));
  const Tensor sizes = o.squared ? add(over_region(square(p)), over_region(square(target)))
                                 : add(over_region(p), over_region(target));
  return detail::reduced(sub(1, div(add(mul(common, 2), o.smooth), add(sizes, o.smooth))), o.reduction);
}

namespace detail {
namespace {

constexpr Reduction reductions[] = {Reduction::mean, Reduction::sum, Reduction::none};

using Call = std::function<Tensor(const TensorList&, Reduction)>;

OpInfo similarity_row(const Meta& meta, const std::vector<std::pair<std::vector<Shape>, Call>>& calls,
                      const std::vector<Shape>& large) {
  std::vector<Case> cases;
  for (const auto& [shapes, call] : calls)
    for (auto r : reductions)
      if (r != Reduction::mean || shapes[0].numel() > 0)
        cases.push_back({shapes, [call = call, r](const TensorList& x) { return call(x, r); }});
  return composite(case_row(meta, "loss", std::move(cases), [=, call = calls[0].second](std::int64_t n) {
    auto shapes = large;
    for (auto& shape : shapes) shape[0] = std::max<std::int64_t>(1, n / shape.numel());
    return Case{shapes, [call](const TensorList& x) { return call(x, Reduction::mean); }};
  }));
}

/// 1 and -1 in turn.
Tensor turns(std::int64_t n) { return sub(1, mul(remainder(arange(n), 2), 2)); }

}  // namespace

OpList similarity_ops() {
  using L = const TensorList&;
  const Call contrastive = [](L x, Reduction r) {
    const Tensor target = x[0].dim() == 1 ? tensor(-1) : turns(x[0].size(0));
    return contrastive_loss(x[0], x[1], target, {.margin = 9, .reduction = r});
  };
  const Call among_positives = [](L x, Reduction r) {
    return info_nce_loss(x[0], x[1], {.temperature = 0.5, .reduction = r});
  };
  const Call among_negatives = [](L x, Reduction r) {
    return info_nce_loss(x[0], x[1], {.temperature = 0.7, .negatives = x[2], .reduction = r});
  };
  const Call dice = [](L x, Reduction r) { return dice_loss(x[0], x[1], {.smooth = 0.5, .reduction = r}); };
  const Call squared = [](L x, Reduction r) {
    return dice_loss(x[0], x[1], {.squared = true, .smooth = 0.5, .reduction = r});
  };
  constexpr Domain low{.low = 0.1, .high = 0.4}, high{.low = 1.6, .high = 1.9};
  return {
      similarity_row(
          {.name = "contrastive_loss",
           .domain = {low, high},
           .formula = "mean(d^2 / 2, or max(0, margin - d)^2 / 2 for t = -1)",
           .conventions = "derivative 0 for equal points"},
          {{{{4, 5}, {4, 5}}, contrastive}, {{{3}, {3}}, contrastive}, {{{0, 4}, {0, 4}}, contrastive}},
          {{1, 16}, {1, 16}}),
      similarity_row({.name = "info_nce_loss",
                      .domain = {high, high, high},
                      .formula = "mean(-log softmax(cos(q, keys) / temperature)[positive])"},
                     {{{{4, 3}, {4, 3}}, among_positives},
                      {{{3, 4}, {3, 4}, {2, 4}}, among_negatives},
                      {{{2, 3}, {2, 3}, {2, 4, 3}}, among_negatives}},
                     {{1, 256}, {1, 256}}),
      similarity_row({.name = "dice_loss",
                      .domain = {unit, unit},
                      .formula = "mean(1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth))"},
                     {{{{2, 3, 4}, {2, 3, 4}}, dice},
                      {{{2, 1, 3, 2}, {2, 1, 3, 2}}, squared},
                      {{{0, 2, 3}, {0, 2, 3}}, dice}},
                     {{1, 2, 16, 16}, {1, 2, 16, 16}}),
  };
}

}  // namespace detail
}  // namespace cadena
