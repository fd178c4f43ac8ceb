// Activations as layers; the functions themselves are in autodiff/ops.hpp.
#pragma once

#include "nn/module.hpp"

namespace cadena::nn {

/// max(0, x)
class ReLU : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// 1 / (1 + exp(-x))
class Sigmoid : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// log(1 / (1 + exp(-x))), without overflow
class LogSigmoid : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

class Tanh : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// log(1 + exp(beta x)) / beta, without overflow; so it needs no threshold, unlike PyTorch's.
class Softplus : public Layer {
 public:
  /// @throws ValueError unless beta > 0
  explicit Softplus(double beta = 1);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double beta_;
};

/// exp(x) / sum(exp(x)) along `axis`
class Softmax : public Layer {
 public:
  explicit Softmax(int axis) : axis_(axis) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  int axis_;
};

/// log(softmax(x)) along `axis`, without overflow
class LogSoftmax : public Layer {
 public:
  explicit LogSoftmax(int axis) : axis_(axis) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  int axis_;
};

/// In training a dropout: zero with probability p, else x / (1 - p), which keeps the mean. x itself if p is
/// 0. The default generator of the calling thread is used. Srivastava et al., JMLR 15 (2014), scaled as is
/// usual.
/// @throws ValueError unless 0 <= p <= 1, DtypeError unless f32 or f64
Tensor dropout(const Tensor& x, double p);

/// `dropout` in training, the identity in evaluation.
class Dropout : public Layer {
 public:
  /// @throws ValueError unless 0 <= p <= 1
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double p_;
};

}  // namespace cadena::nn
