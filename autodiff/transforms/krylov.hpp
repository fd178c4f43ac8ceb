// GMRES (Saad and Schultz 1986): solves A x = b knowing only v -> A v.
#pragma once

#include <functional>

#include "autodiff/tensor.hpp"

namespace cadena::detail {

struct Solution {
  Tensor x;
  double residual;  ///< |b - A x| / |b|
  bool converged;
};

/// Unrecorded. `tol` bounds the residual; `max_iter` the applications of A.
Solution gmres(const std::function<Tensor(const Tensor&)>& a, const Tensor& b, double tol, int max_iter);

}  // namespace cadena::detail
