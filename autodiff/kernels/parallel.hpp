// Work is cut into blocks whose size depends on the problem only, never on the number of threads: the same bits
// for any thread count.
#pragma once

#include <cstdint>

#include "autodiff/parallel.hpp"

namespace cadena::kernels {

/// Runs f(block) for block in [0, blocks), on several threads if `parallel` and more than one are allowed.
/// `f` must not throw.
template <class F>
void for_blocks(std::int64_t blocks, [[maybe_unused]] bool parallel, const F& f) {
#ifdef _OPENMP
  if (parallel && blocks > 1 && num_threads() > 1) {
#pragma omp parallel for schedule(static) num_threads(num_threads())
    for (std::int64_t b = 0; b < blocks; ++b) f(b);
    return;
  }
#endif
  for (std::int64_t b = 0; b < blocks; ++b) f(b);
}

}  // namespace cadena::kernels
