// Elements of a broadcast or strided operand written out, one after the other, for the loops of map.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "autodiff/kernels/collapse.hpp"

namespace cadena::kernels {

/// Bytes behind the last element that `expand` may overwrite.
inline constexpr std::int64_t expand_slack = 64;

/// n times the same value; whole registers are stored, so up to `expand_slack` bytes more are written.
template <class T>
void splat_row(T value, T* to, std::int64_t n) {
  if constexpr (sizeof(T) == 1) {
    std::memset(to, value, static_cast<std::size_t>(n));
  } else {
    using Bits = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    const xsimd::batch<Bits> all(static_cast<Bits>(value));
    constexpr auto width = static_cast<std::int64_t>(all.size);
    for (std::int64_t i = 0; i < n; i += width) all.store_unaligned(reinterpret_cast<Bits*>(to) + i);
  }
}

template <class T>
void expand_row(const T* from, std::int64_t stride, T* to, std::int64_t n) {
  if (stride == 0)
    splat_row(*from, to, n);
  else if (stride == 1 && n * static_cast<std::int64_t>(sizeof(T)) >= 64)
    std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
  else if (stride == 2)  // with a known step the loop is vectorised
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * 2];
  else if (stride == 3)
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * 3];
  else
    for (std::int64_t i = 0; i < n; ++i) to[i] = from[i * stride];
}

/// Rows one below the other; the same row again and again (stride 0) is copied in ever larger pieces.
template <class T>
void expand_rows(const T* from, std::int64_t row_stride, std::int64_t rows, std::int64_t stride, T* to,
                 std::int64_t n) {
  if (row_stride != 0) {
    for (std::int64_t r = 0; r < rows; ++r) expand_row(from + r * row_stride, stride, to + r * n, n);
    return;
  }
  expand_row(from, stride, to, n);
  for (std::int64_t done = n, total = rows * n; done < total;) {
    const std::int64_t count = std::min(done, total - done);
    std::copy_n(to, count, to + done);
    done += count;
  }
}

/// Elements [start, start + n) in row-major order of what `loops` walks from `data`, into `to`.
template <class T>
void expand(const T* data, const Loops<1>& loops, std::int64_t start, std::int64_t n, T* to) {
  const Shape& shape = loops.shape;
  const Strides& strides = loops.strides[0];
  const int last = shape.rank() - 1;
  std::array<std::int64_t, max_rank> index{};
  std::int64_t offset = 0;
  for (std::int64_t d = last, rest = start; d >= 0; rest /= shape[static_cast<int>(d--)]) {
    const int i = static_cast<int>(d);
    index[static_cast<std::size_t>(i)] = rest % shape[i];
    offset += index[static_cast<std::size_t>(i)] * strides[i];
  }
  auto& inner = index[static_cast<std::size_t>(last)];
  const std::int64_t row = shape[last], step = strides[last];
  while (n > 0) {
    std::int64_t rows = 0, run = std::min(n, row - inner);
    if (last > 0 && inner == 0)
      rows = std::min(n / row, shape[last - 1] - index[static_cast<std::size_t>(last) - 1]);
    if (rows > 0) {
      expand_rows(data + offset, strides[last - 1], rows, step, to, row);
      run = rows * row;
      offset += rows * strides[last - 1];
      index[static_cast<std::size_t>(last) - 1] += rows;
    } else {
      expand_row(data + offset, step, to, run);
      offset += run * step;
      inner += run;
    }
    to += run;
    n -= run;
    for (int d = rows > 0 ? last - 1 : last; d > 0 && index[static_cast<std::size_t>(d)] == shape[d]; --d) {
      offset += strides[d - 1] - shape[d] * strides[d];
      index[static_cast<std::size_t>(d)] = 0;
      ++index[static_cast<std::size_t>(d) - 1];
    }
  }
}

}  // namespace cadena::kernels
