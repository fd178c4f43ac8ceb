// The largest element of every window, and where it stands. Windows are products of those along three axes.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace cadena::kernels {

/// Windows along an axis of `in` elements: window i is first[i], first[i] + step, ..., count[i] >= 1 of them.
struct Windows {
  std::int64_t in = 1, step = 1;
  std::vector<std::int64_t> first{0}, count{1};

  std::int64_t out() const { return static_cast<std::int64_t>(first.size()); }
  std::int64_t longest() const;
};

/// index[plane, i, j, k] = position, in the row-major order of a plane of x, of the largest element of window
/// (i, j, k): the first of equals; NaN counts as largest. T = float, double.
template <class T>
void max_positions(const std::array<Windows, 3>& windows, std::int64_t planes, const T* x,
                   std::int64_t* index);

/// y[plane, i, j, k] = the largest element itself.
template <class T>
void max_values(const std::array<Windows, 3>& windows, std::int64_t planes, const T* x, T* y);
/// gx = for each element the sum of g over the windows whose largest it is. T = float, double.
template <class T>
void max_gradient(const std::array<Windows, 3>& windows, std::int64_t planes, const T* x, const T* g, T* gx);

/// Windows of `kernel` elements, `out` of them, along an axis of `in`; number `sample` of a plane places
/// them.
struct FractionalAxis {
  std::int64_t in = 1, kernel = 1, out = 1;
  int sample = 0;
};
/// `rank` numbers in [0, 1) for each of `planes` planes; more planes of x take them in turn.
struct FractionalSamples {
  const double* values;
  std::int64_t planes;
  int rank;
};
/// The same for windows of their own in every plane (ops/pooling.hpp says where). T = float, double.
template <class T>
void fractional_max_positions(const std::array<FractionalAxis, 3>& axes, std::int64_t planes, const T* x,
                              const FractionalSamples& samples, std::int64_t* index);

/// keep[i]: no later element of the n in `index` (all in [0, extent)) equals index[i]; for every plane.
void last_of_equals(std::int64_t planes, std::int64_t n, std::int64_t extent, const std::int64_t* index,
                    bool* keep);

}  // namespace cadena::kernels
