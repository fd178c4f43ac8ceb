// What functions that are fitted by polynomials share.
#pragma once

#include "autodiff/kernels/lane_wide.hpp"

namespace cadena::kernels {

/// c[0] + c[1] x + ...
template <class T, class Arch, std::size_t N>
Lane<T, Arch> polynomial(const T (&c)[N], Lane<T, Arch> x) {
  Lane<T, Arch> r = c[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) r = xsimd::fma(r.v, x.v, Lane<T, Arch>(c[i]).v);
  return r;
}

/// `value`, but f of one number in the lanes that are not `fine`.
template <class Arch, class F>
Lane<double, Arch> or_by_element(LaneMask<double, Arch> fine, Lane<double, Arch> value, Lane<double, Arch> x,
                                 const F& f) {
  if (xsimd::all(fine.m)) return value;
  constexpr std::int64_t n = Lane<double, Arch>::size;
  alignas(64) double in[n], out[n], good[n];
  x.store(in);
  value.store(out);
  where(fine, 1, 0).store(good);
  for (std::int64_t i = 0; i < n; ++i)
    if (good[i] == 0) out[i] = f(in[i]);
  return Lane<double, Arch>::load(out);
}

}  // namespace cadena::kernels
