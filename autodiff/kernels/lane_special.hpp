// Special functions of lanes: the error function's family, for which xsimd 8.1 is up to 70 units in the last
// place off in f64 and loses erfc's tail, and with two more files all others.
#pragma once

#include <bit>

#include "autodiff/kernels/exponential.hpp"
#include "autodiff/kernels/lane_bessel.hpp"
#include "autodiff/kernels/lane_gamma.hpp"
#include "autodiff/kernels/lane_math.hpp"

namespace cadena::kernels {

/// Coefficients, lowest first. `tail`: (1 + 2x) exp(x^2) erfc(x) for x >= 0 in t = (x - 3.75) / (x + 3.75),
/// the form of Shepherd and Laframboise (Math. Comp. 36, 1981); `center`: erf(x) / x for |x| <= 1 in x^2.
/// Both are truncated Chebyshev series computed with 40 digits; the truncation is below a tenth of the last
/// place.
template <class T>
struct ErrorFunction;

template <>
struct ErrorFunction<float> {
  static constexpr float tail[] = {
      1.2375126300326993593f,     -0.14024065832138641092f,   0.0035854953140630897518f,
      0.082278419983470466848f,   -0.10880522754949953062f,   0.092290769591303781402f,
      -0.058685440493631110812f,  0.028409252364127261846f,   -0.0097700871833682259761f,
      0.0016759122179811267878f,  0.00033016745627227284358f, -0.00022411674674415839f,
      0.000022046718905696983875f};
  static constexpr float center[] = {1.1283791670623608867f,     -0.37612638475991321525f,
                                     0.11283782622062184305f,    -0.026865438310515114376f,
                                     0.0052210534125376749363f,  -0.00084843965506018933733f,
                                     0.00011268253894199437457f, -9.6735908117507825415e-6f};
};

template <>
struct ErrorFunction<double> {
  static constexpr double tail[] = {
      1.2375126308378275796,      -0.14024059858554701841,    0.0035854154854644298215,
      0.082276738490151028568,    -0.1088039301417488803,     0.092304321160198185312,
      -0.058693398589636315828,   0.028362277421517854229,    -0.0097465795580339549637,
      0.0017556258324026773401,   0.00029371366561941988365,  -0.00029015397919057375994,
      0.000051649098786306218775, 0.000022383911700007017153, -0.00001144414597327877265,
      -9.728488178353123009e-7,   1.751637211735838125e-6,    -5.8263983361369195117e-8,
      -2.5866803122967866514e-7,  2.4290961639713929841e-8,   3.8675006464679798149e-8,
      -4.3900663963980125787e-9,  -5.1738608402921746587e-9,  5.4601041124752747734e-10,
      4.2512485284769621156e-10,  -3.758033124664563094e-11};
  static constexpr double center[] = {
      1.1283791670955125738,     -0.37612638903183748117,     0.11283791670954881569,
      -0.026866170645077334198,  0.0052239776248232225684,    -0.00085483269811296659963,
      0.00012055331122299265255, -0.000014925595519506043454, 1.6461004480962034678e-6,
      -1.6350354461959655636e-7, 1.4660051998394847679e-8,    -1.1373902296430911635e-9,
      5.9589307431349412188e-11};
};

/// exp(x^2) erfc(x) for x >= 0. Written this way t has no rounding error left near x = 0.
template <class T, class Arch>
Lane<T, Arch> erfcx_positive(Lane<T, Arch> x) {
  const auto finite = minimum(x, 1e15);
  return polynomial(ErrorFunction<T>::tail, 2 * (finite / (finite + 3.75)) - 1) / (1 + 2 * x);
}
/// The same for x <= 64, with one division for two.
template <class T, class Arch>
Lane<T, Arch> erfcx_near(Lane<T, Arch> x) {
  const auto a = x + 3.75, b = 1 + 2 * x, q = 1 / (a * b);
  return polynomial(ErrorFunction<T>::tail, 2 * (x * (b * q)) - 1) * (a * q);
}

/// exp(-scale x^2) for scale 1, 1/2 and -1 and |x| <= 64, also where rounding x^2 would be felt: what it
/// loses, or the square of the lower half of x's bits, is small enough for a few terms of the series.
template <class T, class Arch>
Lane<T, Arch> exp_minus_square(Lane<T, Arch> x, double scale) {
  using L = Lane<T, Arch>;
  const auto power = [&](L square) {
    const L exponent = -scale * square;
    return scale > 0 ? L(exp_of_gap(exponent.v)) : exp(exponent);
  };
#if defined(__AVX512F__)
  const L square = x * x;
  return power(square) * (1 - scale * lost(x, x, square));
#else
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  constexpr Bits upper = ~Bits{0} << (sizeof(T) == 4 ? 12 : 27);
  const L high = x.v & typename L::Batch(std::bit_cast<T>(upper));
  const L r = -scale * ((x - high) * (x + high));
  return power(high * high) * (1 + r * (1 + r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24)))));
#endif
}

/// erfc(x) for 0 <= x <= 64, zero to the last bit beyond 28.
template <class T, class Arch>
Lane<T, Arch> erfc_positive(Lane<T, Arch> x) {
  return exp_minus_square(x, 1) * erfcx_near(x);
}

template <class T, class Arch>
Lane<T, Arch> erf(Lane<T, Arch> x) {
  const auto a = minimum(abs(x), 64);
  return where(a < 1, x * polynomial(ErrorFunction<T>::center, x * x), copysign(1 - erfc_positive(a), x));
}
template <class T, class Arch>
Lane<T, Arch> erfc(Lane<T, Arch> x) {
  const auto tail = erfc_positive(minimum(abs(x), 64));
  return where(x < 0, 2 - tail, tail);
}
template <class T, class Arch>
Lane<T, Arch> erfcx(Lane<T, Arch> x) {
  const auto right = erfcx_positive(abs(x));
  return where(x < 0, 2 * exp_minus_square(minimum(abs(x), 64), -1) - right, right);
}
/// The normal distribution function.
template <class T, class Arch>
Lane<T, Arch> ndtr(Lane<T, Arch> x) {
  const auto a = minimum(abs(x), 64);
  const auto tail = 0.5 * exp_minus_square(a, 0.5) * erfcx_near(0.707106781186547524401 * a);
  return where(x < 0, tail, 1 - tail);
}

/// About seven digits of the inverse of erf, for y in [0, 1): M. Giles, Approximating the erfinv function
/// (GPU Computing Gems, 2011).
template <class Arch>
Lane<double, Arch> erfinv_guess(Lane<double, Arch> y) {
  static constexpr double center[] = {1.50140941,      0.246640727,    -4.17768164e-03,
                                      -1.25372503e-03, 2.1858087e-04,  -4.39150654e-06,
                                      -3.5233877e-06,  3.43273939e-07, 2.81022636e-08};
  static constexpr double tail[] = {2.83297682,     1.00167406,     9.43887047e-03,
                                    -7.6224613e-03, 5.73950773e-03, -3.67342844e-03,
                                    1.34934322e-03, 1.00950558e-04, -2.00214257e-04};
  const auto w = -log((1 - y) * (1 + y));
  return y * where(w < 5, polynomial(center, w - 2.5), polynomial(tail, sqrt(w) - 3));
}

/// The guess, improved by Halley's method; every step triples the digits.
template <class Arch>
Lane<double, Arch> erfinv_in(int steps, Lane<double, Arch> y) {
  using L = Lane<double, Arch>;
  const L a = abs(y);
  L x = erfinv_guess(a);
  for (int step = 0; step < steps; ++step) {
    // Near 1 through erfc: 1 - a is exact there.
    const L below = x * polynomial(ErrorFunction<double>::center, x * x) - a;
    const L error = where(a < 0.5, below, (1 - a) - erfc_positive(minimum(x, 64)));
    const L newton = error * 0.886226925452758013649 * exp(x * x);
    x = x - newton / (1 + x * newton);
  }
  const L end = where(eq(a, 1), std::numeric_limits<double>::infinity(), NAN);
  return where(eq(a, 0), y, copysign(where(a < 1, x, end), y));
}

template <class T, class Arch>
Lane<T, Arch> erfinv(Lane<T, Arch> y) {
  return in_double([](auto v) { return erfinv_in(sizeof(T) == 4 ? 1 : 2, v); }, y);
}

}  // namespace cadena::kernels
