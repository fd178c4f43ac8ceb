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

}  // namespace cadena::nn
