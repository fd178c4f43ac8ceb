// Reading and adding at i64 indices. Every index is checked before anything is written; a bad one comes back
// to the caller, who throws. Additions at equal positions happen in row-major order of the index, on any
// number of threads.
#pragma once

#include <cstdint>
#include <optional>

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

/// The first (in row-major order) element of `index` (i64) outside [0, extent).
std::optional<std::int64_t> find_bad_index(const View& index, std::int64_t extent);

// All operands strided as they like and of one dtype; results must not overlap inputs. Each returns a bad
// index, if there is one, and then has written nothing.

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

}  // namespace cadena::kernels
