#include "autodiff/kernels/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <string>

#include "autodiff/error.hpp"

#ifdef _OPENMP
#include <omp.h>
#include <pthread.h>
#endif

namespace cadena {
namespace {

#ifdef _OPENMP

std::atomic<int> chosen{0};
std::atomic<bool> forked{false};

// A child process has only the thread that forked, but OpenMP's runtime still counts on its pool and would
// wait for it for ever.
const int fork_handler =
    pthread_atfork(nullptr, nullptr, [] { forked.store(true, std::memory_order_relaxed); });

int default_threads() {
  const int n = omp_get_max_threads();  // OMP_NUM_THREADS or the cores this process may use
  return n < 1 ? 1 : n;
}

#endif

}  // namespace

void set_num_threads(int n) {
  if (n < 1) throw ValueError("[set_num_threads] expected at least 1 thread, got " + std::to_string(n));
#ifdef _OPENMP
  chosen.store(n, std::memory_order_relaxed);
#endif
}

int num_threads() {
#ifdef _OPENMP
  if (forked.load(std::memory_order_relaxed)) return 1;
  int n = chosen.load(std::memory_order_relaxed);
  if (n == 0) {
    n = default_threads();
    int none = 0;
    if (!chosen.compare_exchange_strong(none, n)) n = none;
  }
  return n;
#else
  return 1;
#endif
}

void detail::run_pieces(std::int64_t n, std::int64_t piece,
                        void (*call)(const void*, std::int64_t, std::int64_t), const void* f) {
  kernels::for_blocks((n + piece - 1) / piece, n >= 4 * piece,
                      [&](std::int64_t b) { call(f, b * piece, std::min(n, (b + 1) * piece)); });
}

}  // namespace cadena
