#include "nn/linear.hpp"

#include <cmath>

#include "autodiff/ops.hpp"
#include "nn/init.hpp"

namespace cadena::nn {

Linear::Linear(std::int64_t in_features, std::int64_t out_features, LinearOptions options)
    : weight(empty({out_features, in_features}, options.dtype)) {
  if (options.bias) bias = empty({out_features}, options.dtype);
  reset_parameters();
}

void Linear::reset_parameters() {
  init::kaiming_uniform_(weight, {.slope = std::sqrt(5.0)});
  const auto in = init::fans(weight).in;
  const auto bound = in > 0 ? 1 / std::sqrt(static_cast<double>(in)) : 0;
  if (bias.defined()) init::uniform_(bias, -bound, bound);
}

Tensor Linear::forward(const Tensor& x) { return linear(x, weight, bias); }

void Linear::visit(Visitor& v) {
  v("weight", weight);
  v("bias", bias);
}

std::string Linear::extra_repr() const {
  return "in_features=" + std::to_string(weight.size(1)) +
         ", out_features=" + std::to_string(weight.size(0)) + ", bias=" + (bias.defined() ? "True" : "False");
}

std::string Flatten::extra_repr() const {
  return "start_dim=" + std::to_string(start_) + ", end_dim=" + std::to_string(end_);
}

}  // namespace cadena::nn
