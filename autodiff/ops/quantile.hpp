// Quantiles.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/tensor.hpp"

namespace cadena {

/// What to take between two neighbours: a mixture by distance, the lower, the higher, the nearer one (of even
/// rank when both are as near), or their mean.
enum class Interpolation : std::uint8_t { linear, lower, higher, nearest, midpoint };
struct QuantileOptions {
  std::optional<int> axis = {};  ///< none: of all elements
  bool keepdim = false;
  Interpolation interpolation = Interpolation::linear;
};
/// The values below which lie the shares q, a number or a vector in [0, 1]: rank q (n - 1) in ascending
/// order. NaN where there is one. A vector's results come first: (q, rest...). Also differentiable by q.
/// @throws ValueError
Tensor quantile(const Tensor& x, const Operand& q, const QuantileOptions& options = {});
/// The same of what is not NaN; NaN if nothing is.
Tensor nanquantile(const Tensor& x, const Operand& q, const QuantileOptions& options = {});

}  // namespace cadena
