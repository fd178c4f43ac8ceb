// Pools as layers; shapes and formulas are in autodiff/ops/pooling.hpp.
#pragma once

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

/// Base of MaxPool1d to MaxPool3d.
class MaxPool : public Layer {
 public:
  Tensor forward(const Tensor& x) override { return forward_with_indices(x).values; }
  /// Also the positions, for the unpool of the same size.
  ValuesIndices forward_with_indices(const Tensor& x);
  std::string extra_repr() const override;

 protected:
  MaxPool(int rank, const PerAxis& kernel_size, const MaxPoolOptions& options)
      : rank_(rank), kernel_size_(kernel_size), options_(options) {}

 private:
  int rank_;
  PerAxis kernel_size_;
  MaxPoolOptions options_;
};

/// Base of MaxUnpool1d to MaxUnpool3d: (values, indices) -> the larger tensor.
class MaxUnpool : public Callable {
 public:
  /// @param output_size of the result, unless it is the usual one
  Tensor operator()(const Tensor& x, const Tensor& indices, const PerAxis& output_size = {}) {
    return call([&](const Tensor& in, const Tensor& at) { return forward(in, at, output_size); }, x, indices);
  }
  Tensor forward(const Tensor& x, const Tensor& indices, const PerAxis& output_size = {}) const;
  std::string extra_repr() const override;

 protected:
  MaxUnpool(int rank, const PerAxis& kernel_size, const MaxUnpoolOptions& options)
      : rank_(rank), kernel_size_(kernel_size), options_(options) {}

 private:
  int rank_;
  PerAxis kernel_size_;
  MaxUnpoolOptions options_;
};

/// Base of FractionalMaxPool2d and FractionalMaxPool3d.
class FractionalMaxPool : public Layer {
 public:
  Tensor forward(const Tensor& x) override { return forward_with_indices(x).values; }
  ValuesIndices forward_with_indices(const Tensor& x);
  std::string extra_repr() const override;

 protected:
  FractionalMaxPool(int rank, const PerAxis& kernel_size, const FractionalMaxPoolOptions& options);

 private:
  int rank_;
  PerAxis kernel_size_;
  FractionalMaxPoolOptions options_;
};

/// Base of AvgPool1d to AvgPool3d.
class AvgPool : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 protected:
  AvgPool(int rank, const PerAxis& kernel_size, const AvgPoolOptions& options)
      : rank_(rank), kernel_size_(kernel_size), options_(options) {}

 private:
  int rank_;
  PerAxis kernel_size_;
  AvgPoolOptions options_;
};

/// Base of LPPool1d to LPPool3d.
class LPPool : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
  std::string extra_repr() const override;

 protected:
  LPPool(int rank, double norm_type, const PerAxis& kernel_size, const LpPoolOptions& options)
      : rank_(rank), norm_type_(norm_type), kernel_size_(kernel_size), options_(options) {}

 private:
  int rank_;
  double norm_type_;
  PerAxis kernel_size_;
  LpPoolOptions options_;
};

/// Base of the adaptive pools.
class AdaptivePool : public Layer {
 public:
  std::string extra_repr() const override;

 protected:
  AdaptivePool(int rank, const PerAxis& output_size) : rank_(rank), output_size_(output_size) {}
  int rank() const { return rank_; }
  const PerAxis& output_size() const { return output_size_; }

 private:
  int rank_;
  PerAxis output_size_;
};
class AdaptiveAvgPool : public AdaptivePool {
 public:
  Tensor forward(const Tensor& x) override;

 protected:
  using AdaptivePool::AdaptivePool;
};
class AdaptiveMaxPool : public AdaptivePool {
 public:
  Tensor forward(const Tensor& x) override { return forward_with_indices(x).values; }
  ValuesIndices forward_with_indices(const Tensor& x);

 protected:
  using AdaptivePool::AdaptivePool;
};

class MaxPool1d : public MaxPool {
 public:
  explicit MaxPool1d(const PerAxis& kernel_size, const MaxPoolOptions& options = {})
      : MaxPool(1, kernel_size, options) {}
};
class MaxPool2d : public MaxPool {
 public:
  explicit MaxPool2d(const PerAxis& kernel_size, const MaxPoolOptions& options = {})
      : MaxPool(2, kernel_size, options) {}
};
class MaxPool3d : public MaxPool {
 public:
  explicit MaxPool3d(const PerAxis& kernel_size, const MaxPoolOptions& options = {})
      : MaxPool(3, kernel_size, options) {}
};

class MaxUnpool1d : public MaxUnpool {
 public:
  explicit MaxUnpool1d(const PerAxis& kernel_size, const MaxUnpoolOptions& options = {})
      : MaxUnpool(1, kernel_size, options) {}
};
class MaxUnpool2d : public MaxUnpool {
 public:
  explicit MaxUnpool2d(const PerAxis& kernel_size, const MaxUnpoolOptions& options = {})
      : MaxUnpool(2, kernel_size, options) {}
};
class MaxUnpool3d : public MaxUnpool {
 public:
  explicit MaxUnpool3d(const PerAxis& kernel_size, const MaxUnpoolOptions& options = {})
      : MaxUnpool(3, kernel_size, options) {}
};

class FractionalMaxPool2d : public FractionalMaxPool {
 public:
  /// @throws ValueError unless one of output_size and output_ratio is given
  FractionalMaxPool2d(const PerAxis& kernel_size, const FractionalMaxPoolOptions& options)
      : FractionalMaxPool(2, kernel_size, options) {}
};
class FractionalMaxPool3d : public FractionalMaxPool {
 public:
  FractionalMaxPool3d(const PerAxis& kernel_size, const FractionalMaxPoolOptions& options)
      : FractionalMaxPool(3, kernel_size, options) {}
};

class AvgPool1d : public AvgPool {
 public:
  explicit AvgPool1d(const PerAxis& kernel_size, const AvgPoolOptions& options = {})
      : AvgPool(1, kernel_size, options) {}
};
class AvgPool2d : public AvgPool {
 public:
  explicit AvgPool2d(const PerAxis& kernel_size, const AvgPoolOptions& options = {})
      : AvgPool(2, kernel_size, options) {}
};
class AvgPool3d : public AvgPool {
 public:
  explicit AvgPool3d(const PerAxis& kernel_size, const AvgPoolOptions& options = {})
      : AvgPool(3, kernel_size, options) {}
};

class LPPool1d : public LPPool {
 public:
  LPPool1d(double norm_type, const PerAxis& kernel_size, const LpPoolOptions& options = {})
      : LPPool(1, norm_type, kernel_size, options) {}
};
class LPPool2d : public LPPool {
 public:
  LPPool2d(double norm_type, const PerAxis& kernel_size, const LpPoolOptions& options = {})
      : LPPool(2, norm_type, kernel_size, options) {}
};
class LPPool3d : public LPPool {
 public:
  LPPool3d(double norm_type, const PerAxis& kernel_size, const LpPoolOptions& options = {})
      : LPPool(3, norm_type, kernel_size, options) {}
};

class AdaptiveAvgPool1d : public AdaptiveAvgPool {
 public:
  explicit AdaptiveAvgPool1d(const PerAxis& output_size) : AdaptiveAvgPool(1, output_size) {}
};
class AdaptiveAvgPool2d : public AdaptiveAvgPool {
 public:
  explicit AdaptiveAvgPool2d(const PerAxis& output_size) : AdaptiveAvgPool(2, output_size) {}
};
class AdaptiveAvgPool3d : public AdaptiveAvgPool {
 public:
  explicit AdaptiveAvgPool3d(const PerAxis& output_size) : AdaptiveAvgPool(3, output_size) {}
};

class AdaptiveMaxPool1d : public AdaptiveMaxPool {
 public:
  explicit AdaptiveMaxPool1d(const PerAxis& output_size) : AdaptiveMaxPool(1, output_size) {}
};
class AdaptiveMaxPool2d : public AdaptiveMaxPool {
 public:
  explicit AdaptiveMaxPool2d(const PerAxis& output_size) : AdaptiveMaxPool(2, output_size) {}
};
class AdaptiveMaxPool3d : public AdaptiveMaxPool {
 public:
  explicit AdaptiveMaxPool3d(const PerAxis& output_size) : AdaptiveMaxPool(3, output_size) {}
};

}  // namespace cadena::nn
