// Reading and adding at i64 indices. No index is used unchecked; a bad one comes back to the caller, who
// throws. Additions at equal positions happen in row-major order of the index, on any
// number of threads.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// The first (in row-major order) element of `index` (i64) outside [0, extent).
std::optional<std::int64_t> find_bad_index(const View& index, std::int64_t extent);

// All operands strided as they like and of one dtype; results must not overlap inputs. Each returns the first
// bad index, if there is one, and then has written some of what is to be written.

/// out[i][j][k] = x[i][index[i][j][k]][k] for axis 1. `index` and `out` have one shape, which is at most x's
/// outside `axis`.
[[nodiscard]] std::optional<std::int64_t> gather(const View& x, int axis, const View& index, const View& out);
/// into[i][index[i][j][k]][k] += src[i][j][k] for f32, f64 and i64. `src` may be larger than `index`.
[[nodiscard]] std::optional<std::int64_t> scatter_add(const View& into, int axis, const View& index,
                                                      const View& src);

/// out[i][j][k] = x[i][index[j]][k]; `index` has rank 1 (or 0: one index)
[[nodiscard]] std::optional<std::int64_t> index_select(const View& x, int axis, const View& index,
                                                       const View& out);
/// into[i][index[j]][k] += src[i][j][k] for f32, f64 and i64
[[nodiscard]] std::optional<std::int64_t> index_add(const View& into, int axis, const View& index,
                                                    const View& src);

/// into[i][index[i][j][k]][k] = src[i][j][k]; of several the last in row-major order stays.
[[nodiscard]] std::optional<std::int64_t> scatter(const View& into, int axis, const View& index,
                                                  const View& src);
enum class Combine : std::uint8_t { prod, max, min };  ///< NaN wins in max and min
/// The same with into = into op src, for f32, f64 and i64.
[[nodiscard]] std::optional<std::int64_t> scatter_combine(Combine op, const View& into, int axis,
                                                          const View& index, const View& src);

/// An index outside its axis and which one it is, counted in row-major order.
struct BadIndex {
  std::int64_t at, value;
};
/// offsets[i] = stride * index[i], or += with `add`, where negative indices count from the end; `offsets` is
/// contiguous.
[[nodiscard]] std::optional<BadIndex> index_offsets(const View& index, std::int64_t extent,
                                                    std::int64_t stride, bool add, std::int64_t* offsets);

// Dimension `axis` of x has stride 1: it stands for offsets (a vector) into x's memory, which are not
// checked. out[i][j][k] = x[i][offsets[j]][k] for axis 1, and back.
void read_offsets(const View& x, int axis, const View& offsets, const View& out);
void write_offsets(const View& x, int axis, const View& offsets,
                   const View& src);  ///< the last of several stays
void add_offsets(const View& x, int axis, const View& offsets, const View& src);  ///< f32, f64 and i64

/// last[i][j][k] for axis 1: no later j has the same index[i][j][k], so that of what is written at the
/// indices this one stays. `index`, checked, is contiguous (outer, n, inner); `last` likewise.
void last_of_equals(std::int64_t outer, std::int64_t n, std::int64_t inner, std::int64_t extent,
                    const std::int64_t* index, bool* last);

/// Coordinates of the true elements of contiguous bool, a row each.
void nonzero(const Shape& shape, const bool* x, std::int64_t* out);
/// The same, but of each the sum of its coordinates times `strides`. `out` has room for one number more.
void nonzero_offsets(const Shape& shape, const bool* x, const Strides& strides, std::int64_t* out);

}  // namespace cadena::kernels
