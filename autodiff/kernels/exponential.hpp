// The exponential of softmax: of numbers below their maximum.
#pragma once

#include "autodiff/kernels/lane_exp.hpp"

namespace cadena::kernels {

/// e^x for x up to 1, of any size below, or NaN: within 1.5 units in the last place of normal numbers, and 0
/// for -inf.
template <class T>
[[gnu::always_inline]] inline xsimd::batch<T> exp_of_gap(xsimd::batch<T> x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(T) == 4) {
    // x = n log(2) / 16 + r, and e^x = 2^floor(n / 16) 2^((n mod 16) / 16) e^r, where a cubic does for e^r.
    // The low bits of x 16 / log(2) + `round` are n; the lookup takes the lowest four, and scalef the whole
    // part.
    alignas(64) static constexpr float roots[16] = {
        0x1.000000p+0F, 0x1.0b5586p+0F, 0x1.172b84p+0F, 0x1.2387a6p+0F, 0x1.306fe0p+0F, 0x1.3dea64p+0F,
        0x1.4bfdaep+0F, 0x1.5ab07ep+0F, 0x1.6a09e6p+0F, 0x1.7a1148p+0F, 0x1.8ace54p+0F, 0x1.9c4918p+0F,
        0x1.ae89fap+0F, 0x1.c199bep+0F, 0x1.d5818ep+0F, 0x1.ea4afap+0F};
    const __m512 round = _mm512_set1_ps(0x1.8p19F), half = _mm512_set1_ps(0.5F);
    const __m512 least = _mm512_max_ps(_mm512_set1_ps(-104), x.data);  // in this order NaN stays
    const __m512 shifted = _mm512_fmadd_ps(least, _mm512_set1_ps(1.44269504F), round);
    const __m512 n = _mm512_sub_ps(shifted, round);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.62ep-1F), least);  // n log(2) is exact in these digits
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0x1.0bfbe8p-15F), r);
    const __m512 cubic =
        _mm512_fmadd_ps(_mm512_mul_ps(r, r), _mm512_fmadd_ps(r, _mm512_set1_ps(0.166666667F), half), r);
    const __m512 root = _mm512_permutexvar_ps(_mm512_castps_si512(shifted), _mm512_load_ps(roots));
    return _mm512_scalef_ps(_mm512_fmadd_ps(root, cubic, root), n);
  }
#endif
  return exp_lanes(x);
}

}  // namespace cadena::kernels
