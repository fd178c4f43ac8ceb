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
  friend Lane exp(Lane a) { return xsimd::exp(a.v); }
  friend Lane exp2(Lane a) { return xsimd::exp2(a.v); }
  // xsimd 8.1 loses the sign of -0 in these two, and below the normal doubles its logarithms are wrong.
  friend Lane expm1(Lane a) { return where(eq(a, 0), a, xsimd::expm1(a.v)); }
  friend Lane log1p(Lane a) { return where(eq(a, 0), a, xsimd::log1p(a.v)); }
  friend Lane log(Lane a) {
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

/// Wide arithmetic for `pow`: a^b by exp(b log a), which loses up to ten bits, with the special cases of IEEE
/// 754 (pow(0, 0) = 1, pow(-2, 3) = -8, pow(-2, 0.5) = NaN).
template <class Arch>
Lane<double, Arch> fast_pow(Lane<double, Arch> a, Lane<double, Arch> b) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  const auto size = exp(b * log(abs(a)));
  const auto whole = eq(trunc(b), b), odd = whole & ne(trunc(0.5 * b), 0.5 * b);
  const auto signed_size =
      where(odd, copysign(size, a), where(whole | eq(abs(a), inf) | eq(a, 0), size, NAN));
  const auto power = where(copysign(1, a) < 0, signed_size, size);
  return where(eq(b, 0) | eq(a, 1) | (eq(a, -1) & eq(abs(b), inf)), 1, power);
}

/// `fast_pow`, but for b = 3, 4, -2 and -0.5 a few products, or a root, in the same wide arithmetic.
template <class L>
L small_power(L a, L b) {
  const auto three = eq(b, 3), four = eq(b, 4), inverse = eq(b, -2), root = eq(b, -0.5);
  const auto known = three | four | inverse | root;
  const auto products = [&] {
    constexpr double inf = std::numeric_limits<double>::infinity();
    const L square = a * a, inverse_root = 1 / where(eq(a, -inf), inf, sqrt(a) + 0);
    return where(three, square * a, where(four, square * square, where(root, inverse_root, 1 / square)));
  };
  if (xsimd::all(three.m)) return a * a * a;
  if (xsimd::all(known.m)) return products();
  if (xsimd::none(known.m)) return fast_pow(a, b);
  return where(known, products(), fast_pow(a, b));
}

/// The powers that are products, quotients and roots: where b is one of them (`is_plain_power`), a^b without
/// a logarithm, and not less exact than with it. Elsewhere the value means nothing.
template <class L>
L plain_power(L a, L b) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  // The root of -0 is +0 and that of -inf +inf, as IEEE 754 has it for pow.
  const L root = where(eq(a, -inf), inf, sqrt(a) + 0);
  return where(eq(b, 2), a * a, where(eq(b, 1), a, where(eq(b, 0.5), root, 1 / a)));
}
template <class L>
auto is_plain_power(L b) {
  return eq(b, 2) | eq(b, 1) | eq(b, 0.5) | eq(b, -1);
}

/// `plain_power` where that is one, `general()` elsewhere, of which neither is computed where no lane asks
/// for it. What a lane gets does not depend on its neighbours.
template <class L, class F>
L pow_by_kind(L a, L b, const F& general) {
  if (xsimd::all(eq(b, 2).m)) return a * a;
  const auto plain = is_plain_power(b);
  if (xsimd::all(plain.m)) return xsimd::all(eq(b, -1).m) ? 1 / a : plain_power(a, b);
  if (xsimd::none(plain.m)) return general();
  return where(plain, plain_power(a, b), general());
}

/// In double, whose spare bits cover the loss: nearly always the nearest float.
template <class Arch>
Lane<float, Arch> wide_pow(Lane<float, Arch> a, Lane<float, Arch> b) {
  using Wide = Lane<double, Arch>;
  constexpr std::int64_t n = Lane<float, Arch>::size;
  alignas(64) float base[n], exponent[n];
  alignas(64) double x[n], y[n];
  a.store(base);
  b.store(exponent);
  for (std::int64_t i = 0; i < n; ++i)
    x[i] = static_cast<double>(base[i]), y[i] = static_cast<double>(exponent[i]);
  for (std::int64_t i = 0; i < n; i += Wide::size)
    small_power(Wide::load(x + i), Wide::load(y + i)).store(x + i);
  for (std::int64_t i = 0; i < n; ++i) base[i] = static_cast<float>(x[i]);
  return Lane<float, Arch>::load(base);
}

template <class Arch>
Lane<float, Arch> pow(Lane<float, Arch> a, std::type_identity_t<Lane<float, Arch>> b) {
  return pow_by_kind(a, b, [&] { return wide_pow(a, b); });
}

/// One by one: there is no wider type to hide the loss in.
template <class Arch>
Lane<double, Arch> pow_by_element(Lane<double, Arch> a, Lane<double, Arch> b) {
  constexpr std::int64_t n = Lane<double, Arch>::size;
  alignas(64) double base[n], exponent[n];
  a.store(base);
  b.store(exponent);
  for (std::int64_t i = 0; i < n; ++i) base[i] = std::pow(base[i], exponent[i]);
  return Lane<double, Arch>::load(base);
}
template <class Arch>
Lane<double, Arch> pow(Lane<double, Arch> a, std::type_identity_t<Lane<double, Arch>> b) {
  return pow_by_kind(a, b, [&] { return pow_by_element(a, b); });
}

}  // namespace cadena::kernels
