// What xsimd lacks: partial loads and stores that touch no memory beyond them, and folds of lanes in a fixed
// order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <xsimd/xsimd.hpp>

namespace cadena::kernels {

/// Access to the first `count` lanes, 0 <= count <= width; loads give 0, or `other`, in the rest. `keep`
/// gives the first lanes of v and the rest of `other`.
template <class T>
class Partial {
 public:
  using Batch = xsimd::batch<T>;

  explicit Partial(std::int64_t count) : count_(static_cast<std::size_t>(count)) {}
  Batch load(const T* p) const { return load(p, Batch(T(0))); }
  Batch load(const T* p, Batch other) const {
    alignas(64) T lanes[Batch::size];
    other.store_aligned(lanes);
    for (std::size_t i = 0; i < count_; ++i) lanes[i] = p[i];
    return Batch::load_aligned(lanes);
  }
  void store(T* p, Batch v) const {
    alignas(64) T lanes[Batch::size];
    v.store_aligned(lanes);
    for (std::size_t i = 0; i < count_; ++i) p[i] = lanes[i];
  }
  Batch keep(Batch v, Batch other) const {
    alignas(64) T lanes[Batch::size];
    v.store_aligned(lanes);
    return load(lanes, other);
  }

 private:
  std::size_t count_;
};

#if defined(__AVX512F__)

template <>
class Partial<float> {
 public:
  using Batch = xsimd::batch<float>;
  explicit Partial(std::int64_t count) : mask_(static_cast<__mmask16>((1U << count) - 1U)) {}
  Batch load(const float* p) const { return _mm512_maskz_loadu_ps(mask_, p); }
  Batch load(const float* p, Batch other) const { return _mm512_mask_loadu_ps(other.data, mask_, p); }
  void store(float* p, Batch v) const { _mm512_mask_storeu_ps(p, mask_, v.data); }
  Batch keep(Batch v, Batch other) const { return _mm512_mask_mov_ps(other.data, mask_, v.data); }

 private:
  __mmask16 mask_;
};
template <>
class Partial<double> {
 public:
  using Batch = xsimd::batch<double>;
  explicit Partial(std::int64_t count) : mask_(static_cast<__mmask8>((1U << count) - 1U)) {}
  Batch load(const double* p) const { return _mm512_maskz_loadu_pd(mask_, p); }
  Batch load(const double* p, Batch other) const { return _mm512_mask_loadu_pd(other.data, mask_, p); }
  void store(double* p, Batch v) const { _mm512_mask_storeu_pd(p, mask_, v.data); }
  Batch keep(Batch v, Batch other) const { return _mm512_mask_mov_pd(other.data, mask_, v.data); }

 private:
  __mmask8 mask_;
};

#elif defined(__AVX2__)

template <>
class Partial<float> {
 public:
  using Batch = xsimd::batch<float>;
  explicit Partial(std::int64_t count)
      : mask_(_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)),
                                 _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))) {}
  Batch load(const float* p) const { return _mm256_maskload_ps(p, mask_); }
  Batch load(const float* p, Batch other) const {
    return _mm256_blendv_ps(other.data, _mm256_maskload_ps(p, mask_), _mm256_castsi256_ps(mask_));
  }
  void store(float* p, Batch v) const { _mm256_maskstore_ps(p, mask_, v.data); }
  Batch keep(Batch v, Batch other) const {
    return _mm256_blendv_ps(other.data, v.data, _mm256_castsi256_ps(mask_));
  }

 private:
  __m256i mask_;
};
template <>
class Partial<double> {
 public:
  using Batch = xsimd::batch<double>;
  explicit Partial(std::int64_t count)
      : mask_(_mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))) {}
  Batch load(const double* p) const { return _mm256_maskload_pd(p, mask_); }
  Batch load(const double* p, Batch other) const {
    return _mm256_blendv_pd(other.data, _mm256_maskload_pd(p, mask_), _mm256_castsi256_pd(mask_));
  }
  void store(double* p, Batch v) const { _mm256_maskstore_pd(p, mask_, v.data); }
  Batch keep(Batch v, Batch other) const {
    return _mm256_blendv_pd(other.data, v.data, _mm256_castsi256_pd(mask_));
  }

 private:
  __m256i mask_;
};

#endif

/// Access to the lanes from `first` to `last`, of which there may be none; loads give 0 in the others.
template <class T>
class Between {
 public:
  using Batch = xsimd::batch<T>;

  Between(std::int64_t first, std::int64_t last) {
    const auto lane = [](std::int64_t i) {
      constexpr auto width = static_cast<std::int64_t>(Batch::size);
      return i < 0 ? 0 : i > width ? width : i;
    };
    first_ = lane(first), last_ = lane(last);
#if defined(__AVX512F__)
    lanes_ = ((1U << last_) - 1U) & ~((1U << first_) - 1U);
#endif
  }
  Batch load(const T* p) const {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>)
      return _mm512_maskz_loadu_ps(static_cast<__mmask16>(lanes_), p);
    else
      return _mm512_maskz_loadu_pd(static_cast<__mmask8>(lanes_), p);
#else
    alignas(64) T lanes[Batch::size] = {};
    for (std::int64_t i = first_; i < last_; ++i) lanes[i] = p[i];
    return Batch::load_aligned(lanes);
#endif
  }
  void store(T* p, Batch v) const {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<T, float>)
      _mm512_mask_storeu_ps(p, static_cast<__mmask16>(lanes_), v.data);
    else
      _mm512_mask_storeu_pd(p, static_cast<__mmask8>(lanes_), v.data);
#else
    alignas(64) T lanes[Batch::size];
    v.store_aligned(lanes);
    for (std::int64_t i = first_; i < last_; ++i) p[i] = lanes[i];
#endif
  }

 private:
  std::int64_t first_, last_;
#if defined(__AVX512F__)
  unsigned lanes_;
#endif
};

#if defined(__AVX512F__)

// Lane i of the result is lane i + width / 2 (4, 2, 1 ...) of v, as far as `fold_lanes` looks.
template <int Distance>
xsimd::batch<float> moved_down(xsimd::batch<float> v) {
  if constexpr (Distance == 8) return _mm512_maskz_shuffle_f32x4(0xFFFF, v.data, v.data, 0x4E);
  if constexpr (Distance == 4) return _mm512_maskz_shuffle_f32x4(0xFFFF, v.data, v.data, 0xB1);
  return _mm512_maskz_permute_ps(0xFFFF, v.data, Distance == 2 ? 0x4E : 0xB1);
}
template <int Distance>
xsimd::batch<double> moved_down(xsimd::batch<double> v) {
  if constexpr (Distance == 4) return _mm512_maskz_shuffle_f64x2(0xFF, v.data, v.data, 0x4E);
  if constexpr (Distance == 2) return _mm512_maskz_shuffle_f64x2(0xFF, v.data, v.data, 0xB1);
  return _mm512_maskz_permute_pd(0xFF, v.data, 0x55);
}

#endif

/// Combines all lanes by halves: lane i with i + width / 2, and so on. Op combines batches of any width and
/// numbers.
template <class Op, class T, class A>
T fold_lanes(xsimd::batch<T, A> v) {
#if defined(__AVX512F__)
  if constexpr (sizeof(v) == 64 && std::is_floating_point_v<T>) {
    if constexpr (sizeof(T) == 4) v = Op::combine(v, moved_down<8>(v));
    v = Op::combine(v, moved_down<4>(v));
    v = Op::combine(v, moved_down<2>(v));
    return Op::combine(v, moved_down<1>(v)).get(0);
  }
#endif
  alignas(64) T lanes[xsimd::batch<T, A>::size];
  v.store_aligned(lanes);
#if defined(__AVX512F__)
  if constexpr (sizeof(v) == 64) {
    using Half = xsimd::batch<T, xsimd::avx2>;
    return fold_lanes<Op>(Op::combine(Half::load_aligned(lanes), Half::load_aligned(lanes + Half::size)));
  }
#endif
#if defined(__AVX2__)
  if constexpr (sizeof(v) == 32) {
    using Half = xsimd::batch<T, xsimd::sse4_2>;
    return fold_lanes<Op>(Op::combine(Half::load_aligned(lanes), Half::load_aligned(lanes + Half::size)));
  }
#endif
  for (std::size_t n = v.size / 2; n > 0; n /= 2)
    for (std::size_t i = 0; i < n; ++i) lanes[i] = Op::combine(lanes[i], lanes[i + n]);
  return lanes[0];
}

struct Sum {
  template <class V>
  static V combine(V a, V b) {
    if constexpr (std::is_same_v<V, std::int64_t>)  // wraps around
      return static_cast<V>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
    else
      return a + b;
  }
};

struct Product {
  template <class V>
  static V combine(V a, V b) {
    return a * b;
  }
};

/// Which lanes are NaN. (`v != v` finds none: xsimd 8.1 compares in the ordered way.)
template <class T, class A>
xsimd::batch_bool<T, A> nan_lanes(xsimd::batch<T, A> v) {
  return !(v == v);
}
#if defined(__AVX512F__)
inline xsimd::batch_bool<float> nan_lanes(xsimd::batch<float> v) {
  return _mm512_cmp_ps_mask(v.data, v.data, _CMP_UNORD_Q);
}
inline xsimd::batch_bool<double> nan_lanes(xsimd::batch<double> v) {
  return _mm512_cmp_pd_mask(v.data, v.data, _CMP_UNORD_Q);
}
#endif

#if defined(__AVX512F__)

// The machine's maximum is a > b ? a : b, which is b for a NaN in either place: what is left to do is to keep
// a NaN in a. (xsimd 8.1 moves its masks through general registers, which takes three times as long.)
inline xsimd::batch<float> keep_nan(xsimd::batch<float> a, __m512 extreme) {
  return _mm512_mask_mov_ps(extreme, _mm512_cmp_ps_mask(a.data, a.data, _CMP_UNORD_Q), a.data);
}
inline xsimd::batch<double> keep_nan(xsimd::batch<double> a, __m512d extreme) {
  return _mm512_mask_mov_pd(extreme, _mm512_cmp_pd_mask(a.data, a.data, _CMP_UNORD_Q), a.data);
}

#endif

/// The larger one, or NaN if either is.
struct Max {
#if defined(__AVX512F__)
  static xsimd::batch<float> combine(xsimd::batch<float> a, xsimd::batch<float> b) {
    return keep_nan(a, _mm512_max_ps(a.data, b.data));
  }
  static xsimd::batch<double> combine(xsimd::batch<double> a, xsimd::batch<double> b) {
    return keep_nan(a, _mm512_max_pd(a.data, b.data));
  }
#endif
  template <class V>
  static V combine(V a, V b) {
    if constexpr (std::is_arithmetic_v<V>)
      return a != a || a > b ? a : b;
    else
      return xsimd::select(nan_lanes(a) || (a > b), a, b);
  }

  /// Which lanes of v come before those of `best`: not equal ones, nor a NaN before a NaN.
#if defined(__AVX512F__)
  static xsimd::batch_bool<float> beats(xsimd::batch<float> v, xsimd::batch<float> best) {
    const __mmask16 numbers = _mm512_cmp_ps_mask(best.data, best.data, _CMP_ORD_Q);
    return _mm512_mask_cmp_ps_mask(numbers, v.data, best.data, _CMP_NLE_UQ);
  }
  static xsimd::batch_bool<double> beats(xsimd::batch<double> v, xsimd::batch<double> best) {
    const __mmask8 numbers = _mm512_cmp_pd_mask(best.data, best.data, _CMP_ORD_Q);
    return _mm512_mask_cmp_pd_mask(numbers, v.data, best.data, _CMP_NLE_UQ);
  }
#else
  template <class T>
  static xsimd::batch_bool<T> beats(xsimd::batch<T> v, xsimd::batch<T> best) {
    return (v > best) || (nan_lanes(v) && !nan_lanes(best));
  }
#endif
};
/// The smaller one, or NaN if either is.
struct Min {
#if defined(__AVX512F__)
  static xsimd::batch<float> combine(xsimd::batch<float> a, xsimd::batch<float> b) {
    return keep_nan(a, _mm512_min_ps(a.data, b.data));
  }
  static xsimd::batch<double> combine(xsimd::batch<double> a, xsimd::batch<double> b) {
    return keep_nan(a, _mm512_min_pd(a.data, b.data));
  }
#endif
  template <class V>
  static V combine(V a, V b) {
    if constexpr (std::is_arithmetic_v<V>)
      return a != a || a < b ? a : b;
    else
      return xsimd::select(nan_lanes(a) || (a < b), a, b);
  }
};

#if defined(__AVX2__)

// The lanes of 128 bits that are left after adding halves. (The maskz forms with a full mask avoid g++ 12's
// false warnings about its own header.)
inline __m128 add_halves(xsimd::batch<float> v) {
#if defined(__AVX512F__)
  const __m512d d = _mm512_castps_pd(v.data);
  const __m256 y = _mm256_add_ps(_mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xF, d, 0)),
                                 _mm256_castpd_ps(_mm512_maskz_extractf64x4_pd(0xF, d, 1)));
#else
  const __m256 y = v.data;
#endif
  return _mm_add_ps(_mm256_castps256_ps128(y), _mm256_extractf128_ps(y, 1));
}
inline __m128d add_halves(xsimd::batch<double> v) {
#if defined(__AVX512F__)
  const __m256d y = _mm256_add_pd(_mm512_maskz_extractf64x4_pd(0xF, v.data, 0),
                                  _mm512_maskz_extractf64x4_pd(0xF, v.data, 1));
#else
  const __m256d y = v.data;
#endif
  return _mm_add_pd(_mm256_castpd256_pd128(y), _mm256_extractf128_pd(y, 1));
}

#endif

/// Sum of the lanes in a fixed order: by halves down to 128 bits, then neighbours.
template <class T>
T sum_lanes(xsimd::batch<T> v) {
#if defined(__AVX2__)
  if constexpr (std::is_same_v<T, float>) {
    const __m128 x = add_halves(v), pairs = _mm_add_ps(x, _mm_movehdup_ps(x));
    return _mm_cvtss_f32(_mm_add_ss(pairs, _mm_movehl_ps(pairs, pairs)));
  } else if constexpr (std::is_same_v<T, double>) {
    const __m128d x = add_halves(v);
    return _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
  } else
#endif
    return fold_lanes<Sum>(v);
}

/// to[0 ... 3] = sum_lanes of the four, for little more than the cost of one.
template <class T>
void sum_lanes_of_four(xsimd::batch<T> a, xsimd::batch<T> b, xsimd::batch<T> c, xsimd::batch<T> d, T* to) {
#if defined(__AVX2__)
  if constexpr (std::is_same_v<T, float>) {
    const __m128 ab = _mm_hadd_ps(add_halves(a), add_halves(b)),
                 cd = _mm_hadd_ps(add_halves(c), add_halves(d));
    _mm_storeu_ps(to, _mm_hadd_ps(ab, cd));
    return;
  } else if constexpr (std::is_same_v<T, double>) {
    _mm_storeu_pd(to, _mm_hadd_pd(add_halves(a), add_halves(b)));
    _mm_storeu_pd(to + 2, _mm_hadd_pd(add_halves(c), add_halves(d)));
    return;
  }
#endif
  to[0] = sum_lanes(a), to[1] = sum_lanes(b), to[2] = sum_lanes(c), to[3] = sum_lanes(d);
}

}  // namespace cadena::kernels
