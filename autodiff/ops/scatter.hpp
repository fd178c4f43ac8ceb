// Writing and combining at positions along an axis. Indices are not broadcast and must lie in [0, extent).
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/tensor.hpp"

namespace cadena {

/// A copy of x with src, a tensor of index's shape or a number, at gather's positions; of several values for
/// one position the last (in row-major order) stays, and alone gets the gradient.
Tensor scatter(const Tensor& x, int axis, const Tensor& index, const Operand& src);
enum class ScatterReduction : std::uint8_t { sum, prod, mean, amax, amin };
/// Reduces what src (of index's shape) brings to each of gather's positions, with x's own element unless
/// `include_self` is false; positions that nothing is brought to keep x's. Ties share the gradient evenly.
Tensor scatter_reduce(const Tensor& x, int axis, const Tensor& index, const Tensor& src,
                      ScatterReduction reduce, bool include_self = true);
/// gather with an index that broadcasts against x outside the axis; without an axis in the flattened x.
Tensor take_along_dim(const Tensor& x, const Tensor& index, std::optional<int> axis = {});
/// A copy of x with whole slices of src at a vector of indices; of several the last stays.
Tensor index_copy(const Tensor& x, int axis, const Tensor& index, const Tensor& src);
/// A copy of x with src in place of select(x, axis, index), whose shape it has.
Tensor select_scatter(const Tensor& x, const Tensor& src, int axis, std::int64_t index);
/// A copy of x with src in place of slice(x, axis, range), whose shape it has.
Tensor slice_scatter(const Tensor& x, const Tensor& src, int axis, Slice range = {});
/// A copy of x with a number (or a tensor of rank 0) in whole slices.
Tensor index_fill(const Tensor& x, int axis, const Tensor& index, const Operand& value);

}  // namespace cadena
