// Functions that are given by samples: integrals, slopes and powers, and the points and windows to sample
// with.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "autodiff/tensor.hpp"

namespace cadena {

// Along `axis`, between samples that are `x` apart, or stand at x: a vector, or what broadcasts to y.
/// The area under the lines from sample to sample; 0 for fewer than two.
Tensor trapezoid(const Tensor& y, const Operand& x = 1, int axis = -1);
/// The areas from the first sample to each of the others.
Tensor cumulative_trapezoid(const Tensor& y, const Operand& x = 1, int axis = -1);

struct GradientOptions {
  std::vector<double> spacing = {1};     ///< between samples: one for all axes, or for each
  std::vector<Tensor> coordinates = {};  ///< where they stand instead, a vector for each axis
  Axes axes = {};                        ///< all unless given
  int edge_order = 1;                    ///< of the polynomial through the first samples and the last: 1 or 2
};
/// Slopes of x along each axis: of the parabola through every sample and its neighbours, second order also
/// where they stand unevenly. @throws ShapeError for fewer than edge_order + 1 samples, ValueError
std::vector<Tensor> gradient(const Tensor& x, const GradientOptions& options = {});

/// Powers x^(columns - 1), ..., x, 1 of x (..., n), or 1, x, ... if `increasing`: (..., n, columns), as many
/// as n unless given.
Tensor vander(const Tensor& x, std::optional<std::int64_t> columns = {}, bool increasing = false);

/// base^start, ..., base^end, evenly apart in the exponent. f32 or f64.
Tensor logspace(double start, double end, std::int64_t steps, double base = 10, DType dtype = f32);

struct TaperOptions {
  bool periodic = true;  ///< for Fourier transforms: the first n of the n + 1 points of a symmetric window
  DType dtype = f32;
};
// Windows of n points, for spectra: 1 in the middle. @throws ValueError for n < 0, DtypeError
Tensor hann_window(std::int64_t n, const TaperOptions& options = {});     ///< (1 - cos t) / 2
Tensor hamming_window(std::int64_t n, const TaperOptions& options = {});  ///< 0.54 - 0.46 cos t
Tensor blackman_window(std::int64_t n,
                       const TaperOptions& options = {});  ///< 0.42 - cos(t) / 2 + 0.08 cos 2 t
Tensor bartlett_window(std::int64_t n, const TaperOptions& options = {});  ///< a triangle
/// i0(beta sqrt(1 - u^2)) / i0(beta) for u from -1 to 1. Kaiser, 1974. @throws also for beta < 0
Tensor kaiser_window(std::int64_t n, double beta = 12, const TaperOptions& options = {});

}  // namespace cadena
