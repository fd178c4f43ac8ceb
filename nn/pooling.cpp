#include "nn/pooling.hpp"

#include <cstdio>

#include "nn/text.hpp"

namespace cadena::nn {

using detail::yes_or_no;

namespace {

/// "2" for one number, "(2, 1)" for several, as PyTorch prints what it was given.
std::string text(const PerAxis& numbers) {
  return numbers.rank() == 1 ? std::to_string(numbers[0]) : to_string(numbers);
}

std::string window(const PerAxis& kernel_size, const PerAxis& stride, const PerAxis& padding) {
  return "kernel_size=" + text(kernel_size) + ", stride=" + text(stride.empty() ? kernel_size : stride) +
         ", padding=" + text(padding);
}

}  // namespace

ValuesIndices MaxPool::forward_with_indices(const Tensor& x) {
  return rank_ == 1   ? max_pool1d_with_indices(x, kernel_size_, options_)
         : rank_ == 2 ? max_pool2d_with_indices(x, kernel_size_, options_)
                      : max_pool3d_with_indices(x, kernel_size_, options_);
}
std::string MaxPool::extra_repr() const {
  return window(kernel_size_, options_.stride, options_.padding) + ", dilation=" + text(options_.dilation) +
         ", ceil_mode=" + yes_or_no(options_.ceil_mode);
}

Tensor MaxUnpool::forward(const Tensor& x, const Tensor& indices, const PerAxis& output_size) const {
  MaxUnpoolOptions o = options_;
  if (!output_size.empty()) o.output_size = output_size;
  return rank_ == 1   ? max_unpool1d(x, indices, kernel_size_, o)
         : rank_ == 2 ? max_unpool2d(x, indices, kernel_size_, o)
                      : max_unpool3d(x, indices, kernel_size_, o);
}
std::string MaxUnpool::extra_repr() const { return window(kernel_size_, options_.stride, options_.padding); }

FractionalMaxPool::FractionalMaxPool(int rank, const PerAxis& kernel_size,
                                     const FractionalMaxPoolOptions& options)
    : rank_(rank), kernel_size_(kernel_size), options_(options) {
  if (options.output_size.empty() == options.output_ratio.empty())
    throw ValueError("[FractionalMaxPool" + std::to_string(rank) +
                     "d] expected one of output_size and output_ratio, got " +
                     (options.output_size.empty() ? "neither" : "both"));
}
ValuesIndices FractionalMaxPool::forward_with_indices(const Tensor& x) {
  return rank_ == 2 ? fractional_max_pool2d_with_indices(x, kernel_size_, options_)
                    : fractional_max_pool3d_with_indices(x, kernel_size_, options_);
}
std::string FractionalMaxPool::extra_repr() const {
  std::string repr = "kernel_size=" + text(kernel_size_);
  if (options_.output_ratio.empty()) return repr + ", output_size=" + text(options_.output_size);
  std::string ratios;
  for (double r : options_.output_ratio) ratios += (ratios.empty() ? "" : ", ") + detail::number(r);
  return repr + ", output_ratio=" + (options_.output_ratio.size() == 1 ? ratios : "(" + ratios + ")");
}

Tensor AvgPool::forward(const Tensor& x) {
  return rank_ == 1   ? avg_pool1d(x, kernel_size_, options_)
         : rank_ == 2 ? avg_pool2d(x, kernel_size_, options_)
                      : avg_pool3d(x, kernel_size_, options_);
}
std::string AvgPool::extra_repr() const { return window(kernel_size_, options_.stride, options_.padding); }

Tensor LPPool::forward(const Tensor& x) {
  return rank_ == 1   ? lp_pool1d(x, norm_type_, kernel_size_, options_)
         : rank_ == 2 ? lp_pool2d(x, norm_type_, kernel_size_, options_)
                      : lp_pool3d(x, norm_type_, kernel_size_, options_);
}
std::string LPPool::extra_repr() const {
  char p[32];
  std::snprintf(p, sizeof p, "%g", norm_type_);
  return std::string("norm_type=") + p + ", kernel_size=" + text(kernel_size_) +
         ", stride=" + (options_.stride.empty() ? "None" : text(options_.stride)) +
         ", ceil_mode=" + yes_or_no(options_.ceil_mode);
}

std::string AdaptivePool::extra_repr() const { return "output_size=" + text(output_size_); }

Tensor AdaptiveAvgPool::forward(const Tensor& x) {
  return rank() == 1   ? adaptive_avg_pool1d(x, output_size())
         : rank() == 2 ? adaptive_avg_pool2d(x, output_size())
                       : adaptive_avg_pool3d(x, output_size());
}
ValuesIndices AdaptiveMaxPool::forward_with_indices(const Tensor& x) {
  return rank() == 1   ? adaptive_max_pool1d_with_indices(x, output_size())
         : rank() == 2 ? adaptive_max_pool2d_with_indices(x, output_size())
                       : adaptive_max_pool3d_with_indices(x, output_size());
}

}  // namespace cadena::nn
