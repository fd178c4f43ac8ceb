// Normalisation: elements minus their mean, over their deviation, times a weight, plus a bias. Means and
// variances take two passes, so that large means cost no digits. Everything is contiguous; T = float, double.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// y = (x - mean) * rstd * weight[j] + bias[j] for every row of n; with `centered` false means are 0.
/// @param weight, bias [n] or null @param mean, rstd [rows], computed: rstd is 1 / sqrt(variance + eps)
template <class T>
void norm_rows(std::int64_t rows, std::int64_t n, bool centered, double eps, const T* x, const T* weight,
               const T* bias, T* mean, T* rstd, T* y);
/// The gradients by x, weight and bias. @param g that by y @param gw, gb [n] or null
template <class T>
void norm_rows_vjp(std::int64_t rows, std::int64_t n, bool centered, const T* x, const T* weight,
                   const T* mean, const T* rstd, const T* g, T* gx, T* gw, T* gb);

/// x (outer, channels, pieces, size): a mean and a variance for every channel. Weights and biases are one for
/// each piece; they repeat after `weights` of them, counted through channels and pieces.
struct ChannelShape {
  std::int64_t outer, channels, pieces, size, weights;

  std::int64_t count() const { return outer * pieces * size; }  ///< elements of a channel
  std::int64_t piece(std::int64_t sample, std::int64_t channel, std::int64_t p) const {
    return ((sample * channels + channel) * pieces + p) * size;
  }
  std::int64_t weight_of(std::int64_t channel, std::int64_t p) const {
    return (channel * pieces + p) % weights;
  }
};

/// @param mean, var [channels], computed; var is the mean square
template <class T>
void norm_channels(const ChannelShape& s, double eps, const T* x, const T* weight, const T* bias, T* mean,
                   T* var, T* y);
/// @param gw, gb (channels, pieces): for each piece of each channel, to be added where weights repeat
template <class T>
void norm_channels_vjp(const ChannelShape& s, double eps, const T* x, const T* weight, const T* mean,
                       const T* var, const T* g, T* gx, T* gw, T* gb);

}  // namespace cadena::kernels
