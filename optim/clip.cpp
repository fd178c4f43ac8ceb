#include "optim/clip.hpp"

#include <cmath>
#include <limits>

#include "autodiff/capture.hpp"
#include "autodiff/grad.hpp"
#include "autodiff/ops.hpp"
#include "optim/arithmetic.hpp"
#include "optim/optimizer.hpp"

namespace cadena::optim {

namespace {

template <class T>
double largest(const Tensor& t) {
  const T* x = t.data<T>();
  T result = 0;
  for (std::int64_t i = 0; i < t.numel(); ++i) result = larger(result, std::abs(x[i]));
  return static_cast<double>(result);
}

/// The sum of |x / scale|^p.
template <class T>
double sum_of_powers(const Tensor& t, double scale, double p) {
  const T* x = t.data<T>();
  const auto part = [=](std::int64_t i) { return static_cast<double>(x[i]) / scale; };
  if (p == 2) return sum_in_lanes(t.numel(), [=](std::int64_t i) { return part(i) * part(i); });
  if (p == 1) return sum_in_lanes(t.numel(), [=](std::int64_t i) { return std::abs(part(i)); });
  return sum_in_lanes(t.numel(), [=](std::int64_t i) { return std::pow(std::abs(part(i)), p); });
}

double norm_of(const std::vector<Tensor>& tensors, double p) {
  double scale = 0;
  for (auto& t : tensors) scale = larger(scale, t.dtype() == f32 ? largest<float>(t) : largest<double>(t));
  if (std::isinf(p) || scale == 0 || !std::isfinite(scale)) return scale;
  double sum = 0;
  for (auto& t : tensors)
    sum += t.dtype() == f32 ? sum_of_powers<float>(t, scale, p) : sum_of_powers<double>(t, scale, p);
  return scale * std::pow(sum, 1 / p);
}

}  // namespace

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, ClipNormOptions options) {
  const char* op = "clip_grad_norm_";
  expect(op, "max_norm", max_norm, max_norm >= 0, ">= 0");
  expect(op, "norm_type", options.norm_type, options.norm_type > 0, "> 0");
  if (is_capturing()) {
    on_every_call(op, [=] {
      clip_grad_norm_(parameters, max_norm, options);
      // Tensors of their own also where nothing was clipped: what may be read later must not depend on that.
      NoGrad no_grad;
      for (auto p : parameters)
        if (p.grad().defined()) p.set_grad(p.grad().clone());
    });
    return std::numeric_limits<double>::quiet_NaN();
  }
  NoGrad no_grad;
  std::vector<Tensor> gradients;
  for (auto& p : parameters)
    if (p.grad().defined()) gradients.push_back(p.grad().contiguous());
  const double norm = norm_of(gradients, options.norm_type);
  if (options.error_if_nonfinite && !std::isfinite(norm))
    throw ValueError("[clip_grad_norm_] expected gradients of a finite norm, got " + to_text(norm));
  const double factor = max_norm / (norm + 1e-6);
  if (factor >= 1) return norm;
  for (auto p : parameters)
    if (p.grad().defined()) p.set_grad(p.grad() * factor);
  return norm;
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  expect("clip_grad_value_", "clip_value", clip_value, clip_value >= 0, ">= 0");
  NoGrad no_grad;
  for (auto p : parameters)
    if (p.grad().defined()) p.set_grad(clamp(p.grad(), -clip_value, clip_value));
}

}  // namespace cadena::optim
