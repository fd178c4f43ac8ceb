// Functions of two lanes, and functions that go element by element because no lane formula is as good.
#pragma once

#include "autodiff/kernels/lane_power.hpp"

namespace cadena::kernels {

/// f of every element. `f` may take and return a wider type.
template <class T, class Arch, class F>
Lane<T, Arch> by_element(Lane<T, Arch> a, const F& f) {
  constexpr std::int64_t n = Lane<T, Arch>::size;
  alignas(64) T x[n];
  a.v.store_aligned(x);
  for (auto& v : x) v = static_cast<T>(f(v));
  return Lane<T, Arch>::Batch::load_aligned(x);
}
template <class T, class Arch, class F>
Lane<T, Arch> by_element(Lane<T, Arch> a, Lane<T, Arch> b, const F& f) {
  constexpr std::int64_t n = Lane<T, Arch>::size;
  alignas(64) T x[n], y[n];
  a.v.store_aligned(x);
  b.v.store_aligned(y);
  for (std::int64_t i = 0; i < n; ++i) x[i] = static_cast<T>(f(x[i], y[i]));
  return Lane<T, Arch>::Batch::load_aligned(x);
}

/// A function of two lanes, either of which may be a number.
#define CADENA_LANE_PAIR(function, implementation)                                 \
  template <class T, class Arch>                                                   \
  Lane<T, Arch> function(Lane<T, Arch> a, std::type_identity_t<Lane<T, Arch>> b) { \
    return implementation(a, b);                                                   \
  }                                                                                \
  template <Literal S, class T, class Arch>                                        \
  Lane<T, Arch> function(S a, Lane<T, Arch> b) {                                   \
    return implementation(Lane<T, Arch>(a), b);                                    \
  }

template <class L>
L hypot_of(L a, L b) {
  const L x = abs(a), y = abs(b), big = maximum(x, y), small = minimum(x, y);
  const L ratio = where(eq(big, 0), 0, small / big);
  const L infinity = std::numeric_limits<double>::infinity();
  return where(eq(x, infinity) | eq(y, infinity), infinity, big * sqrt(1 + ratio * ratio));
}
CADENA_LANE_PAIR(hypot, hypot_of)

/// The angle of (x, y), with the signs of zeros and the infinities of IEEE 754.
template <class L>
L atan2_of(L y, L x) {
  const L a = abs(y), b = abs(x), big = maximum(a, b), small = minimum(a, b);
  const L ratio = where(eq(big, 0), 0, where(eq(small, big), 1, small / big));
  L angle = atan(ratio);
  angle = where(a > b, 1.57079632679489661923 - angle, angle);
  angle = where(copysign(1, x) < 0, 3.14159265358979323846 - angle, angle);
  return copysign(angle, y);
}
CADENA_LANE_PAIR(atan2, atan2_of)

template <class L>
auto opposite(L a, L b) {
  return ((a < 0) & (b > 0)) | ((a > 0) & (b < 0));
}

/// Exact, which a - trunc(a / b) * b is not in general. With one rounding (fused) it is, as long as the
/// quotient has few enough bits; it may have been rounded up to the next whole number, which shows in the
/// rest's sign.
template <class L>
L fmod_of(L a, L b) {
#if defined(__AVX512F__)
  const L quotient = trunc(a / b);
  const double limit =
      0.25 / static_cast<double>(std::numeric_limits<decltype(quotient.v.get(0))>::epsilon());
  if (xsimd::all(((abs(quotient) < limit) & (abs(b) < std::numeric_limits<double>::infinity())).m)) {
    const L rest = xsimd::fnma(quotient.v, b.v, a.v);
    return copysign(where(opposite(rest, a), rest + copysign(abs(b), a), rest), a);
  }
#endif
  return by_element(a, b, [](auto x, auto y) { return std::fmod(x, y); });
}
CADENA_LANE_PAIR(fmod, fmod_of)

/// fmod with the sign of the divisor.
template <class L>
L remainder_of(L a, L b) {
  const L rest = fmod_of(a, b);
  const auto other_side = opposite(rest, b);
  return where(other_side, rest + b, rest);
}
CADENA_LANE_PAIR(remainder, remainder_of)

/// floor of the exact quotient, also where a / b rounds up to the next whole number.
template <class L>
L floor_divide_of(L a, L b) {
  const L rest = fmod_of(a, b);
  const auto other_side = opposite(rest, b);
  const L quotient = round((a - rest) / b) - where(other_side, 1, 0);
  return where(eq(b, 0), a / b, where(eq(quotient, 0), copysign(0, a / b), quotient));
}
CADENA_LANE_PAIR(floor_divide, floor_divide_of)

}  // namespace cadena::kernels
