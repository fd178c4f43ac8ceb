// Transposition in registers, one block of cache lines at a time.
#pragma once

#include <algorithm>
#include <cstdint>

#include "autodiff/kernels/unroll.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace cadena::kernels {

/// Elements of a cache line. A square of that many rows reads and writes whole lines, so that a line is met
/// once, whatever the distance of the rows.
template <class T>
inline constexpr std::int64_t line_of = 64 / static_cast<std::int64_t>(sizeof(T));

#if defined(__AVX512F__)

// (The maskz forms with a full mask avoid g++ 12's false warnings about its own header.)

// Rows of four 128-bit lanes become columns.
inline void transpose_lanes(__m512d& a, __m512d& b, __m512d& c, __m512d& d) {
  const __m512d even = _mm512_maskz_shuffle_f64x2(0xFF, a, b, 0x88),
                odd = _mm512_maskz_shuffle_f64x2(0xFF, a, b, 0xDD),
                even2 = _mm512_maskz_shuffle_f64x2(0xFF, c, d, 0x88),
                odd2 = _mm512_maskz_shuffle_f64x2(0xFF, c, d, 0xDD);
  a = _mm512_maskz_shuffle_f64x2(0xFF, even, even2, 0x88);
  b = _mm512_maskz_shuffle_f64x2(0xFF, odd, odd2, 0x88);
  c = _mm512_maskz_shuffle_f64x2(0xFF, even, even2, 0xDD);
  d = _mm512_maskz_shuffle_f64x2(0xFF, odd, odd2, 0xDD);
}

// 16 x 16 floats. f(k, row k of the result) receives them in any order.
template <class F>
[[gnu::always_inline]] inline void transpose_registers(__m512 (&r)[16], const F& f) {
  __m512d s[16];
  unroll<8>([&](auto i) {
    s[2 * i] = _mm512_castps_pd(_mm512_maskz_unpacklo_ps(0xFFFF, r[2 * i], r[2 * i + 1]));
    s[2 * i + 1] = _mm512_castps_pd(_mm512_maskz_unpackhi_ps(0xFFFF, r[2 * i], r[2 * i + 1]));
  });
  __m512d t[4][4];  // [c][k]: lane l holds column 4 l + c of the rows 4 k, ... 4 k + 3
  unroll<4>([&](auto k) {
    t[0][k] = _mm512_maskz_unpacklo_pd(0xFF, s[4 * k], s[4 * k + 2]);
    t[1][k] = _mm512_maskz_unpackhi_pd(0xFF, s[4 * k], s[4 * k + 2]);
    t[2][k] = _mm512_maskz_unpacklo_pd(0xFF, s[4 * k + 1], s[4 * k + 3]);
    t[3][k] = _mm512_maskz_unpackhi_pd(0xFF, s[4 * k + 1], s[4 * k + 3]);
  });
  unroll<4>([&](auto c) {
    transpose_lanes(t[c][0], t[c][1], t[c][2], t[c][3]);
    unroll<4>([&](auto l) { f(4 * l + c, _mm512_castpd_ps(t[c][l])); });
  });
}

// 8 x 8 doubles.
template <class F>
[[gnu::always_inline]] inline void transpose_registers(__m512d (&r)[8], const F& f) {
  __m512d t[2][4];  // [c][k]: lane l holds column 2 l + c of the rows 2 k and 2 k + 1
  unroll<4>([&](auto k) {
    t[0][k] = _mm512_maskz_unpacklo_pd(0xFF, r[2 * k], r[2 * k + 1]);
    t[1][k] = _mm512_maskz_unpackhi_pd(0xFF, r[2 * k], r[2 * k + 1]);
  });
  unroll<2>([&](auto c) {
    transpose_lanes(t[c][0], t[c][1], t[c][2], t[c][3]);
    unroll<4>([&](auto l) { f(2 * l + c, t[c][l]); });
  });
}

inline __m512 load_line(const float* p) { return _mm512_loadu_ps(p); }
inline __m512d load_line(const double* p) { return _mm512_loadu_pd(p); }
inline __m512 load_some(const float* p, unsigned mask) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p);
}
inline __m512d load_some(const double* p, unsigned mask) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p);
}
template <bool streamed>
void store_line(float* p, __m512 v) {
  streamed ? _mm512_stream_ps(p, v) : _mm512_storeu_ps(p, v);
}
template <bool streamed>
void store_line(double* p, __m512d v) {
  streamed ? _mm512_stream_pd(p, v) : _mm512_storeu_pd(p, v);
}
inline void finish_streaming() { _mm_sfence(); }
inline void store_some(float* p, unsigned mask, __m512 v) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask), v);
}
inline void store_some(double* p, unsigned mask, __m512d v) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), v);
}

/// A square of line_of<T> rows and columns. `streamed`: past the caches, to lines that begin at `to`.
template <bool streamed, class T>
void transpose_square(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld) {
  constexpr int n = line_of<T>;
  decltype(load_line(from)) r[n];
  unroll<n>([&](auto i) { r[i] = load_line(from + i * from_ld); });
  transpose_registers(r, [&](auto k, auto v) { store_line<streamed>(to + k * to_ld, v); });
}

/// At most as many rows and columns.
template <class T>
void transpose_rest(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld, std::int64_t rows,
                    std::int64_t columns) {
  constexpr int n = line_of<T>;
  const unsigned in = (1U << columns) - 1, out = (1U << rows) - 1;
  decltype(load_line(from)) r[n];
  unroll<n>([&](auto i) { r[i] = i < rows ? load_some(from + i * from_ld, in) : load_some(from, 0); });
  transpose_registers(r, [&](auto k, auto v) {
    if (k < columns) store_some(to + k * to_ld, out, v);
  });
}

#else

#if defined(__AVX2__)

inline void transpose_piece(const float* from, std::int64_t from_ld, float* to, std::int64_t to_ld) {
  __m256 r[8], s[8];
  unroll<8>([&](auto i) { r[i] = _mm256_loadu_ps(from + i * from_ld); });
  unroll<4>([&](auto i) {
    s[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    s[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  });
  unroll<2>([&](auto k) {
    r[4 * k] = _mm256_shuffle_ps(s[4 * k], s[4 * k + 2], 0x44);
    r[4 * k + 1] = _mm256_shuffle_ps(s[4 * k], s[4 * k + 2], 0xEE);
    r[4 * k + 2] = _mm256_shuffle_ps(s[4 * k + 1], s[4 * k + 3], 0x44);
    r[4 * k + 3] = _mm256_shuffle_ps(s[4 * k + 1], s[4 * k + 3], 0xEE);
  });
  unroll<4>([&](auto i) {
    _mm256_storeu_ps(to + i * to_ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  });
}
inline void transpose_piece(const double* from, std::int64_t from_ld, double* to, std::int64_t to_ld) {
  __m256d r[4], s[4];
  unroll<4>([&](auto i) { r[i] = _mm256_loadu_pd(from + i * from_ld); });
  unroll<2>([&](auto i) {
    s[2 * i] = _mm256_unpacklo_pd(r[2 * i], r[2 * i + 1]);
    s[2 * i + 1] = _mm256_unpackhi_pd(r[2 * i], r[2 * i + 1]);
  });
  unroll<2>([&](auto i) {
    _mm256_storeu_pd(to + i * to_ld, _mm256_permute2f128_pd(s[i], s[i + 2], 0x20));
    _mm256_storeu_pd(to + (i + 2) * to_ld, _mm256_permute2f128_pd(s[i], s[i + 2], 0x31));
  });
}

#else

template <class T>
void transpose_piece(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld) {
  for (std::int64_t i = 0; i < line_of<T> / 2; ++i)
    for (std::int64_t j = 0; j < line_of<T> / 2; ++j) to[j * to_ld + i] = from[i * from_ld + j];
}

#endif

inline void finish_streaming() {}

/// A square of line_of<T> rows and columns, in four pieces.
template <bool streamed, class T>
void transpose_square(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld) {
  constexpr std::int64_t half = line_of<T> / 2;
  for (const std::int64_t j : {std::int64_t{0}, half})
    for (const std::int64_t i : {std::int64_t{0}, half})
      transpose_piece(from + i * from_ld + j, from_ld, to + j * to_ld + i, to_ld);
}

/// At most as many rows and columns.
template <class T>
void transpose_rest(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld, std::int64_t rows,
                    std::int64_t columns) {
  constexpr std::int64_t half = line_of<T> / 2;
  const std::int64_t whole_rows = rows / half * half, whole_columns = columns / half * half;
  for (std::int64_t j = 0; j < whole_columns; j += half)
    for (std::int64_t i = 0; i < whole_rows; i += half)
      transpose_piece(from + i * from_ld + j, from_ld, to + j * to_ld + i, to_ld);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * to_ld + i] = from[i * from_ld + j];
}

#endif

/// to[j * to_ld + i] = from[i * from_ld + j] for i < rows, j < columns; T = float or double (for any bits of
/// 4 or 8 bytes: they are only moved).
template <bool streamed = false, class T>
void transpose_block(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld, std::int64_t rows,
                     std::int64_t columns) {
  constexpr std::int64_t n = line_of<T>;
  for (std::int64_t i = 0; i < rows; i += n)
    for (std::int64_t j = 0; j < columns; j += n) {
      const T* a = from + i * from_ld + j;
      T* b = to + j * to_ld + i;
      if (i + n <= rows && j + n <= columns)
        transpose_square<streamed>(a, from_ld, b, to_ld);
      else
        transpose_rest(a, from_ld, b, to_ld, std::min(n, rows - i), std::min(n, columns - j));
    }
  if constexpr (streamed) finish_streaming();
}

}  // namespace cadena::kernels
