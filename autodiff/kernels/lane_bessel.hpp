// Modified Bessel functions of the first kind, in lanes of doubles: the power series up to 8 and beyond it a
// Chebyshev fit, computed with 50 digits and off by less than 1e-17 of the value, in t = 16 / x - 1.
#pragma once

#include "autodiff/kernels/lane_polynomial.hpp"

namespace cadena::kernels {

/// `near`: I(x) / (x / 2)^order in (x / 2)^2, less its first coefficient, which is 1; `far`: I(x) exp(-x)
/// sqrt(x).
template <int order>
struct BesselFit;

template <>
struct BesselFit<0> {
  static constexpr double near[] = {1.0,
                                    0.25,
                                    0.027777777777777777778,
                                    0.0017361111111111111111,
                                    0.000069444444444444444444,
                                    1.9290123456790123457e-6,
                                    3.9367598891408415218e-8,
                                    6.1511873267825648778e-10,
                                    7.5940584281266233059e-12,
                                    7.5940584281266233059e-14,
                                    6.2760813455591928148e-16,
                                    4.3583898233049950103e-18,
                                    2.5789288895295828463e-20,
                                    1.3157800456783585951e-22,
                                    5.8479113141260382003e-25,
                                    2.284340357080483672e-27,
                                    7.9042918930120542283e-30,
                                    2.4395962632753253791e-32,
                                    6.7578843858042254269e-35,
                                    1.6894710964510563567e-37,
                                    3.8310002187098783599e-40,
                                    7.9152897080782610742e-43,
                                    1.4962740468957015263e-45};
  static constexpr double far[] = {
      0.40217650944500807746,     0.0033605519836678944829,  0.00013621607439186706725,
      0.000011143033787545385613, 1.4838475687894938718e-6,  2.9735996224521223653e-7,
      8.8722143074517324946e-8,   3.9324376995334585713e-8,  2.1548893617586299839e-8,
      7.5663524876982369845e-9,   -6.7505522827402841383e-9, -1.3466292948373959787e-8,
      -5.394456734259438093e-9,   7.7371470337809336974e-9,  7.406235049001522071e-9,
      -3.9052306237123410617e-9,  -5.9155605651085600298e-9, 2.1053080134403421114e-9,
      3.5985362919394713739e-9,   -1.144878955875503602e-9,  -1.5930354799216344861e-9,
      5.1222121472283883888e-10,  4.4789181847911816306e-10, -1.506611368610147448e-10,
      -5.9050245739951477828e-11, 2.0820835852793105938e-11};
};
template <>
struct BesselFit<1> {
  static constexpr double near[] = {0.5,
                                    0.083333333333333333333,
                                    0.0069444444444444444444,
                                    0.00034722222222222222222,
                                    0.000011574074074074074074,
                                    2.7557319223985890653e-7,
                                    4.9209498614260519022e-9,
                                    6.8346525853139609753e-11,
                                    7.5940584281266233059e-13,
                                    6.9036894801151120963e-15,
                                    5.2300677879659940123e-17,
                                    3.3526075563884577002e-19,
                                    1.8420920639497020331e-21,
                                    8.7718669711890573004e-24,
                                    3.6549445713287738752e-26,
                                    1.3437296218120492188e-28,
                                    4.3912732738955856824e-31,
                                    1.2839980333028028311e-33,
                                    3.3789421929021127135e-36,
                                    8.0451004592907445558e-39,
                                    1.7413637357772174363e-41,
                                    3.4414303078601135105e-44,
                                    6.2344751953987563597e-47};
  static constexpr double far[] = {
      0.38939845902587232826,      -0.0097495771932357674203,  -0.00021923576383382283156,
      -0.000015038547197358571633, -1.8349101357991557877e-6,  -3.4838567401229716091e-7,
      -1.0001282610189341486e-7,   -4.3127789201676095462e-8,  -2.3374467872424478034e-8,
      -8.4388009058213700577e-9,   6.7374934333748327939e-9,   1.4088520752025449909e-8,
      5.963645798166707436e-9,     -7.8169682667678980441e-9,  -7.863004697555056672e-9,
      3.803814960536081194e-9,     6.2029841130004430312e-9,   -1.992076551203188097e-9,
      -3.7534433873591298228e-9,   1.0715528639398075257e-9,   1.657764699456318953e-9,
      -4.7987515369340223791e-10,  -4.6561597954216945009e-10, 1.4176508428695361392e-10,
      6.1359327783938115718e-11,   -1.9677083272584383164e-11};
};

/// I_order(|x|), or exp(-|x|) times that.
template <int order, bool scaled, class Arch>
Lane<double, Arch> bessel_size(Lane<double, Arch> x) {
  using L = Lane<double, Arch>;
  constexpr double inf = std::numeric_limits<double>::infinity();
  const L size = abs(x), a = minimum(size, 8);
  const auto large = size > 8;
  const L half = 0.5 * a, u = half * half, rest = u * polynomial(BesselFit<order>::near, u);
  const L first = (order ? half : L(1)) * (scaled ? exp(-a) : L(1));
  const L near_value = first + first * rest;
  if (xsimd::none(large.m)) return where(isnan(x), x, near_value);
  const L b = maximum(size, 8);
  const L far = polynomial(BesselFit<order>::far, 16 / b - 1) / sqrt(b);
  // In halves: exp(x) overflows before the function does.
  const L grown = exp(0.5 * b), far_value = scaled ? far : where(eq(b, inf), inf, far * grown * grown);
  return where(isnan(x), x, where(large, far_value, near_value));
}

template <class T, class Arch>
Lane<T, Arch> i0(Lane<T, Arch> x) {
  return in_double([](auto v) { return bessel_size<0, false>(v); }, x);
}
template <class T, class Arch>
Lane<T, Arch> i0e(Lane<T, Arch> x) {
  return in_double([](auto v) { return bessel_size<0, true>(v); }, x);
}
template <class T, class Arch>
Lane<T, Arch> i1(Lane<T, Arch> x) {
  return in_double([](auto v) { return copysign(bessel_size<1, false>(v), v); }, x);
}
template <class T, class Arch>
Lane<T, Arch> i1e(Lane<T, Arch> x) {
  return in_double([](auto v) { return copysign(bessel_size<1, true>(v), v); }, x);
}

}  // namespace cadena::kernels
