// Pools: windows of neighbouring elements become one each.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autodiff/ops/reduce.hpp"
#include "autodiff/random.hpp"
#include "autodiff/tensor.hpp"

namespace cadena {

// The last one, two or three dimensions are pooled; before them stand (N, C) or (C). Output extents are
// (extent + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1, rounded down, or up with ceil_mode;
// then a last window that would begin behind the input is left out. What throws for windows that do not fit
// is ShapeError.

struct MaxPoolOptions {
  PerAxis stride = {};  ///< kernel_size unless given
  PerAxis padding = 0;  ///< never the largest; at most half of kernel_size
  PerAxis dilation = 1;
  bool ceil_mode = false;
};
/// The largest element of each window; the first of equals gets the gradient, NaN counts as largest.
Tensor max_pool1d(const Tensor& x, const PerAxis& kernel_size, const MaxPoolOptions& options = {});
Tensor max_pool2d(const Tensor& x, const PerAxis& kernel_size, const MaxPoolOptions& options = {});
Tensor max_pool3d(const Tensor& x, const PerAxis& kernel_size, const MaxPoolOptions& options = {});
/// Also where it stands (i64), counted row by row through the pooled dimensions of x.
ValuesIndices max_pool1d_with_indices(const Tensor& x, const PerAxis& kernel_size,
                                      const MaxPoolOptions& options = {});
ValuesIndices max_pool2d_with_indices(const Tensor& x, const PerAxis& kernel_size,
                                      const MaxPoolOptions& options = {});
ValuesIndices max_pool3d_with_indices(const Tensor& x, const PerAxis& kernel_size,
                                      const MaxPoolOptions& options = {});

struct MaxUnpoolOptions {
  PerAxis stride = {};  ///< kernel_size unless given
  PerAxis padding = 0;
  PerAxis output_size = {};  ///< (extent - 1) stride - 2 padding + kernel_size unless given; less than one
                             ///< stride away from it
};
/// Elements of x at the positions that a max pool gave, zeros elsewhere; the last wins where two meet.
/// @throws IndexError for positions outside
Tensor max_unpool1d(const Tensor& x, const Tensor& indices, const PerAxis& kernel_size,
                    const MaxUnpoolOptions& options = {});
Tensor max_unpool2d(const Tensor& x, const Tensor& indices, const PerAxis& kernel_size,
                    const MaxUnpoolOptions& options = {});
Tensor max_unpool3d(const Tensor& x, const Tensor& indices, const PerAxis& kernel_size,
                    const MaxUnpoolOptions& options = {});

struct AvgPoolOptions {
  PerAxis stride = {};  ///< kernel_size unless given
  PerAxis padding = 0;  ///< zeros, at most half of kernel_size
  bool ceil_mode = false;
  bool count_include_pad = true;  ///< padding counts in what is divided by
  std::optional<std::int64_t> divisor_override = {};
};
/// The mean of each window.
Tensor avg_pool1d(const Tensor& x, const PerAxis& kernel_size, const AvgPoolOptions& options = {});
Tensor avg_pool2d(const Tensor& x, const PerAxis& kernel_size, const AvgPoolOptions& options = {});
Tensor avg_pool3d(const Tensor& x, const PerAxis& kernel_size, const AvgPoolOptions& options = {});

// Windows that share the input evenly: window i of n over an extent m is [floor(i m / n), ceil((i + 1) m /
// n)). -1 in `output_size` keeps an extent.
Tensor adaptive_avg_pool1d(const Tensor& x, const PerAxis& output_size);
Tensor adaptive_avg_pool2d(const Tensor& x, const PerAxis& output_size);
Tensor adaptive_avg_pool3d(const Tensor& x, const PerAxis& output_size);
Tensor adaptive_max_pool1d(const Tensor& x, const PerAxis& output_size);
Tensor adaptive_max_pool2d(const Tensor& x, const PerAxis& output_size);
Tensor adaptive_max_pool3d(const Tensor& x, const PerAxis& output_size);
ValuesIndices adaptive_max_pool1d_with_indices(const Tensor& x, const PerAxis& output_size);
ValuesIndices adaptive_max_pool2d_with_indices(const Tensor& x, const PerAxis& output_size);
ValuesIndices adaptive_max_pool3d_with_indices(const Tensor& x, const PerAxis& output_size);

struct FractionalMaxPoolOptions {
  PerAxis output_size = {};               ///< at most extent - kernel_size + 1; this or
  std::vector<double> output_ratio = {};  ///< of the extents, in (0, 1), one for all or for each dimension
  /// Where the windows lie: numbers in [0, 1), (N, C, 2) for width and height or (N, C, 3) for depth, height
  /// and width; drawn unless given. N = 1 for x without batch.
  Tensor random_samples = {};
  Generator* generator = nullptr;  ///< the calling thread's default one if left out
};
/// The largest elements of windows whose steps vary by chance by one element, so that an extent shrinks by
/// any ratio: window i begins at floor((i + u) a) - floor(u a), with a = (extent - kernel_size) /
/// (output_size - 1), and the last one at the end. Graham, arXiv:1412.6071, as PyTorch does it.
Tensor fractional_max_pool2d(const Tensor& x, const PerAxis& kernel_size,
                             const FractionalMaxPoolOptions& options);
Tensor fractional_max_pool3d(const Tensor& x, const PerAxis& kernel_size,
                             const FractionalMaxPoolOptions& options);
ValuesIndices fractional_max_pool2d_with_indices(const Tensor& x, const PerAxis& kernel_size,
                                                 const FractionalMaxPoolOptions& options);
ValuesIndices fractional_max_pool3d_with_indices(const Tensor& x, const PerAxis& kernel_size,
                                                 const FractionalMaxPoolOptions& options);

struct LpPoolOptions {
  PerAxis stride = {};  ///< kernel_size unless given
  bool ceil_mode = false;
};
/// sum(x^norm_type)^(1/norm_type) over each window; its derivative where the sum is 0 is 0. As in PyTorch the
/// sum of a window that ceil_mode cuts short is scaled up. @throws ValueError unless 0 < norm_type < inf
Tensor lp_pool1d(const Tensor& x, double norm_type, const PerAxis& kernel_size,
                 const LpPoolOptions& options = {});
Tensor lp_pool2d(const Tensor& x, double norm_type, const PerAxis& kernel_size,
                 const LpPoolOptions& options = {});
Tensor lp_pool3d(const Tensor& x, double norm_type, const PerAxis& kernel_size,
                 const LpPoolOptions& options = {});

}  // namespace cadena
