// The tree by which rows are reduced, whoever computes their elements: the same bits for values that lie in
// memory and for values that are made block by block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/unroll.hpp"

namespace cadena::kernels {

template <class T>
using Batch = xsimd::batch<T>;
template <class T>
constexpr std::int64_t width_of = static_cast<std::int64_t>(Batch<T>::size);

// The tree of a sum over n: blocks, whose sums are combined in pairs, within segments, whose sums are
// combined in pairs. A task is one segment, so that one long row keeps several threads busy.
template <class T>
constexpr std::int64_t row_block = 256 * width_of<T>;  // chains of 32 additions
template <class T>
constexpr std::int64_t row_segment = 16 * row_block<T>;

// The neutral element: what lanes beyond a row hold.
template <class Op, class T>
constexpr T identity_of = [] {
  using Limits = std::numeric_limits<T>;
  if (std::is_same_v<Op, Sum>) return T(0);
  if (std::is_same_v<Op, Product>) return T(1);
  if (std::is_same_v<Op, Max>) return Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
  return Limits::has_infinity ? Limits::infinity() : Limits::max();
}();

template <class Op, class T>
T fold(Batch<T> v) {
  if constexpr (std::is_same_v<Op, Sum>)
    return sum_lanes(v);
  else
    return fold_lanes<Op>(v);
}

// Combines x[0 ... n) in pairs, neighbours first, in place.
template <class Op, class T>
T combine_pairs(T* x, std::int64_t n) {
  for (std::int64_t gap = 1; gap < n; gap *= 2)
    for (std::int64_t i = 0; i + gap < n; i += 2 * gap) x[i] = Op::combine(x[i], x[i + gap]);
  return x[0];
}

// Elements that lie in memory.
template <class T>
struct Stored {
  const T* x;
  Batch<T> full(std::int64_t i) const { return Batch<T>::load_unaligned(x + i); }
  Batch<T> first(std::int64_t i, std::int64_t count, T other) const {
    return Partial<T>(count).load(x + i, Batch<T>(other));
  }
};

// One block of a row, lane by lane: eight interleaved chains. `row.full(i)` is the register of elements from
// i on, `row.first(i, count, other)` that of the first `count` of them, with `other` in the other lanes.
template <class Op, class T, class Row>
[[gnu::always_inline]] inline Batch<T> row_lanes(const Row& row, std::int64_t n) {
  constexpr std::int64_t w = width_of<T>;
  constexpr T identity = identity_of<Op, T>;
  if (n <= w) return row.first(0, n, identity);
  Batch<T> acc[8];
  unroll<8>([&](auto u) { acc[u] = Batch<T>(identity); });
  std::int64_t i = 0;
  for (; i + 8 * w <= n; i += 8 * w)
    unroll<8>([&](auto u) { acc[u] = Op::combine(acc[u], row.full(i + u * w)); });
  unroll<7>([&](auto u) {
    if (i + w <= n) acc[u] = Op::combine(acc[u], row.full(i)), i += w;
  });
  if (i < n) acc[7] = Op::combine(acc[7], row.first(i, n - i, identity));
  unroll<4>([&](auto u) { acc[u] = Op::combine(acc[u], acc[u + 4]); });
  unroll<2>([&](auto u) { acc[u] = Op::combine(acc[u], acc[u + 2]); });
  return Op::combine(acc[0], acc[1]);
}
template <class Op, class T>
Batch<T> row_lanes(const T* x, std::int64_t n) {
  return row_lanes<Op, T>(Stored<T>{x}, n);
}

// At most one segment; `block(i, count)` is the value of so many of its elements.
template <class Op, class T, class F>
T row_value(std::int64_t n, const F& block) {
  if (n <= row_block<T>) return block(0, n);
  T sums[row_segment<T> / row_block<T>];
  std::int64_t blocks = 0;
  for (std::int64_t i = 0; i < n; i += row_block<T>) sums[blocks++] = block(i, std::min(row_block<T>, n - i));
  return combine_pairs<Op>(sums, blocks);
}

// out[r] = value of row r, which is longer than a block; `block(r, i, count)` is that of one.
template <class Op, class T, class F>
void reduce_long_rows(std::int64_t rows, std::int64_t n, const F& block, T* out) {
  const std::int64_t segments = (n + row_segment<T> - 1) / row_segment<T>;
  const Scratch<T> sums(segments > 1 ? rows * segments : 0);
  T* to = segments > 1 ? sums.get() : out;
  for_blocks(rows * segments, rows * n * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes,
             [&](std::int64_t t) {
               const std::int64_t row = t / segments, first = t % segments * row_segment<T>;
               to[t] = row_value<Op, T>(
                   std::min(row_segment<T>, n - first),
                   [&](std::int64_t i, std::int64_t count) { return block(row, first + i, count); });
             });
  if (segments > 1)
    for (std::int64_t i = 0; i < rows; ++i) out[i] = combine_pairs<Op>(sums + i * segments, segments);
}

// f(first, last) for ranges of rows, whose bounds are multiples of 4 but for the end.
template <class T, class F>
void for_row_groups(std::int64_t rows, std::int64_t n, const F& f) {
  const std::int64_t group = std::max<std::int64_t>(1, row_segment<T> / n / 4) * 4;
  const bool parallel = rows * n * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  if (rows <= group) return f(0, rows);
  for_blocks((rows + group - 1) / group, parallel,
             [&](std::int64_t b) { f(b * group, std::min(rows, (b + 1) * group)); });
}

// to[i] = sum of row i for first <= i < last, of which `lanes(i)` gives the lanes: four at a time, as folding
// them costs more than adding a short row.
template <class Op, class T, class F>
[[gnu::always_inline]] inline void fold_rows(std::int64_t i, std::int64_t last, const F& lanes, T* to) {
  if constexpr (std::is_same_v<Op, Sum>)
    for (; i + 4 <= last; i += 4)
      sum_lanes_of_four(lanes(i), lanes(i + 1), lanes(i + 2), lanes(i + 3), to + i);
  for (; i < last; ++i) to[i] = fold<Op>(lanes(i));
}

}  // namespace cadena::kernels
