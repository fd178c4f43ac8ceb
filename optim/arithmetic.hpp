// What several optimizers do to an element. Private to the .cpp files.
#pragma once

#include <cmath>

namespace cadena::optim {

/// -1, 0, 1 or NaN.
template <class T>
T sign(T x) {
  return x > 0 ? T(1) : (x < 0 ? T(-1) : x);
}

/// NaN if either is.
template <class T>
T larger(T a, T b) {
  return a >= b || a != a ? a : b;
}

/// (w, g) -> the gradient to follow: its negative to maximize, plus weight_decay * w. A decay of 0 is left
/// out, as in PyTorch: 0 * w would not be 0 for an infinite w.
template <class O>
auto with_l2(const O& o) {
  return [maximize = o.maximize, decay = o.weight_decay]<class T>(T w, T g) {
    g = maximize ? -g : g;
    return decay != 0 ? g + T(decay) * w : g;
  };
}

/// 1 - beta^step: what an average that began at 0 lacks.
inline double correction(double beta, std::int64_t step) {
  return 1 - std::pow(beta, static_cast<double>(step));
}

}  // namespace cadena::optim
