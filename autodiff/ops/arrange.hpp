// Other arrangements of the same elements: axes, turns and repetitions.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

Tensor unflatten(const Tensor& x, int axis, const Shape& sizes);  ///< one axis as several; one size may be -1
/// Moves axes to other places; the others keep their order.
Tensor movedim(const Tensor& x, const Axes& source, const Axes& destination);
Tensor swapaxes(const Tensor& x, int a, int b);            ///< transpose
Tensor broadcast_to(const Tensor& x, const Shape& shape);  ///< expand
std::vector<Tensor> broadcast_tensors(const std::vector<Tensor>& tensors);
Tensor atleast_1d(const Tensor& x);
Tensor atleast_2d(const Tensor& x);  ///< vectors become rows
Tensor atleast_3d(const Tensor& x);  ///< vectors (1, n, 1), matrices (m, n, 1)

/// Moves elements along axes; what leaves at one end comes in at the other. Without axes: of the flattened x.
Tensor roll(const Tensor& x, const Axes& shifts, const Axes& axes = {});
Tensor rot90(const Tensor& x, int k = 1,
             const Axes& axes = {0, 1});  ///< k quarter turns from axes[0] to axes[1]
Tensor fliplr(const Tensor& x);           ///< axis 1 backwards
Tensor flipud(const Tensor& x);           ///< axis 0 backwards
/// x repeated as a whole along every axis; at least one number per axis, more add axes in front.
Tensor repeat(const Tensor& x, const Shape& repeats);
Tensor tile(const Tensor& x, const Shape& reps);  ///< repeat, where missing numbers in front are 1
/// Every element repeated, along an axis or (none) of the flattened x.
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int> axis = {});
template <std::integral I>
Tensor repeat_interleave(const Tensor& x, I repeats, std::optional<int> axis = {}) {
  return repeat_interleave(x, full({1}, repeats, i64), axis);
}

}  // namespace cadena
