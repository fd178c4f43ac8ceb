// Normalisation as layers; the formulas are in autodiff/ops/normalization.hpp.
#pragma once

#include <optional>

#include "autodiff/shape.hpp"
#include "nn/linear.hpp"

namespace cadena::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  ///< none: running values are the means of all batches so far
  bool affine = true;                    ///< parameters weight and bias
  bool track_running_stats = true;       ///< running values, which evaluation normalises by
  DType dtype = f32;
};

/// Base of the layers that keep a mean and a variance for each channel: parameters `weight` (ones) and `bias`
/// (zeros), buffers `running_mean` (zeros), `running_var` (ones) and `num_batches_tracked`.
class RunningNorm : public Layer {
 public:
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;

 protected:
  RunningNorm(std::int64_t num_features, const BatchNormOptions& options);
  /// Makes what is lazy, for the channels of x along `axis`.
  void make_for(const Tensor& x, int axis);
  /// Counts a batch in training and gives its share in the new running values.
  double next_momentum();
  const BatchNormOptions& options() const { return options_; }
  /// @throws ShapeError unless x has `low` or `high` dimensions
  void check_dims(const Tensor& x, int low, int high) const;

 private:
  void make(std::int64_t num_features, DType dtype);

  std::int64_t num_features_;
  BatchNormOptions options_;
};

/// Base of BatchNorm1d to BatchNorm3d.
class BatchNorm : public RunningNorm {
 public:
  Tensor forward(const Tensor& x) override;

 protected:
  BatchNorm(int low, int high, std::int64_t num_features, const BatchNormOptions& options)
      : RunningNorm(num_features, options), low_(low), high_(high) {}

 private:
  int low_, high_;  // dimensions of the input
};

/// (N, C) or (N, C, L)
class BatchNorm1d : public BatchNorm {
 public:
  explicit BatchNorm1d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNorm(2, 3, num_features, options) {}
};
/// (N, C, H, W)
class BatchNorm2d : public BatchNorm {
 public:
  explicit BatchNorm2d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNorm(4, 4, num_features, options) {}
};
/// (N, C, D, H, W)
class BatchNorm3d : public BatchNorm {
 public:
  explicit BatchNorm3d(std::int64_t num_features, const BatchNormOptions& options = {})
      : BatchNorm(5, 5, num_features, options) {}
};

struct InstanceNormOptions {
  double eps = 1e-5;
  double momentum = 0.1;
  bool affine = false;
  bool track_running_stats = false;
  DType dtype = f32;
};

/// Base of InstanceNorm1d to InstanceNorm3d.
class InstanceNorm : public RunningNorm {
 public:
  Tensor forward(const Tensor& x) override;

 protected:
  InstanceNorm(int rank, std::int64_t num_features, const InstanceNormOptions& o)
      : RunningNorm(num_features, {o.eps, o.momentum, o.affine, o.track_running_stats, o.dtype}),
        rank_(rank) {}

 private:
  int rank_;
};

/// (N, C, L) or (C, L)
class InstanceNorm1d : public InstanceNorm {
 public:
  explicit InstanceNorm1d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNorm(1, num_features, options) {}
};
/// (N, C, H, W) or (C, H, W)
class InstanceNorm2d : public InstanceNorm {
 public:
  explicit InstanceNorm2d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNorm(2, num_features, options) {}
};
/// (N, C, D, H, W) or (C, D, H, W)
class InstanceNorm3d : public InstanceNorm {
 public:
  explicit InstanceNorm3d(std::int64_t num_features, const InstanceNormOptions& options = {})
      : InstanceNorm(3, num_features, options) {}
};

struct GroupNormOptions {
  double eps = 1e-5;
  bool affine = true;
  DType dtype = f32;
};

class GroupNorm : public Layer {
 public:
  /// @throws ValueError unless `num_groups` divides `num_channels`
  GroupNorm(std::int64_t num_groups, std::int64_t num_channels, const GroupNormOptions& options = {});
  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight, bias;

 private:
  std::int64_t num_groups_, num_channels_;
  GroupNormOptions options_;
};

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;
  bool bias = true;  ///< with elementwise_affine
  DType dtype = f32;
};

class LayerNorm : public Layer {
 public:
  explicit LayerNorm(const Shape& normalized_shape, const LayerNormOptions& options = {});
  explicit LayerNorm(std::int64_t features, const LayerNormOptions& options = {})
      : LayerNorm(Shape{features}, options) {}
  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight, bias;

 private:
  Shape normalized_shape_;
  LayerNormOptions options_;
};

struct RMSNormOptions {
  std::optional<double> eps = {};  ///< the dtype's unless given
  bool elementwise_affine = true;
  DType dtype = f32;
};

class RMSNorm : public Layer {
 public:
  explicit RMSNorm(const Shape& normalized_shape, const RMSNormOptions& options = {});
  explicit RMSNorm(std::int64_t features, const RMSNormOptions& options = {})
      : RMSNorm(Shape{features}, options) {}
  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;

  Parameter weight;

 private:
  Shape normalized_shape_;
  RMSNormOptions options_;
};

class LocalResponseNorm : public Layer {
 public:
  explicit LocalResponseNorm(std::int64_t size, double alpha = 1e-4, double beta = 0.75, double k = 1)
      : size_(size), alpha_(alpha), beta_(beta), k_(k) {}
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 private:
  std::int64_t size_;
  double alpha_, beta_, k_;
};

}  // namespace cadena::nn
