// Loops that are unrolled for certain, so that small arrays of registers never reach memory.
#pragma once

#include <type_traits>
#include <utility>

namespace cadena::kernels {

/// f(0), f(1), ... f(N - 1), with the indices as compile-time constants.
template <int N, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (f(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

}  // namespace cadena::kernels
