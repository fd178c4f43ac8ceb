// Sliding windows, and sums of what overlaps.
#pragma once

#include <cstdint>

#include "autodiff/tensor.hpp"

namespace cadena {

/// A view of the windows of `size` along `axis`, `step` apart: they are counted along the axis, their
/// elements come last. @throws ShapeError if x is shorter than one window
Tensor unfold(const Tensor& x, int axis, std::int64_t size, std::int64_t step);

/// Windows of images: one number per spatial axis, or one for all.
struct WindowOptions {
  Shape dilation = {1}, padding = {0}, stride = {1};
};
/// Columns of windows (im2col): (n, c, spatial...) -> (n, c * kernel..., windows). Any number of spatial
/// axes.
Tensor unfold(const Tensor& x, const Shape& kernel_size, const WindowOptions& options = {});
/// Adds columns back into place (col2im), the transpose of unfold: (n, c * kernel..., windows) -> (n, c,
/// output_size...).
Tensor fold(const Tensor& columns, const Shape& output_size, const Shape& kernel_size,
            const WindowOptions& options = {});

}  // namespace cadena
