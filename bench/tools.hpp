// What Cadena's workloads share.
#pragma once

#include <autodiff/autodiff.hpp>
#include <autodiff/build_info.hpp>
#include <autodiff/memory.hpp>

#include "support/suite.hpp"
#include "support/workloads.hpp"

namespace bench {

inline const Library cadena_library{cadena::set_num_threads, [] { return cadena::memory_stats().live_bytes; },
                                    cadena::library_report};

inline cadena::Tensor leaf(const cadena::Shape& shape, std::uint32_t seed, double scale = 1) {
  return cadena::tensor(numbers(shape.numel(), seed, scale), shape).requires_grad_();
}

inline cadena::Tensor constant(const cadena::Shape& shape, std::uint32_t seed, double scale = 1) {
  return cadena::tensor(numbers(shape.numel(), seed, scale), shape);
}

/// A number that a wrong or misplaced element anywhere changes.
inline double digest(const cadena::Tensor& t) {
  const cadena::NoGrad guard;
  const cadena::Tensor weight = constant(t.shape(), 99) + 1;
  return cadena::mean(cadena::abs(t.to(cadena::f64)) * weight).item();
}

/// Forward and backward of `f(x)` under a fixed cotangent; the result is the gradient's digest.
template <class F>
Step differentiate(F f, cadena::Tensor x) {
  const cadena::Tensor seed = constant(f(x).shape(), 98);
  return {[=]() mutable {
            x.zero_grad();
            f(x).backward(seed);
          },
          [=] { return digest(x.grad()); }};
}

}  // namespace bench
