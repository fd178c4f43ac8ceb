#include "nn/activation.hpp"

#include <cstdio>

#include "autodiff/ops.hpp"

namespace cadena::nn {

namespace {

/// "p=0.5", with as few digits as needed.
std::string field(const char* name, double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%s=%g", name, value);
  return text;
}

}  // namespace

Tensor ReLU::forward(const Tensor& x) { return relu(x); }
Tensor ReLU6::forward(const Tensor& x) { return relu6(x); }
Tensor SELU::forward(const Tensor& x) { return selu(x); }
Tensor SiLU::forward(const Tensor& x) { return silu(x); }
Tensor Mish::forward(const Tensor& x) { return mish(x); }
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor LogSigmoid::forward(const Tensor& x) { return log_sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }
Tensor Softsign::forward(const Tensor& x) { return softsign(x); }
Tensor Tanhshrink::forward(const Tensor& x) { return tanhshrink(x); }
Tensor Hardsigmoid::forward(const Tensor& x) { return hardsigmoid(x); }
Tensor Hardswish::forward(const Tensor& x) { return hardswish(x); }

Tensor LeakyReLU::forward(const Tensor& x) { return leaky_relu(x, negative_slope_); }
std::string LeakyReLU::extra_repr() const { return field("negative_slope", negative_slope_); }

RReLU::RReLU(double lower, double upper) : lower_(lower), upper_(upper) {
  if (!(lower <= upper))
    throw ValueError("[RReLU] expected lower <= upper, got " + field("lower", lower) + ", " +
                     field("upper", upper));
}
Tensor RReLU::forward(const Tensor& x) { return rrelu(x, lower_, upper_, is_training()); }
std::string RReLU::extra_repr() const { return field("lower", lower_) + ", " + field("upper", upper_); }

Tensor ELU::forward(const Tensor& x) { return elu(x, alpha_); }
std::string ELU::extra_repr() const { return field("alpha", alpha_); }

CELU::CELU(double alpha) : alpha_(alpha) {
  if (alpha == 0) throw ValueError("[CELU] expected alpha other than 0, got " + field("alpha", alpha));
}
Tensor CELU::forward(const Tensor& x) { return celu(x, alpha_); }
std::string CELU::extra_repr() const { return field("alpha", alpha_); }

Softplus::Softplus(double beta) : beta_(beta) {
  if (!(beta > 0)) throw ValueError("[Softplus] expected beta > 0, got " + field("beta", beta));
}
Tensor Softplus::forward(const Tensor& x) { return softplus(x, beta_); }
std::string Softplus::extra_repr() const { return field("beta", beta_); }

Hardtanh::Hardtanh(double min_val, double max_val) : min_val_(min_val), max_val_(max_val) {
  if (!(min_val < max_val))
    throw ValueError("[Hardtanh] expected min_val < max_val, got " + field("min_val", min_val) + ", " +
                     field("max_val", max_val));
}
Tensor Hardtanh::forward(const Tensor& x) { return hardtanh(x, min_val_, max_val_); }
std::string Hardtanh::extra_repr() const {
  return field("min_val", min_val_) + ", " + field("max_val", max_val_);
}

Tensor Hardshrink::forward(const Tensor& x) { return hardshrink(x, lambd_); }
std::string Hardshrink::extra_repr() const { return field("lambd", lambd_); }

Softshrink::Softshrink(double lambd) : lambd_(lambd) {
  if (!(lambd >= 0)) throw ValueError("[Softshrink] expected lambd >= 0, got " + field("lambd", lambd));
}
Tensor Softshrink::forward(const Tensor& x) { return softshrink(x, lambd_); }
std::string Softshrink::extra_repr() const { return field("lambd", lambd_); }

Tensor Threshold::forward(const Tensor& x) { return cadena::threshold(x, threshold_, value_); }
std::string Threshold::extra_repr() const {
  return field("threshold", threshold_) + ", " + field("value", value_);
}

Tensor GLU::forward(const Tensor& x) { return glu(x, axis_); }
std::string GLU::extra_repr() const { return "dim=" + std::to_string(axis_); }

Tensor Softmax::forward(const Tensor& x) { return softmax(x, axis_); }
std::string Softmax::extra_repr() const { return "dim=" + std::to_string(axis_); }

Tensor Softmax2d::forward(const Tensor& x) {
  if (x.dim() != 3 && x.dim() != 4)
    throw ShapeError("[Softmax2d] expected 3 or 4 dimensions, got " + cadena::to_string(x.shape()));
  return softmax(x, -3);
}

Tensor Softmin::forward(const Tensor& x) { return softmin(x, axis_); }
std::string Softmin::extra_repr() const { return "dim=" + std::to_string(axis_); }

Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, axis_); }
std::string LogSoftmax::extra_repr() const { return "dim=" + std::to_string(axis_); }

GELU::GELU(std::string approximate) : approximate_(std::move(approximate)) {
  if (approximate_ != "none" && approximate_ != "tanh")
    throw ValueError("[GELU] expected approximate = \"none\" or \"tanh\", got \"" + approximate_ + "\"");
}
Tensor GELU::forward(const Tensor& x) { return gelu(x, approximate_); }
std::string GELU::extra_repr() const { return "approximate=" + approximate_; }

PReLU::PReLU(std::int64_t num_parameters, double init, DType dtype) {
  if (num_parameters < 1)
    throw ShapeError("[PReLU] expected num_parameters >= 1, got " + std::to_string(num_parameters));
  weight = full({num_parameters}, init, dtype);
}
Tensor PReLU::forward(const Tensor& x) { return prelu(x, weight); }
void PReLU::visit(Visitor& v) { v("weight", weight); }
std::string PReLU::extra_repr() const { return "num_parameters=" + std::to_string(weight.numel()); }

}  // namespace cadena::nn
