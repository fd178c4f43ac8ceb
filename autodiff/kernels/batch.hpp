// One call of a matrix kernel for each matrix of a batch.
#pragma once

#include <algorithm>
#include <cstdint>

#include "autodiff/kernels/parallel.hpp"

namespace cadena::kernels {

/// f(i) for i in [0, count), each about `work` multiplications: a few large ones one after the other, with
/// threads inside their products; many over the threads.
template <class F>
void for_matrices(std::int64_t count, std::int64_t work, const F& f) {
  constexpr std::int64_t large = 1 << 20;
  if (count == 1 || (count < 8 && work >= large)) {
    for (std::int64_t i = 0; i < count; ++i) f(i);
    return;
  }
  const std::int64_t group = std::max<std::int64_t>(1, large / 16 / std::max<std::int64_t>(work, 1));
  for_blocks<Schedule::stealing>(
      (count + group - 1) / group, count * work >= large / 4, [&](std::int64_t block) {
        for (std::int64_t i = block * group; i < std::min(count, (block + 1) * group); ++i) f(i);
      });
}

}  // namespace cadena::kernels
