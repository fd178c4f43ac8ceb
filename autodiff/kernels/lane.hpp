// Lane<T>: a SIMD register in which formulas are read. A thin layer over xsimd that keeps literals at T's
// precision (`0.5 * x` on floats stays float), keeps NaN where xsimd's max and min lose it, and loads the
// last, partial register of an array without a second code path.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <xsimd/xsimd.hpp>

#include "autodiff/kernels/lane_exp.hpp"
#include "autodiff/kernels/partial.hpp"

namespace cadena::kernels {

template <class T>
concept Literal = std::is_arithmetic_v<T>;

/// Result of a comparison of lanes. The architecture is part of the type, so that translation units compiled
/// for different CPUs never share its functions.
template <class T, class Arch>
struct LaneMask {
  xsimd::batch_bool<T, Arch> m;
  friend LaneMask operator&(LaneMask a, LaneMask b) { return {a.m && b.m}; }
  friend LaneMask operator|(LaneMask a, LaneMask b) { return {a.m || b.m}; }
  friend LaneMask operator!(LaneMask a) { return {!a.m}; }
};

template <class T, class Arch = xsimd::default_arch>
struct Lane {
  using Batch = xsimd::batch<T, Arch>;
  using Mask = LaneMask<T, Arch>;
  static constexpr std::int64_t size = static_cast<std::int64_t>(Batch::size);

  Batch v;

  Lane(Batch b) : v(b) {}  // NOLINT(google-explicit-constructor)
  template <Literal S>
  Lane(S s) : v(static_cast<T>(s)) {}  // NOLINT(google-explicit-constructor)

  static Lane load(const T* p) { return Batch::load_unaligned(p); }
  void store(T* p) const { v.store_unaligned(p); }
  /// The first n < size elements; the others repeat the first, so that they raise no spurious exceptions.
  static Lane load_first(const T* p, std::int64_t n) {
    if (n == 1) return *p;
    if constexpr (std::is_same_v<Arch, xsimd::default_arch>) return Partial<T>(n).load(p, Batch(*p));
    alignas(64) T buffer[size];
    for (std::int64_t i = 0; i < size; ++i) buffer[i] = p[i < n ? i : 0];
    return Batch::load_aligned(buffer);
  }
  void store_first(T* p, std::int64_t n) const {
    if constexpr (std::is_same_v<Arch, xsimd::default_arch>) {
      if (n > 1) return Partial<T>(n).store(p, v);
    }
    alignas(64) T buffer[size];
    v.store_aligned(buffer);
    if (n == 1)
      *p = buffer[0];
    else
      std::memcpy(p, buffer, static_cast<std::size_t>(n) * sizeof(T));
  }

  friend Lane operator-(Lane a) { return -a.v; }
  friend Lane operator+(Lane a, Lane b) { return a.v + b.v; }
  friend Lane operator-(Lane a, Lane b) { return a.v - b.v; }
  friend Lane operator*(Lane a, Lane b) { return a.v * b.v; }
  friend Lane operator/(Lane a, Lane b) { return a.v / b.v; }
  friend Mask operator<(Lane a, Lane b) { return {a.v < b.v}; }
  friend Mask operator<=(Lane a, Lane b) { return {a.v <= b.v}; }
  friend Mask operator>(Lane a, Lane b) { return {a.v > b.v}; }
  friend Mask operator>=(Lane a, Lane b) { return {a.v >= b.v}; }
  friend Mask eq(Lane a, Lane b) { return {a.v == b.v}; }
  // Not `a.v != b.v`: with AVX-512 xsimd 8.1 finds NaN equal to everything there.
  friend Mask ne(Lane a, Lane b) { return {!(a.v == b.v)}; }
  friend Mask isnan(Lane a) { return {nan_lanes(a.v)}; }

  friend Lane abs(Lane a) { return xsimd::abs(a.v); }
  friend Lane sqrt(Lane a) { return xsimd::sqrt(a.v); }
  friend Lane exp(Lane a) { return exp_lanes(a.v); }
  friend Lane exp2(Lane a) { return xsimd::exp2(a.v); }
  // xsimd 8.1 loses the sign of -0 in these two, and below the normal doubles its logarithms are wrong.
  friend Lane expm1(Lane a) { return where(eq(a, 0), a, expm1_lanes(a.v)); }
  friend Lane log1p(Lane a) { return where(eq(a, 0), a, xsimd::log1p(a.v)); }
  friend Lane log(Lane a) {
#if defined(__AVX512F__)
    if constexpr (std::is_same_v<Batch, xsimd::batch<double>>) return log_lanes(a.v);
#endif
    return scaled_log(a, 0.693147180559945309417, [](Lane x) { return Lane(xsimd::log(x.v)); });
  }
  friend Lane log2(Lane a) {
    return scaled_log(a, 1, [](Lane x) { return Lane(xsimd::log2(x.v)); });
  }
  friend Lane log10(Lane a) {
    return scaled_log(a, 0.301029995663981195214, [](Lane x) { return Lane(xsimd::log10(x.v)); });
  }
  friend Lane sin(Lane a) { return xsimd::sin(a.v); }
  friend Lane cos(Lane a) { return xsimd::cos(a.v); }
  friend Lane tan(Lane a) { return xsimd::tan(a.v); }
  friend Lane asin(Lane a) { return xsimd::asin(a.v); }
  friend Lane acos(Lane a) { return xsimd::acos(a.v); }
  friend Lane atan(Lane a) { return xsimd::atan(a.v); }
  friend Lane sinh(Lane a) { return xsimd::sinh(a.v); }
  friend Lane cosh(Lane a) { return xsimd::cosh(a.v); }
  friend Lane tanh(Lane a) { return xsimd::tanh(a.v); }
  friend Lane asinh(Lane a) { return xsimd::asinh(a.v); }
  friend Lane acosh(Lane a) { return where(a < 1, NAN, xsimd::acosh(a.v)); }  // xsimd: -inf far below
  friend Lane atanh(Lane a) { return xsimd::atanh(a.v); }
  friend Lane floor(Lane a) { return xsimd::floor(a.v); }
  friend Lane ceil(Lane a) { return xsimd::ceil(a.v); }
  friend Lane trunc(Lane a) { return xsimd::trunc(a.v); }
  friend Lane round(Lane a) { return xsimd::nearbyint(a.v); }  ///< halves to the even neighbour
  friend Lane copysign(Lane size, Lane sign) { return xsimd::copysign(size.v, sign.v); }
  friend Lane maximum(Lane a, Lane b) { return Max::combine(a.v, b.v); }
  friend Lane minimum(Lane a, Lane b) { return Min::combine(a.v, b.v); }

 private:
  template <class F>
  static Lane scaled_log(Lane a, double log_of_two, F log) {
    if constexpr (sizeof(T) == 4) return log(a);
    const auto tiny = a < std::numeric_limits<T>::min();
    return log(where(tiny, a * 0x1p54, a)) - where(tiny, 54 * log_of_two, 0);
  }
};

template <class T, class Arch>
Lane<T, Arch> where(LaneMask<T, Arch> c, std::type_identity_t<Lane<T, Arch>> a,
                    std::type_identity_t<Lane<T, Arch>> b) {
  return xsimd::select(c.m, a.v, b.v);
}

}  // namespace cadena::kernels
