// Many short rows at a time, one in each lane: what costs a row as much as a vector is then paid once for a
// register full of rows. A row's result does not depend on its neighbours.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "autodiff/kernels/rows.hpp"

namespace cadena::kernels {

/// Rows up to this length are worked on in tiles.
inline constexpr std::int64_t short_row = 32;

/// Rows of at most `short_row` elements, element k of all of them side by side.
template <class T>
class Tile {
 public:
  Batch<T> operator[](std::int64_t k) const { return Batch<T>::load_aligned(lanes_[k]); }
  void set(std::int64_t k, Batch<T> v) { v.store_aligned(lanes_[k]); }
  /// `count` rows of n elements; the other lanes are 0.
  void read(std::int64_t count, std::int64_t n, const T* x) {
    if (count < width<T>)
      for (std::int64_t k = 0; k < n; ++k) std::fill_n(lanes_[k], width<T>, T(0));
    for (std::int64_t r = 0; r < count; ++r)
      for (std::int64_t k = 0; k < n; ++k) lanes_[k][r] = x[r * n + k];
  }
  void write(std::int64_t count, std::int64_t n, T* x) const {
    for (std::int64_t r = 0; r < count; ++r)
      for (std::int64_t k = 0; k < n; ++k) x[r * n + k] = lanes_[k][r];
  }

 private:
  alignas(64) T lanes_[short_row][width<T>];
};

/// f(first, count) for all rows, at most a register full at a time.
template <class T, class F>
void for_tiles(std::int64_t rows, std::int64_t n, const F& f) {
  for_rows<T>((rows + width<T> - 1) / width<T>, n * width<T>, [&](std::int64_t tile) {
    const std::int64_t first = tile * width<T>;
    f(first, std::min(width<T>, rows - first));
  });
}

/// Up to a register full of neighbouring columns of rows that lie `stride` apart. T may be const.
template <class T>
struct Column {
  using Value = std::remove_const_t<T>;
  T* at;
  std::int64_t stride, count;

  Batch<Value> operator[](std::int64_t k) const {
    const T* p = at + k * stride;
    return count == width<Value> ? Batch<Value>::load_unaligned(p) : Partial<Value>(count).load(p);
  }
  void set(std::int64_t k, Batch<Value> v) {
    T* p = at + k * stride;
    count == width<Value> ? v.store_unaligned(p) : Partial<Value>(count).store(p, v);
  }
};

/// Columns up to this length can be brought together.
inline constexpr std::int64_t long_column = 128;

/// A column of at most `long_column` registers, side by side.
template <class T>
class ColumnTile {
 public:
  ColumnTile() = default;
  ColumnTile(std::int64_t n, const Column<const T>& x) {
    for (std::int64_t k = 0; k < n; ++k) set(k, x[k]);
  }
  Batch<T> operator[](std::int64_t k) const { return Batch<T>::load_aligned(lanes_[k]); }
  void set(std::int64_t k, Batch<T> v) { v.store_aligned(lanes_[k]); }

 private:
  alignas(64) T lanes_[long_column][width<T>];
};

/// f(position of the first element, count) for all columns of `outer` matrices (n, inner), at most a register
/// full at a time.
template <class T, class F>
void for_columns(std::int64_t outer, std::int64_t n, std::int64_t inner, const F& f) {
  const std::int64_t pieces = (inner + width<T> - 1) / width<T>;
  for_rows<T>(outer * pieces, n * width<T>, [&](std::int64_t i) {
    const std::int64_t column = i % pieces * width<T>;
    f(i / pieces * n * inner + column, std::min(width<T>, inner - column));
  });
}

/// Which of the outer * inner columns the one at `at` is.
inline std::int64_t row_of_column(std::int64_t at, std::int64_t n, std::int64_t inner) {
  return at / (n * inner) * inner + at % (n * inner);
}

/// start + term(0) + term(1) + ..., or whatever `combine` does.
template <class T, class C, class F>
Batch<T> fold_tile(std::int64_t n, Batch<T> start, const C& combine, const F& term) {
  for (std::int64_t k = 0; k < n; ++k) start = combine(start, term(k));
  return start;
}

}  // namespace cadena::kernels
