// Losses: torch.nn.functional's names and defaults. What rounds off at a corner (max(0, x)) has derivative 0
// in it. As modules: nn/loss.hpp.
#pragma once

#include <cstdint>
#include <functional>

#include "autodiff/tensor.hpp"

namespace cadena {

/// Of the losses of all elements or samples: each of them, their mean (of nothing: NaN) or their sum.
enum class Reduction : std::uint8_t { none, mean, sum };

// Regression: input and target of one shape. @throws ShapeError
Tensor mse_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
Tensor l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// d^2 / (2 beta) where |d| < beta, else |d| - beta / 2, for d = input - target. beta = 0 is l1_loss.
/// @throws ValueError for beta < 0
Tensor smooth_l1_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean,
                      double beta = 1);
/// d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2). @throws ValueError unless delta > 0
Tensor huber_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean,
                  double delta = 1);
/// log(cosh(input - target)), without overflow
Tensor log_cosh_loss(const Tensor& input, const Tensor& target, Reduction reduction = Reduction::mean);
/// max(q e, (q - 1) e) for e = target - input, which the q-quantile of the targets minimises. Koenker and
/// Bassett, 1978. @throws ValueError unless 0 < q < 1
Tensor quantile_loss(const Tensor& input, const Tensor& target, double q,
                     Reduction reduction = Reduction::mean);

// Likelihoods.
struct PoissonNllLossOptions {
  bool log_input = true;  ///< the input is the logarithm of the rate
  bool full = false;      ///< with Stirling's approximation of log(target!), where target > 1
  double eps = 1e-8;      ///< added to the rate in its logarithm, without log_input
  Reduction reduction = Reduction::mean;
};
/// exp(input) - target input, or input - target log(input + eps). Shapes broadcast.
Tensor poisson_nll_loss(const Tensor& input, const Tensor& target, const PoissonNllLossOptions& options = {});
struct GaussianNllLossOptions {
  bool full = false;  ///< with log(2 pi) / 2
  double eps = 1e-6;  ///< smaller variances count as this, and still get the gradient
  Reduction reduction = Reduction::mean;
};
/// (log(var) + (input - target)^2 / var) / 2. @param var of input's shape, or with 1 for or without the last
/// dimension. @throws ValueError for negative variances and eps <= 0, ShapeError
Tensor gaussian_nll_loss(const Tensor& input, const Tensor& target, const Tensor& var,
                         const GaussianNllLossOptions& options = {});
enum class KlReduction : std::uint8_t { none, mean, sum, batchmean };  ///< batchmean: sum by size(0)
struct KlDivOptions {
  KlReduction reduction = KlReduction::mean;
  bool log_target = false;  ///< the target is the logarithm of a distribution, too
};
/// target (log(target) - input) for the logarithm of a distribution as input; 0 where target is 0. The
/// divergence itself is the sum, or batchmean.
Tensor kl_div(const Tensor& input, const Tensor& target, const KlDivOptions& options = {});

// Two classes: probabilities or logits, and targets in [0, 1] of the same shape.
struct BinaryCrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};  ///< factors of the losses, which broadcast
};
/// @param p probabilities in [0, 1]; logarithms are clamped at -100 and the gradient agrees. @throws
/// ValueError
Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, const BinaryCrossEntropyOptions& options);
Tensor binary_cross_entropy(const Tensor& p, const Tensor& target, Reduction reduction = Reduction::mean);
struct BceWithLogitsOptions {
  Reduction reduction = Reduction::mean;
  Tensor weight = {};      ///< factors of the losses, which broadcast
  Tensor pos_weight = {};  ///< factors of the positive part, which broadcast: > 1 for rare positives
};
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        const BceWithLogitsOptions& options);
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target,
                                        Reduction reduction = Reduction::mean);
struct FocalLossOptions {
  double alpha = 0.25;                    ///< weight of positives, 1 - alpha of negatives; < 0: no weights
  double gamma = 2;                       ///< how much what is right already counts less
  Reduction reduction = Reduction::none;  ///< torchvision's default
};
/// alpha_t (1 - p_t)^gamma (-log p_t), p_t being the probability of what is true. Lin et al.,
/// arXiv:1708.02002.
/// @throws ValueError for gamma < 0, alpha > 1
Tensor sigmoid_focal_loss(const Tensor& logits, const Tensor& target, const FocalLossOptions& options = {});

// Several classes.
struct NllLossOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;  ///< targets with this value contribute nothing
  Tensor weight = {};                ///< one factor per class; the mean divides by their sum
};
/// @param log_probs (N, C, ...) or (C) @param target i64 (N, ...) or (). @throws IndexError for a class
/// outside [0, C)
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options = {});
struct CrossEntropyOptions {
  Reduction reduction = Reduction::mean;
  std::int64_t ignore_index = -100;
  Tensor weight = {};
  double label_smoothing = 0.0;  ///< in [0, 1]
};
/// Softmax and negative log likelihood in one. @param logits (N, C, ...) or (C)
/// @param target i64 (N, ...) or (), or probabilities of logits' shape; then ignore_index means nothing, and
/// the mean divides by the number of samples
Tensor cross_entropy(const Tensor& logits, const Tensor& target, const CrossEntropyOptions& options = {});

// Margins.
/// max(0, -target (x1 - x2) + margin): target 1 where x1 should be the larger, -1 where x2. Shapes broadcast.
Tensor margin_ranking_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin = 0,
                           Reduction reduction = Reduction::mean);
/// x where target is 1, max(0, margin - x) where it is -1 (another target: both)
Tensor hinge_embedding_loss(const Tensor& x, const Tensor& target, double margin = 1,
                            Reduction reduction = Reduction::mean);
/// log(1 + exp(-target x)) for targets of 1 and -1, without overflow
Tensor soft_margin_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
struct MultiMarginLossOptions {
  int p = 1;  ///< 1 or 2
  double margin = 1;
  Tensor weight = {};  ///< one factor per class
  Reduction reduction = Reduction::mean;
};
/// Sum over the other classes i of max(0, margin - x[target] + x[i])^p, by C.
/// @param x (N, C) or (C) @param target i64 (N) or (). @throws IndexError for a class outside [0, C),
/// ValueError
Tensor multi_margin_loss(const Tensor& x, const Tensor& target, const MultiMarginLossOptions& options = {});
/// Sum over true classes j and others i of max(0, 1 - (x[j] - x[i])), by C. @param x (N, C) or (C)
/// @param target i64 of the same shape: the true classes, then -1. @throws IndexError for a class >= C
Tensor multilabel_margin_loss(const Tensor& x, const Tensor& target, Reduction reduction = Reduction::mean);
/// The mean over the classes (the last axis) of the binary cross entropies of logits.
/// @param weight one factor per class
Tensor multilabel_soft_margin_loss(const Tensor& x, const Tensor& target, const Tensor& weight = {},
                                   Reduction reduction = Reduction::mean);

// Similarity.
/// 1 - cos(x1, x2) where target is 1, max(0, cos(x1, x2) - margin) where it is -1.
/// @param x1, x2 (N, D) or (D) @param target (N) or ()
Tensor cosine_embedding_loss(const Tensor& x1, const Tensor& x2, const Tensor& target, double margin = 0,
                             Reduction reduction = Reduction::mean);
struct TripletMarginLossOptions {
  double margin = 1;
  double p = 2;       ///< of the norm
  double eps = 1e-6;  ///< added to differences
  bool swap = false;  ///< the negative's distance is the smaller one of those to anchor and positive
  Reduction reduction = Reduction::mean;
};
/// max(0, d(anchor, positive) - d(anchor, negative) + margin), d being pairwise_distance.
/// @param anchor, positive, negative (N, D) or (D)
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginLossOptions& options = {});
struct ContrastiveLossOptions {
  double margin = 1;
  Reduction reduction = Reduction::mean;
};
/// d^2 / 2 where target is 1, max(0, margin - d)^2 / 2 where it is -1, d being the Euclidean distance of x1
/// and x2; derivative 0 where d is 0. Hadsell et al., CVPR 2006. @param x1, x2 (N, D) or (D)
/// @param target (N) or () @throws ShapeError, ValueError unless margin > 0
Tensor contrastive_loss(const Tensor& x1, const Tensor& x2, const Tensor& target,
                        const ContrastiveLossOptions& options = {});
struct InfoNceLossOptions {
  double temperature = 0.1;
  Tensor negatives = {};  ///< (M, D) for all queries or (N, M, D); the other queries' positives unless given
  Reduction reduction = Reduction::mean;
};
/// The cross entropy of finding each query's positive among its negatives by cosines / temperature. van den
/// Oord et al., arXiv:1807.03748; with `negatives` left out as in SimCLR and CLIP. @param query (N, D)
/// @param positive (N, D) @throws ShapeError, ValueError unless temperature > 0
Tensor info_nce_loss(const Tensor& query, const Tensor& positive, const InfoNceLossOptions& options = {});
using Distance = std::function<Tensor(const Tensor&, const Tensor&)>;
struct TripletMarginDistanceOptions {
  Distance distance_function = {};  ///< pairwise_distance unless given
  double margin = 1;
  bool swap = false;
  Reduction reduction = Reduction::mean;
};
/// The same for another distance.
Tensor triplet_margin_with_distance_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                                         const TripletMarginDistanceOptions& options = {});

// Overlap.
struct DiceLossOptions {
  bool squared = false;  ///< p^2 and t^2 in the denominator, as in the paper
  double smooth = 1e-5;  ///< added above and below: 0 for two empty regions
  Reduction reduction = Reduction::mean;
};
/// 1 - (2 sum(p t) + smooth) / (sum(p) + sum(t) + smooth), of every sample and channel the sums over the
/// region. Milletari et al., arXiv:1606.04797. @param p probabilities (N, C, ...) @param target of the same
/// shape @return (N, C) with Reduction::none @throws ShapeError, ValueError for smooth < 0
Tensor dice_loss(const Tensor& p, const Tensor& target, const DiceLossOptions& options = {});

}  // namespace cadena
