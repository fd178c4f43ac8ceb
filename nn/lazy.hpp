// Layers that learn their number of inputs from their first input, and make their parameters then, in its
// dtype. Until then parameters() and state_dict() throw ValueError, so that no optimizer can miss them: call
// the model once before.
#pragma once

#include "nn/conv.hpp"
#include "nn/linear.hpp"
#include "nn/normalization.hpp"

namespace cadena::nn {

class LazyLinear : public Linear {
 public:
  explicit LazyLinear(std::int64_t out_features, LinearOptions options = {})
      : Linear(inferred, out_features, options) {}
};

namespace detail {
/// Conv1d and its like without the number of channels that come in.
template <class Layer, class Options>
class LazyConv : public Layer {
 public:
  explicit LazyConv(std::int64_t out_channels, const PerAxis& kernel_size, const Options& options = {})
      : Layer(inferred, out_channels, kernel_size, options) {}
};
/// BatchNorm1d and its like without the number of channels.
template <class Layer, class Options>
class LazyNorm : public Layer {
 public:
  explicit LazyNorm(const Options& options = {}) : Layer(inferred, options) {}
};
}  // namespace detail

struct LazyConv1d : detail::LazyConv<Conv1d, ConvOptions> {
  using LazyConv::LazyConv;
};
struct LazyConv2d : detail::LazyConv<Conv2d, ConvOptions> {
  using LazyConv::LazyConv;
};
struct LazyConv3d : detail::LazyConv<Conv3d, ConvOptions> {
  using LazyConv::LazyConv;
};
struct LazyConvTranspose1d : detail::LazyConv<ConvTranspose1d, ConvTransposeOptions> {
  using LazyConv::LazyConv;
};
struct LazyConvTranspose2d : detail::LazyConv<ConvTranspose2d, ConvTransposeOptions> {
  using LazyConv::LazyConv;
};
struct LazyConvTranspose3d : detail::LazyConv<ConvTranspose3d, ConvTransposeOptions> {
  using LazyConv::LazyConv;
};
struct LazyBatchNorm1d : detail::LazyNorm<BatchNorm1d, BatchNormOptions> {
  using LazyNorm::LazyNorm;
};
struct LazyBatchNorm2d : detail::LazyNorm<BatchNorm2d, BatchNormOptions> {
  using LazyNorm::LazyNorm;
};
struct LazyBatchNorm3d : detail::LazyNorm<BatchNorm3d, BatchNormOptions> {
  using LazyNorm::LazyNorm;
};
struct LazyInstanceNorm1d : detail::LazyNorm<InstanceNorm1d, InstanceNormOptions> {
  using LazyNorm::LazyNorm;
};
struct LazyInstanceNorm2d : detail::LazyNorm<InstanceNorm2d, InstanceNormOptions> {
  using LazyNorm::LazyNorm;
};
struct LazyInstanceNorm3d : detail::LazyNorm<InstanceNorm3d, InstanceNormOptions> {
  using LazyNorm::LazyNorm;
};

}  // namespace cadena::nn
