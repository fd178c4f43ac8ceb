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

}  // namespace cadena::nn::init
