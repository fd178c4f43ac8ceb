// Drops extents of 1 and merges neighbouring dimensions that all operands step through evenly, so that loops
// run over as few and as long dimensions as possible.
#pragma once

#include <array>
#include <cstddef>

#include "autodiff/shape.hpp"

namespace cadena::kernels {

/// Common extents of N operands and each operand's strides.
template <std::size_t N>
struct Loops {
  Shape shape;
  std::array<Strides, N> strides;
};

/// The same elements in the same row-major order over as few dimensions as possible (rank 0 for one element).
template <std::size_t N>
Loops<N> collapse(const Loops<N>& in) {
  Loops<N> out;
  for (int d = 0; d < in.shape.rank(); ++d) {
    if (in.shape[d] == 1) continue;
    int last = out.shape.rank() - 1;
    bool merge = last >= 0;
    for (std::size_t i = 0; merge && i < N; ++i)
      merge = out.strides[i][last] == in.strides[i][d] * in.shape[d];
    if (merge) {
      out.shape[last] *= in.shape[d];
      for (std::size_t i = 0; i < N; ++i) out.strides[i][last] = in.strides[i][d];
    } else {
      out.shape.push_back(in.shape[d]);
      for (std::size_t i = 0; i < N; ++i) out.strides[i].push_back(in.strides[i][d]);
    }
  }
  return out;
}

/// Offsets of the `index`-th element in row-major order.
template <std::size_t N>
std::array<std::int64_t, N> offsets_of(const Shape& shape, const std::array<Strides, N>& strides,
                                       std::int64_t index) {
  std::array<std::int64_t, N> offset{};
  for (int d = shape.rank() - 1; d >= 0 && index > 0; --d) {
    for (std::size_t i = 0; i < N; ++i) offset[i] += index % shape[d] * strides[i][d];
    index /= shape[d];
  }
  return offset;
}

/// Calls f(offsets) for every index of `shape` in row-major order; offsets[i] follows strides[i].
template <std::size_t N, class F>
void for_each_index(const Shape& shape, const std::array<Strides, N>& strides, const F& f) {
  for (auto extent : shape)
    if (extent == 0) return;
  std::array<std::int64_t, max_rank> index{};
  std::array<std::int64_t, N> offset{};
  while (true) {
    f(offset);
    int d = shape.rank() - 1;
    for (; d >= 0; --d) {
      for (std::size_t i = 0; i < N; ++i) offset[i] += strides[i][d];
      if (++index[static_cast<std::size_t>(d)] < shape[d]) break;
      for (std::size_t i = 0; i < N; ++i) offset[i] -= strides[i][d] * shape[d];
      index[static_cast<std::size_t>(d)] = 0;
    }
    if (d < 0) return;
  }
}

}  // namespace cadena::kernels
