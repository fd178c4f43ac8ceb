// The one knob for threads.
#pragma once

#include <cstdint>

namespace cadena {

/// Threads used inside operations; starts as the number of cores (or OMP_NUM_THREADS). Results have the same
/// bits for every value. @throws ValueError unless n >= 1
void set_num_threads(int n);
int num_threads();

namespace detail {
void run_pieces(std::int64_t n, std::int64_t piece, void (*call)(const void*, std::int64_t, std::int64_t),
                const void* f);
}

/// Calls f(begin, end) for the pieces of [0, n) of `piece` elements each, the last one shorter: on the
/// threads that `set_num_threads` allows if there are at least four pieces, else in order on this one. What
/// the pieces are does not depend on the threads, so results that stay within them have the same bits for any
/// number.
/// @throws one of the exceptions of f; other pieces may have run
template <class F>
void parallel_for(std::int64_t n, std::int64_t piece, const F& f) {
  detail::run_pieces(
      n, piece,
      [](const void* g, std::int64_t begin, std::int64_t end) { (*static_cast<const F*>(g))(begin, end); },
      &f);
}

}  // namespace cadena
