#include "autodiff/kernels/gemm.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "autodiff/kernels/gemm_panel.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/scratch.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

// Rows of B used at once: a panel of them (72 KB) and a block of A stay in the second-level cache.
constexpr std::int64_t k_block = 384;
// Rows of A at a time: the more, the less often B is read.
constexpr std::int64_t row_block = 32 * gemm_tile_rows;
constexpr std::int64_t small_work = 32 * 32 * 32;
// A small C of long sums has too few tiles for the threads: its sums are cut into parts of so many terms or
// more.
constexpr std::int64_t long_part = 4096, most_parts = 64, long_elements = 128 * 128;
// Multiplications below which starting threads costs more than it brings.
constexpr std::int64_t parallel_work = 1 << 20;

std::int64_t blocks_of(std::int64_t n, std::int64_t size) { return (n + size - 1) / size; }

template <class T>
struct Product {
  std::int64_t m, n, k;
  MatrixRef<T> a, b;
  const T* init;
  std::int64_t init_row;
  T* c;
  std::int64_t ldc;

  std::int64_t work() const { return m * n * k; }
};

// Rows i ... i + rows, columns j ... j + columns of C, from `depth` rows of B.
template <class T>
GemmPanel<T> panel_of(const Product<T>& s, std::int64_t i, std::int64_t rows, std::int64_t j,
                      std::int64_t columns, std::int64_t p, std::int64_t depth) {
  GemmPanel<T> panel;
  panel.m = rows, panel.columns = columns, panel.k = depth;
  panel.a = s.a.data + i * s.a.row + p * s.a.col;
  panel.a_row = panel.a_tile = s.a.row, panel.a_col = s.a.col;
  panel.b = s.b.data + p * s.b.row + j * s.b.col, panel.b_row = s.b.row;
  panel.c = s.c + i * s.ldc + j, panel.ldc = s.ldc;
  panel.init = p > 0 ? panel.c : s.init ? s.init + i * s.init_row + j : nullptr;
  panel.init_row = p > 0 ? s.ldc : s.init_row;
  return panel;
}

// to[p * columns_of_a_panel + j] = B[p, j]: what many rows of tiles read is then contiguous.
template <class T>
void pack_panel(const GemmPanel<T>& s, std::int64_t b_col, T* to) {
  constexpr std::int64_t step = gemm_panel_columns<T>;
  if (b_col == 1) {
    for (std::int64_t p = 0; p < s.k; ++p) {
      const T* from = s.b + p * s.b_row;
      if (s.columns == step)
        std::copy_n(from, step, to + p * step);  // of constant length: a few vector moves
      else
        std::copy_n(from, s.columns, to + p * step);
    }
  } else if (s.b_row == 1) {
    transpose_block(s.b, b_col, to, step, s.columns, s.k);
  } else {
    for (std::int64_t p = 0; p < s.k; ++p)
      for (std::int64_t j = 0; j < s.columns; ++j) to[p * step + j] = s.b[p * s.b_row + j * b_col];
  }
}

// Products of a few microseconds: no division, no task.
template <class T>
void multiply_small(const Product<T>& s) {
  const std::int64_t step = s.m == 1 ? gemm_row_columns<T> : gemm_panel_columns<T>;
  for (std::int64_t j = 0; j < s.n; j += step)
    gemm_panel(panel_of(s, 0, s.m, j, std::min(step, s.n - j), 0, s.k));
}

// Rows i ... and columns j ... of the product.
template <class T>
Product<T> part_of(const Product<T>& s, std::int64_t i, std::int64_t m, std::int64_t j, std::int64_t n) {
  Product<T> part = s;
  part.m = m, part.n = n;
  part.a.data += i * s.a.row, part.b.data += j * s.b.col, part.c += i * s.ldc + j;
  if (s.init) part.init += i * s.init_row + j;
  return part;
}

// f(part) for a part of C per thread. Every element is the same chain over k in any part that consists of
// whole tiles, so the number of threads may shape the parts: each packs what it needs and waits for no other.
template <class T, class F>
void split(const Product<T>& s, std::int64_t row_unit, std::int64_t column_unit, bool parallel, const F& f) {
  const std::int64_t threads = parallel ? num_threads() : 1;
  if (threads == 1) return f(s);
  std::int64_t rows = s.m, columns = s.n, least = std::numeric_limits<std::int64_t>::max();
  for (std::int64_t across = 1; across <= threads; ++across) {
    if (threads % across != 0) continue;
    const std::int64_t m = blocks_of(blocks_of(s.m, row_unit), threads / across) * row_unit;
    const std::int64_t n = blocks_of(blocks_of(s.n, column_unit), across) * column_unit;
    const std::int64_t cost = m * n + 8 * (m + n);  // the largest part's work and its packing
    if (cost < least) rows = m, columns = n, least = cost;
  }
  const std::int64_t across = blocks_of(s.n, columns);
  for_blocks<Schedule::stealing>(blocks_of(s.m, rows) * across, true, [&](std::int64_t t) {
    const std::int64_t i = t / across * rows, j = t % across * columns;
    f(part_of(s, i, std::min(rows, s.m - i), j, std::min(columns, s.n - j)));
  });
}

// B is read where it lies. Its rows are walked whole, for one block of k after the other: jumping by a long
// stride costs pages.
template <class T>
void multiply_in_place(const Product<T>& s, std::int64_t step, std::int64_t depth) {
  for (std::int64_t i = 0; i < s.m; i += row_block)
    for (std::int64_t p = 0; p < s.k; p += depth)
      for (std::int64_t j = 0; j < s.n; j += step)
        gemm_panel(panel_of(s, i, std::min(row_block, s.m - i), j, std::min(step, s.n - j), p,
                            std::min(depth, s.k - p)));
}

// to[i * depth + p * gemm_tile_rows + r] = A[i + r, p] for r < gemm_tile_rows: the order in which tiles read
// it.
template <class T>
void pack_rows(const GemmPanel<T>& s, T* to) {
  if (s.a_col == 1) return transpose_block(s.a, s.a_row, to, gemm_tile_rows, s.m, s.k);
  for (std::int64_t p = 0; p < s.k; ++p)
    for (std::int64_t r = 0; r < s.m; ++r) to[p * gemm_tile_rows + r] = s.a[r * s.a_row + p * s.a_col];
}

// B is copied into panels, for one block of k after the other; and A into tiles, if enough panels read it.
template <class T>
void multiply_packed(const Product<T>& s) {
  constexpr std::int64_t step = gemm_panel_columns<T>, tile = gemm_tile_rows;
  const std::int64_t panels = blocks_of(s.n, step), depth = blocks_of(s.k, blocks_of(s.k, k_block));
  const bool pack_a = panels >= 4;
  const Scratch<T> packed(panels * step * depth), packed_a(pack_a ? row_block * depth : 0);
  for (std::int64_t p = 0; p < s.k; p += depth) {
    const std::int64_t d = std::min(depth, s.k - p);
    const auto columns = [&](std::int64_t t) { return std::min(step, s.n - t * step); };
    for (std::int64_t t = 0; t < panels; ++t)
      pack_panel(panel_of(s, 0, s.m, t * step, columns(t), p, d), s.b.col, packed + t * step * depth);
    for (std::int64_t i = 0; i < s.m; i += row_block) {
      const std::int64_t rows = std::min(row_block, s.m - i);
      for (std::int64_t r = 0; pack_a && r < rows; r += tile)
        pack_rows(panel_of(s, i + r, std::min(tile, rows - r), 0, 0, p, d), packed_a + r * depth);
      for (std::int64_t t = 0; t < panels; ++t) {
        auto panel = panel_of(s, i, rows, t * step, columns(t), p, d);
        panel.b = packed + t * step * depth, panel.b_row = step;
        if (pack_a) panel.a = packed_a, panel.a_row = 1, panel.a_col = tile, panel.a_tile = depth;
        gemm_panel(panel);
      }
    }
  }
}

// Few rows and B contiguous along k: dot products.
template <class T>
void multiply_dots(Product<T>& s, bool parallel) {
  std::optional<Scratch<T>> rows;
  if (s.a.col != 1 && s.k > 1) {
    rows.emplace(s.m * s.k);
    for (std::int64_t i = 0; i < s.m; ++i)
      for (std::int64_t p = 0; p < s.k; ++p) (*rows)[i * s.k + p] = s.a.data[i * s.a.row + p * s.a.col];
    s.a = {rows->get(), s.k, 1};
  }
  split(s, s.m, 64, parallel, [](const Product<T>& part) {
    auto panel = panel_of(part, 0, part.m, 0, part.n, 0, part.k);
    panel.b_row = part.b.col;
    gemm_dots(panel);
  });
}

template <class T>
void fill_with_init(const Product<T>& s) {
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) s.c[i * s.ldc + j] = s.init ? s.init[i * s.init_row + j] : T(0);
}

// One number from two vectors: segments, which several threads may take, and their sums one after the other.
template <class T>
void multiply_vectors(const Product<T>& s, bool parallel) {
  constexpr std::int64_t segment = 1 << 16;
  const auto sum_of = [&](std::int64_t i) {
    return row_sum_of<T>(std::min(segment, s.k - i), T(0), [&](std::int64_t at, auto load, auto) {
      return load(s.a.data + i + at) * load(s.b.data + i + at);
    });
  };
  T total = s.init ? *s.init : T(0);
  if (s.k <= segment) {
    *s.c = total + sum_of(0);
    return;
  }
  const Scratch<T> sums(blocks_of(s.k, segment));
  for_blocks(blocks_of(s.k, segment), parallel && s.work() >= parallel_work / 4,
             [&](std::int64_t b) { sums[b] = sum_of(b * segment); });
  for (std::int64_t b = 0; b < blocks_of(s.k, segment); ++b) total += sums[b];
  *s.c = total;
}

template <class T>
void multiply(Product<T>& s, bool parallel);

// The parts of the sums are cut by k alone and added in order: the same bits for any number of threads.
template <class T>
void multiply_in_parts(const Product<T>& s, bool parallel) {
  const std::int64_t depth = std::max(long_part, blocks_of(s.k, most_parts)), parts = blocks_of(s.k, depth);
  const std::int64_t size = s.m * s.n;
  const Scratch<T> sums((parts - 1) * size);
  for_blocks<Schedule::stealing>(parts, parallel, [&](std::int64_t t) {
    Product<T> part = s;
    part.k = std::min(depth, s.k - t * depth);
    part.a.data += t * depth * s.a.col, part.b.data += t * depth * s.b.row;
    if (t > 0) part.init = nullptr, part.c = sums + (t - 1) * size, part.ldc = s.n;
    multiply(part, false);
  });
  for (std::int64_t t = 0; t + 1 < parts; ++t)
    for (std::int64_t i = 0; i < s.m; ++i)
      for (std::int64_t j = 0; j < s.n; ++j) s.c[i * s.ldc + j] += sums[t * size + i * s.n + j];
}

template <class T>
void multiply(Product<T>& s, bool parallel) {
  if (s.m == 0 || s.n == 0) return;
  if (s.k == 0) return fill_with_init(s);
  if (s.m == 1 && s.n == 1 && s.a.col == 1 && s.b.row == 1) return multiply_vectors(s, parallel);
  if (s.n == 1 && s.m > 1 && s.ldc == 1 && (!s.init || s.init_row == 1)) {  // a column of C: C^T = B^T A^T
    std::swap(s.m, s.n);
    std::swap(s.a, s.b);
    s.a = s.a.transposed(), s.b = s.b.transposed();
    s.ldc = s.n, s.init_row = s.n;
  }
  if (s.n == 1) s.b.col = 1;
  if (s.b.col == 1 && s.work() <= small_work) return multiply_small(s);
  parallel = parallel && s.work() >= parallel_work;
  if (s.k >= 2 * long_part && s.m * s.n <= long_elements) return multiply_in_parts(s, parallel);
  if (s.b.row == 1 && s.b.col != 1 && s.m <= 8) return multiply_dots(s, parallel);
  // Packing costs about as much as eight rows of products; long strides cost more, in pages and cache sets.
  const std::int64_t stride = std::abs(s.b.row);
  const bool few_rows = s.m < 8 * gemm_tile_rows || (s.m < 16 * gemm_tile_rows && stride < 1024);
  const bool narrow = s.n <= gemm_panel_columns<T> && stride <= 2 * gemm_panel_columns<T>;
  if (s.b.col == 1 && (few_rows || narrow)) {
    const std::int64_t step = s.m == 1 ? gemm_row_columns<T> : gemm_panel_columns<T>;
    const std::int64_t depth = s.m == 1 ? 32 : s.m <= gemm_tile_rows ? s.k : k_block;
    split(s, gemm_tile_rows, step, parallel,
          [&](const Product<T>& part) { multiply_in_place(part, step, depth); });
  } else {
    split(s, gemm_tile_rows, gemm_panel_columns<T>, parallel, multiply_packed<T>);
  }
}

// So small that a register full of items, one in each lane, is worth bringing together.
constexpr std::int64_t tiny_matrix = 64, tiny_work = 256;

template <class T>
bool is_dense(const MatrixRef<T>& x, std::int64_t rows, std::int64_t columns) {
  return (x.col == 1 && x.row == columns) || (x.row == 1 && x.col == rows);
}

// Products of many tiny matrices that lie one after the other: sums over k in order, as in larger ones.
template <class T>
void multiply_tiny(std::int64_t count, std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a,
                   MatrixRef<T> b, T* c) {
  constexpr std::int64_t w = width<T>;
  const std::int64_t bundles = blocks_of(count, w),
                     group = std::max<std::int64_t>(1, 16384 / (w * m * n * k));
  for_blocks(blocks_of(bundles, group), count * m * n * k >= parallel_work / 4, [&](std::int64_t block) {
    alignas(64) T left[tiny_matrix][w] = {}, right[tiny_matrix][w] = {}, out[tiny_matrix][w];
    for (std::int64_t t = block * group; t < std::min(bundles, (block + 1) * group); ++t) {
      const std::int64_t first = t * w, items = std::min(w, count - first);
      transpose_block(a.data + first * m * k, m * k, left[0], w, items, m * k);
      transpose_block(b.data + first * k * n, k * n, right[0], w, items, k * n);
      for (std::int64_t i = 0; i < m; ++i)
        for (std::int64_t j = 0; j < n; ++j) {
          Batch<T> sum(T(0));
          for (std::int64_t p = 0; p < k; ++p)
            sum = xsimd::fma(Batch<T>::load_aligned(left[i * a.row + p * a.col]),
                             Batch<T>::load_aligned(right[p * b.row + j * b.col]), sum);
          sum.store_aligned(out[i * n + j]);
        }
      transpose_block(out[0], w, c + first * m * n, m * n, m * n, items);
    }
  });
}

// The bias becomes the start of every sum; beside `accumulate` it is added to C first.
template <class T>
void run(Product<T>&& s, const GemmOptions<T>& options, bool parallel) {
  s.init = options.bias, s.init_row = 0;
  if (options.accumulate || (options.bias && s.n == 1)) {
    if (options.bias)
      for (std::int64_t i = 0; i < s.m; ++i)
        for (std::int64_t j = 0; j < s.n; ++j) {
          T& c = s.c[i * s.ldc + j];
          c = options.accumulate ? c + options.bias[j] : options.bias[j];
        }
    s.init = s.c, s.init_row = s.ldc;
  }
  multiply(s, parallel);
}

}  // namespace

template <class T>
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a, MatrixRef<T> b, T* c,
          std::int64_t ldc, const GemmOptions<T>& options) {
  run<T>({m, n, k, a, b, nullptr, 0, c, ldc}, options, true);
}

template <class T>
void gemm_batched(const Shape& batch, std::int64_t m, std::int64_t n, std::int64_t k, MatrixRef<T> a,
                  const Strides& a_batch, MatrixRef<T> b, const Strides& b_batch, T* c,
                  const GemmOptions<T>& options) {
  const std::int64_t count = batch.numel();
  // Rows that continue evenly from one item to the next and share B are one tall matrix.
  if (batch.rank() == 1 && b_batch[0] == 0 && (a_batch[0] == m * a.row || m == 1)) {
    if (m == 1) a.row = a_batch[0];
    return gemm(count * m, n, k, a, b, c, n, options);
  }
  const bool tiny =
      std::min({m, n, k}) > 0 && std::max({m * n, m * k, k * n}) <= tiny_matrix && m * n * k <= tiny_work;
  if (tiny && count >= 2 * width<T> && batch.rank() == 1 && !options.bias && !options.accumulate &&
      a_batch[0] == m * k && b_batch[0] == k * n && is_dense(a, m, k) && is_dense(b, k, n))
    return multiply_tiny(count, m, n, k, a, b, c);
  const auto item = [&](std::int64_t index, bool parallel) {
    auto s_a = a, s_b = b;
    for (std::int64_t d = batch.rank() - 1, rest = index; d >= 0; --d) {
      const int axis = static_cast<int>(d);
      s_a.data += rest % batch[axis] * a_batch[axis];
      s_b.data += rest % batch[axis] * b_batch[axis];
      rest /= batch[axis];
    }
    run<T>({m, n, k, s_a, s_b, nullptr, 0, c + index * m * n, n}, options, parallel);
  };
  // Few large items: threads within each; many: threads over groups of items.
  const std::int64_t work = m * n * std::max<std::int64_t>(k, 1);
  if (count == 1 || (count < 8 && work >= parallel_work)) {
    for (std::int64_t i = 0; i < count; ++i) item(i, true);
    return;
  }
  const std::int64_t group = std::max<std::int64_t>(1, (parallel_work / 8) / std::max<std::int64_t>(work, 1));
  for_blocks<Schedule::stealing>(
      blocks_of(count, group), count * work >= parallel_work, [&](std::int64_t block) {
        for (std::int64_t i = block * group; i < std::min(count, (block + 1) * group); ++i) item(i, false);
      });
}

template void gemm(std::int64_t, std::int64_t, std::int64_t, MatrixRef<float>, MatrixRef<float>, float*,
                   std::int64_t, const GemmOptions<float>&);
template void gemm(std::int64_t, std::int64_t, std::int64_t, MatrixRef<double>, MatrixRef<double>, double*,
                   std::int64_t, const GemmOptions<double>&);
template void gemm_batched(const Shape&, std::int64_t, std::int64_t, std::int64_t, MatrixRef<float>,
                           const Strides&, MatrixRef<float>, const Strides&, float*,
                           const GemmOptions<float>&);
template void gemm_batched(const Shape&, std::int64_t, std::int64_t, std::int64_t, MatrixRef<double>,
                           const Strides&, MatrixRef<double>, const Strides&, double*,
                           const GemmOptions<double>&);

}  // namespace cadena::kernels
