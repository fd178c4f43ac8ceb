#include "autodiff/kernels/finite.hpp"

#include <algorithm>
#include <cmath>

namespace cadena::kernels {

namespace {

template <class T>
std::int64_t search(const T* p, std::int64_t n, bool nan_only) {
  constexpr std::int64_t block = 1024;
  for (std::int64_t start = 0; start < n; start += block) {
    const std::int64_t end = std::min(n, start + block);
    // x - x is NaN for NaN and infinities: a loop that vectorises, to pass over the many blocks of no
    // interest.
    bool finite = true;
    for (std::int64_t i = start; i < end; ++i) finite &= p[i] - p[i] == 0;
    if (finite) continue;
    for (std::int64_t i = start; i < end; ++i)
      if (nan_only ? std::isnan(p[i]) : !std::isfinite(p[i])) return i;
  }
  return -1;
}

}  // namespace

std::int64_t first_not_finite(const float* p, std::int64_t n, bool nan_only) {
  return search(p, n, nan_only);
}
std::int64_t first_not_finite(const double* p, std::int64_t n, bool nan_only) {
  return search(p, n, nan_only);
}

}  // namespace cadena::kernels
