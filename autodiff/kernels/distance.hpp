// Distances of all pairs of vectors, without their differences in memory.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// Distances of order `p` > 0 (inf too) of every row of a (batch, rows, size) to every row of b (batch,
/// columns, size): out (batch, rows, columns).
struct Pairs {
  std::int64_t batch, rows, columns, size;
  double p;
};
template <class T>
void pair_distances(const Pairs& pairs, const T* a, const T* b, T* out);
/// What the cotangents g of distances y give to a and b, of which one may be null; p < inf. Distance 0 and
/// equal coordinates give nothing.
template <class T>
void pair_distances_vjp(const Pairs& pairs, const T* a, const T* b, const T* y, const T* g, T* ga, T* gb);

/// The same of the pairs i < j of the rows of one matrix x (rows, size), without gaps: out (rows (rows - 1) /
/// 2). `columns` is not read.
template <class T>
void own_distances(const Pairs& pairs, const T* x, T* out);
template <class T>
void own_distances_vjp(const Pairs& pairs, const T* x, const T* y, const T* g, T* gx);

}  // namespace cadena::kernels
