// Sums of products in Einstein's notation.
#pragma once

#include <string_view>

#include "autodiff/grad.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

/// Sum of products in Einstein's notation, "bij,bjk->bik": every letter is an axis, and letters missing
/// behind the arrow are summed. A repeated letter takes a diagonal, "..." stands for any further axes, which
/// broadcast, as does an extent of 1. Without arrow: the letters that occur once, in alphabetical order,
/// after "...". Operands are multiplied pair by pair: in the order of the fewest multiplications up to five,
/// the cheapest pair first beyond. @throws ValueError, ShapeError naming the equation and the operand
Tensor einsum(std::string_view equation, const TensorList& operands);

}  // namespace cadena
