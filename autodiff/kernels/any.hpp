// Whether any, or all, of some truth values are true.
#pragma once

#include "autodiff/kernels/scan.hpp"

namespace cadena::kernels {

/// out (outer, inner): any of contiguous (outer, n, inner) is true, or (`all`) all of them are.
void any_of(const Lines& lines, bool all, const bool* x, bool* out);

}  // namespace cadena::kernels
