// Parts of tensors, and tensors from parts.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor select(const Tensor& x, int axis, std::int64_t index);
Tensor slice(const Tensor& x, int axis, Slice range);
Tensor cat(const std::vector<Tensor>& parts, int axis = 0);
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);

}  // namespace cadena
