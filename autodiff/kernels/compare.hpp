// Elementwise comparisons and choice.
#pragma once

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

enum class Comparison : std::uint8_t { eq, ne, lt, le };

/// out (bool, contiguous) = a op b, both of one dtype and broadcast to out's shape. NaN compares as in C++.
void compare(Comparison op, const View& a, const View& b, const View& out);

/// out (contiguous) = condition ? a : b, all broadcast to out's shape; a, b and out have one dtype.
void where(const View& condition, const View& a, const View& b, const View& out);

}  // namespace cadena::kernels
