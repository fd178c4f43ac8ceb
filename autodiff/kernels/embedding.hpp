// Bags of rows of a table, reduced without copying the rows.
#pragma once

#include <cstdint>

namespace cadena::kernels {

/// Bag b holds the entries first[b] ... first[b + 1] - 1 of `index`, each the number of a row of `table`
/// (contiguous rows of `width`), all of them valid.
template <class T>
struct Bags {
  std::int64_t bags;
  const std::int64_t* first;  ///< bags + 1 of them
  const std::int64_t* index;
  const T* table;
  std::int64_t width;
};

/// out[b] = sum of the rows of bag b, in their order, each times its entry of `factors` (null: 1).
template <class T>
void sum_bags(const Bags<T>& b, const T* factors, T* out);

/// rows[b][d] = the row of bag b whose element d is the largest: NaN if there is one, else the first of
/// equals. -1 for empty bags.
template <class T>
void argmax_bags(const Bags<T>& b, std::int64_t* rows);

}  // namespace cadena::kernels
