// Images in other sizes and orders, as layers; the formulas are in autodiff/ops/vision.hpp.
#pragma once

#include "autodiff/ops.hpp"
#include "nn/module.hpp"

namespace cadena::nn {

class Upsample : public Layer {
 public:
  explicit Upsample(InterpolateOptions options) : options_(std::move(options)) {}
  Tensor forward(const Tensor& x) override { return interpolate(x, options_); }
  std::string extra_repr() const override;

 private:
  InterpolateOptions options_;
};

struct UpsamplingOptions {
  PerAxis size = {};  ///< of the output; this or scale_factor
  std::vector<double> scale_factor = {};
};
/// Upsample by nearest elements.
class UpsamplingNearest2d : public Upsample {
 public:
  explicit UpsamplingNearest2d(const UpsamplingOptions& o)
      : Upsample({.size = o.size, .scale_factor = o.scale_factor, .mode = InterpolateMode::nearest}) {}
};
/// Upsample between elements, corners on corners.
class UpsamplingBilinear2d : public Upsample {
 public:
  explicit UpsamplingBilinear2d(const UpsamplingOptions& o)
      : Upsample({.size = o.size,
                  .scale_factor = o.scale_factor,
                  .mode = InterpolateMode::bilinear,
                  .align_corners = true}) {}
};

class PixelShuffle : public Layer {
 public:
  explicit PixelShuffle(std::int64_t upscale_factor) : factor_(upscale_factor) {}
  Tensor forward(const Tensor& x) override { return pixel_shuffle(x, factor_); }
  std::string extra_repr() const override { return "upscale_factor=" + std::to_string(factor_); }

 private:
  std::int64_t factor_;
};

class PixelUnshuffle : public Layer {
 public:
  explicit PixelUnshuffle(std::int64_t downscale_factor) : factor_(downscale_factor) {}
  Tensor forward(const Tensor& x) override { return pixel_unshuffle(x, factor_); }
  std::string extra_repr() const override { return "downscale_factor=" + std::to_string(factor_); }

 private:
  std::int64_t factor_;
};

class ChannelShuffle : public Layer {
 public:
  explicit ChannelShuffle(std::int64_t groups) : groups_(groups) {}
  Tensor forward(const Tensor& x) override { return channel_shuffle(x, groups_); }
  std::string extra_repr() const override { return "groups=" + std::to_string(groups_); }

 private:
  std::int64_t groups_;
};

/// Windows of images as columns: (N, C, spatial...) -> (N, C * kernel..., windows). See
/// autodiff/ops/window.hpp.
class Unfold : public Layer {
 public:
  explicit Unfold(const Shape& kernel_size, const WindowOptions& options = {})
      : kernel_size_(kernel_size), options_(options) {}
  Tensor forward(const Tensor& x) override { return unfold(x, kernel_size_, options_); }
  std::string extra_repr() const override;

 private:
  Shape kernel_size_;
  WindowOptions options_;
};

/// Adds columns back into place: (N, C * kernel..., windows) -> (N, C, output_size...).
class Fold : public Layer {
 public:
  Fold(const Shape& output_size, const Shape& kernel_size, const WindowOptions& options = {})
      : output_size_(output_size), kernel_size_(kernel_size), options_(options) {}
  Tensor forward(const Tensor& x) override { return fold(x, output_size_, kernel_size_, options_); }
  std::string extra_repr() const override;

 private:
  Shape output_size_, kernel_size_;
  WindowOptions options_;
};

}  // namespace cadena::nn
