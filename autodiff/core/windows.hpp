// Options that give one number for each dimension of a window.
#pragma once

#include <algorithm>
#include <string>

#include "autodiff/error.hpp"
#include "autodiff/shape.hpp"

namespace cadena::detail {

/// The number for dimension `i`; one stands for all.
inline std::int64_t at(const PerAxis& numbers, int i) {
  return numbers.rank() == 1 ? numbers[0] : numbers[i];
}

/// @throws ValueError naming `op` and `what` unless there are 1 or `rank` numbers, all from `least` to 2^30
inline void check_per_axis(const std::string& op, const char* what, const PerAxis& numbers, int rank,
                           std::int64_t least) {
  constexpr std::int64_t most = 1 << 30;  // sums and products of a few cannot overflow
  const bool fits = numbers.rank() == 1 || numbers.rank() == rank;
  if (!fits || std::any_of(numbers.begin(), numbers.end(), [&](auto n) { return n < least || n > most; }))
    throw ValueError("[" + op + "] expected " + what + " of 1 or " + std::to_string(rank) + " numbers from " +
                     std::to_string(least) + ", got " + to_string(numbers));
}

}  // namespace cadena::detail
