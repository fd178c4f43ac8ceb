// From random bits to uniform and normal numbers, by arithmetic whose bits are the same for any compiler.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace cadena::kernels {

/// Strictly inside (0, 1): the middle of one of 2^32 or 2^52 equal cells. Exact.
inline double open_unit(std::uint32_t w) { return (static_cast<double>(w) + 0.5) * 0x1p-32; }
inline double open_unit(std::uint64_t w) {
  // 1.f by its bits, minus 1: exact, and cheaper than converting 64-bit integers on most CPUs.
  return std::bit_cast<double>((w >> 12) | 0x3FF0000000000000) - (1 - 0x1p-53);
}

/// sum c[i] z^i, by fused steps.
template <std::size_t n>
inline double polynomial(const double (&c)[n], double z) {
  double s = c[n - 1];
#pragma GCC unroll 16
  for (std::size_t i = 1; i < n; ++i) s = std::fma(s, z, c[n - 1 - i]);
  return s;
}

/// Natural logarithm for normal u > 0, to about 1 ulp, also beside 1. u = 2^k m with m in [sqrt(1/2),
/// sqrt(2)), log m = 2 atanh((m - 1) / (m + 1)).
inline double log_of(double u) {
  constexpr double c[] = {1.0,      1 / 3.0,  1 / 5.0,  1 / 7.0,  1 / 9.0, 1 / 11.0,
                          1 / 13.0, 1 / 15.0, 1 / 17.0, 1 / 19.0, 1 / 21.0};
  constexpr double ln2 = 0.693147180559945309417;
  const auto bits = std::bit_cast<std::uint64_t>(u);
  const std::int32_t k = (static_cast<std::int32_t>(bits >> 32) - 0x3FE6A09E) >> 20;
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(k) << 52));
  const double f = (m - 1) / (m + 1);
  return std::fma(static_cast<double>(k), ln2, (f + f) * polynomial(c, f * f));
}

struct SinCos {
  double sin, cos;
};

/// Sine and cosine of 2 pi a for a in (0, 1): quarter turns are taken off exactly, Taylor's series does the
/// rest.
inline SinCos sincos_turns(double a) {
  constexpr double s[] = {1.0,
                          -1 / 6.0,
                          1 / 120.0,
                          -1 / 5040.0,
                          1 / 362880.0,
                          -1 / 39916800.0,
                          1 / 6227020800.0,
                          -1 / 1307674368000.0,
                          1 / 355687428096000.0};
  constexpr double c[] = {1.0,
                          -1 / 2.0,
                          1 / 24.0,
                          -1 / 720.0,
                          1 / 40320.0,
                          -1 / 3628800.0,
                          1 / 479001600.0,
                          -1 / 87178291200.0,
                          1 / 20922789888000.0};
  constexpr double two_pi = 6.28318530717958647693;
  const auto quarter = static_cast<std::int32_t>(std::fma(a, 4.0, 0.5));
  const double x = std::fma(static_cast<double>(quarter), -0.25, a) * two_pi;  // the difference is exact
  const double z = x * x, sin = x * polynomial(s, z), cos = polynomial(c, z);
  const bool swap = (quarter & 1) != 0;
  const double sign_sin = (quarter & 2) != 0 ? -1.0 : 1.0;
  const double sign_cos = ((quarter + 1) & 2) != 0 ? -1.0 : 1.0;
  return {sign_sin * (swap ? cos : sin), sign_cos * (swap ? sin : cos)};
}

/// Two uniform numbers in (0, 1) -> two independent normal ones.
template <class W>
inline SinCos normal_pair(W w0, W w1) {
  const double radius = std::sqrt(-2 * log_of(open_unit(w0)));
  const auto direction = sincos_turns(open_unit(w1));
  return {radius * direction.sin, radius * direction.cos};
}

}  // namespace cadena::kernels
