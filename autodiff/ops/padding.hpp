// Margins around tensors.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

struct Padding {
  std::int64_t before, after;  ///< negative ones cut off
};
/// What stands in the margin: a number, the elements mirrored at the edge (without repeating it), the edge
/// itself, or the elements from the other end.
enum class PadMode : std::uint8_t { constant, reflect, replicate, circular };
/// Constant padding, one Padding per axis counted from the last (PyTorch's order). @throws ShapeError
Tensor pad(const Tensor& x, const std::vector<Padding>& paddings, Scalar value = 0);
/// The other modes, along any axes. @throws ShapeError if an axis has too few elements to take them from
Tensor pad(const Tensor& x, const std::vector<Padding>& paddings, PadMode mode);

}  // namespace cadena
