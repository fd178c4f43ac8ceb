// Losses as modules: a number, or one number per element or sample with Reduction::none. The functions
// themselves, with formulas, shapes and errors, are in autodiff/ops/loss.hpp.
#pragma once

#include <utility>

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

/// Base of losses of an input and a target.
class Loss : public Callable {
 public:
  Tensor operator()(const Tensor& input, const Tensor& target) {
    return call([this](const Tensor& x, const Tensor& t) { return forward(x, t); }, input, target);
  }
  virtual Tensor forward(const Tensor& input, const Tensor& target) = 0;

 protected:
  explicit Loss(Reduction reduction) : reduction_(reduction) {}
  Reduction reduction() const { return reduction_; }

 private:
  Reduction reduction_;
};

/// Base of losses of three tensors.
class TripleLoss : public Callable {
 public:
  Tensor operator()(const Tensor& a, const Tensor& b, const Tensor& c) {
    return call([this](const Tensor& x, const Tensor& y, const Tensor& z) { return forward(x, y, z); }, a, b,
                c);
  }
  virtual Tensor forward(const Tensor& a, const Tensor& b, const Tensor& c) = 0;
};

// ---- Regression

class MSELoss : public Loss {
 public:
  explicit MSELoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return mse_loss(x, t, reduction()); }
};

class L1Loss : public Loss {
 public:
  explicit L1Loss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return l1_loss(x, t, reduction()); }
};

class SmoothL1Loss : public Loss {
 public:
  explicit SmoothL1Loss(Reduction reduction = Reduction::mean, double beta = 1)
      : Loss(reduction), beta_(beta) {}
  Tensor forward(const Tensor& x, const Tensor& t) override {
    return smooth_l1_loss(x, t, reduction(), beta_);
  }

 private:
  double beta_;
};

class HuberLoss : public Loss {
 public:
  explicit HuberLoss(Reduction reduction = Reduction::mean, double delta = 1)
      : Loss(reduction), delta_(delta) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return huber_loss(x, t, reduction(), delta_); }

 private:
  double delta_;
};

class LogCoshLoss : public Loss {
 public:
  explicit LogCoshLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return log_cosh_loss(x, t, reduction()); }
};

class QuantileLoss : public Loss {
 public:
  explicit QuantileLoss(double q, Reduction reduction = Reduction::mean) : Loss(reduction), q_(q) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return quantile_loss(x, t, q_, reduction()); }

 private:
  double q_;
};

// ---- Likelihoods

class PoissonNLLLoss : public Loss {
 public:
  explicit PoissonNLLLoss(const PoissonNllLossOptions& options = {})
      : Loss(options.reduction), options_(options) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return poisson_nll_loss(x, t, options_); }

 private:
  PoissonNllLossOptions options_;
};

/// (input, target, variance)
class GaussianNLLLoss : public TripleLoss {
 public:
  explicit GaussianNLLLoss(const GaussianNllLossOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x, const Tensor& t, const Tensor& var) override {
    return gaussian_nll_loss(x, t, var, options_);
  }

 private:
  GaussianNllLossOptions options_;
};

class KLDivLoss : public Loss {
 public:
  explicit KLDivLoss(const KlDivOptions& options = {}) : Loss(Reduction::mean), options_(options) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return kl_div(x, t, options_); }

 private:
  KlDivOptions options_;
};

// ---- Classes. Weights of the options are kept as buffers.

/// Of probabilities.
class BCELoss : public Loss {
 public:
  explicit BCELoss(const BinaryCrossEntropyOptions& options = {})
      : Loss(options.reduction), weight(options.weight) {}
  explicit BCELoss(Reduction reduction) : Loss(reduction) {}
  Tensor forward(const Tensor& p, const Tensor& t) override;
  void visit(Visitor& v) override { v("weight", weight); }

  Buffer weight;
};

/// Of logits: sigmoid included, without overflow.
class BCEWithLogitsLoss : public Loss {
 public:
  explicit BCEWithLogitsLoss(const BceWithLogitsOptions& options = {})
      : Loss(options.reduction), weight(options.weight), pos_weight(options.pos_weight) {}
  explicit BCEWithLogitsLoss(Reduction reduction) : Loss(reduction) {}
  Tensor forward(const Tensor& logits, const Tensor& t) override;
  void visit(Visitor& v) override;

  Buffer weight, pos_weight;
};

/// Sigmoid included.
class FocalLoss : public Loss {
 public:
  explicit FocalLoss(const FocalLossOptions& options = {.reduction = Reduction::mean})
      : Loss(options.reduction), options_(options) {}
  Tensor forward(const Tensor& logits, const Tensor& t) override {
    return sigmoid_focal_loss(logits, t, options_);
  }

 private:
  FocalLossOptions options_;
};

/// -log_probs[target] for classes.
class NLLLoss : public Loss {
 public:
  explicit NLLLoss(const NllLossOptions& options = {});
  Tensor forward(const Tensor& log_probs, const Tensor& target) override;
  void visit(Visitor& v) override { v("weight", weight); }

  Buffer weight;

 private:
  std::int64_t ignore_index_;
};

/// ctc_loss: (log_probs, targets, input_lengths, target_lengths) -> the loss.
class CTCLoss : public Module {
 public:
  explicit CTCLoss(const CtcLossOptions& options = {}) : options_(options) {}
  Tensor operator()(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                    const Tensor& target_lengths) const;

 private:
  CtcLossOptions options_;
};

/// Softmax and NLLLoss in one.
class CrossEntropyLoss : public Loss {
 public:
  /// @throws ValueError unless 0 <= label_smoothing <= 1
  explicit CrossEntropyLoss(const CrossEntropyOptions& options = {});
  Tensor forward(const Tensor& logits, const Tensor& target) override;
  void visit(Visitor& v) override { v("weight", weight); }

  Buffer weight;

 private:
  std::int64_t ignore_index_;
  double label_smoothing_;
};

// ---- Margins

/// (x1, x2, target)
class MarginRankingLoss : public TripleLoss {
 public:
  explicit MarginRankingLoss(double margin = 0, Reduction reduction = Reduction::mean)
      : margin_(margin), reduction_(reduction) {}
  Tensor forward(const Tensor& x1, const Tensor& x2, const Tensor& t) override {
    return margin_ranking_loss(x1, x2, t, margin_, reduction_);
  }

 private:
  double margin_;
  Reduction reduction_;
};

class HingeEmbeddingLoss : public Loss {
 public:
  explicit HingeEmbeddingLoss(double margin = 1, Reduction reduction = Reduction::mean)
      : Loss(reduction), margin_(margin) {}
  Tensor forward(const Tensor& x, const Tensor& t) override {
    return hinge_embedding_loss(x, t, margin_, reduction());
  }

 private:
  double margin_;
};

class SoftMarginLoss : public Loss {
 public:
  explicit SoftMarginLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  Tensor forward(const Tensor& x, const Tensor& t) override { return soft_margin_loss(x, t, reduction()); }
};

class MultiMarginLoss : public Loss {
 public:
  explicit MultiMarginLoss(const MultiMarginLossOptions& options = {});
  Tensor forward(const Tensor& x, const Tensor& target) override;
  void visit(Visitor& v) override { v("weight", weight); }

  Buffer weight;

 private:
  int p_;
  double margin_;
};

class MultiLabelMarginLoss : public Loss {
 public:
  explicit MultiLabelMarginLoss(Reduction reduction = Reduction::mean) : Loss(reduction) {}
  Tensor forward(const Tensor& x, const Tensor& t) override {
    return multilabel_margin_loss(x, t, reduction());
  }
};

class MultiLabelSoftMarginLoss : public Loss {
 public:
  explicit MultiLabelSoftMarginLoss(const Tensor& weight = {}, Reduction reduction = Reduction::mean)
      : Loss(reduction), weight(weight) {}
  Tensor forward(const Tensor& x, const Tensor& t) override {
    return multilabel_soft_margin_loss(x, t, weight, reduction());
  }
  void visit(Visitor& v) override { v("weight", weight); }

  Buffer weight;
};

/// Of probabilities, by region.
class DiceLoss : public Loss {
 public:
  explicit DiceLoss(const DiceLossOptions& options = {}) : Loss(options.reduction), options_(options) {}
  Tensor forward(const Tensor& p, const Tensor& t) override { return dice_loss(p, t, options_); }

 private:
  DiceLossOptions options_;
};

// ---- Similarity

/// (x1, x2, target)
class CosineEmbeddingLoss : public TripleLoss {
 public:
  explicit CosineEmbeddingLoss(double margin = 0, Reduction reduction = Reduction::mean)
      : margin_(margin), reduction_(reduction) {}
  Tensor forward(const Tensor& x1, const Tensor& x2, const Tensor& t) override {
    return cosine_embedding_loss(x1, x2, t, margin_, reduction_);
  }

 private:
  double margin_;
  Reduction reduction_;
};

/// (x1, x2, target)
class ContrastiveLoss : public TripleLoss {
 public:
  explicit ContrastiveLoss(const ContrastiveLossOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& x1, const Tensor& x2, const Tensor& t) override {
    return contrastive_loss(x1, x2, t, options_);
  }

 private:
  ContrastiveLossOptions options_;
};

/// (query, positive), among the other positives of the batch
class InfoNCELoss : public Loss {
 public:
  explicit InfoNCELoss(double temperature = 0.1, Reduction reduction = Reduction::mean)
      : Loss(reduction), temperature_(temperature) {}
  Tensor forward(const Tensor& query, const Tensor& positive) override {
    return info_nce_loss(query, positive, {.temperature = temperature_, .reduction = reduction()});
  }

 private:
  double temperature_;
};

/// (anchor, positive, negative)
class TripletMarginLoss : public TripleLoss {
 public:
  explicit TripletMarginLoss(const TripletMarginLossOptions& options = {}) : options_(options) {}
  Tensor forward(const Tensor& anchor, const Tensor& positive, const Tensor& negative) override {
    return triplet_margin_loss(anchor, positive, negative, options_);
  }

 private:
  TripletMarginLossOptions options_;
};

/// (anchor, positive, negative)
class TripletMarginWithDistanceLoss : public TripleLoss {
 public:
  explicit TripletMarginWithDistanceLoss(TripletMarginDistanceOptions options = {})
      : options_(std::move(options)) {}
  Tensor forward(const Tensor& anchor, const Tensor& positive, const Tensor& negative) override {
    return triplet_margin_with_distance_loss(anchor, positive, negative, options_);
  }

 private:
  TripletMarginDistanceOptions options_;
};

}  // namespace cadena::nn
