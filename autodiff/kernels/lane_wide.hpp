// Lanes of floats computed with in double.
#pragma once

#include <array>

#include "autodiff/kernels/lane.hpp"

namespace cadena::kernels {

/// The same numbers in two registers, the first half in the first.
template <class Arch>
std::array<Lane<double, Arch>, 2> widened(Lane<float, Arch> x) {
  using Wide = Lane<double, Arch>;
#if defined(__AVX512F__)
  if constexpr (Lane<float, Arch>::size == 16) {
    const __m512d bits = _mm512_castps_pd(x.v.data);
    const auto half = [](__m256d v) -> Wide {
      return xsimd::batch<double, Arch>(_mm512_maskz_cvtps_pd(0xFF, _mm256_castpd_ps(v)));
    };
    return {half(_mm512_maskz_extractf64x4_pd(0xF, bits, 0)),
            half(_mm512_maskz_extractf64x4_pd(0xF, bits, 1))};
  }
#endif
  constexpr std::int64_t n = Lane<float, Arch>::size;
  alignas(64) float narrow[n];
  alignas(64) double wide[n];
  x.store(narrow);
  for (std::int64_t i = 0; i < n; ++i) wide[i] = static_cast<double>(narrow[i]);
  return {Wide::load(wide), Wide::load(wide + Wide::size)};
}

/// Rounded to floats.
template <class Arch>
Lane<float, Arch> narrowed(const std::array<Lane<double, Arch>, 2>& x) {
#if defined(__AVX512F__)
  if constexpr (Lane<float, Arch>::size == 16) {
    const auto half = [](Lane<double, Arch> v) {
      return _mm256_castps_pd(_mm512_maskz_cvtpd_ps(0xFF, v.v.data));
    };
    const __m512d low = _mm512_castpd256_pd512(half(x[0]));
    return xsimd::batch<float, Arch>(_mm512_castpd_ps(_mm512_maskz_insertf64x4(0xFF, low, half(x[1]), 1)));
  }
#endif
  constexpr std::int64_t n = Lane<float, Arch>::size;
  alignas(64) float narrow[n];
  alignas(64) double wide[n];
  x[0].store(wide);
  x[1].store(wide + n / 2);
  for (std::int64_t i = 0; i < n; ++i) narrow[i] = static_cast<float>(wide[i]);
  return Lane<float, Arch>::load(narrow);
}

/// f(x...), where f is read with lanes of doubles. Its result is nearly always the nearest float.
template <class Arch, class F, class... X>
Lane<float, Arch> in_double(const F& f, Lane<float, Arch> x, X... more) {
  const auto call = [&](std::size_t k, const auto&... wide) { return f(wide[k]...); };
  const auto halves = [&](const auto&... wide) -> std::array<Lane<double, Arch>, 2> {
    return {call(0, wide...), call(1, wide...)};
  };
  return narrowed<Arch>(halves(widened(x), widened(more)...));
}
template <class Arch, class F, class... X>
Lane<double, Arch> in_double(const F& f, Lane<double, Arch> x, X... more) {
  return f(x, more...);
}

/// a b - product, rounded once. (xsimd 8.1 leaves the fusing to the compiler, which sees a difference of
/// equals.)
template <class Arch>
Lane<float, Arch> lost(Lane<float, Arch> a, Lane<float, Arch> b, Lane<float, Arch> product) {
#if defined(__AVX512F__)
  if constexpr (Lane<float, Arch>::size == 16)
    return xsimd::batch<float, Arch>(_mm512_fmsub_ps(a.v.data, b.v.data, product.v.data));
#endif
  return in_double([](auto x, auto y, auto z) { return x * y - z; }, a, b, product);
}
#if defined(__AVX512F__)
inline Lane<double> lost(Lane<double> a, Lane<double> b, Lane<double> product) {
  return xsimd::batch<double>(_mm512_fmsub_pd(a.v.data, b.v.data, product.v.data));
}
#endif

}  // namespace cadena::kernels
