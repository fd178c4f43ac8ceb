// Convolutions (cross-correlations, as everywhere in machine learning) and their transposes.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace cadena {

/// Zeros on both sides of every dimension: numbers, or one of PyTorch's words.
class ConvPadding : public PerAxis {
 public:
  ConvPadding() : PerAxis(0) {}
  ConvPadding(std::int64_t all) : PerAxis(all) {}                     // NOLINT(google-explicit-constructor)
  ConvPadding(int all) : PerAxis(all) {}                              // NOLINT(google-explicit-constructor)
  ConvPadding(std::initializer_list<std::int64_t> l) : PerAxis(l) {}  // NOLINT(google-explicit-constructor)
  ConvPadding(const PerAxis& numbers) : PerAxis(numbers) {}           // NOLINT(google-explicit-constructor)

  static const ConvPadding valid;  ///< none
  static const ConvPadding same;   ///< the output has the input's extents; only for stride 1
  bool is_same() const { return empty(); }
};
inline const ConvPadding ConvPadding::valid = 0;
inline const ConvPadding ConvPadding::same = ConvPadding(PerAxis());

struct ConvOptions {
  PerAxis stride = 1;
  ConvPadding padding = 0;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
};
/// y[n, o, t] = bias[o] + sum over c, k of weight[o, c, k] x[n, c, t stride + k dilation - padding].
/// @param x (N, C, L) or (C, L) @param weight (O, C / groups, K) @param bias (O) or undefined
/// @throws ShapeError also for a kernel larger than the padded input
Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvOptions& options = {});
/// The same over (N, C, H, W) or (C, H, W).
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvOptions& options = {});
/// The same over (N, C, D, H, W) or (C, D, H, W).
Tensor conv3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const ConvOptions& options = {});

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;  ///< further positions at the end, fewer than stride or than dilation
  std::int64_t groups = 1;
  PerAxis dilation = 1;
};
/// The gradient of conv1d by its input, as an operation: (N, C, L) -> (N, O, (L - 1) stride - 2 padding +
/// dilation (K - 1) + output_padding + 1).
/// @param x (N, C, L) or (C, L) @param weight (C, O / groups, K) @param bias (O) or undefined
Tensor conv_transpose1d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});
/// The same over (N, C, H, W) or (C, H, W).
Tensor conv_transpose2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});
/// The same over (N, C, D, H, W) or (C, D, H, W).
Tensor conv_transpose3d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
                        const ConvTransposeOptions& options = {});

}  // namespace cadena
