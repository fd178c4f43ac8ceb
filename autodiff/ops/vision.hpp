// Images in other sizes, places and orders.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

enum class InterpolateMode : std::uint8_t {
  nearest,        ///< the element at floor(i in / out)
  linear,         ///< over (N, C, L)
  bilinear,       ///< over (N, C, H, W)
  bicubic,        ///< over (N, C, H, W): Keys' kernel with a = -0.75, edges repeated; may overshoot
  trilinear,      ///< over (N, C, D, H, W)
  area,           ///< means: adaptive_avg_pool
  nearest_exact,  ///< the element under the middle, floor((i + 1/2) in / out)
};
struct InterpolateOptions {
  PerAxis size = {};                      ///< of the output; this or scale_factor
  std::vector<double> scale_factor = {};  ///< one for all dimensions or one for each
  InterpolateMode mode = InterpolateMode::nearest;
  bool align_corners = false;           ///< the outermost elements lie on each other; linear and cubic modes
  bool recompute_scale_factor = false;  ///< scale by the extents, not by scale_factor
};
/// x (N, C, ...) with one to three further dimensions in another size.
/// @throws ShapeError if the mode is not for that many dimensions, ValueError unless size or scale_factor is
/// given
Tensor interpolate(const Tensor& x, const InterpolateOptions& options);

enum class GridSampleMode : std::uint8_t { bilinear, nearest };
/// What lies outside of an image: zeros, its border, or its mirror image.
enum class GridPadding : std::uint8_t { zeros, border, reflection };
struct GridSampleOptions {
  GridSampleMode mode = GridSampleMode::bilinear;  ///< trilinear for three dimensions
  GridPadding padding_mode = GridPadding::zeros;
  bool align_corners = false;  ///< -1 and 1 are the centres of the outermost elements, not their edges
};
/// x (N, C, H, W) read at grid (N, H', W', 2), whose last axis is (x, y) within [-1, 1]: (N, C, H', W'). Also
/// with D before H and grid (N, D', H', W', 3). With nearest the grid gets no gradient.
/// Jaderberg et al., "Spatial transformer networks" (2015).
Tensor grid_sample(const Tensor& x, const Tensor& grid, const GridSampleOptions& options = {});
/// The grid of an affine map theta (N, 2, 3) for images (N, C, H, W), or (N, 3, 4) for (N, C, D, H, W).
Tensor affine_grid(const Tensor& theta, const Shape& size, bool align_corners = false);

/// (..., C r^2, H, W) -> (..., C, H r, W r): channels become places. Shi et al. (2016).
Tensor pixel_shuffle(const Tensor& x, std::int64_t upscale_factor);
/// (..., C, H r, W r) -> (..., C r^2, H, W): its inverse.
Tensor pixel_unshuffle(const Tensor& x, std::int64_t downscale_factor);
/// (N, C, ...): channel c of group g becomes channel c groups + g. Zhang et al., "ShuffleNet" (2017).
Tensor channel_shuffle(const Tensor& x, std::int64_t groups);

}  // namespace cadena
