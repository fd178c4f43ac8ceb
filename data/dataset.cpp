#include "data/dataset.hpp"

#include <algorithm>
#include <cstring>
#include <string>

#include "autodiff/ops.hpp"

namespace cadena::data {
namespace {

Tensor row_major(const Tensor& t) { return t.detach().contiguous(); }

/// Rows `indices` of a contiguous tensor.
Tensor take(const Tensor& from, std::span<const std::int64_t> indices) {
  Shape shape = from.shape();
  const std::int64_t rows = shape[0];
  shape[0] = 1;
  const std::int64_t row = shape.numel();
  shape[0] = static_cast<std::int64_t>(indices.size());
  return visit(from.dtype(), [&]<class T>(T) {
    Tensor out = empty(shape, from.dtype());
    const T* source = from.data<T>();
    T* to = out.mutable_data<T>();
    for (const auto i : indices) {
      if (i < 0 || i >= rows)
        throw IndexError("[TensorDataset::batch] expected indices in [0, " + std::to_string(rows) +
                         "), got " + std::to_string(i));
      std::copy_n(source + i * row, row, to);
      to += row;
    }
    return out;
  });
}

}  // namespace

TensorDataset::TensorDataset(const Tensor& x, const Tensor& y) {
  if (x.dim() == 0 || y.dim() == 0 || x.size(0) != y.size(0))
    throw ShapeError("[TensorDataset] expected two tensors with one first extent, got " +
                     to_string(x.shape()) + " and " + to_string(y.shape()));
  x_ = row_major(x);
  y_ = row_major(y);
}

Batch TensorDataset::batch(std::span<const std::int64_t> indices) const {
  return {take(x_, indices), take(y_, indices)};
}

Sample TensorDataset::get(std::int64_t i) const {
  if (i < 0 || i >= size())
    throw IndexError("[TensorDataset::get] expected an index in [0, " + std::to_string(size()) + "), got " +
                     std::to_string(i));
  return {x_[i], y_[i]};
}

TensorDataset image_dataset(std::span<const std::uint8_t> pixels, std::span<const std::uint8_t> labels,
                            std::int64_t rows, std::int64_t columns) {
  const Shape shape{static_cast<std::int64_t>(labels.size()), rows, columns};
  const auto n = checked_numel("image_dataset", shape, sizeof(float));
  if (static_cast<std::uint64_t>(n) != pixels.size())
    throw ShapeError("[image_dataset] expected " + std::to_string(n) + " pixels for " + to_string(shape) +
                     ", got " + std::to_string(pixels.size()));
  Tensor x = empty(shape), y = empty({shape[0]}, i64);
  std::transform(pixels.begin(), pixels.end(), x.mutable_data<float>(),
                 [](std::uint8_t v) { return static_cast<float>(v) / 255.0F; });
  std::copy(labels.begin(), labels.end(), y.mutable_data<std::int64_t>());
  return {x, y};
}

TensorDataset image_dataset(const DrawnDigits& digits) {
  return image_dataset(digits.images, digits.labels, digits.rows, digits.cols);
}

}  // namespace cadena::data
