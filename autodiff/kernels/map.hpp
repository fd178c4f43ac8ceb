// Elementwise loops. A MapLoop runs one formula over contiguous memory; `map` brings any broadcast or strided
// operands into that form, piece by piece, and splits large ones among threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// out[i] = formula(in[0][i], in[1][i], ...) for i < n. `op` points at the formula's attributes. Where bit k
/// of `splat` is set, in[k] holds one register full of the same value, and every in[k][i] is that value.
using MapLoop = void (*)(const void* op, void* out, const void* const* in, unsigned splat, std::int64_t n);

inline constexpr int map_max_inputs = 5;

struct MapInput {
  const void* data = nullptr;  ///< null for an operand that the formula must not read
  std::size_t itemsize = 0;
  Strides strides = {};  ///< over the output's shape, 0 where it is broadcast
};

/// Whether a loop looks at `splat`; for one that does not, values that repeat are written out.
enum class Splats : bool { no, yes };

/// @param out contiguous memory for the elements of `shape`; may be the memory of a contiguous input
void map(MapLoop loop, Splats splats, const void* op, void* out, std::size_t out_itemsize, const Shape& shape,
         const MapInput* in, int n_inputs);

/// Elements from which loops are split among threads.
inline constexpr std::int64_t map_parallel_from = 1 << 15;

void map_in_chunks(MapLoop loop, const void* op, void* out, std::size_t out_itemsize, const void* const* in,
                   const std::size_t* itemsizes, int n_inputs, unsigned splat, std::int64_t n);

/// The same where every operand is contiguous and of the output's shape.
inline void map_contiguous(MapLoop loop, const void* op, void* out, std::size_t out_itemsize,
                           const void* const* in, const std::size_t* itemsizes, int n_inputs,
                           std::int64_t n) {
  if (n < map_parallel_from)
    loop(op, out, in, 0, n);
  else
    map_in_chunks(loop, op, out, out_itemsize, in, itemsizes, n_inputs, 0, n);
}

/// Strides of an operand of `shape` and `strides` over the dimensions of `out`, to which it broadcasts.
Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& out);

}  // namespace cadena::kernels
