// Noise that regularises: active in training, the identity in evaluation. The functions:
// autodiff/ops/random.hpp.
#pragma once

#include "nn/module.hpp"

namespace cadena::nn {

/// Base of the layers below: one probability. @throws ValueError unless 0 <= p <= 1
class DropoutLayer : public Layer {
 public:
  std::string extra_repr() const override;

 protected:
  explicit DropoutLayer(double p);
  double p_;
};

/// Drops elements.
class Dropout : public DropoutLayer {
 public:
  explicit Dropout(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

/// Drops whole channels of (N, C, L) or (C, L).
class Dropout1d : public DropoutLayer {
 public:
  explicit Dropout1d(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

/// Drops whole channels of (N, C, H, W) or (C, H, W).
class Dropout2d : public DropoutLayer {
 public:
  explicit Dropout2d(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

/// Drops whole channels of (N, C, D, H, W) or (C, D, H, W).
class Dropout3d : public DropoutLayer {
 public:
  explicit Dropout3d(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

/// Drops elements of self-normalising networks (selu), keeping mean and variance.
class AlphaDropout : public DropoutLayer {
 public:
  explicit AlphaDropout(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

/// AlphaDropout of whole channels of (N, C, ...).
class FeatureAlphaDropout : public DropoutLayer {
 public:
  explicit FeatureAlphaDropout(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

/// Drops whole samples of (N, ...): stochastic depth, for the branch of a residual block.
class DropPath : public DropoutLayer {
 public:
  explicit DropPath(double p = 0.5) : DropoutLayer(p) {}
  Tensor forward(const Tensor& x) override;
};

}  // namespace cadena::nn
