// Affine layers.
#pragma once

#include <limits>

#include "nn/module.hpp"

namespace cadena::nn {

/// Instead of a number of inputs: that of the first input. See nn/lazy.hpp.
inline constexpr std::int64_t inferred = std::numeric_limits<std::int64_t>::min();

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
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;
  /// Draws new first values.
  void reset_parameters();

  Parameter weight, bias;

 private:
  void make(std::int64_t in_features, DType dtype);

  std::int64_t out_features_;
  bool has_bias_;
};

/// y_k = x1 W_k x2 + b_k: (..., in1) and (..., in2) -> (..., out).
///
/// Parameters `weight` (out, in1, in2) and `bias` (out), both first uniform within +-1/sqrt(in1).
class Bilinear : public Callable {
 public:
  /// @throws ShapeError for negative sizes, DtypeError unless f32 or f64
  Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
           LinearOptions options = {});

  Tensor operator()(const Tensor& x1, const Tensor& x2) {
    return call([this](const Tensor& a, const Tensor& b) { return forward(a, b); }, x1, x2);
  }
  Tensor forward(const Tensor& x1, const Tensor& x2);  ///< @throws ShapeError
  void visit(Visitor& v) override;
  std::string extra_repr() const override;
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;
  void reset_parameters();

  Parameter weight, bias;
};

/// Returns its input; stands where a layer is expected but none is wanted.
class Identity : public Layer {
 public:
  Tensor forward(const Tensor& x) override { return x; }
};

/// One axis as several: Unflatten(1, {3, 4}) for (N, 12) -> (N, 3, 4). One extent may be -1.
class Unflatten : public Layer {
 public:
  Unflatten(int axis, const Shape& sizes) : axis_(axis), sizes_(sizes) {}
  Tensor forward(const Tensor& x) override;  ///< @throws ShapeError, IndexError
  std::string extra_repr() const override;

 private:
  int axis_;
  Shape sizes_;
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
