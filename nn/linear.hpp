// Affine layers.
#pragma once

#include "nn/module.hpp"

namespace cadena::nn {

struct LinearOptions {
  bool bias = true;
  DType dtype = f32;
};

/// x W^T + b, (..., in) -> (..., out).
///
/// Parameters `weight` (out, in) and `bias` (out), both first uniform within +-1/sqrt(in): PyTorch's default,
/// which is kaiming_uniform_ with slope sqrt(5).
class Linear : public Layer {
 public:
  /// @throws ShapeError for negative sizes, DtypeError unless f32 or f64
  Linear(std::int64_t in_features, std::int64_t out_features, LinearOptions options = {});

  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;
  /// Draws new first values.
  void reset_parameters();

  Parameter weight, bias;
};

/// Returns its input; stands where a layer is expected but none is wanted.
class Identity : public Layer {
 public:
  Tensor forward(const Tensor& x) override { return x; }
};

/// Joins the dimensions from `start` to `end` (both included); the default keeps the batch apart.
class Flatten : public Layer {
 public:
  explicit Flatten(int start = 1, int end = -1) : start_(start), end_(end) {}
  Tensor forward(const Tensor& x) override { return x.flatten(start_, end_); }
  std::string extra_repr() const override;

 private:
  int start_, end_;
};

}  // namespace cadena::nn
