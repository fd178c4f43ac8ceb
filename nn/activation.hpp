// Activations as layers, with PyTorch's names and defaults; the functions themselves are in
// autodiff/ops/activation.hpp.
#pragma once

#include "nn/module.hpp"

namespace cadena::nn {

/// max(0, x)
class ReLU : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// min(max(0, x), 6)
class ReLU6 : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// Keeps mean 0 and variance 1; wants lecun_normal weights
class SELU : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// x sigmoid(x)
class SiLU : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// x tanh(softplus(x))
class Mish : public Layer {
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

/// x / (1 + |x|)
class Softsign : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// x - tanh(x)
class Tanhshrink : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// relu6(x + 3) / 6
class Hardsigmoid : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// x relu6(x + 3) / 6
class Hardswish : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
};

/// x, or negative_slope x where x <= 0
class LeakyReLU : public Layer {
 public:
  explicit LeakyReLU(double negative_slope = 0.01) : negative_slope_(negative_slope) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double negative_slope_;
};

/// x, or slope x where x <= 0: in training of each element its own slope, uniform within [lower, upper], else
/// their mean
class RReLU : public Layer {
 public:
  /// @throws ValueError unless lower <= upper
  explicit RReLU(double lower = 1.0 / 8, double upper = 1.0 / 3);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double lower_, upper_;
};

/// x, or weight x where x <= 0: one learned slope, or one for each channel (axis 1). He et al., 2015.
class PReLU : public Layer {
 public:
  /// @throws ShapeError unless num_parameters >= 1, DtypeError unless f32 or f64
  explicit PReLU(std::int64_t num_parameters = 1, double init = 0.25, DType dtype = f32);
  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight;
};

/// x, or alpha (exp(x) - 1) where x < 0
class ELU : public Layer {
 public:
  explicit ELU(double alpha = 1) : alpha_(alpha) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double alpha_;
};

/// x times the normal distribution function, or its approximation by tanh
class GELU : public Layer {
 public:
  /// @throws ValueError unless "none" or "tanh"
  explicit GELU(std::string approximate = "none");
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  std::string approximate_;
};

/// max(0, x) + min(0, alpha (exp(x / alpha) - 1))
class CELU : public Layer {
 public:
  /// @throws ValueError for alpha = 0
  explicit CELU(double alpha = 1);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double alpha_;
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

/// x between the bounds, which it does not leave
class Hardtanh : public Layer {
 public:
  /// @throws ValueError unless min_val < max_val
  explicit Hardtanh(double min_val = -1, double max_val = 1);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double min_val_, max_val_;
};

/// 0 where |x| <= lambd
class Hardshrink : public Layer {
 public:
  explicit Hardshrink(double lambd = 0.5) : lambd_(lambd) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double lambd_;
};

/// x moved towards 0 by lambd
class Softshrink : public Layer {
 public:
  /// @throws ValueError if lambd < 0
  explicit Softshrink(double lambd = 0.5);
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double lambd_;
};

/// `value` where x <= threshold
class Threshold : public Layer {
 public:
  Threshold(double threshold, double value) : threshold_(threshold), value_(value) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  double threshold_, value_;
};

/// a sigmoid(b) with a and b the halves of `axis`
class GLU : public Layer {
 public:
  explicit GLU(int axis = -1) : axis_(axis) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  int axis_;
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

/// softmax over the channels of (N, C, H, W) or (C, H, W)
class Softmax2d : public Layer {
 public:
  Tensor forward(const Tensor& x) override;  ///< @throws ShapeError
};

/// softmax(-x)
class Softmin : public Layer {
 public:
  explicit Softmin(int axis) : axis_(axis) {}
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
