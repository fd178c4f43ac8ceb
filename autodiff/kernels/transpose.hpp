// Transposition of a block that fits the first-level cache.
#pragma once

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace cadena::kernels {

#if defined(__AVX2__)

/// Columns of 8 x 8 floats become rows.
inline void transpose_square(const float* from, std::int64_t from_ld, float* to, std::int64_t to_ld) {
  __m256 r[8], s[8];
  for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps(from + i * from_ld);
  for (int i = 0; i < 8; i += 2) {
    s[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    s[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(s[i], s[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(s[i], s[i + 2], 0xEE);
    r[i + 2] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(s[i + 1], s[i + 3], 0xEE);
  }
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_ld, _mm256_permute2f128_ps(r[i], r[i + 4], 0x31));
  }
}

/// Columns of 4 x 4 doubles become rows.
inline void transpose_square(const double* from, std::int64_t from_ld, double* to, std::int64_t to_ld) {
  __m256d r[4], s[4];
  for (int i = 0; i < 4; ++i) r[i] = _mm256_loadu_pd(from + i * from_ld);
  for (int i = 0; i < 4; i += 2) {
    s[i] = _mm256_unpacklo_pd(r[i], r[i + 1]);
    s[i + 1] = _mm256_unpackhi_pd(r[i], r[i + 1]);
  }
  for (int i = 0; i < 2; ++i) {
    _mm256_storeu_pd(to + i * to_ld, _mm256_permute2f128_pd(s[i], s[i + 2], 0x20));
    _mm256_storeu_pd(to + (i + 2) * to_ld, _mm256_permute2f128_pd(s[i], s[i + 2], 0x31));
  }
}

#else

template <class T>
void transpose_square(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld) {
  constexpr int n = sizeof(T) == 4 ? 8 : 4;
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j) to[j * to_ld + i] = from[i * from_ld + j];
}

#endif

/// to[j * to_ld + i] = from[i * from_ld + j] for i < rows, j < columns; T = float or double (for any bits of
/// 4 or 8 bytes: they are only moved).
template <class T>
void transpose_block(const T* from, std::int64_t from_ld, T* to, std::int64_t to_ld, std::int64_t rows,
                     std::int64_t columns) {
  constexpr std::int64_t n = sizeof(T) == 4 ? 8 : 4;
  const std::int64_t whole_rows = rows / n * n, whole_columns = columns / n * n;
  for (std::int64_t j = 0; j < whole_columns; j += n)
    for (std::int64_t i = 0; i < whole_rows; i += n)
      transpose_square(from + i * from_ld + j, from_ld, to + j * to_ld + i, to_ld);
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j)
      to[j * to_ld + i] = from[i * from_ld + j];
}

}  // namespace cadena::kernels
