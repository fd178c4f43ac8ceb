#include "autodiff/kernels/copy.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "autodiff/kernels/collapse.hpp"
#include "autodiff/kernels/parallel.hpp"
#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/transpose.hpp"

namespace cadena::kernels {
namespace {

constexpr std::int64_t block_bytes = 1 << 18;     // work of one task
constexpr std::int64_t streamed_bytes = 8 << 20;  // results that are not to be looked for in a cache

// Elements are moved as plain bits: floats where a block may be transposed, which never looks at them.
template <std::size_t Size>
struct BitsOf;
template <>
struct BitsOf<1> {
  using type = unsigned char;
};
template <>
struct BitsOf<4> {
  using type = float;
};
template <>
struct BitsOf<8> {
  using type = double;
};

/// Conversion of one element. NaN to i64 is 0 and what lies beyond i64 saturates; C++ leaves both undefined.
template <class To, class From>
To convert(From v) {
  if constexpr (std::is_same_v<To, bool>) {
    return v != From(0);
  } else if constexpr (std::is_same_v<To, std::int64_t> && std::is_floating_point_v<From>) {
    constexpr From limit = static_cast<From>(9223372036854775808.0);  // 2^63
    if (!(v < limit)) return v >= limit ? std::numeric_limits<std::int64_t>::max() : 0;
    return v < -limit ? std::numeric_limits<std::int64_t>::min() : static_cast<std::int64_t>(v);
  } else {
    return static_cast<To>(v);
  }
}

template <class From, class To>
void copy_row(std::int64_t n, const From* from, std::int64_t from_step, To* to, std::int64_t to_step) {
  if (to_step == 1 && from_step == 1) {
    if constexpr (std::is_same_v<From, To>)
      std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(To));
    else
      for (std::int64_t i = 0; i < n; ++i) to[i] = convert<To>(from[i]);
  } else if (to_step == 1 && from_step == 0) {
    std::fill_n(to, n, convert<To>(*from));
  } else if (to_step == 1) {
    for (std::int64_t i = 0; i < n; ++i) to[i] = convert<To>(from[i * from_step]);
  } else {
    for (std::int64_t i = 0; i < n; ++i) to[i * to_step] = convert<To>(from[i * from_step]);
  }
}

// The same row `times` times, one after the other: what is there already is copied in pieces of a few rows.
template <class From, class To>
void repeat_row(std::int64_t times, std::int64_t n, const From* from, std::int64_t from_step, To* to) {
  copy_row(n, from, from_step, to, 1);
  const std::int64_t total = times * n, piece = std::max<std::int64_t>(1, 2048 / n) * n;
  for (std::int64_t done = n; done < total;) {
    const std::int64_t count = std::min({done, piece, total - done});
    std::copy_n(to, count, to + done);
    done += count;
  }
}

// Dimension d taken out of the loops.
Loops<2> without(Loops<2> loops, int d) {
  loops.shape.erase(d);
  for (auto& s : loops.strides) s.erase(d);
  return loops;
}

// Rows of so few elements that a call for each would cost more than moving them.
constexpr std::size_t few = 16;
template <class T, std::size_t n>
void copy_rows_of(std::int64_t rows, const T* from, std::int64_t from_row, T* to, std::int64_t to_row) {
  for (std::int64_t r = 0; r < rows; ++r) std::memcpy(to + r * to_row, from + r * from_row, n * sizeof(T));
}
template <class T, std::size_t n>
void splat_rows_of(std::int64_t rows, const T* from, std::int64_t from_row, T* to, std::int64_t to_row) {
  for (std::int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
    if constexpr (std::is_floating_point_v<T>) {
      const xsimd::batch<T> all(*from);
      constexpr std::size_t whole = n / all.size * all.size;
      for (std::size_t k = 0; k < whole; k += all.size) all.store_unaligned(to + k);
      if constexpr (whole < n) Partial<T>(n - whole).store(to + whole, all);
    } else {
      std::memset(to, *from, n);
    }
  }
}
template <class T>
using CopyRows = void (*)(std::int64_t rows, const T* from, std::int64_t from_row, T* to,
                          std::int64_t to_row);
template <class T, std::size_t... n>
CopyRows<T> short_copy(std::int64_t length, bool splat, std::index_sequence<n...>) {
  static constexpr CopyRows<T> copies[] = {copy_rows_of<T, n>...}, splats[] = {splat_rows_of<T, n>...};
  return (splat ? splats : copies)[length];
}
// `count` steps of one dimension around `outer`, the last dimension of which is the longest loop.
template <class T>
void copy_short_rows(const Loops<2>& outer, std::int64_t length, bool splat, std::int64_t count,
                     const T* from, std::int64_t from_step, T* to, std::int64_t to_step) {
  const CopyRows<T> rows = short_copy<T>(length, splat, std::make_index_sequence<few + 1>());
  const int last = outer.shape.rank() - 1;
  if (last < 0) return rows(count, from, from_step, to, to_step);
  const Loops<2> rest = without(outer, last);
  for (std::int64_t i = 0; i < count; ++i)
    for_each_index(rest.shape, rest.strides, [&](const auto& at) {
      rows(outer.shape[last], from + i * from_step + at[0], outer.strides[0][last], to + i * to_step + at[1],
           outer.strides[1][last]);
    });
}

// What is done to a row of n elements.
struct CopyRow {
  static constexpr bool moves_bits = true;
  template <class From, class To>
  static void row(std::int64_t n, const From* from, std::int64_t from_step, To* to, std::int64_t to_step) {
    copy_row(n, from, from_step, to, to_step);
  }
};
struct AddRow {
  static constexpr bool moves_bits = false;
  template <class T>
  static void row(std::int64_t n, const T* from, std::int64_t from_step, T* to, std::int64_t to_step) {
    if (from_step == 1 && to_step == 1)
      for (std::int64_t i = 0; i < n; ++i) to[i] += from[i];
    else
      for (std::int64_t i = 0; i < n; ++i) to[i * to_step] += from[i * from_step];
  }
};

// The dimension with the smallest step in `to` goes last, so that writes are as dense as they can be.
Loops<2> order_by_target(Loops<2> loops) {
  auto& [shape, strides] = loops;
  for (int i = 1; i < shape.rank(); ++i)
    for (int d = i; d > 0 && std::abs(strides[1][d - 1]) < std::abs(strides[1][d]); --d) {
      std::swap(shape[d - 1], shape[d]);
      for (auto& s : strides) std::swap(s[d - 1], s[d]);
    }
  return collapse(loops);
}

// A matrix (rows, columns) whose rows are contiguous in `from` and whose columns are so in `to`, for every
// index of `outer`. A task is a few strips of rows of one cache line: they are read along, and every line is
// written at once. Large results go past the caches, which would have to read what is overwritten.
template <class T>
void transpose_all(const Loops<2>& outer, std::int64_t rows, std::int64_t columns, const T* from,
                   std::int64_t from_ld, T* to, std::int64_t to_ld, bool parallel) {
  constexpr std::int64_t n = line_of<T>, widest = 4096, elements = 1 << 16;
  const std::int64_t width = std::min(columns, widest), height = std::max(n, elements / width / n * n);
  const std::int64_t across = (columns + width - 1) / width, tiles = across * ((rows + height - 1) / height);
  const auto whole_lines = [&](std::int64_t stride) { return stride % n == 0; };
  const bool streamed =
      outer.shape.numel() * rows * columns * static_cast<std::int64_t>(sizeof(T)) >= streamed_bytes &&
      reinterpret_cast<std::uintptr_t>(to) % 64 == 0 && whole_lines(to_ld) &&
      std::all_of(outer.strides[1].begin(), outer.strides[1].end(), whole_lines);
  for_blocks(outer.shape.numel() * tiles, parallel, [&](std::int64_t task) {
    const auto at = offsets_of(outer.shape, outer.strides, task / tiles);
    const std::int64_t i = task % tiles / across * height, j = task % across * width;
    (streamed ? transpose_block<true, T> : transpose_block<false, T>)(from + at[0] + i * from_ld + j, from_ld,
                                                                      to + at[1] + j * to_ld + i, to_ld,
                                                                      std::min(height, rows - i),
                                                                      std::min(width, columns - j));
  });
}

template <class Op, class From, class To>
void for_elements(const Loops<2>& loops, const From* from, To* to) {
  const auto& [shape, strides] = loops;
  const int rank = shape.rank();
  if (rank == 0) return Op::row(1, from, 1, to, 1);
  const bool parallel =
      shape.numel() * static_cast<std::int64_t>(sizeof(From) + sizeof(To)) >= parallel_bytes;
  const std::int64_t n = shape.back(), from_step = strides[0].back(), to_step = strides[1].back();
  Loops<2> outer = without(loops, rank - 1);
  if constexpr (Op::moves_bits && std::is_same_v<From, To> && sizeof(To) >= 4) {
    // Another dimension may be contiguous in `from`.
    for (int d = rank - 2; d >= 0 && to_step == 1 && n >= 8 && from_step != 0; --d)
      if (strides[0][d] == 1 && shape[d] >= 8)
        return transpose_all(without(outer, d), n, shape[d], from, from_step, to, strides[1][d], parallel);
  }
  const std::int64_t row_bytes = n * static_cast<std::int64_t>(sizeof(To));
  if (outer.shape.empty() || row_bytes >= 4 * block_bytes) {  // long rows are cut
    constexpr std::int64_t piece = block_bytes / static_cast<std::int64_t>(sizeof(To));
    const std::int64_t pieces = (n + piece - 1) / piece;
    for_blocks(outer.shape.numel() * pieces, parallel, [&](std::int64_t task) {
      const auto at = offsets_of(outer.shape, outer.strides, task / pieces);
      const std::int64_t i = task % pieces * piece;
      Op::row(std::min(piece, n - i), from + at[0] + i * from_step, from_step, to + at[1] + i * to_step,
              to_step);
    });
    return;
  }
  // A task is a few indices of the first dimension.
  const std::int64_t first = outer.shape[0], f0 = outer.strides[0][0], t0 = outer.strides[1][0];
  outer = without(outer, 0);
  const std::int64_t group = std::max<std::int64_t>(1, block_bytes / (outer.shape.numel() * row_bytes));
  const bool is_short = Op::moves_bits && std::is_same_v<From, To> && n <= static_cast<std::int64_t>(few) &&
                        (from_step == 1 || from_step == 0) && to_step == 1;
  const bool repeats = Op::moves_bits && outer.shape.empty() && f0 == 0 && to_step == 1 && t0 == n;
  for_blocks((first + group - 1) / group, parallel, [&](std::int64_t b) {
    const std::int64_t end = std::min(first, (b + 1) * group);
    if (repeats) return repeat_row(end - b * group, n, from, from_step, to + b * group * t0);
    if constexpr (Op::moves_bits && std::is_same_v<From, To>)
      if (is_short)
        return copy_short_rows(outer, n, from_step == 0, end - b * group, from + b * group * f0, f0,
                               to + b * group * t0, t0);
    for (std::int64_t i = b * group; i < end; ++i)
      for_each_index(outer.shape, outer.strides, [&](const auto& at) {
        Op::row(n, from + i * f0 + at[0], from_step, to + i * t0 + at[1], to_step);
      });
  });
}

}  // namespace

void copy(const View& from, const View& to) {
  for (auto extent : to.shape)
    if (extent == 0) return;
  const auto loops = order_by_target(collapse(Loops<2>{to.shape, {from.strides, to.strides}}));
  if (from.dtype == to.dtype) {
    const auto move = [&]<std::size_t Size>(std::integral_constant<std::size_t, Size>) {
      using Bits = typename BitsOf<Size>::type;
      for_elements<CopyRow>(loops, from.as<Bits>(), to.as<Bits>());
    };
    switch (itemsize(to.dtype)) {
      case 1:
        return move(std::integral_constant<std::size_t, 1>{});
      case 4:
        return move(std::integral_constant<std::size_t, 4>{});
      default:
        return move(std::integral_constant<std::size_t, 8>{});
    }
  }
  visit(from.dtype, [&]<class From>(From) {
    visit(to.dtype, [&]<class To>(To) {
      if constexpr (!std::is_same_v<From, To>) for_elements<CopyRow>(loops, from.as<From>(), to.as<To>());
    });
  });
}

void add(const View& from, const View& to) {
  for (auto extent : to.shape)
    if (extent == 0) return;
  const auto loops = order_by_target(collapse(Loops<2>{to.shape, {from.strides, to.strides}}));
  if (to.dtype == f32)
    for_elements<AddRow>(loops, from.as<float>(), to.as<float>());
  else
    for_elements<AddRow>(loops, from.as<double>(), to.as<double>());
}

void fill(const View& to, Scalar value) {
  visit(to.dtype, [&]<class T>(T) {
    T v{};
    if constexpr (std::is_same_v<T, std::int64_t>)
      v = value.kind() == f32 ? convert<T>(value.to<double>()) : value.to<T>();
    else
      v = value.to<T>();
    View from{&v, to.dtype, to.shape, {}};
    for (int d = 0; d < to.shape.rank(); ++d) from.strides.push_back(0);
    copy(from, to);
  });
}

}  // namespace cadena::kernels
