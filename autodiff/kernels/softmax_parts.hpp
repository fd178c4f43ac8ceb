// What the rows of a softmax are made of, one row at a time or one in each lane.
#pragma once

#include <cstdint>

#include "autodiff/kernels/exponential.hpp"
#include "autodiff/kernels/lane.hpp"
#include "autodiff/kernels/rows.hpp"
#include "autodiff/kernels/short_rows.hpp"

namespace cadena::kernels {

template <class T>
T sum_exp(std::int64_t n, const T* x, T shift) {
  const Batch<T> s(shift);
  return row_sum_of<T>(n, -infinity<T>,
                       [&](std::int64_t i, auto load, auto) { return exp_of_gap<T>(load(x + i) - s); });
}

// The same for as many rows as a register has lanes, element k of all of them in x[k]: tiles of short rows,
// or neighbouring columns.

template <class T, class X>
Batch<T> top_of(std::int64_t n, const X& x) {  // as row_top
  return fold_tile<T>(
      n, Batch<T>(-infinity<T>), [](auto a, auto v) { return xsimd::max(v, a); },
      [&](std::int64_t k) { return x[k]; });
}
template <class T, class F>
Batch<T> sum_of(std::int64_t n, const F& term) {
  return fold_tile<T>(
      n, Batch<T>(T(0)), [](auto a, auto v) { return a + v; }, term);
}
template <class T>
Batch<T> log_of(Batch<T> x) {
  return log(Lane<T>(x)).v;
}

}  // namespace cadena::kernels
