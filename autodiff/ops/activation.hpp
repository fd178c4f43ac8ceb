// Activations. Formulas: ../formulas/activation.hpp. Layers: nn/activation.hpp.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor sigmoid(const Tensor& x);
Tensor log_sigmoid(const Tensor& x);
Tensor softplus(const Tensor& x);  ///< log(1 + exp(x)), without overflow
Tensor relu(const Tensor& x);      ///< derivative 0 at 0

}  // namespace cadena
