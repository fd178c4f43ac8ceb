// What the peer's workloads share. They do with libtorch exactly what the programs of the folder above do
// with Cadena.
#pragma once

#include <torch/torch.h>

#include "support/suite.hpp"
#include "support/workloads.hpp"

namespace bench::peer {

inline at::Tensor constant(at::IntArrayRef shape, std::uint32_t seed, double scale = 1) {
  return torch::tensor(numbers(c10::multiply_integers(shape), seed, scale)).reshape(shape);
}

inline at::Tensor leaf(at::IntArrayRef shape, std::uint32_t seed, double scale = 1) {
  return constant(shape, seed, scale).requires_grad_();
}

inline at::Tensor labels(std::int64_t n, std::int64_t count) { return torch::tensor(classes(n, count)); }

inline double digest(const at::Tensor& t) {
  const torch::NoGradGuard guard;
  const at::Tensor weight = constant(t.sizes(), 99) + 1;
  return (t.to(torch::kFloat64).abs() * weight).mean().item<double>();
}

/// Lets go of the gradient, as Cadena's zero_grad does; faster than filling it with zeros.
inline void drop_grad(const at::Tensor& t) { t.mutable_grad() = at::Tensor(); }

template <class F>
Step differentiate(F f, at::Tensor x) {
  const at::Tensor seed = constant(f(x).sizes(), 98);
  return {[=] {
            drop_grad(x);
            f(x).backward(seed);
          },
          [=] { return digest(x.grad()); }};
}

Suite engine_suite();
Suite tensor_suite();
Suite train_suite();
Suite model_suite();
Suite variants_suite();

}  // namespace bench::peer
