// softmax and its relatives.
#pragma once

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim = false);
Tensor softmax(const Tensor& x, int axis);
Tensor log_softmax(const Tensor& x, int axis);

}  // namespace cadena
