#include "autodiff/kernels/reduce_loops.hpp"

#include <algorithm>
#include <array>
#include <type_traits>

#include "autodiff/kernels/reduce_tree.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t column_block = 128, column_segment = 64 * column_block;
constexpr std::int64_t strip = 1024;  // columns of a task: one strip of sums stays in the first-level cache

// Offset of the i-th index; most often there is one dimension.
std::int64_t offset_of(const Loops<1>& outer, std::int64_t i) {
  if (outer.shape.empty()) return 0;
  if (outer.shape.rank() == 1) return i * outer.strides[0][0];
  return offsets_of(outer.shape, outer.strides, i)[0];
}

// Rows
// ---------------------------------------------------------------------------------------------------------

// Position of the first extreme element: its value first, then where it stands.
template <class Op, class T>
std::int64_t row_position(const T* x, std::int64_t n) {
  T best = identity_of<Op, T>;
  for (std::int64_t i = 0; i < n; i += row_block<T>)
    best = Op::combine(best, fold<Op>(row_lanes<Op>(x + i, std::min(row_block<T>, n - i))));
  const Batch<T> wanted(best);
  const auto found = [&](Batch<T> v) {
    return best == best ? xsimd::any(v == wanted) : xsimd::any(nan_lanes(v));
  };
  std::int64_t i = 0;
  while (i + width_of<T> < n && !found(Batch<T>::load_unaligned(x + i))) i += width_of<T>;
  while (best == best ? x[i] != best : x[i] == x[i]) ++i;
  return i;
}

// to[i] = all lanes of rows[i] combined: as registers turned around, for less than folding each of them
// costs.
template <class Op, class T>
void fold_each(const T (&rows)[width_of<T>][width_of<T>], std::int64_t lanes, T* to) {
  constexpr std::int64_t w = width_of<T>;
  using Bits = std::conditional_t<sizeof(T) == 4, float, double>;  // only moved
  alignas(64) T turned[w][w];
  transpose_block(reinterpret_cast<const Bits*>(rows), w, reinterpret_cast<Bits*>(turned), w, w, lanes);
  Batch<T> all = Batch<T>::load_aligned(turned[0]);
  for (std::int64_t k = 1; k < lanes; ++k) all = Op::combine(all, Batch<T>::load_aligned(turned[k]));
  all.store_unaligned(to);
}

// Rows of one block: several at a time, as folding the lanes costs more than combining a short row.
template <class Op, class T>
void short_rows(const Loops<1>& outer, std::int64_t n, const T* x, T* out) {
  for_row_groups<T>(outer.shape.numel(), n, [&](std::int64_t i, std::int64_t last) {
    const auto lanes = [&](std::int64_t row) { return row_lanes<Op>(x + offset_of(outer, row), n); };
    if constexpr (std::is_same_v<Op, Max> || std::is_same_v<Op, Min>) {
      constexpr std::int64_t w = width_of<T>;
      for (; i + w <= last; i += w) {
        alignas(64) T rows[w][w];
        for (std::int64_t r = 0; r < w; ++r) lanes(i + r).store_aligned(rows[r]);
        fold_each<Op>(rows, std::min(n, w), out + i);
      }
    }
    fold_rows<Op>(i, last, lanes, out);
  });
}

template <class Op, class T>
void value_rows(const Loops<1>& outer, std::int64_t n, const T* x, T* out) {
  if (n <= row_block<T>) return short_rows<Op>(outer, n, x, out);
  reduce_long_rows<Op>(
      outer.shape.numel(), n,
      [&](std::int64_t r, std::int64_t i, std::int64_t count) {
        return fold<Op>(row_lanes<Op>(x + offset_of(outer, r) + i, count));
      },
      out);
}

constexpr std::int64_t side_by_side = 256;

// at[i] = position of the first extreme element of x[r * step + i] over r < n, for i < count <= side_by_side
template <class Op, class T>
void positions_side_by_side(const T* x, std::int64_t n, std::int64_t step, std::int64_t count,
                            std::int64_t* at) {
  T best[side_by_side];
  std::copy_n(x, count, best);
  std::fill_n(at, count, 0);
  for (std::int64_t r = 1; r < n; ++r)
    for (std::int64_t i = 0; i < count; ++i) {
      const T v = x[r * step + i];
      const bool better = std::is_same_v<Op, Max> ? v > best[i] : v < best[i];
      const bool take = (best[i] == best[i]) && (better || v != v);  // the first NaN stays
      best[i] = take ? v : best[i];
      at[i] = take ? r : at[i];
    }
}

// Rows that are too short to be worth a search each are turned into columns.
template <class Op, class T>
void tiny_position_rows(std::int64_t rows, std::int64_t n, const T* x, std::int64_t* out) {
  const bool parallel = rows * n * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  for_blocks((rows + side_by_side - 1) / side_by_side, parallel, [&](std::int64_t b) {
    const std::int64_t first = b * side_by_side, count = std::min(side_by_side, rows - first);
    T columns[width_of<T> * side_by_side];
    for (std::int64_t r = 0; r < count; ++r)
      for (std::int64_t k = 0; k < n; ++k) columns[k * side_by_side + r] = x[(first + r) * n + k];
    positions_side_by_side<Op>(columns, n, side_by_side, count, out + first);
  });
}

template <class Op, class T>
void position_rows(const Loops<1>& outer, std::int64_t n, const T* x, std::int64_t* out) {
  if (n <= width_of<T> && outer.shape.rank() == 1 && outer.strides[0][0] == n)
    return tiny_position_rows<Op>(outer.shape.numel(), n, x, out);
  for_row_groups<T>(outer.shape.numel(), n, [&](std::int64_t i, std::int64_t last) {
    for (; i < last; ++i) out[i] = row_position<Op>(x + offset_of(outer, i), n);
  });
}

// Columns
// ------------------------------------------------------------------------------------------------------

// Combines R rows in pairs, and the result onto a strip of `width` sums.
template <int R, class Op, class T>
void combine_rows(const T* x, std::int64_t step, std::int64_t width, T* sums) {
  const auto lanes = [&](auto load) {
    Batch<T> v[R];
    unroll<R>([&](auto r) { v[r] = load(x + r * step); });
    if constexpr (R == 8) unroll<4>([&](auto r) { v[r] = Op::combine(v[2 * r], v[2 * r + 1]); });
    if constexpr (R >= 4) unroll<2>([&](auto r) { v[r] = Op::combine(v[2 * r], v[2 * r + 1]); });
    if constexpr (R >= 2) v[0] = Op::combine(v[0], v[1]);
    return Op::combine(load(sums), v[0]);
  };
  std::int64_t j = 0;
  for (; j + width_of<T> <= width; j += width_of<T>, x += width_of<T>, sums += width_of<T>)
    lanes([](const T* p) { return Batch<T>::load_unaligned(p); }).store_unaligned(sums);
  if (j < width) {
    const Partial<T> some(width - j);
    some.store(sums, lanes([&](const T* p) { return some.load(p); }));
  }
}

template <class Op, class T>
void column_block_sums(const T* x, std::int64_t n, std::int64_t step, std::int64_t width, T* sums) {
  std::copy_n(x, width, sums);
  std::int64_t r = 1;
  for (; r + 8 <= n; r += 8) combine_rows<8, Op>(x + r * step, step, width, sums);
  for (; r < n; ++r) combine_rows<1, Op>(x + r * step, step, width, sums);
}

// At most one segment of rows: block sums are combined in pairs as soon as two of equal depth are there.
template <class Op, class T>
void column_values(const T* x, std::int64_t n, std::int64_t step, std::int64_t width, T* out) {
  if (n <= column_block) return column_block_sums<Op>(x, n, step, width, out);
  constexpr int depth = 8;  // 64 blocks to a segment need 7
  alignas(64) T stack[depth][strip];
  int top = 0;
  std::int64_t blocks = 0;
  for (std::int64_t r = 0; r < n; r += column_block) {
    column_block_sums<Op>(x + r * step, std::min(column_block, n - r), step, width, stack[top++]);
    for (std::int64_t b = ++blocks; b % 2 == 0; b /= 2, --top)
      combine_rows<1, Op>(stack[top - 1], 0, width, stack[top - 2]);
  }
  for (; top > 1; --top) combine_rows<1, Op>(stack[top - 1], 0, width, stack[top - 2]);
  std::copy_n(stack[0], width, out);
}

template <class Op, class T>
void value_columns(const Loops<1>& outer, std::int64_t n, std::int64_t step, std::int64_t width, const T* x,
                   T* out) {
  const std::int64_t items = outer.shape.numel(), strips = (width + strip - 1) / strip;
  const std::int64_t segments = (n + column_segment - 1) / column_segment;
  const Scratch<T> sums(segments > 1 ? items * segments * width : 0);
  T* to = segments > 1 ? sums.get() : out;
  const std::int64_t tasks = items * segments * strips;
  const std::int64_t elements =
      std::max<std::int64_t>(1, std::min(n, column_segment) * std::min(width, strip));
  const std::int64_t group = std::max<std::int64_t>(1, row_segment<T> / elements);
  const bool parallel = items * n * width * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  for_blocks((tasks + group - 1) / group, parallel, [&](std::int64_t b) {
    for (std::int64_t t = b * group; t < std::min(tasks, (b + 1) * group); ++t) {
      const std::int64_t j = t % strips * strip, part = t / strips, r = part % segments * column_segment;
      column_values<Op>(x + offset_of(outer, part / segments) + r * step + j, std::min(column_segment, n - r),
                        step, std::min(strip, width - j), to + part * width + j);
    }
  });
  if (segments == 1) return;
  for (std::int64_t i = 0; i < items; ++i) {
    T* s = sums + i * segments * width;
    for (std::int64_t gap = 1; gap < segments; gap *= 2)
      for (std::int64_t k = 0; k + gap < segments; k += 2 * gap)
        combine_rows<1, Op>(s + (k + gap) * width, 0, width, s + k * width);
    std::copy_n(s, width, out + i * width);
  }
}

// Columns too narrow for a register: several rows count as one, whose columns are reduced, and then the
// results of the rows that made it up. The rows that are left over come last.
template <class Op, class T>
void narrow_columns(const Loops<1>& outer, std::int64_t n, std::int64_t width, const T* x, T* out) {
  constexpr std::int64_t together = 4 * width_of<T>;
  const std::int64_t items = outer.shape.numel(), whole = n / together;
  const Scratch<T> wide(items * together * width), rest(items * width);
  value_columns<Op>(outer, whole, together * width, together * width, x, wide.get());
  const Loops<1> dense{{items}, {Strides{together * width}}};
  value_columns<Op>(dense, together, width, width, wide.get(), out);
  if (n % together == 0) return;
  value_columns<Op>(outer, n % together, width, width, x + whole * together * width, rest.get());
  combine_rows<1, Op>(rest.get(), 0, items * width, out);
}

template <class Op, class T>
void columns(const Loops<1>& outer, std::int64_t n, std::int64_t step, std::int64_t width, const T* x,
             T* out) {
  if (width < 2 * width_of<T> && step == width && n >= 32 * width_of<T>)
    narrow_columns<Op>(outer, n, width, x, out);
  else
    value_columns<Op>(outer, n, step, width, x, out);
}

template <class Op, class T>
void position_columns(const Loops<1>& outer, std::int64_t n, std::int64_t step, std::int64_t width,
                      const T* x, std::int64_t* out) {
  const std::int64_t items = outer.shape.numel(), pieces = (width + side_by_side - 1) / side_by_side;
  const bool parallel = items * n * width * static_cast<std::int64_t>(sizeof(T)) >= parallel_bytes;
  for_blocks(items * pieces, parallel, [&](std::int64_t t) {
    const std::int64_t j = t % pieces * side_by_side;
    positions_side_by_side<Op>(x + offset_of(outer, t / pieces) + j, n, step,
                               std::min(side_by_side, width - j), out + t / pieces * width + j);
  });
}

}  // namespace

template <class T>
void reduce_rows(ReduceOp op, const Loops<1>& outer, std::int64_t n, const T* x, void* out) {
  switch (op) {
    case ReduceOp::sum:
      return value_rows<Sum>(outer, n, x, static_cast<T*>(out));
    case ReduceOp::prod:
      if constexpr (std::is_floating_point_v<T>) value_rows<Product>(outer, n, x, static_cast<T*>(out));
      return;
    case ReduceOp::max:
      return value_rows<Max>(outer, n, x, static_cast<T*>(out));
    case ReduceOp::min:
      return value_rows<Min>(outer, n, x, static_cast<T*>(out));
    case ReduceOp::argmax:
      return position_rows<Max>(outer, n, x, static_cast<std::int64_t*>(out));
    case ReduceOp::argmin:
      return position_rows<Min>(outer, n, x, static_cast<std::int64_t*>(out));
  }
}

template <class T>
void reduce_columns(ReduceOp op, const Loops<1>& outer, std::int64_t n, std::int64_t step, std::int64_t width,
                    const T* x, void* out) {
  switch (op) {
    case ReduceOp::sum:
      return columns<Sum>(outer, n, step, width, x, static_cast<T*>(out));
    case ReduceOp::prod:
      if constexpr (std::is_floating_point_v<T>)
        columns<Product>(outer, n, step, width, x, static_cast<T*>(out));
      return;
    case ReduceOp::max:
      return columns<Max>(outer, n, step, width, x, static_cast<T*>(out));
    case ReduceOp::min:
      return columns<Min>(outer, n, step, width, x, static_cast<T*>(out));
    case ReduceOp::argmax:
      return position_columns<Max>(outer, n, step, width, x, static_cast<std::int64_t*>(out));
    case ReduceOp::argmin:
      return position_columns<Min>(outer, n, step, width, x, static_cast<std::int64_t*>(out));
  }
}

template void reduce_rows(ReduceOp, const Loops<1>&, std::int64_t, const float*, void*);
template void reduce_rows(ReduceOp, const Loops<1>&, std::int64_t, const double*, void*);
template void reduce_rows(ReduceOp, const Loops<1>&, std::int64_t, const std::int64_t*, void*);
template void reduce_columns(ReduceOp, const Loops<1>&, std::int64_t, std::int64_t, std::int64_t,
                             const float*, void*);
template void reduce_columns(ReduceOp, const Loops<1>&, std::int64_t, std::int64_t, std::int64_t,
                             const double*, void*);
template void reduce_columns(ReduceOp, const Loops<1>&, std::int64_t, std::int64_t, std::int64_t,
                             const std::int64_t*, void*);

}  // namespace cadena::kernels
