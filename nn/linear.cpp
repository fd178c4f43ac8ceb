#include "nn/linear.hpp"

#include <cmath>

#include "autodiff/ops.hpp"
#include "nn/init.hpp"
#include "nn/text.hpp"

namespace cadena::nn {

namespace {

/// Uniform within +-1/sqrt(fan), as PyTorch's layers start.
void draw(const Tensor& t, std::int64_t fan) {
  const auto bound = fan > 0 ? 1 / std::sqrt(static_cast<double>(fan)) : 0;
  if (t.defined()) init::uniform_(t, -bound, bound);
}

}  // namespace

Linear::Linear(std::int64_t in_features, std::int64_t out_features, LinearOptions options)
    : out_features_(out_features), has_bias_(options.bias) {
  if (in_features != inferred) make(in_features, options.dtype);
}

void Linear::make(std::int64_t in_features, DType dtype) {
  weight = empty({out_features_, in_features}, dtype);
  if (has_bias_) bias = empty({out_features_}, dtype);
  reset_parameters();
}

void Linear::reset_parameters() {
  draw(weight, weight.size(1));
  draw(bias, weight.size(1));
}

Tensor Linear::forward(const Tensor& x) {
  if (!weight.defined()) make(x.size(-1), detail::parameter_dtype(x));
  return linear(x, weight, bias);
}

void Linear::visit(Visitor& v) {
  if (!weight.defined()) return v.uninitialized("weight");
  v("weight", weight);
  v("bias", bias);
}

std::string Linear::extra_repr() const {
  return "in_features=" + std::to_string(weight.defined() ? weight.size(1) : 0) +
         ", out_features=" + std::to_string(out_features_) + ", bias=" + detail::yes_or_no(has_bias_);
}

std::int64_t Linear::macs(const std::vector<Shape>&, const std::vector<Shape>& outputs) const {
  return outputs[0].numel() * weight.size(1);
}

Bilinear::Bilinear(std::int64_t in1_features, std::int64_t in2_features, std::int64_t out_features,
                   LinearOptions options)
    : weight(empty({out_features, in1_features, in2_features}, options.dtype)) {
  if (options.bias) bias = empty({out_features}, options.dtype);
  reset_parameters();
}

void Bilinear::reset_parameters() {
  draw(weight, weight.size(1));
  draw(bias, weight.size(1));
}

Tensor Bilinear::forward(const Tensor& x1, const Tensor& x2) { return bilinear(x1, x2, weight, bias); }

void Bilinear::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string Bilinear::extra_repr() const {
  return "in1_features=" + std::to_string(weight.size(1)) +
         ", in2_features=" + std::to_string(weight.size(2)) +
         ", out_features=" + std::to_string(weight.size(0)) + ", bias=" + detail::yes_or_no(bias.defined());
}

std::int64_t Bilinear::macs(const std::vector<Shape>&, const std::vector<Shape>& outputs) const {
  return outputs[0].numel() * (weight.size(1) * weight.size(2) + weight.size(2));
}

Tensor Unflatten::forward(const Tensor& x) { return unflatten(x, axis_, sizes_); }

std::string Unflatten::extra_repr() const {
  return "dim=" + std::to_string(axis_) + ", unflattened_size=" + cadena::to_string(sizes_);
}

std::string Flatten::extra_repr() const {
  return "start_dim=" + std::to_string(start_) + ", end_dim=" + std::to_string(end_);
}

}  // namespace cadena::nn
