#include "nn/normalization.hpp"

#include <algorithm>

#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "nn/text.hpp"

namespace cadena::nn {

using detail::number;
using detail::yes_or_no;

RunningNorm::RunningNorm(std::int64_t num_features, const BatchNormOptions& o)
    : num_features_(num_features), options_(o) {
  if (num_features != inferred) make(num_features, o.dtype);
}

void RunningNorm::make(std::int64_t num_features, DType dtype) {
  num_features_ = num_features;
  const Shape shape{num_features};
  if (options_.affine) weight = ones(shape, dtype), bias = zeros(shape, dtype);
  if (!options_.track_running_stats) return;
  running_mean = zeros(shape, dtype);
  running_var = ones(shape, dtype);
  num_batches_tracked = zeros({}, i64);
}

void RunningNorm::make_for(const Tensor& x, int axis) {
  if (num_features_ == inferred) make(x.size(axis), detail::parameter_dtype(x));
}

void RunningNorm::visit(Visitor& v) {
  if (num_features_ == inferred) return v.uninitialized("weight");
  v("weight", weight);
  v("bias", bias);
  v("running_mean", running_mean);
  v("running_var", running_var);
  v("num_batches_tracked", num_batches_tracked);
}

std::string RunningNorm::extra_repr() const {
  return std::to_string(std::max<std::int64_t>(num_features_, 0)) + ", eps=" + number(options_.eps) +
         ", momentum=" + (options_.momentum ? number(*options_.momentum) : "None") +
         ", affine=" + yes_or_no(options_.affine) +
         ", track_running_stats=" + yes_or_no(options_.track_running_stats);
}

double RunningNorm::next_momentum() {
  if (!is_training() || !num_batches_tracked.defined()) return options_.momentum.value_or(0);
  NoGrad no_grad;
  num_batches_tracked.add_(ones({}, i64));
  return options_.momentum ? *options_.momentum : 1 / num_batches_tracked.item();
}

void RunningNorm::check_dims(const Tensor& x, int low, int high) const {
  if (x.dim() != low && x.dim() != high)
    throw ShapeError("[" + type_name() + "] expected " + std::to_string(low) +
                     (high == low ? "" : " or " + std::to_string(high)) + " dimensions, got " +
                     cadena::to_string(x.shape()));
}

Tensor BatchNorm::forward(const Tensor& x) {
  check_dims(x, low_, high_);
  make_for(x, 1);
  const bool training = is_training() || !running_mean.defined();
  return batch_norm(x, running_mean, running_var,
                    {.weight = weight,
                     .bias = bias,
                     .training = training,
                     .momentum = next_momentum(),
                     .eps = options().eps});
}

Tensor InstanceNorm::forward(const Tensor& x) {
  check_dims(x, rank_ + 1, rank_ + 2);
  make_for(x, x.dim() - rank_ - 1);
  const bool batched = x.dim() == rank_ + 2;
  const Tensor y = instance_norm(batched ? x : x.unsqueeze(0),
                                 {.running_mean = running_mean,
                                  .running_var = running_var,
                                  .weight = weight,
                                  .bias = bias,
                                  .use_input_stats = is_training() || !running_mean.defined(),
                                  .momentum = options().momentum.value_or(0),
                                  .eps = options().eps});
  return batched ? y : y.squeeze(0);
}

GroupNorm::GroupNorm(std::int64_t num_groups, std::int64_t num_channels, const GroupNormOptions& o)
    : num_groups_(num_groups), num_channels_(num_channels), options_(o) {
  if (num_groups < 1 || num_channels % num_groups != 0)
    throw ValueError("[GroupNorm] expected groups that divide " + std::to_string(num_channels) +
                     " channels, got " + std::to_string(num_groups));
  if (o.affine) weight = ones({num_channels}, o.dtype), bias = zeros({num_channels}, o.dtype);
}

Tensor GroupNorm::forward(const Tensor& x) { return group_norm(x, num_groups_, weight, bias, options_.eps); }

void GroupNorm::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string GroupNorm::extra_repr() const {
  return std::to_string(num_groups_) + ", " + std::to_string(num_channels_) +
         ", eps=" + number(options_.eps) + ", affine=" + yes_or_no(options_.affine);
}

LayerNorm::LayerNorm(const Shape& normalized_shape, const LayerNormOptions& o)
    : normalized_shape_(normalized_shape), options_(o) {
  if (!o.elementwise_affine) return;
  weight = ones(normalized_shape, o.dtype);
  if (o.bias) bias = zeros(normalized_shape, o.dtype);
}

Tensor LayerNorm::forward(const Tensor& x) {
  return layer_norm(x, normalized_shape_, weight, bias, options_.eps);
}

void LayerNorm::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string LayerNorm::extra_repr() const {
  return cadena::to_string(normalized_shape_) + ", eps=" + number(options_.eps) +
         ", elementwise_affine=" + yes_or_no(options_.elementwise_affine);
}

RMSNorm::RMSNorm(const Shape& normalized_shape, const RMSNormOptions& o)
    : normalized_shape_(normalized_shape), options_(o) {
  if (o.elementwise_affine) weight = ones(normalized_shape, o.dtype);
}

Tensor RMSNorm::forward(const Tensor& x) { return rms_norm(x, normalized_shape_, weight, options_.eps); }

void RMSNorm::visit(Visitor& v) { v("weight", weight); }

std::string RMSNorm::extra_repr() const {
  return cadena::to_string(normalized_shape_) + ", eps=" + (options_.eps ? number(*options_.eps) : "None") +
         ", elementwise_affine=" + yes_or_no(options_.elementwise_affine);
}

Tensor LocalResponseNorm::forward(const Tensor& x) {
  return local_response_norm(x, size_, alpha_, beta_, k_);
}

std::string LocalResponseNorm::extra_repr() const {
  return std::to_string(size_) + ", alpha=" + number(alpha_) + ", beta=" + number(beta_) +
         ", k=" + number(k_);
}

}  // namespace cadena::nn
