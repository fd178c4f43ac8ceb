// The inner loop of direct convolutions: a tile of target channels times vectors of target positions.
#pragma once

#include <cstdint>
#include <vector>

#include "autodiff/kernels/partial.hpp"
#include "autodiff/kernels/unroll.hpp"

namespace cadena::kernels {

/// Target channels that are computed together, and vectors of positions beside so many and beside one or two.
constexpr int conv_tile_rows = sizeof(xsimd::batch<float>) == 64 ? 8 : 4;
constexpr int conv_tile_vectors = 3, conv_row_vectors = 6;

/// `count` <= width positions: what the first of them reads at offset 0, and where its result goes.
template <class T>
struct ConvVector {
  const T* from;
  T* to;
  std::int64_t count;
};

/// to[r][i] = bias[r] + sum over p < k of w[p * MR + r] * from[offset[p] + i], for MR channels, `stride`
/// apart in the targets, and NV vectors. One chain of fused additions for every element.
template <int MR, int NV, class T>
void conv_tile(std::int64_t k, const T* w, const std::int64_t* offset, const T* bias,
               const ConvVector<T>* vectors, std::int64_t stride) {
  using Batch = xsimd::batch<T>;
  Batch acc[MR][NV];
  unroll<MR>([&](auto r) { unroll<NV>([&](auto v) { acc[r][v] = Batch(bias ? bias[r] : T(0)); }); });
  const T* from[NV];
  unroll<NV>([&](auto v) { from[v] = vectors[v].from; });
  const auto sum = [&](auto load) __attribute__((always_inline)) {
    for (std::int64_t p = 0; p < k; ++p, w += MR) {
      Batch x[NV];
      unroll<NV>([&](auto v) { x[v] = load(v, from[v] + offset[p]); });
      unroll<MR>([&](auto r) {
        const Batch y(w[r]);
        unroll<NV>([&](auto v) { acc[r][v] = xsimd::fma(y, x[v], acc[r][v]); });
      });
    }
  };
  std::int64_t least = Batch::size;
  unroll<NV>([&](auto v) { least = vectors[v].count < least ? vectors[v].count : least; });
  if (least == static_cast<std::int64_t>(Batch::size)) {
    sum([](auto, const T* p) { return Batch::load_unaligned(p); });
    unroll<MR>(
        [&](auto r) { unroll<NV>([&](auto v) { acc[r][v].store_unaligned(vectors[v].to + r * stride); }); });
  } else {
    const auto part = [&](auto v) __attribute__((always_inline)) { return Partial<T>(vectors[v].count); };
    sum([&](auto v, const T* p) __attribute__((always_inline)) { return part(v).load(p); });
    unroll<MR>(
        [&](auto r) { unroll<NV>([&](auto v) { part(v).store(vectors[v].to + r * stride, acc[r][v]); }); });
  }
}

/// acc[r] += w[l] * from[(r + l) * pitch] for R rows and L taps that lie one row behind the other: what is
/// loaded serves several rows.
template <int R, int L, class T, class Load>
[[gnu::always_inline]] inline void add_conv_run(const T* from, std::int64_t pitch, const T* w,
                                                const Load& load, xsimd::batch<T> (&acc)[R]) {
  using Batch = xsimd::batch<T>;
  Batch y[L];
  unroll<L>([&](auto l) { y[l] = Batch(w[l]); });
  unroll<R + L - 1>([&](auto i) {
    const Batch x = load(from + i * pitch);
    unroll<L>([&](auto l) {
      if constexpr (i - l >= 0 && i - l < R) acc[i - l] = xsimd::fma(y[l], x, acc[i - l]);
    });
  });
}

/// Taps that lie one row behind the other.
constexpr std::int64_t conv_run_taps = 4;
struct ConvRun {
  std::int64_t offset, taps;  ///< taps <= conv_run_taps
};

/// to[r * to_row + i] = bias + sum over the runs' taps of w[tap] * from[r * pitch + offset + i] for R rows
/// and i < count <= width.
template <int R, class T>
void conv_row_tile(const std::vector<ConvRun>& runs, const T* w, T bias, const T* from, std::int64_t pitch,
                   std::int64_t count, T* to, std::int64_t to_row) {
  using Batch = xsimd::batch<T>;
  const auto sum = [&](auto load, auto store) __attribute__((always_inline)) {
    Batch acc[R];
    unroll<R>([&](auto r) { acc[r] = Batch(bias); });
    const T* y = w;
    for (const ConvRun& run : runs) {
      const T* x = from + run.offset;
      if (run.taps == 1) add_conv_run<R, 1>(x, pitch, y, load, acc);
      if (run.taps == 2) add_conv_run<R, 2>(x, pitch, y, load, acc);
      if (run.taps == 3) add_conv_run<R, 3>(x, pitch, y, load, acc);
      if (run.taps == 4) add_conv_run<R, 4>(x, pitch, y, load, acc);
      y += run.taps;
    }
    unroll<R>([&](auto r) { store(to + r * to_row, acc[r]); });
  };
  if (count == static_cast<std::int64_t>(Batch::size)) {
    sum(
        [](const T* p) __attribute__((always_inline)) { return Batch::load_unaligned(p); },
        [](T * p, Batch v) __attribute__((always_inline)) { v.store_unaligned(p); });
  } else {
    const Partial<T> part(count);
    sum(
        [&](const T* p) __attribute__((always_inline)) { return part.load(p); },
        [&](T * p, Batch v) __attribute__((always_inline)) { part.store(p, v); });
  }
}

/// to[r][v] = init[r][v] + sum over q < n of x[row[r] + offset[q]] * b[q * ldb + v], for MR rows and NV
/// vectors of b. Rows of `to` are NV vectors apart, those of `init` `init_row`; null is zero. One chain of
/// fused additions for every element.
template <int MR, int NV, class T>
void conv_channel_tile(std::int64_t n, const T* x, const std::int64_t* row, const std::int64_t* offset,
                       const T* b, std::int64_t ldb, const T* init, std::int64_t init_row, T* to) {
  using Batch = xsimd::batch<T>;
  constexpr auto width = static_cast<std::int64_t>(Batch::size);
  Batch acc[MR][NV];
  const T* from[MR];
  unroll<MR>([&](auto r) {
    from[r] = x + row[r];
    unroll<NV>([&](auto v) {
      acc[r][v] = init ? Batch::load_unaligned(init + r * init_row + v * width) : Batch(T(0));
    });
  });
  for (std::int64_t q = 0; q < n; ++q, b += ldb) {
    Batch y[NV];
    unroll<NV>([&](auto v) { y[v] = Batch::load_unaligned(b + v * width); });
    const std::int64_t at = offset[q];
    unroll<MR>([&](auto r) {
      const Batch one(from[r][at]);
      unroll<NV>([&](auto v) { acc[r][v] = xsimd::fma(one, y[v], acc[r][v]); });
    });
  }
  unroll<MR>(
      [&](auto r) { unroll<NV>([&](auto v) { acc[r][v].store_unaligned(to + (r * NV + v) * width); }); });
}

/// f(a constant) for n = 1, 2 or 3 vectors.
template <class F>
void with_conv_vectors(std::int64_t n, const F& f) {
  if (n == 3) return f(std::integral_constant<int, 3>{});
  if (n == 2) return f(std::integral_constant<int, 2>{});
  f(std::integral_constant<int, 1>{});
}

/// sums[r] = sum over lines l and i < length of x[row[r] + l * x_line + i] * y[l * y_line + i], in lanes.
template <int MR, class T>
void conv_dot_tile(std::int64_t lines, std::int64_t length, const T* x, const std::int64_t* row,
                   std::int64_t x_line, const T* y, std::int64_t y_line, xsimd::batch<T>* sums) {
  using Batch = xsimd::batch<T>;
  constexpr auto width = static_cast<std::int64_t>(Batch::size);
  const T* from[MR];
  Batch acc[MR];
  unroll<MR>([&](auto r) { from[r] = x + row[r], acc[r] = sums[r]; });
  const Partial<T> rest(length % width);
  for (std::int64_t l = 0; l < lines; ++l, y += y_line) {
    std::int64_t i = 0;
    for (; i + width <= length; i += width) {
      const Batch g = Batch::load_unaligned(y + i);
      unroll<MR>([&](auto r) { acc[r] = xsimd::fma(g, Batch::load_unaligned(from[r] + i), acc[r]); });
    }
    if (i < length) {
      const Batch g = rest.load(y + i);
      unroll<MR>([&](auto r) { acc[r] = xsimd::fma(g, rest.load(from[r] + i), acc[r]); });
    }
    unroll<MR>([&](auto r) { from[r] += x_line; });
  }
  unroll<MR>([&](auto r) { sums[r] = acc[r]; });
}

/// The rows of weights in tiles, as conv_tile reads them, for any number of channels: tiles of
/// conv_tile_rows, then of half as many, and so on. f(MR, first row) for each.
template <class F>
void for_conv_tiles(std::int64_t rows, const F& f) {
  std::int64_t r = 0;
  if constexpr (conv_tile_rows == 8)
    for (; r + 8 <= rows; r += 8) f(std::integral_constant<int, 8>{}, r);
  for (; r + 4 <= rows; r += 4) f(std::integral_constant<int, 4>{}, r);
  if (r + 2 <= rows) f(std::integral_constant<int, 2>{}, r), r += 2;
  if (r < rows) f(std::integral_constant<int, 1>{}, r);
}

}  // namespace cadena::kernels
