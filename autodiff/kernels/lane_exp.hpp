// e^x and log(x) of double lanes, within one unit in the last place, and e^x - 1 of float lanes. With AVX-512
// the exponent is taken off and put back by single instructions, which know zeros, infinities and numbers
// below the normal ones; without it they are xsimd's.
#pragma once

#include <xsimd/xsimd.hpp>

namespace cadena::kernels {

#if defined(__AVX512F__)

/// c[0] + c[1] x + ... + c[N - 1] x^(N - 1), in a tree: half as many steps wait for one another.
template <int N>
[[gnu::always_inline]] inline __m512d polynomial_tree(const double* c, __m512d x, __m512d x2, __m512d x4) {
  if constexpr (N == 1) {
    return _mm512_set1_pd(c[0]);
  } else if constexpr (N == 2) {
    return _mm512_fmadd_pd(_mm512_set1_pd(c[1]), x, _mm512_set1_pd(c[0]));
  } else if constexpr (N <= 4) {
    return _mm512_fmadd_pd(polynomial_tree<N - 2>(c + 2, x, x2, x4), x2, polynomial_tree<2>(c, x, x2, x4));
  } else if constexpr (N <= 8) {
    return _mm512_fmadd_pd(polynomial_tree<N - 4>(c + 4, x, x2, x4), x4, polynomial_tree<4>(c, x, x2, x4));
  } else {
    return _mm512_fmadd_pd(polynomial_tree<N - 8>(c + 8, x, x2, x4), _mm512_mul_pd(x4, x4),
                           polynomial_tree<8>(c, x, x2, x4));
  }
}

/// 2^k e^r with |r| <= log(2) / 2, where Taylor's series to r^13 reaches the last bit.
[[gnu::always_inline]] inline __m512d exp_of(__m512d x) {
  static constexpr double c[] = {1.0 / 2,         1.0 / 6,          1.0 / 24,          1.0 / 120,
                                 1.0 / 720,       1.0 / 5040,       1.0 / 40320,       1.0 / 362880,
                                 1.0 / 3628800.0, 1.0 / 39916800.0, 1.0 / 479001600.0, 1.0 / 6227020800.0};
  // In this order NaN stays; beyond the bounds the result is 0 or infinite.
  x = _mm512_min_pd(_mm512_set1_pd(750), _mm512_max_pd(_mm512_set1_pd(-750), x));
  const __m512d k =
      _mm512_maskz_roundscale_pd(0xFF, _mm512_mul_pd(x, _mm512_set1_pd(0x1.71547652b82fep+0)), 0);
  __m512d r = _mm512_fnmadd_pd(k, _mm512_set1_pd(0x1.62e42fefa38p-1), x);  // k times these digits is exact
  r = _mm512_fnmadd_pd(k, _mm512_set1_pd(0x1.ef35793c7673p-45), r);
  const __m512d r2 = _mm512_mul_pd(r, r);
  const __m512d one = _mm512_set1_pd(1), sum = _mm512_add_pd(one, r);
  // What the sum lost is put back.
  const __m512d lost = _mm512_add_pd(_mm512_sub_pd(one, sum), r);
  const __m512d rest = _mm512_fmadd_pd(r2, polynomial_tree<12>(c, r, r2, _mm512_mul_pd(r2, r2)), lost);
  return _mm512_maskz_scalef_pd(0xFF, _mm512_add_pd(sum, rest), k);
}

/// e log(2) + log(1 + f) for x = 2^e (1 + f) with 1 + f in [0.75, 1.5): with s = f / (2 + f) the second is
/// 2s + s R(s^2), where R is a Chebyshev fit; it is put together as in W. J. Cody and W. Waite, Software
/// Manual for the Elementary Functions, so that what is rounded is small.
[[gnu::always_inline]] inline __m512d log_of(__m512d x) {
  static constexpr double c[] = {0.66666666666666664178, 0.40000000000007941042, 0.28571428567275934596,
                                 0.22222223048351588286, 0.18181737626302923555, 0.15388867805614161382,
                                 0.13209708242052063831, 0.13609030262907735559};
  const __m512d one = _mm512_set1_pd(1);
  const __m512d m = _mm512_maskz_getmant_pd(0xFF, x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_zero);
  __m512d e = _mm512_maskz_getexp_pd(0xFF, x);
  e = _mm512_mask_add_pd(e, _mm512_cmp_pd_mask(m, one, _CMP_LT_OQ), e, one);
  const __m512d f = _mm512_sub_pd(m, one), s = _mm512_div_pd(f, _mm512_add_pd(one, m));
  const __m512d z = _mm512_mul_pd(s, s), z2 = _mm512_mul_pd(z, z);
  const __m512d r = _mm512_mul_pd(z, polynomial_tree<8>(c, z, z2, _mm512_mul_pd(z2, z2)));
  const __m512d half = _mm512_mul_pd(_mm512_set1_pd(0.5), _mm512_mul_pd(f, f));
  const __m512d low =
      _mm512_fmadd_pd(s, _mm512_add_pd(half, r), _mm512_mul_pd(e, _mm512_set1_pd(0x1.ef35793c7673p-45)));
  const __m512d high = _mm512_mul_pd(e, _mm512_set1_pd(0x1.62e42fefa38p-1));
  const __m512d log = _mm512_sub_pd(high, _mm512_sub_pd(_mm512_sub_pd(half, low), f));
  // Infinite e: the low digits would make NaN of it. Below 0 there is no logarithm.
  const __mmask8 whole = _mm512_cmp_pd_mask(_mm512_abs_pd(e), _mm512_set1_pd(2000), _CMP_GT_OQ);
  const __mmask8 none = _mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_LT_OQ);
  return _mm512_mask_mov_pd(_mm512_mask_mov_pd(log, whole, e), none, _mm512_set1_pd(__builtin_nan("")));
}

/// 2^k (e^r - 1) + (2^k - 1) with |r| <= log(2) / 2, for floats: within 1.6 units in the last place.
[[gnu::always_inline]] inline __m512 expm1_of(__m512 x) {
  const auto number = [](float v) { return _mm512_set1_ps(v); };
  x = _mm512_min_ps(number(89), _mm512_max_ps(number(-89), x));  // in this order NaN stays
  const __m512 k = _mm512_maskz_roundscale_ps(0xFFFF, _mm512_mul_ps(x, number(1.44269504F)), 0);
  __m512 r = _mm512_fnmadd_ps(k, number(0x1.62ep-1F), x);  // k times these digits is exact
  r = _mm512_fnmadd_ps(k, number(0x1.0bfbe8p-15F), r);
  __m512 p = number(1 / 5040.0F);
  for (const float c : {1 / 720.0F, 1 / 120.0F, 1 / 24.0F, 1 / 6.0F, 0.5F})
    p = _mm512_fmadd_ps(p, r, number(c));
  p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
  // Half of 2^k, which itself may be beyond the floats.
  const __m512 half = _mm512_maskz_scalef_ps(0xFFFF, number(0.5F), k);
  const __m512 y = _mm512_fmadd_ps(half, p, _mm512_sub_ps(half, number(0.5F)));
  return _mm512_add_ps(y, y);
}

inline xsimd::batch<float> expm1_lanes(xsimd::batch<float> x) { return expm1_of(x.data); }
inline xsimd::batch<double> exp_lanes(xsimd::batch<double> x) { return exp_of(x.data); }
inline xsimd::batch<double> log_lanes(xsimd::batch<double> x) { return log_of(x.data); }

#endif

template <class Batch>
Batch exp_lanes(Batch x) {
  return xsimd::exp(x);
}

template <class Batch>
Batch expm1_lanes(Batch x) {
  return xsimd::expm1(x);
}

}  // namespace cadena::kernels
