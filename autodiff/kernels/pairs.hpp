// Neighbours parted into two registers, and joined again.
#pragma once

#include <cstdint>
#include <xsimd/xsimd.hpp>

namespace cadena::kernels {

template <class T>
struct Pairs {
  xsimd::batch<T> first, second;
};

/// first = a0 a2 a4 ... b0 b2 ..., second = a1 a3 ... b1 b3 ...
template <class T>
Pairs<T> part_pairs(xsimd::batch<T> a, xsimd::batch<T> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    return {_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b)};
  } else {
    const __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const __m512i odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    return {_mm512_permutex2var_pd(a, even, b), _mm512_permutex2var_pd(a, odd, b)};
  }
#else
  constexpr std::size_t n = xsimd::batch<T>::size;
  alignas(64) T in[2 * n], out[2 * n];
  a.store_aligned(in), b.store_aligned(in + n);
  for (std::size_t i = 0; i < n; ++i) out[i] = in[2 * i], out[n + i] = in[2 * i + 1];
  return {xsimd::batch<T>::load_aligned(out), xsimd::batch<T>::load_aligned(out + n)};
#endif
}

/// The inverse: first = a0 b0 a1 b1 ..., second goes on with the upper halves.
template <class T>
Pairs<T> join_pairs(xsimd::batch<T> a, xsimd::batch<T> b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    return {_mm512_permutex2var_ps(a, low, b), _mm512_permutex2var_ps(a, high, b)};
  } else {
    const __m512i low = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const __m512i high = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    return {_mm512_permutex2var_pd(a, low, b), _mm512_permutex2var_pd(a, high, b)};
  }
#else
  constexpr std::size_t n = xsimd::batch<T>::size;
  alignas(64) T in[2 * n], out[2 * n];
  a.store_aligned(in), b.store_aligned(in + n);
  for (std::size_t i = 0; i < n; ++i) out[2 * i] = in[i], out[2 * i + 1] = in[n + i];
  return {xsimd::batch<T>::load_aligned(out), xsimd::batch<T>::load_aligned(out + n)};
#endif
}

}  // namespace cadena::kernels
