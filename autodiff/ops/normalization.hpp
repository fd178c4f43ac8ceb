// Normalisation: elements become multiples of their deviation from a mean.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/tensor.hpp"

namespace cadena {

// Variances are those of the population (divided by the number of elements). eps is added to them. Weights
// and biases are optional factors and summands.

/// Over the last dimensions of x, whose extents are `normalized_shape`, as are those of weight and bias.
/// Ba et al., "Layer normalization" (2016).
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) over the last dimensions: without a mean. eps is the dtype's unless given.
/// Zhang and Sennrich, "Root mean square layer normalization" (2019).
Tensor rms_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                std::optional<double> eps = {});

struct BatchNormOptions {
  Tensor weight = {}, bias = {};  ///< (C)
  bool training = false;          ///< normalise by the batch and update the running values
  double momentum = 0.1;          ///< share of the batch in the new running values
  double eps = 1e-5;
};
/// x (N, C, ...) by the mean and variance of every channel: of the batch in training, else the running ones
/// (C), which training overwrites unless they are undefined (with the unbiased variance, unrecorded).
/// @throws ShapeError in training for a single value per channel
/// Ioffe and Szegedy, "Batch normalization" (2015).
Tensor batch_norm(const Tensor& x, const Tensor& running_mean, const Tensor& running_var,
                  const BatchNormOptions& options = {});
/// x (N, C, ...) over each of `num_groups` groups of channels of each sample; weight and bias (C).
/// Wu and He, "Group normalization" (2018).
Tensor group_norm(const Tensor& x, std::int64_t num_groups, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

struct InstanceNormOptions {
  Tensor running_mean = {}, running_var = {};  ///< (C), overwritten with the means over the batch
  Tensor weight = {}, bias = {};               ///< (C)
  bool use_input_stats = true;                 ///< else the running ones
  double momentum = 0.1;
  double eps = 1e-5;
};
/// x (N, C, ...) over each channel of each sample. Ulyanov et al., "Instance normalization" (2016).
Tensor instance_norm(const Tensor& x, const InstanceNormOptions& options = {});

/// x / (k + alpha mean(x^2 of `size` neighbouring channels))^beta, zeros beyond the channels. x (N, C, ...).
/// Krizhevsky et al., "ImageNet classification with deep convolutional neural networks" (2012).
Tensor local_response_norm(const Tensor& x, std::int64_t size, double alpha = 1e-4, double beta = 0.75,
                           double k = 1);

}  // namespace cadena
