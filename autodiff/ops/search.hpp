// Finding and counting values. Results carry no gradient, but for the weights of bincount.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "autodiff/tensor.hpp"

namespace cadena {

struct Unique {
  Tensor values;   ///< ascending
  Tensor inverse;  ///< i64, of x's shape: x = values[inverse]
  Tensor counts;   ///< i64, one per value
};
/// The different values of all of x. Every NaN is a value of its own.
Unique unique(const Tensor& x);
/// The different slices along `axis`, in lexicographic order; inverse and counts are vectors. NaN equals
/// nothing.
Unique unique(const Tensor& x, int axis);
/// Without repetitions that follow each other: the values as they come, of the flattened x or of slices along
/// `axis`.
Unique unique_consecutive(const Tensor& x);
Unique unique_consecutive(const Tensor& x, int axis);

/// Where each value would be inserted (i64): the first position whose element is not below it, or (`right`)
/// is above it. `sorted_sequence` is a vector, or has a row for each row of `values`. @throws ShapeError
Tensor searchsorted(const Tensor& sorted_sequence, const Operand& values, bool right = false);
/// searchsorted with a vector of boundaries, by its other name and argument order.
Tensor bucketize(const Operand& values, const Tensor& boundaries, bool right = false);
/// Whether each element is among the test elements (bool).
Tensor isin(const Operand& elements, const Tensor& test_elements, bool invert = false);

/// Numbers of elements in `bins` equal bins from min to max, both included; the extremes of x if min == max.
/// Others, and NaN, are left out. f32 and f64. @throws ValueError
Tensor histc(const Tensor& x, std::int64_t bins = 100, double min = 0, double max = 0);
struct Histogram {
  Tensor hist, bin_edges;
};
struct HistogramOptions {
  std::optional<std::pair<double, double>> range = {};  ///< of equal bins; the extremes of x if left out
  Tensor weight = {};                                   ///< of x's shape; 1 each if undefined
  bool density = false;  ///< divide by the total weight and by the bins' widths
};
Histogram histogram(const Tensor& x, std::int64_t bins, const HistogramOptions& options = {});
/// @param bin_edges ascending, at least two, of x's dtype
Histogram histogram(const Tensor& x, const Tensor& bin_edges, const HistogramOptions& options = {});
/// How often each of 0, 1, ... (up to the largest, or minlength - 1) stands in a vector x of i64, or the sums
/// of their weights, by which it is differentiable. @throws ValueError for negative x
Tensor bincount(const Tensor& x, const Tensor& weights = {}, std::int64_t minlength = 0);

}  // namespace cadena
