#include "nn/adaptive_softmax.hpp"

#include <algorithm>
#include <cmath>

#include "autodiff/ops.hpp"

namespace cadena::nn {

namespace {
std::vector<std::int64_t> checked(std::vector<std::int64_t> cutoffs, std::int64_t n_classes) {
  const bool rising =
      std::adjacent_find(cutoffs.begin(), cutoffs.end(), std::greater_equal<>()) == cutoffs.end();
  if (cutoffs.empty() || !rising || cutoffs.front() < 1 || cutoffs.back() >= n_classes)
    throw ValueError("[AdaptiveLogSoftmaxWithLoss] expected cutoffs that rise from 1 to " +
                     std::to_string(n_classes - 1) + ", got " + tensor(cutoffs).to_string());
  cutoffs.push_back(n_classes);
  return cutoffs;
}
}  // namespace

AdaptiveLogSoftmaxWithLoss::AdaptiveLogSoftmaxWithLoss(std::int64_t in_features, std::int64_t n_classes,
                                                       std::vector<std::int64_t> cutoffs,
                                                       const AdaptiveLogSoftmaxOptions& o)
    : head(in_features, cutoffs.empty() ? 0 : cutoffs[0] + static_cast<std::int64_t>(cutoffs.size()),
           {.bias = o.head_bias, .dtype = o.dtype}),
      n_classes_(n_classes),
      cutoffs_(checked(std::move(cutoffs), n_classes)) {
  for (std::size_t i = 0; i + 1 < cutoffs_.size(); ++i) {
    const auto width = static_cast<std::int64_t>(static_cast<double>(in_features) /
                                                 std::pow(o.div_value, static_cast<double>(i + 1)));
    const LinearOptions plain{.bias = false, .dtype = o.dtype};
    tail.push_back(
        Sequential(Linear(in_features, width, plain), Linear(width, cutoffs_[i + 1] - cutoffs_[i], plain)));
  }
}

/// Log probabilities within cluster i.
Tensor AdaptiveLogSoftmaxWithLoss::cluster(std::size_t i, const Tensor& x) {
  return log_softmax(tail[i](x), 1);
}

AdaptiveLogSoftmaxOutput AdaptiveLogSoftmaxWithLoss::forward(const Tensor& x, const Tensor& target) {
  if (x.dim() == 1 && target.dim() == 0) {
    const auto one = forward(x.unsqueeze(0), target.unsqueeze(0));
    return {one.output.squeeze({0}), one.loss};
  }
  if (x.dim() != 2 || !(target.shape() == Shape{x.size(0)}))
    throw ShapeError("[AdaptiveLogSoftmaxWithLoss] expected (N, in) and targets (N), or (in) and (), got " +
                     cadena::to_string(x.shape()) + " and " + cadena::to_string(target.shape()));
  if (target.dtype() != i64)
    throw DtypeError("[AdaptiveLogSoftmaxWithLoss] expected i64 targets, got " +
                     std::string(cadena::name(target.dtype())));
  if (target.numel() > 0 && (min(target).item() < 0 || max(target).item() >= static_cast<double>(n_classes_)))
    throw IndexError("[AdaptiveLogSoftmaxWithLoss] expected targets in [0, " + std::to_string(n_classes_) +
                     "), got " + std::to_string(static_cast<std::int64_t>(min(target).item())) + " to " +
                     std::to_string(static_cast<std::int64_t>(max(target).item())));
  const auto shortlist = cutoffs_[0];
  Tensor at = where(lt(target, shortlist), target, 0);  // of the head: the class, or its cluster
  Tensor output = zeros({x.size(0)}, x.dtype());
  for (std::size_t i = 0; i < tail.size(); ++i) {
    const Tensor inside = logical_and(ge(target, cutoffs_[i]), lt(target, cutoffs_[i + 1]));
    const Tensor rows = nonzero(inside).select(1, 0);
    if (rows.numel() == 0) continue;
    at = where(inside, shortlist + static_cast<std::int64_t>(i), at);
    const Tensor local = index_select(target, 0, rows) - cutoffs_[i];
    const Tensor picked = gather(cluster(i, index_select(x, 0, rows)), 1, local.unsqueeze(1)).squeeze({1});
    output = index_add(output, 0, rows, picked);
  }
  output = output + gather(log_softmax(head(x), 1), 1, at.unsqueeze(1)).squeeze({1});
  return {output, -mean(output)};
}

Tensor AdaptiveLogSoftmaxWithLoss::log_prob(const Tensor& x) {
  const Tensor first = log_softmax(head(x), 1);
  TensorList parts{first.slice(1, {0, cutoffs_[0]})};
  for (std::size_t i = 0; i < tail.size(); ++i)
    parts.push_back(cluster(i, x) + first.select(1, cutoffs_[0] + static_cast<std::int64_t>(i)).unsqueeze(1));
  return cat(parts, 1);
}

Tensor AdaptiveLogSoftmaxWithLoss::predict(const Tensor& x) {
  NoGrad no_grad;
  return argmax(log_prob(x), 1);
}

void AdaptiveLogSoftmaxWithLoss::visit(Visitor& v) {
  v("head", head);
  v("tail", tail);
}

}  // namespace cadena::nn
