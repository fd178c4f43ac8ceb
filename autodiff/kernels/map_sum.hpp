// Sums of formulas whose values are never written out.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "autodiff/kernels/lane.hpp"
#include "autodiff/kernels/map.hpp"
#include "autodiff/kernels/reduce_tree.hpp"

namespace cadena::kernels {

/// out[r] = sum of formula(in[0][r n + j], in[1][r n + j], ...) over j < n, for r < rows and n of at most
/// `row_block`: `op` and `splat` as for MapLoop.
using SumLoop = void (*)(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n,
                         std::int64_t rows);

/// out[i] = sum over j < n of formula(in[0][i, j], in[1][i, j], ...), where i runs over the indices of
/// `outer`, in f32 or f64. `strides` step over `outer`; the rows of an operand are contiguous or, where its
/// bit of `splat` is set, one element repeated. The same bits as `map` into contiguous memory and a sum of
/// its rows. n >= 1.
void map_sum(SumLoop loop, const void* op, DType dtype, const Shape& outer, const MapInput* in, int n_inputs,
             unsigned splat, std::int64_t n, void* out);

/// v itself, as far as it has been computed: a product in it is not fused with the addition that follows,
/// which the compiler would do in one copy of a loop and not in the other.
template <class T>
Batch<T> rounded(Batch<T> v) {
#if defined(__GNUC__) && defined(__x86_64__)
  asm("" : "+v"(v.data));
#endif
  return v;
}

/// A row of formula(in...), whose operands step by whole registers, or not at all.
template <class T, class F, std::size_t... I>
struct MappedRow {
  const F& formula;
  const T* in[sizeof...(I)];
  std::int64_t step[sizeof...(I)];  ///< 1 or 0

  Batch<T> full(std::int64_t i) const {
    return rounded<T>(Lane<T>(formula(Lane<T>::load(in[I] + i * step[I])...)).v);
  }
  Batch<T> first(std::int64_t i, std::int64_t count, T other) const {
    const Lane<T> values(formula(Lane<T>::load_first(in[I] + i * step[I], count)...));
    return rounded<T>(Partial<T>(count).keep(values.v, Batch<T>(other)));
  }
};

/// A SumLoop of a formula that is read with lanes.
template <class T, class F, std::size_t... I>
void lane_sum(const F& formula, void* out, const void* const* in, unsigned splat, std::int64_t n,
              std::int64_t rows, std::index_sequence<I...>) {
  fold_rows<Sum>(
      0, rows,
      [&](std::int64_t r) {
        const std::int64_t step[] = {(splat >> I & 1U ? 0 : 1)...};
        return row_lanes<Sum, T>(
            MappedRow<T, F, I...>{formula, {static_cast<const T*>(in[I]) + r * n * step[I]...}, {step[I]...}},
            n);
      },
      static_cast<T*>(out));
}

}  // namespace cadena::kernels
