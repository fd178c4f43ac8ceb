// Powers of lanes. Some exponents have short cuts; what a lane gets depends on its own exponent only.
#pragma once

#include "autodiff/kernels/lane_wide.hpp"

namespace cadena::kernels {

/// Wide arithmetic for `pow`: a^b by exp(b log a), which loses up to ten bits, with the special cases of IEEE
/// 754 (pow(0, 0) = 1, pow(-2, 3) = -8, pow(-2, 0.5) = NaN).
template <class Arch>
Lane<double, Arch> fast_pow(Lane<double, Arch> a, Lane<double, Arch> b) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  // Where both are plain numbers the product of exponents says it all.
  if (xsimd::all(((a > 0) & (a < inf) & (abs(b) < inf)).m)) return exp(b * log(a));
  const auto size = exp(b * log(abs(a)));
  const auto whole = eq(trunc(b), b), odd = whole & ne(trunc(0.5 * b), 0.5 * b);
  const auto signed_size =
      where(odd, copysign(size, a), where(whole | eq(abs(a), inf) | eq(a, 0), size, NAN));
  const auto power = where(copysign(1, a) < 0, signed_size, size);
  return where(eq(b, 0) | eq(a, 1) | (eq(a, -1) & eq(abs(b), inf)), 1, power);
}

/// The root, of -0 +0 and of -inf +inf, as IEEE 754 has it for pow.
template <class L>
L root_power(L a) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  return where(eq(a, -inf), inf, sqrt(a) + 0);
}

/// The powers that are one product, quotient or root: exact, or rounded once.
template <class L>
L plain_power(L a, L b) {
  return where(eq(b, 2), a * a, where(eq(b, 1), a, where(eq(b, 0.5), root_power(a), 1 / a)));
}
template <class L>
auto is_plain_power(L b) {
  return eq(b, 2) | eq(b, 1) | eq(b, 0.5) | eq(b, -1);
}

// Powers that are a few products of floats. What a product loses is itself a float, which a fused operation
// gives, and is added at the end: the result is nearly always the nearest float, as it is in double, where
// numbers are so large or small that this does not hold.

/// `exact` in the lanes that are `fine`, `wide` of doubles elsewhere.
template <class L, class M, class F>
L or_in_double(M fine, L exact, L a, const F& wide) {
  if (xsimd::all(fine.m)) return exact;
  return where(fine, exact, in_double(wide, a));
}
template <class L>
auto within(L size, double low, double high) {
  return (size >= low) & (size < high);
}

template <class Arch>
Lane<float, Arch> third_power(Lane<float, Arch> a) {
  const auto square = a * a, cube = square * a;
  const auto rest = lost(square, a, cube) + lost(a, a, square) * a;
  // Beyond these bounds (and at 0) there is no rest, or none that a float holds.
  return where(within(abs(cube), 0x1p-95, std::numeric_limits<float>::infinity()), cube + rest, cube);
}
template <class Arch>
Lane<float, Arch> fourth_power(Lane<float, Arch> a) {
  const auto square = a * a, power = square * square;
  const auto rest = lost(square, square, power) + 2 * square * lost(a, a, square);
  return or_in_double(within(abs(a), 0x1p-22, 0x1p25), power + rest, a,
                      [](auto x) { return (x * x) * (x * x); });
}
/// 1 / (s + e) = r (1 + (1 - s r) - e r) for r = 1 / s.
template <class Arch>
Lane<float, Arch> inverse_square(Lane<float, Arch> a) {
  const auto square = a * a, r = 1 / square;
  const auto rest = -lost(square, r, Lane<float, Arch>(1)) - lost(a, a, square) * r;
  return or_in_double(within(abs(a), 0x1p-35, 0x1p35), r + r * rest, a, [](auto x) { return 1 / (x * x); });
}
/// 1 / sqrt(s^2 + e) = r (1 + (1 - s r) - e r^2 / 2) for r = 1 / s.
template <class Arch>
Lane<float, Arch> inverse_root(Lane<float, Arch> a) {
  const auto root = sqrt(a), r = 1 / root, missing = -lost(root, root, a);
  const auto rest = -lost(root, r, Lane<float, Arch>(1)) - 0.5 * missing * (r * r);
  return or_in_double(within(a, 0x1p-90, 0x1p90), r + r * rest, a, [](auto x) { return 1 / root_power(x); });
}

template <class L>
auto is_short_power(L b) {
  return eq(b, 3) | eq(b, 4) | eq(b, -2) | eq(b, -0.5);
}
template <class L>
L short_power(L a, L b) {
  return where(eq(b, 3), third_power(a),
               where(eq(b, 4), fourth_power(a), where(eq(b, -2), inverse_square(a), inverse_root(a))));
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
Lane<float, Arch> pow(Lane<float, Arch> a, std::type_identity_t<Lane<float, Arch>> b) {
  const auto general = [](auto x, auto y) { return fast_pow(x, y); };
  const auto plain = is_plain_power(b), known = plain | is_short_power(b);
  if (xsimd::none(known.m)) return in_double(general, a, b);
  const auto value = where(plain, plain_power(a, b), short_power(a, b));
  return xsimd::all(known.m) ? value : where(known, value, in_double(general, a, b));
}
template <class Arch>
Lane<double, Arch> pow(Lane<double, Arch> a, std::type_identity_t<Lane<double, Arch>> b) {
  const auto plain = is_plain_power(b);
  if (xsimd::all(plain.m)) return plain_power(a, b);
  if (xsimd::none(plain.m)) return pow_by_element(a, b);
  return where(plain, plain_power(a, b), pow_by_element(a, b));
}

/// With one exponent for all lanes: the same values.
template <class T, class Arch, Literal S>
Lane<T, Arch> pow(Lane<T, Arch> a, S exponent) {
  const T b = static_cast<T>(exponent);
  if (b == 2) return a * a;
  if (b == 1) return a;
  if (b == T(0.5)) return root_power(a);
  if (b == -1) return 1 / a;
  if constexpr (sizeof(T) == 4) {
    if (b == 3) return third_power(a);
    if (b == 4) return fourth_power(a);
    if (b == -2) return inverse_square(a);
    if (b == -0.5F) return inverse_root(a);
    return in_double([b](auto x) { return fast_pow(x, decltype(x)(b)); }, a);
  } else {
    return pow_by_element(a, Lane<T, Arch>(b));
  }
}

}  // namespace cadena::kernels
