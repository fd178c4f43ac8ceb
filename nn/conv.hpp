// Convolutions as layers; shapes and formulas are in autodiff/ops/convolution.hpp.
#pragma once

#include "autodiff/ops.hpp"
#include "nn/linear.hpp"

namespace cadena::nn {

/// What stands beyond the edges of an input.
enum class PaddingMode : std::uint8_t { zeros, reflect, replicate, circular };

struct ConvOptions {
  PerAxis stride = 1;
  ConvPadding padding = 0;
  PerAxis dilation = 1;
  std::int64_t groups = 1;
  bool bias = true;
  PaddingMode padding_mode = PaddingMode::zeros;
  DType dtype = f32;
};

/// Base of Conv1d to Conv3d: parameters `weight` (out, in / groups, kernel...) and `bias` (out), both first
/// uniform within +-1/sqrt(in / groups * kernel elements), as PyTorch's are.
class Conv : public Layer {
 public:
  Tensor forward(const Tensor& x) override;
  void visit(Visitor& v) override;
  std::string extra_repr() const override;
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;
  void reset_parameters();

  Parameter weight, bias;

 protected:
  /// @throws ValueError unless groups divide both channels and every option has 1 or `rank` numbers
  Conv(int rank, std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
       const ConvOptions& options);

 private:
  void make(std::int64_t in_channels, DType dtype);
  Tensor padded(const Tensor& x) const;

  int rank_;
  std::int64_t in_channels_, out_channels_;
  PerAxis kernel_size_;
  ConvOptions options_;
};

class Conv1d : public Conv {
 public:
  Conv1d(std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
         const ConvOptions& options = {})
      : Conv(1, in_channels, out_channels, kernel_size, options) {}
};
class Conv2d : public Conv {
 public:
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
         const ConvOptions& options = {})
      : Conv(2, in_channels, out_channels, kernel_size, options) {}
};
class Conv3d : public Conv {
 public:
  Conv3d(std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
         const ConvOptions& options = {})
      : Conv(3, in_channels, out_channels, kernel_size, options) {}
};

struct ConvTransposeOptions {
  PerAxis stride = 1;
  PerAxis padding = 0;
  PerAxis output_padding = 0;
  std::int64_t groups = 1;
  bool bias = true;
  PerAxis dilation = 1;
  DType dtype = f32;
};

/// Base of ConvTranspose1d to ConvTranspose3d: parameters `weight` (in, out / groups, kernel...) and `bias`.
class ConvTranspose : public Layer {
 public:
  Tensor forward(const Tensor& x) override { return forward(x, {}); }
  /// @param output_size the extents of the output, which several inputs share; fixed by output_padding if
  /// empty
  /// @throws ValueError for extents that no output_padding gives
  Tensor forward(const Tensor& x, const PerAxis& output_size);
  using Layer::operator();
  Tensor operator()(const Tensor& x, const PerAxis& output_size) {
    return call([&](const Tensor& in) { return forward(in, output_size); }, x);
  }
  void visit(Visitor& v) override;
  std::string extra_repr() const override;
  std::int64_t macs(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs) const override;
  void reset_parameters();

  Parameter weight, bias;

 protected:
  ConvTranspose(int rank, std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
                const ConvTransposeOptions& options);

 private:
  void make(std::int64_t in_channels, DType dtype);

  int rank_;
  std::int64_t in_channels_, out_channels_;
  PerAxis kernel_size_;
  ConvTransposeOptions options_;
};

class ConvTranspose1d : public ConvTranspose {
 public:
  ConvTranspose1d(std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
                  const ConvTransposeOptions& options = {})
      : ConvTranspose(1, in_channels, out_channels, kernel_size, options) {}
};
class ConvTranspose2d : public ConvTranspose {
 public:
  ConvTranspose2d(std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
                  const ConvTransposeOptions& options = {})
      : ConvTranspose(2, in_channels, out_channels, kernel_size, options) {}
};
class ConvTranspose3d : public ConvTranspose {
 public:
  ConvTranspose3d(std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
                  const ConvTransposeOptions& options = {})
      : ConvTranspose(3, in_channels, out_channels, kernel_size, options) {}
};

}  // namespace cadena::nn
