// Work is cut into blocks whose size depends on the problem only, never on the number of threads: the same
// bits for any thread count.
#pragma once

#include <cstdint>
#include <exception>
#include <mutex>

#include "autodiff/parallel.hpp"

namespace cadena::kernels {

/// Bytes that a kernel reads and writes below which starting threads costs more than it brings.
inline constexpr std::int64_t parallel_bytes = 1 << 20;

/// How blocks are handed to threads: `even` gives neighbouring blocks to the same thread, and the same ones
/// in the next loop of this size, whose memory is then in its cache; `stealing` suits few, long or unequal
/// blocks.
enum class Schedule : std::uint8_t { even, stealing };

/// Runs f(block) for block in [0, blocks), on several threads if `parallel` and more than one are allowed.
/// Within another parallel region it runs on the calling thread. If some f throws, one of the exceptions is
/// thrown again here; the other blocks may or may not have run.
template <Schedule schedule = Schedule::even, class F>
void for_blocks(std::int64_t blocks, [[maybe_unused]] bool parallel, const F& f) {
#ifdef _OPENMP
  if (parallel && blocks > 1) {
    if (const int threads = num_threads(); threads > 1) {
      std::exception_ptr error;
      std::mutex guard;
      const auto run = [&](std::int64_t b) {
        try {
          f(b);
        } catch (...) {
          const std::lock_guard lock(guard);
          error = std::current_exception();
        }
      };
      if constexpr (schedule == Schedule::even) {
#pragma omp parallel for schedule(static) num_threads(threads)
        for (std::int64_t b = 0; b < blocks; ++b) run(b);
      } else {
#pragma omp parallel for schedule(dynamic) num_threads(threads)
        for (std::int64_t b = 0; b < blocks; ++b) run(b);
      }
      if (error) std::rethrow_exception(error);
      return;
    }
  }
#endif
  for (std::int64_t b = 0; b < blocks; ++b) f(b);
}

}  // namespace cadena::kernels
