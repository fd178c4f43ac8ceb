// Elementwise comparisons and choice.
#pragma once

#include "autodiff/kernels/view.hpp"

namespace cadena::kernels {

enum class Comparison : std::uint8_t { eq, ne, lt, le };

/// out (bool, contiguous) = a op b, both of one dtype and broadcast to out's shape. NaN compares as in C++.
void compare(Comparison op, const View& a, const View& b, const View& out);

struct Closeness {
  double relative, absolute;
  bool equal_nan;
};
/// out (bool, contiguous) = |a - b| <= absolute + relative |b|, computed in double, for a and b of f32 or f64
/// that are broadcast to out's shape. Infinities are close to equal ones only.
void is_close(const Closeness& how, const View& a, const View& b, const View& out);

/// out (contiguous) = condition ? a : b, all broadcast to out's shape; a, b and out have one dtype.
void where(const View& condition, const View& a, const View& b, const View& out);

}  // namespace cadena::kernels
