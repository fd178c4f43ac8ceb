// Losses as modules: (input, target) -> a number, or one number per element or sample with Reduction::none.
// The functions themselves, with shapes and errors, are in autodiff/ops.hpp.
#pragma once

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

/// Base of losses without further options.
class Loss : public Module {
 public:
  explicit Loss(Reduction reduction = Reduction::mean) : reduction_(reduction) {}

 protected:
  Reduction reduction() const { return reduction_; }

 private:
  Reduction reduction_;
};

/// (input - target)^2
class MSELoss : public Loss {
 public:
  using Loss::Loss;
  Tensor operator()(const Tensor& input, const Tensor& target) const;
};

/// -(target log(p) + (1 - target) log(1 - p)) for probabilities p
class BCELoss : public Loss {
 public:
  using Loss::Loss;
  Tensor operator()(const Tensor& p, const Tensor& target) const;
};

/// The same for logits, sigmoid included, without overflow
class BCEWithLogitsLoss : public Loss {
 public:
  using Loss::Loss;
  Tensor operator()(const Tensor& logits, const Tensor& target) const;
};

/// -log_probs[target] for classes. The weight of the options is kept as buffer "weight".
class NLLLoss : public Loss {
 public:
  explicit NLLLoss(const NllLossOptions& options = {});
  Tensor operator()(const Tensor& log_probs, const Tensor& target) const;
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

/// Softmax and NLLLoss in one. The weight of the options is kept as buffer "weight".
class CrossEntropyLoss : public Loss {
 public:
  explicit CrossEntropyLoss(const CrossEntropyOptions& options = {});
  Tensor operator()(const Tensor& logits, const Tensor& target) const;
  void visit(Visitor& v) override { v("weight", weight); }

  Buffer weight;

 private:
  std::int64_t ignore_index_;
  double label_smoothing_;
};

}  // namespace cadena::nn
