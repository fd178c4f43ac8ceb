// Tensors cut into parts, and put together.
#pragma once

#include <concepts>
#include <cstdint>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

// Parts are views. Lengths and cuts may be given as one number or as a list: `split(x, 2)`, `split(x, {2,
// 3})`.

/// Parts of the given lengths, which must add up to the extent.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& lengths, int axis = 0);
/// Parts that end before the given positions, and the rest; positions as in slices.
std::vector<Tensor> tensor_split(const Tensor& x, const std::vector<std::int64_t>& indices, int axis = 0);
/// At most `chunks` parts of one length, but for the last. @throws ValueError unless chunks >= 1
std::vector<Tensor> chunk(const Tensor& x, std::int64_t chunks, int axis = 0);
std::vector<Tensor> unbind(const Tensor& x, int axis = 0);  ///< every x[i] along the axis, without it

namespace detail {
auto split_evenly(const Tensor& x, std::int64_t length, int axis) -> std::vector<Tensor>;
auto split_into(const Tensor& x, std::int64_t sections, int axis) -> std::vector<Tensor>;
auto split_equally(const char* op, const Tensor& x, std::int64_t sections, int axis) -> std::vector<Tensor>;
}  // namespace detail

/// Parts of one length, but for the last. @throws ValueError unless length >= 1
template <std::integral I>
std::vector<Tensor> split(const Tensor& x, I length, int axis = 0) {
  return detail::split_evenly(x, static_cast<std::int64_t>(length), axis);
}
/// Exactly `sections` parts, the first ones longer by one if need be. @throws ValueError unless sections >= 1
template <std::integral I>
std::vector<Tensor> tensor_split(const Tensor& x, I sections, int axis = 0) {
  return detail::split_into(x, static_cast<std::int64_t>(sections), axis);
}

/// Exactly `sections` equal parts, or parts that end before the given positions: along axis 1 (of vectors
/// axis 0), 0 and 2. @throws ValueError unless the sections are equal, ShapeError for fewer axes
template <std::integral I>
std::vector<Tensor> hsplit(const Tensor& x, I sections) {
  return detail::split_equally("hsplit", x, static_cast<std::int64_t>(sections), x.dim() == 1 ? 0 : 1);
}
template <std::integral I>
std::vector<Tensor> vsplit(const Tensor& x, I sections) {
  return detail::split_equally("vsplit", x, static_cast<std::int64_t>(sections), 0);
}
template <std::integral I>
std::vector<Tensor> dsplit(const Tensor& x, I sections) {
  return detail::split_equally("dsplit", x, static_cast<std::int64_t>(sections), 2);
}
std::vector<Tensor> hsplit(const Tensor& x, const std::vector<std::int64_t>& indices);
std::vector<Tensor> vsplit(const Tensor& x, const std::vector<std::int64_t>& indices);
std::vector<Tensor> dsplit(const Tensor& x, const std::vector<std::int64_t>& indices);
/// A view of `length` slices from `start` on, which may count from the end. @throws IndexError unless they
/// are there
Tensor narrow(const Tensor& x, int axis, std::int64_t start, std::int64_t length);

Tensor hstack(const std::vector<Tensor>& parts);  ///< side by side: axis 1, of vectors axis 0
Tensor vstack(const std::vector<Tensor>& parts);  ///< one below the other, vectors as rows
Tensor dstack(const std::vector<Tensor>& parts);  ///< behind each other: axis 2
/// Side by side, vectors and numbers as columns.
Tensor column_stack(const std::vector<Tensor>& parts);
/// Matrices (vectors as rows, numbers as 1 x 1) along a diagonal, zeros elsewhere.
Tensor block_diag(const std::vector<Tensor>& matrices);

/// Order of the first two axes of a grid: as the arguments (matrix), or exchanged (Cartesian).
enum class Indexing : std::uint8_t { ij, xy };
/// The coordinates of a grid, each a view of the grid's shape, from vectors (or numbers).
std::vector<Tensor> meshgrid(const std::vector<Tensor>& tensors, Indexing indexing = Indexing::ij);
/// All combinations of the vectors' elements, one a row; of one vector the vector.
Tensor cartesian_prod(const std::vector<Tensor>& tensors);

}  // namespace cadena
