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
Tensor Sigmoid::forward(const Tensor& x) { return sigmoid(x); }
Tensor LogSigmoid::forward(const Tensor& x) { return log_sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) { return tanh(x); }

Softplus::Softplus(double beta) : beta_(beta) {
  if (!(beta > 0)) throw ValueError("[Softplus] expected beta > 0, got " + field("beta", beta));
}
Tensor Softplus::forward(const Tensor& x) { return beta_ == 1 ? softplus(x) : softplus(x * beta_) / beta_; }
std::string Softplus::extra_repr() const { return field("beta", beta_); }

Tensor Softmax::forward(const Tensor& x) { return softmax(x, axis_); }
std::string Softmax::extra_repr() const { return "dim=" + std::to_string(axis_); }

Tensor LogSoftmax::forward(const Tensor& x) { return log_softmax(x, axis_); }
std::string LogSoftmax::extra_repr() const { return "dim=" + std::to_string(axis_); }

}  // namespace cadena::nn
