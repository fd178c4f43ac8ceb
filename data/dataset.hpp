// Data sets: anything that can say how many samples it has and hand them out, in batches or one by one.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>

#include "autodiff/tensor.hpp"
#include "data/drawn_digits.hpp"

namespace cadena::data {

/// One sample and what should be predicted for it; no batch axis.
struct Sample {
  Tensor x;
  Tensor y;
};

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

/// A data set by its samples: `get(i)` may be called from several threads at once, i lies in [0, size()).
/// What it draws from `default_generator()` depends on the loader's seed, the epoch and the sample's place in
/// it, not on batches, threads or other samples.
template <class D>
concept SampleDataset = requires(const D& d, std::int64_t i) {
  { d.size() } -> std::convertible_to<std::int64_t>;
  { d.get(i) } -> std::same_as<Sample>;
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
  /// Row i of both, as views. @throws IndexError for an index outside [0, size())
  Sample get(std::int64_t i) const;

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
