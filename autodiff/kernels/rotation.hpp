// Plane rotations, and sweeps of them over the rows of a matrix.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "autodiff/kernels/householder.hpp"

namespace cadena::kernels {

struct Rotation {
  double cosine, sine, length;

  /// Turns (f, g) into (length, 0).
  static Rotation of(double f, double g) {
    if (g == 0) return {1, 0, f};
    if (f == 0) return {0, 1, g};
    const double top = std::max(std::abs(f), std::abs(g));
    const double length =
        top > 1e-140 && top < 1e140 ? std::sqrt(f * f + g * g) : std::hypot(f, g);  // far slower
    return {f / length, g / length, length};
  }
};

/// Rotations of rows i and i + 1, one after the other.
template <class T>
struct Sweep {
  explicit Sweep(std::int64_t n) : cosines(n), sines(n) {}
  void set(std::int64_t i, const Rotation& r) const {
    cosines[i] = static_cast<T>(r.cosine), sines[i] = static_cast<T>(r.sine);
  }
  // Every row is read and written once: what two rotations share stays in registers.
  void apply(std::int64_t first, std::int64_t last, const Padded<T>& rows) const {
    constexpr int at_once = 4;
    std::int64_t j = 0;
    for (; j + at_once * width<T> <= rows.stride; j += at_once * width<T>)
      apply_to<at_once>(first, last, rows, j);
    for (; j < rows.stride; j += width<T>) apply_to<1>(first, last, rows, j);
  }

 private:
  template <int at_once>
  void apply_to(std::int64_t first, std::int64_t last, const Padded<T>& rows, std::int64_t j) const {
    Batch<T> carry[at_once];
    unroll<at_once>([&](auto u) { carry[u] = Batch<T>::load_aligned(rows[first] + j + u * width<T>); });
    for (std::int64_t i = first; i < last; ++i) {
      const Batch<T> c(cosines[i]), s(sines[i]);
      unroll<at_once>([&](auto u) {
        const Batch<T> next = Batch<T>::load_aligned(rows[i + 1] + j + u * width<T>);
        xsimd::fma(c, carry[u], s * next).store_aligned(rows[i] + j + u * width<T>);
        carry[u] = xsimd::fms(c, next, s * carry[u]);
      });
    }
    unroll<at_once>([&](auto u) { carry[u].store_aligned(rows[last] + j + u * width<T>); });
  }

  Scratch<T> cosines, sines;
};

/// sweep(first, last) on the last block of the diagonal d without a zero among its neighbours e, until all of
/// e is negligible for T, and then zero. @return false if there were too many sweeps
template <class T, class F>
bool deflate(std::int64_t n, const double* d, double* e, const F& sweep) {
  constexpr double epsilon = std::numeric_limits<T>::epsilon() / 4;
  std::int64_t sweeps = 0;
  for (std::int64_t last = n - 1; last > 0;) {
    std::int64_t first = last;  // of the block without a zero beside the diagonal that ends at `last`
    for (; first > 0; --first)
      if (std::abs(e[first - 1]) <= epsilon * (std::abs(d[first - 1]) + std::abs(d[first]))) {
        e[first - 1] = 0;
        break;
      }
    if (first == last) {
      --last;
      continue;
    }
    if (++sweeps > 40 * n) return false;
    sweep(first, last);
  }
  return true;
}

}  // namespace cadena::kernels
