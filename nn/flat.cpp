#include "nn/flat.hpp"

#include "autodiff/ops.hpp"

namespace cadena::nn::utils {

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  if (parameters.empty()) throw ValueError("[parameters_to_vector] expected at least one tensor, got none");
  TensorList parts;
  for (const auto& p : parameters) parts.push_back(p.reshape({p.numel()}));
  return cat(parts, 0);
}

void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  std::int64_t total = 0;
  for (const auto& p : parameters) total += p.numel();
  if (!(vector.shape() == Shape{total}))
    throw ShapeError("[vector_to_parameters] expected a vector of " + std::to_string(total) +
                     " elements, got " + to_string(vector.shape()));
  NoGrad no_grad;
  std::int64_t from = 0;
  for (Tensor p : parameters) {
    p.copy_(vector.slice(0, {from, from + p.numel()}).reshape(p.shape()));
    from += p.numel();
  }
}

}  // namespace cadena::nn::utils
