// One axis of an array through a banded matrix: every output is a weighted sum of neighbouring inputs.
// Averages over windows and interpolation of every kind are such passes, axis by axis.
#pragma once

#include <cstdint>
#include <vector>

namespace cadena::kernels {

/// The rows of the matrix: output i sums weight[offset[i] + k] * x[first[i] + k] for
/// k < offset[i + 1] - offset[i].
struct Taps {
  explicit Taps(std::int64_t inputs) : in(inputs) {}

  std::int64_t in;  ///< inputs
  std::vector<std::int64_t> first, offset{0};
  std::vector<double> weight;

  std::int64_t out() const { return static_cast<std::int64_t>(first.size()); }
  /// Appends an output; zero weights at either end are left out, so that nothing leaks from where they stand.
  void push_back(std::int64_t start, const std::vector<double>& weights);
  /// The transposed matrix.
  Taps transposed() const;
};

/// y[outer, taps.out(), inner] from x[outer, taps.in, inner], both contiguous; T = float, double.
template <class T>
void resample(const Taps& taps, std::int64_t outer, std::int64_t inner, const T* x, T* y);

}  // namespace cadena::kernels
