// What xsimd lacks: partial loads and stores that touch no memory beyond them, and sums of lanes in a fixed
// order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <xsimd/xsimd.hpp>

namespace cadena::kernels {

/// Access to the first `count` lanes, 0 <= count <= width; loads give 0 in the others.
template <class T>
class Partial {
 public:
  using Batch = xsimd::batch<T>;
  static constexpr int width = static_cast<int>(Batch::size);

  explicit Partial(std::int64_t count);
  Batch load(const T* p) const;
  /// `other` in the lanes beyond `count`
  Batch load(const T* p, Batch other) const;
  void store(T* p, Batch v) const;

 private:
#if defined(__AVX512F__)
  std::uint16_t mask_;
#elif defined(__AVX2__)
  __m256i mask_;
#else
  int count_;
#endif
};

#if defined(__AVX512F__)

template <class T>
Partial<T>::Partial(std::int64_t count) : mask_(static_cast<std::uint16_t>((1U << count) - 1U)) {}

template <>
inline xsimd::batch<float> Partial<float>::load(const float* p) const {
  return _mm512_maskz_loadu_ps(mask_, p);
}
template <>
inline xsimd::batch<double> Partial<double>::load(const double* p) const {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(mask_), p);
}
template <>
inline xsimd::batch<float> Partial<float>::load(const float* p, Batch other) const {
  return _mm512_mask_loadu_ps(other.data, mask_, p);
}
template <>
inline xsimd::batch<double> Partial<double>::load(const double* p, Batch other) const {
  return _mm512_mask_loadu_pd(other.data, static_cast<__mmask8>(mask_), p);
}
template <>
inline void Partial<float>::store(float* p, Batch v) const {
  _mm512_mask_storeu_ps(p, mask_, v.data);
}
template <>
inline void Partial<double>::store(double* p, Batch v) const {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask_), v.data);
}

#elif defined(__AVX2__)

template <>
inline Partial<float>::Partial(std::int64_t count)
    : mask_(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                               _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {}
template <>
inline Partial<double>::Partial(std::int64_t count)
    : mask_(_mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))) {}
template <>
inline xsimd::batch<float> Partial<float>::load(const float* p) const {
  return _mm256_maskload_ps(p, mask_);
}
template <>
inline xsimd::batch<double> Partial<double>::load(const double* p) const {
  return _mm256_maskload_pd(p, mask_);
}
template <>
inline xsimd::batch<float> Partial<float>::load(const float* p, Batch other) const {
  return _mm256_blendv_ps(other.data, _mm256_maskload_ps(p, mask_), _mm256_castsi256_ps(mask_));
}
template <>
inline xsimd::batch<double> Partial<double>::load(const double* p, Batch other) const {
  return _mm256_blendv_pd(other.data, _mm256_maskload_pd(p, mask_), _mm256_castsi256_pd(mask_));
}
template <>
inline void Partial<float>::store(float* p, Batch v) const {
  _mm256_maskstore_ps(p, mask_, v.data);
}
template <>
inline void Partial<double>::store(double* p, Batch v) const {
  _mm256_maskstore_pd(p, mask_, v.data);
}

#else

template <class T>
Partial<T>::Partial(std::int64_t count) : count_(static_cast<int>(count)) {}
template <class T>
typename Partial<T>::Batch Partial<T>::load(const T* p) const {
  return load(p, Batch(T(0)));
}
template <class T>
typename Partial<T>::Batch Partial<T>::load(const T* p, Batch other) const {
  alignas(64) T lanes[width];
  other.store_unaligned(lanes);
  for (int i = 0; i < count_; ++i) lanes[i] = p[i];
  return Batch::load_unaligned(lanes);
}
template <class T>
void Partial<T>::store(T* p, Batch v) const {
  alignas(64) T lanes[width];
  v.store_unaligned(lanes);
  for (int i = 0; i < count_; ++i) p[i] = lanes[i];
}

#endif

/// Combines all lanes by halves: lane i with i + width / 2, and so on.
template <class T, class Op>
T fold_lanes(xsimd::batch<T> v, Op op) {
  alignas(64) T lanes[xsimd::batch<T>::size];
  v.store_aligned(lanes);
  for (std::size_t n = xsimd::batch<T>::size / 2; n > 0; n /= 2)
    for (std::size_t i = 0; i < n; ++i) lanes[i] = op(lanes[i], lanes[i + n]);
  return lanes[0];
}

/// Sum of the lanes in fold_lanes' order. (The maskz forms with a full mask avoid g++ 12's false warnings
/// about uninitialised variables in its own header, which xsimd::hadd brings.)
template <class T>
T sum_lanes(xsimd::batch<T> v) {
#if defined(__AVX2__)
  if constexpr (std::is_same_v<T, float>) {
#if defined(__AVX512F__)
    const __m256d top = _mm512_maskz_extractf64x4_pd(0xF, _mm512_castps_pd(v.data), 1);
    const __m256d bottom = _mm512_maskz_extractf64x4_pd(0xF, _mm512_castps_pd(v.data), 0);
    const __m256 y = _mm256_add_ps(_mm256_castpd_ps(bottom), _mm256_castpd_ps(top));
#else
    const __m256 y = v.data;
#endif
    const __m128 x = _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
    const __m128 pair = _mm_add_ps(x, _mm_movehl_ps(x, x));
    return _mm_cvtss_f32(_mm_add_ss(pair, _mm_movehdup_ps(pair)));
  } else if constexpr (std::is_same_v<T, double>) {
#if defined(__AVX512F__)
    const __m256d y = _mm256_add_pd(_mm512_maskz_extractf64x4_pd(0xF, v.data, 0),
                                    _mm512_maskz_extractf64x4_pd(0xF, v.data, 1));
#else
    const __m256d y = v.data;
#endif
    const __m128d x = _mm_add_pd(_mm256_castpd256_pd128(y), _mm256_extractf128_pd(y, 1));
    return _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
  } else
#endif
    return fold_lanes(v, [](T a, T b) { return a + b; });
}

}  // namespace cadena::kernels
