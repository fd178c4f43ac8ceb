// First values of parameters. Every function overwrites its tensor in place, unrecorded, with numbers from
// `generator` (the calling thread's default one unless given), and returns it. f32 or f64.
#pragma once

#include <cstdint>

#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena::nn::init {

/// The function that follows a layer; its gain keeps the variance of what passes through both.
enum class Nonlinearity : std::uint8_t { linear, sigmoid, tanh, relu, leaky_relu, selu };
/// Whether the variance is kept in the forward (fan_in) or in the backward pass (fan_out).
enum class FanMode : std::uint8_t { fan_in, fan_out };

struct Fans {
  std::int64_t in, out;
};
/// Inputs and outputs of one unit for a weight (out, in, kernel...).
/// @throws ShapeError below two dimensions
Fans fans(const Tensor& weight);

/// 1 for linear and sigmoid, 5/3 tanh, sqrt(2) relu, sqrt(2 / (1 + slope^2)) leaky_relu, 3/4 selu.
double calculate_gain(Nonlinearity f, double slope = 0.01);

Tensor constant_(Tensor t, Scalar value);
Tensor zeros_(Tensor t);
Tensor ones_(Tensor t);
/// Uniform on [low, high). @throws ValueError unless low <= high
Tensor uniform_(Tensor t, double low = 0, double high = 1, Generator& generator = default_generator());
/// Normal, but drawn within [low, high]. @throws ValueError unless std > 0 and low < high
Tensor trunc_normal_(Tensor t, double mean = 0, double std = 1, double low = -2, double high = 2,
                     Generator& generator = default_generator());
/// @throws ValueError unless std >= 0
Tensor normal_(Tensor t, double mean = 0, double std = 1, Generator& generator = default_generator());

/// Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010):
/// uniform within +-gain * sqrt(6 / (fan_in + fan_out)). @throws ShapeError below two dimensions
Tensor xavier_uniform_(Tensor t, double gain = 1, Generator& generator = default_generator());
/// The same with a normal distribution of deviation gain * sqrt(2 / (fan_in + fan_out)).
Tensor xavier_normal_(Tensor t, double gain = 1, Generator& generator = default_generator());

struct KaimingOptions {
  double slope = 0;  ///< PyTorch's `a`: negative slope of a leaky ReLU
  FanMode mode = FanMode::fan_in;
  Nonlinearity nonlinearity = Nonlinearity::leaky_relu;
};
/// He et al., "Delving deep into rectifiers" (2015): uniform within +-gain * sqrt(3 / fan).
/// @throws ShapeError below two dimensions
Tensor kaiming_uniform_(Tensor t, KaimingOptions options = {}, Generator& generator = default_generator());
/// The same with a normal distribution of deviation gain / sqrt(fan).
Tensor kaiming_normal_(Tensor t, KaimingOptions options = {}, Generator& generator = default_generator());

/// Klambauer et al., "Self-normalizing neural networks" (2017), after LeCun: deviation 1 / sqrt(fan_in).
Tensor lecun_uniform_(Tensor t, Generator& generator = default_generator());
Tensor lecun_normal_(Tensor t, Generator& generator = default_generator());

/// The identity matrix. @throws ShapeError unless there are two dimensions
Tensor eye_(Tensor t);
/// A convolution that passes its input through: within each of the groups, output i is input i as far as
/// there are as many. @throws ShapeError unless (out, in, 1 to 3 kernel axes), ValueError unless groups
/// divide out
Tensor dirac_(Tensor t, std::int64_t groups = 1);
/// Rows (or columns, if there are more rows) that are orthogonal and of length `gain`; further dimensions
/// count as columns. Saxe et al., arXiv:1312.6120. @throws ShapeError below two dimensions
Tensor orthogonal_(Tensor t, double gain = 1, Generator& generator = default_generator());
/// Normal, but ceil(sparsity rows) elements of each column are 0. Martens, 2010. @throws ShapeError unless
/// there are two dimensions, ValueError unless 0 <= sparsity <= 1
Tensor sparse_(Tensor t, double sparsity, double std = 0.01, Generator& generator = default_generator());

}  // namespace cadena::nn::init
