// Losses.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace cadena {

enum class Reduction : std::uint8_t { none, mean, sum };
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// @param p probabilities in [0, 1]; logarithms are clamped at -100 and the gradient agrees. @throws
/// ValueError
Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, Reduction reduction = Reduction::mean);
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        Reduction reduction = Reduction::mean);
struct NllLossOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;  ///< targets with this value contribute nothing
  Tensor weight = {};                ///< one factor per class; the mean divides by their sum
};
/// @param log_probs (N, C) or (C) @param target i64 (N) or (). @throws IndexError for a class outside [0, C)
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options = {});
struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;
  Tensor weight = {};
  double label_smoothing = 0.0;  ///< in [0, 1]
};
/// Softmax and negative log likelihood in one. @param logits (N, C) or (C) @param target i64 (N) or ()
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

}  // namespace cadena
