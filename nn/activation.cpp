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

void check_probability(double p) {
  if (!(p >= 0 && p <= 1)) throw ValueError("[Dropout] expected 0 <= p <= 1, got " + field("p", p));
}

/// 1 / (1 - p) where an element is kept, else 0. One draw per element, in row-major order.
template <class T>
Tensor dropout_mask(const Shape& shape, double p) {
  Tensor mask = rand(shape, dtype_of<T>());
  auto* m = mask.mutable_data<T>();
  const auto n = mask.numel();
  const auto limit = static_cast<T>(p), kept = p < 1 ? static_cast<T>(1 / (1 - p)) : T{0};
  for (std::int64_t i = 0; i < n; ++i) m[i] = m[i] < limit ? T{0} : kept;
  return mask;
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

Tensor dropout(const Tensor& x, double p) {
  check_probability(p);
  if (!is_floating(x.dtype()))
    throw DtypeError("[dropout] expected f32 or f64, got " + std::string(name(x.dtype())));
  if (p == 0) return x;
  return x * (x.dtype() == f32 ? dropout_mask<float>(x.shape(), p) : dropout_mask<double>(x.shape(), p));
}

Dropout::Dropout(double p) : p_(p) { check_probability(p); }
Tensor Dropout::forward(const Tensor& x) { return is_training() ? dropout(x, p_) : x; }
std::string Dropout::extra_repr() const { return field("p", p_); }

}  // namespace cadena::nn
