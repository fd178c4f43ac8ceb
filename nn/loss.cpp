#include "nn/loss.hpp"

namespace cadena::nn {

Tensor MSELoss::operator()(const Tensor& input, const Tensor& target) const {
  const NamedScope scope(typeid(*this));
  return mse_loss(input, target, reduction());
}

Tensor BCELoss::operator()(const Tensor& p, const Tensor& target) const {
  const NamedScope scope(typeid(*this));
  return binary_cross_entropy(p, target, reduction());
}

Tensor BCEWithLogitsLoss::operator()(const Tensor& logits, const Tensor& target) const {
  const NamedScope scope(typeid(*this));
  return binary_cross_entropy_with_logits(logits, target, reduction());
}

NLLLoss::NLLLoss(const NllLossOptions& o)
    : Loss(o.reduction), weight(o.weight), ignore_index_(o.ignore_index) {}

Tensor NLLLoss::operator()(const Tensor& log_probs, const Tensor& target) const {
  const NamedScope scope(typeid(*this));
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

Tensor CrossEntropyLoss::operator()(const Tensor& logits, const Tensor& target) const {
  const NamedScope scope(typeid(*this));
  return cross_entropy(logits, target,
                       {.reduction = reduction(),
                        .ignore_index = ignore_index_,
                        .weight = weight,
                        .label_smoothing = label_smoothing_});
}

}  // namespace cadena::nn
