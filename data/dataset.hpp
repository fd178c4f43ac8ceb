// Data sets in memory: anything that can say how many samples it has and hand out a batch of them.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include "autodiff/tensor.hpp"
#include "data/drawn_digits.hpp"

namespace cadena::data {

/// Some samples and what should be predicted for them; `auto [x, y] = ...`.
struct Batch {
  Tensor x;  ///< (batch, ...)
  Tensor y;  ///< (batch, ...)
};

/// `batch(indices)` may be called from several threads at once; indices lie in [0, size()). What it draws
/// from `default_generator()` is the same for any number of a DataLoader's workers.
template <class D>
concept Dataset = requires(const D& d, std::span<const std::int64_t> indices) {
  { d.size() } -> std::convertible_to<std::int64_t>;
  { d.batch(indices) } -> std::same_as<Batch>;
};

/// Two tensors, row i of which is sample i.
class TensorDataset {
 public:
  /// @param x (N, ...) @param y (N, ...), any dtypes; both are detached and, unless contiguous, copied
  /// @throws ShapeError if they have no or different first extents
  TensorDataset(const Tensor& x, const Tensor& y);

  std::int64_t size() const { return x_.size(0); }
  const Tensor& x() const { return x_; }
  const Tensor& y() const { return y_; }

  /// Copies of the given rows, in the given order. @throws IndexError for an index outside [0, size())
  Batch batch(std::span<const std::int64_t> indices) const;

 private:
  Tensor x_, y_;
};

/// Grey images 0..255 -> x f32 (count, rows, columns) in [0, 1], y i64 (count).
/// @param pixels count * rows * columns bytes @param labels count bytes @throws ShapeError if their sizes
/// differ from that
TensorDataset image_dataset(std::span<const std::uint8_t> pixels, std::span<const std::uint8_t> labels,
                            std::int64_t rows, std::int64_t columns);
TensorDataset image_dataset(const DrawnDigits& digits);

}  // namespace cadena::data
