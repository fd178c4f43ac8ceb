#include "nn/loss.hpp"

namespace cadena::nn {

Tensor BCELoss::forward(const Tensor& p, const Tensor& t) {
  return binary_cross_entropy(p, t, {.reduction = reduction(), .weight = weight});
}

Tensor BCEWithLogitsLoss::forward(const Tensor& logits, const Tensor& t) {
  return binary_cross_entropy_with_logits(
      logits, t, {.reduction = reduction(), .weight = weight, .pos_weight = pos_weight});
}

void BCEWithLogitsLoss::visit(Visitor& v) {
  v("weight", weight);
  v("pos_weight", pos_weight);
}

NLLLoss::NLLLoss(const NllLossOptions& o)
    : Loss(o.reduction), weight(o.weight), ignore_index_(o.ignore_index) {}

Tensor NLLLoss::forward(const Tensor& log_probs, const Tensor& target) {
  return nll_loss(log_probs, target,
                  {.reduction = reduction(), .ignore_index = ignore_index_, .weight = weight});
}

Tensor CTCLoss::operator()(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                           const Tensor& target_lengths) const {
  const NamedScope scope(typeid(*this));
  return ctc_loss(log_probs, targets, input_lengths, target_lengths, options_);
}

CrossEntropyLoss::CrossEntropyLoss(const CrossEntropyOptions& o)
    : Loss(o.reduction),
      weight(o.weight),
      ignore_index_(o.ignore_index),
      label_smoothing_(o.label_smoothing) {
  if (!(label_smoothing_ >= 0 && label_smoothing_ <= 1))
    throw ValueError("[CrossEntropyLoss] expected 0 <= label_smoothing <= 1, got " +
                     std::to_string(label_smoothing_));
}

Tensor CrossEntropyLoss::forward(const Tensor& logits, const Tensor& target) {
  return cross_entropy(logits, target,
                       {.reduction = reduction(),
                        .ignore_index = ignore_index_,
                        .weight = weight,
                        .label_smoothing = label_smoothing_});
}

MultiMarginLoss::MultiMarginLoss(const MultiMarginLossOptions& o)
    : Loss(o.reduction), weight(o.weight), p_(o.p), margin_(o.margin) {}

Tensor MultiMarginLoss::forward(const Tensor& x, const Tensor& target) {
  return multi_margin_loss(x, target,
                           {.p = p_, .margin = margin_, .weight = weight, .reduction = reduction()});
}

}  // namespace cadena::nn
