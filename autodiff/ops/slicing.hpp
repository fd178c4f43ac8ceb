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
struct Padding {
  std::int64_t before, after;
};
/// Constant padding, one Padding per axis counted from the last (PyTorch's order).
Tensor pad(const Tensor& x, const std::vector<Padding>& paddings, Scalar value = 0);

}  // namespace cadena
