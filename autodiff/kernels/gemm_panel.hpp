// The inner loops of the matrix product: a panel of a few vectors of columns, in register tiles, on one
// thread.
#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace cadena::kernels {

/// Columns of C that are computed together.
template <class T>
constexpr std::int64_t gemm_panel_columns = 3 * static_cast<std::int64_t>(xsimd::batch<T>::size);
/// The same for a single row.
template <class T>
constexpr std::int64_t gemm_row_columns = 8 * static_cast<std::int64_t>(xsimd::batch<T>::size);
/// Rows that are computed together; cut C at multiples of it.
constexpr std::int64_t gemm_tile_rows = sizeof(xsimd::batch<float>) == 64 ? 8 : 4;

/// C = init + A B for a panel of C. Every element is one chain of fused additions over k (two or four chains
/// where a tile is too small to keep the adders busy), so cutting C into panels and blocks of rows changes no
/// bit.
template <class T>
struct GemmPanel {
  std::int64_t m, columns, k;
  const T* a;
  std::int64_t a_row, a_col;
  std::int64_t
      a_tile;  // step per row from one tile of gemm_tile_rows to the next; a_row unless A is packed by tiles
  const T* b;  // row p at b + p * b_row, contiguous
  std::int64_t b_row;
  const T* init;  // null for zero, or row i at init + i * init_row
  std::int64_t init_row;
  T* c;
  std::int64_t ldc;
};

/// columns <= gemm_panel_columns, or m == 1 and columns <= gemm_row_columns
template <class T>
void gemm_panel(const GemmPanel<T>& s);

/// As gemm_panel with any number of columns, for contiguous rows of A (a_col is ignored) and contiguous
/// columns of B (column j at b + j * b_row).
template <class T>
void gemm_dots(const GemmPanel<T>& s);

}  // namespace cadena::kernels
